// SPDX-License-Identifier: MIT
/*
 * The receive path of docs/dma.md, in a process: a "network card" writes
 * packets into buffers of high memory and raises an interrupt, whose handler
 * hands them on.  The card is the other half of this file: it writes to the
 * frames' file at the addresses that it was given.
 */
#include <pkmap/posix.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define BUF_BYTES 2048 /* whole cache lines: buffers share none */
#define NBUFS	  8
#define NPACKETS  1000

struct nic {
	struct pkmap_window *win;
	struct pkmap_dma *dma;
	struct pkmap_dma_device dev;
	struct pkmap_dma_buffer buf[NBUFS]; /* the ring */
	uint64_t desc[NBUFS];		    /* the buffers' bus addresses */
	unsigned int next;		    /* buffer that it fills next */
	unsigned long received;
	unsigned long bad;
	bool stopped;
	int memory; /* where the card writes */
};

/* Handles a packet.  Each packet has a number. */
static void consume(struct nic *nic, const char *packet)
{
	unsigned long number;

	memcpy(&number, packet, sizeof(number));
	if (number != nic->received++)
		nic->bad++;
}

/* A task, before the card is started. */
static int nic_open(struct nic *nic)
{
	struct pkmap_dma_segment seg;
	unsigned int i;
	int n;

	for (i = 0; i < NBUFS; i++) {
		n = pkmap_dma_map(nic->dma, &nic->dev, &nic->buf[i], 1,
				  PKMAP_DMA_FROM_DEVICE, &seg, 1);
		if (n < 0)
			goto undo;
		nic->desc[i] = seg.addr; /* for when it is started */
	}
	return 0;
undo:
	while (i-- > 0)
		pkmap_dma_unmap(nic->dma, &nic->dev, &nic->buf[i], 1,
				PKMAP_DMA_FROM_DEVICE);
	return n;
}

/* The interrupt: the card has written a packet to buffer @i. */
static int nic_receive(struct nic *nic, unsigned int i)
{
	const struct pkmap_dma_buffer *buf = &nic->buf[i];
	void *page;
	int err;

	/* The buffer becomes ours. */
	err = pkmap_dma_sync_for_cpu(nic->dma, &nic->dev, buf, 1,
				     PKMAP_DMA_FROM_DEVICE);
	if (err)
		return err;
	/* Only now may we look at it, at whatever address. */
	err = pkmap_local_map(nic->win, buf->pfn, &page);
	if (!err) {
		consume(nic, (char *)page + buf->offset);
		/* Before the buffer goes back. */
		pkmap_local_unmap(nic->win, page);
	} else {
		nic->bad++; /* the packet is lost, not the buffer */
	}
	/* It becomes the card's again, at the same address; or else stays ours. */
	return pkmap_dma_sync_for_device(nic->dma, &nic->dev, buf, 1,
					 PKMAP_DMA_FROM_DEVICE);
}

/* A task, when the card has been stopped. */
static void nic_close(struct nic *nic)
{
	unsigned int i;

	for (i = 0; i < NBUFS; i++)
		pkmap_dma_unmap(nic->dma, &nic->dev, &nic->buf[i], 1,
				PKMAP_DMA_FROM_DEVICE);
}

static struct nic nic;

/* The card: fills the next buffer, and raises the interrupt. */
static void write_packet(unsigned long number)
{
	if (pwrite(nic.memory, &number, sizeof(number),
		   (off_t)nic.desc[nic.next]) != sizeof(number))
		nic.bad++;
	raise(SIGUSR1);
}

static void interrupt(int sig)
{
	(void)sig;
	if (nic_receive(&nic, nic.next))
		nic.stopped = true; /* its ring has lost a buffer */
	nic.next = (nic.next + 1) % NBUFS;
}

int main(void)
{
	const struct pkmap_posix_config config = { .fd = -1, .npages = 64 };
	struct pkmap_posix *hm;
	unsigned int i;
	int err;

	err = pkmap_posix_open(&config, &hm);
	if (err)
		goto out;
	nic.win = pkmap_posix_window(hm);
	nic.dma = pkmap_posix_dma(hm);
	nic.dev = (struct pkmap_dma_device){ .addr_mask = 0xffffffff };
	nic.memory = pkmap_posix_fd(hm);
	for (i = 0; i < NBUFS; i++)
		nic.buf[i] = (struct pkmap_dma_buffer){
			.pfn = 40 + i / 2,
			.offset = i % 2 * BUF_BYTES,
			.len = BUF_BYTES,
		};

	signal(SIGUSR1, interrupt);
	err = nic_open(&nic);
	if (err)
		goto close;
	for (i = 0; i < NPACKETS && !nic.stopped; i++)
		write_packet(i);
	nic_close(&nic);
	printf("%lu packets received, %lu bad\n", nic.received, nic.bad);
close:
	pkmap_posix_close(hm);
out:
	if (err)
		fprintf(stderr, "receive: %s\n", pkmap_strerror(err));
	return err || nic.bad || nic.received != NPACKETS;
}
