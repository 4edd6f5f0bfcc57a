// SPDX-License-Identifier: MIT
#include "transfers.h"

#include <stdio.h>
#include <string.h>

#define MAX_BUFS 3u
#define MAX_SEGS 64u
#define NLINES	 (SOFT_BYTES / SOFT_LINE)

/* A range of physical addresses. */
struct range {
	size_t start;
	size_t end;
};

/* How the CPU uses the buffers' neighbours during a transfer. */
enum use {
	READ,
	WRITE,
	READ_AND_WRITE,
};

static struct {
	uint64_t random;
	struct soft_kind kind;
	const struct mistake *mistake;
	char wrong[160];

	/* The value of each byte of memory, if it is known. */
	uint8_t value[SOFT_BYTES];
	bool known[SOFT_BYTES];

	/* The transfer. */
	enum pkmap_dma_dir dir;
	struct pkmap_dma_buffer bufs[MAX_BUFS];
	struct range ranges[MAX_BUFS]; /* of the buffers */
	uint32_t nbufs;
	size_t bytes;
	struct pkmap_dma_segment segs[MAX_SEGS];
	enum use neighbours;
	uint8_t buffer[SOFT_BYTES]; /* the byte's buffer; 0: none */
	bool device_owns[SOFT_BYTES];
	/* The CPU has read the line while the device owned a part of it. */
	bool touched[NLINES];
	/* The CPU wrote to the line, so the device's writes may be lost. */
	bool lossy[NLINES];

	/* The DMA call that is being made. */
	enum moment moment;

	/* A page that the driver has mapped during the transfer, or NULL. */
	void *held;
	bool held_locally;
} t;

static uint32_t random_below(uint32_t n)
{
	return random_next(&t.random) % n;
}

static bool one_in(uint32_t n)
{
	return random_below(n) == 0;
}

static struct range line_at(size_t phys)
{
	const size_t start = phys - phys % SOFT_LINE;

	return (struct range){ start, start + SOFT_LINE };
}

static struct range some_part(struct range r)
{
	const size_t bytes = r.end - r.start;
	const size_t start = r.start + random_below((uint32_t)bytes);

	return (struct range){
		start, start + 1 + random_below((uint32_t)(r.end - start))
	};
}

/* The range, the rest of its lines, and one more line at each end. */
static struct range with_neighbours(struct range r)
{
	const size_t low = r.start < SOFT_LOW_BYTES ? 0 : SOFT_LOW_BYTES;
	const size_t high = low ? SOFT_BYTES : SOFT_LOW_BYTES;
	const size_t start = line_at(r.start).start;
	const size_t end = line_at(r.end - 1).end;

	return (struct range){ start > low ? start - SOFT_LINE : low,
			       end < high ? end + SOFT_LINE : high };
}

static void compare(const char *who, size_t phys, const uint8_t *data, size_t n)
{
	size_t k;

	for (k = 0; k < n && !t.wrong[0]; k++, phys++)
		if (t.known[phys] && data[k] != t.value[phys])
			snprintf(t.wrong, sizeof(t.wrong),
				 "%s has %#x at %#zx, which is %#x", who,
				 data[k], phys, t.value[phys]);
}

static bool writes_to_buffers(void)
{
	return t.dir & PKMAP_DMA_FROM_DEVICE;
}

static bool device_owns_part_of(struct range line)
{
	size_t at;

	for (at = line.start; at < line.end; at++)
		if (t.device_owns[at])
			return true;
	return false;
}

/*
 * If stores allocate no line, and no load has filled this one, a store goes
 * only to memory, and nothing is lost.
 */
static bool is_safe_store(struct range line)
{
	return !t.kind.write_allocate && !t.kind.speculative &&
	       !t.touched[line.start / SOFT_LINE];
}

/* The CPU has written to a line; the device's part of it may be lost. */
static void note_store(struct range line)
{
	size_t at;

	if (!device_owns_part_of(line) || !writes_to_buffers() ||
	    is_safe_store(line))
		return;
	t.lossy[line.start / SOFT_LINE] = true;
	for (at = line.start; at < line.end; at++)
		if (t.device_owns[at])
			t.known[at] = false;
}

/* Makes data for the CPU or the device to write. */
static const uint8_t *make_up(size_t phys, size_t n)
{
	size_t k;

	for (k = 0; k < n; k++)
		t.value[phys + k] = (uint8_t)random_below(256);
	return &t.value[phys];
}

static void cpu_writes(char *addr, struct range r)
{
	const size_t n = r.end - r.start;
	size_t at;

	soft_write(addr, make_up(r.start, n), n);
	memset(&t.known[r.start], true, n);
	for (at = r.start; at < r.end; at = line_at(at).end)
		note_store(line_at(at));
}

static void cpu_reads(const char *addr, struct range r)
{
	uint8_t data[SOFT_PAGE];
	size_t at;

	soft_read(addr, data, r.end - r.start);
	for (at = r.start; at < r.end; at = line_at(at).end)
		t.touched[at / SOFT_LINE] = true;
	compare("the CPU", r.start, data, r.end - r.start);
}

static void access_at(void *page, struct range r, bool write)
{
	char *addr = (char *)page + r.start % SOFT_PAGE;

	if (write)
		cpu_writes(addr, r);
	else
		cpu_reads(addr, r);
}

static void access_locally(pkmap_pfn pfn, struct range r, bool write)
{
	void *page;

	soft_must(pkmap_local_map(soft_window(), pfn, &page));
	access_at(page, r, write);
	soft_must(pkmap_local_unmap(soft_window(), page));
}

static void access_mapped(pkmap_pfn pfn, struct range r, bool write)
{
	void *page = one_in(2) ? pkmap_pin(soft_window(), pfn) : NULL;

	if (!page)
		soft_must(pkmap_map(soft_window(), pfn, PKMAP_NOWAIT, &page));
	access_at(page, r, write);
	soft_must(pkmap_unmap(soft_window(), page));
}

/*
 * The CPU reads or writes a part of a page: as the task, or as an interrupt in
 * a DMA call or on top of a local map.
 */
static void access_in_page(struct range r, bool write)
{
	const pkmap_pfn pfn = r.start / SOFT_PAGE;

	if (pfn < SOFT_LOW_PAGES)
		access_at(soft_low(pfn * SOFT_PAGE), r, write);
	else if (t.moment != OUTSIDE || t.held_locally || one_in(3))
		access_locally(pfn, r, write);
	else
		access_mapped(pfn, r, write);
}

static void cpu_accesses(struct range r, bool write)
{
	size_t end;

	for (; r.start < r.end; r.start = end) {
		end = r.start - r.start % SOFT_PAGE + SOFT_PAGE;
		if (end > r.end)
			end = r.end;
		access_in_page((struct range){ r.start, end }, write);
	}
}

/* Bytes that share a line with an end of a buffer; may be empty. */
static struct range some_neighbour(void)
{
	const struct range r = t.ranges[random_below(t.nbufs)];
	const struct range line = line_at(one_in(2) ? r.start : r.end - 1);
	struct range n;

	n.start = line.start + random_below(SOFT_LINE);
	for (n.end = n.start; n.end < line.end && !t.buffer[n.end]; n.end++)
		;
	return n;
}

static void use_a_neighbour(void)
{
	cpu_accesses(some_neighbour(),
		     t.neighbours == WRITE ||
			     (t.neighbours == READ_AND_WRITE && one_in(2)));
}

/* Uses a line that has no byte of a buffer. */
static void use_other_lines(void)
{
	const struct range line = line_at(random_below(SOFT_BYTES));
	size_t at;

	for (at = line.start; at < line.end; at++)
		if (t.buffer[at])
			return;
	cpu_accesses(some_part(line), one_in(2));
}

static size_t least(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* The device accesses bytes at bus address @bus, which are at @phys. */
static void device_accesses(uint64_t bus, size_t phys, size_t n, bool write)
{
	uint8_t data[SOFT_LINE];

	if (!write) {
		soft_device_read(bus, data, n);
		compare("the device", phys, data, n);
		return;
	}
	soft_device_write(bus, make_up(phys, n), n);
	memset(&t.known[phys], !t.lossy[phys / SOFT_LINE], n);
}

/* The device accesses the bytes from @from to @to of all buffers in a row. */
static void device_transfers(size_t from, size_t to, bool write)
{
	const struct pkmap_dma_segment *seg = t.segs;
	const struct range *r = t.ranges;
	size_t in_seg = 0;
	size_t in_buf = 0;
	size_t n;
	size_t at;

	for (at = 0; at < to; at += n, in_seg += n, in_buf += n) {
		if (in_seg == seg->len) {
			seg++;
			in_seg = 0;
		}
		if (in_buf == r->end - r->start) {
			r++;
			in_buf = 0;
		}
		n = line_at(r->start + in_buf).end - (r->start + in_buf);
		n = least(n, r->end - (r->start + in_buf));
		n = least(n, (size_t)seg->len - in_seg);
		n = least(n, (at < from ? from : to) - at);
		if (at >= from && t.device_owns[r->start + in_buf])
			device_accesses(seg->addr + in_seg, r->start + in_buf,
					n, write);
	}
}

static void device_works(void)
{
	const struct range r = some_part((struct range){ 0, t.bytes });
	const bool all = one_in(3);
	const bool write = t.dir == PKMAP_DMA_FROM_DEVICE ||
			   (writes_to_buffers() && one_in(2));

	device_transfers(all ? 0 : r.start, all ? t.bytes : r.end, write);
}

/* A line's history begins when the device gets the first of its bytes. */
static void give_to_device(struct range r)
{
	size_t at;

	for (at = r.start; at < r.end; at = line_at(at).end)
		if (!device_owns_part_of(line_at(at)))
			t.touched[at / SOFT_LINE] = false;
	memset(&t.device_owns[r.start], true, r.end - r.start);
	if (t.dir == PKMAP_DMA_FROM_DEVICE)
		memset(&t.known[r.start], false, r.end - r.start);
}

/* It ends when the CPU gets the last of them back. */
static void take_from_device(struct range r)
{
	size_t at;

	memset(&t.device_owns[r.start], false, r.end - r.start);
	for (at = r.start; at < r.end; at = line_at(at).end)
		if (!device_owns_part_of(line_at(at)))
			t.lossy[at / SOFT_LINE] = false;
}

static struct pkmap_dma_buffer buffer_of(struct range r)
{
	return (struct pkmap_dma_buffer){
		.pfn = r.start / SOFT_PAGE,
		.offset = r.start % SOFT_PAGE,
		.len = r.end - r.start,
	};
}

static void map(void)
{
	uint32_t k;
	int n;

	t.moment = BEFORE;
	for (k = 0; k < t.nbufs; k++)
		give_to_device(t.ranges[k]);
	n = pkmap_dma_map(soft_dma(), soft_device(), t.bufs, t.nbufs, t.dir,
			  t.segs, MAX_SEGS);
	if (n < 0)
		soft_fail("pkmap_dma_map: error %d", n);
	t.moment = OUTSIDE;
}

static void unmap(void)
{
	uint32_t k;

	t.moment = AFTER;
	soft_must(pkmap_dma_unmap(soft_dma(), soft_device(), t.bufs, t.nbufs,
				  t.dir));
	for (k = 0; k < t.nbufs; k++)
		take_from_device(t.ranges[k]);
	t.moment = OUTSIDE;
}

static void sync_for_cpu(struct range r)
{
	const struct pkmap_dma_buffer buf = buffer_of(r);

	t.moment = AFTER;
	soft_must(pkmap_dma_sync_for_cpu(soft_dma(), soft_device(), &buf, 1,
					 t.dir));
	take_from_device(r);
	t.moment = OUTSIDE;
}

static void sync_for_device(struct range r)
{
	const struct pkmap_dma_buffer buf = buffer_of(r);

	t.moment = BEFORE;
	give_to_device(r);
	soft_must(pkmap_dma_sync_for_device(soft_dma(), soft_device(), &buf, 1,
					    t.dir));
	t.moment = OUTSIDE;
}

/* The whole buffer, or a part that shares no line with its other parts. */
static struct range some_lines_of(struct range r)
{
	struct range part = some_part(r);

	if (one_in(2))
		return r;
	part.start = line_at(part.start).start;
	part.end = line_at(part.end - 1).end;
	if (part.start < r.start)
		part.start = r.start;
	if (part.end > r.end)
		part.end = r.end;
	return part;
}

/* During the transfer, the driver reads a part of a buffer, or changes it. */
static void pass_to_and_fro(void)
{
	const struct range r = some_lines_of(t.ranges[random_below(t.nbufs)]);

	sync_for_cpu(r);
	cpu_accesses(r, false);
	soft_stir();
	if (one_in(2))
		cpu_accesses(some_part(r), true);
	if (one_in(2))
		device_works();
	sync_for_device(r);
}

/* What interrupts and other CPUs do during a DMA call. */
static void meanwhile(void)
{
	if (t.moment == OUTSIDE)
		return;
	if (one_in(2))
		soft_stir();
	if (one_in(3))
		use_a_neighbour();
	if (one_in(8))
		pkmap_flush_unused(soft_window());
}

static void do_something(void)
{
	switch (random_below(8)) {
	case 0:
	case 1:
		device_works();
		break;
	case 2:
	case 3:
		use_a_neighbour();
		break;
	case 4:
		use_other_lines();
		break;
	case 5:
		if (t.dir == PKMAP_DMA_TO_DEVICE)
			cpu_accesses(some_part(t.ranges[0]), false);
		break;
	case 6:
		pass_to_and_fro();
		break;
	case 7:
		soft_stir();
		break;
	}
}

static size_t some_length(void)
{
	const uint32_t limits[] = { 2 * SOFT_LINE, 1000, 3 * SOFT_PAGE };
	const uint32_t len = 1 + random_below(limits[random_below(3)]);

	return one_in(3) ? (len + SOFT_LINE - 1) / SOFT_LINE * SOFT_LINE : len;
}

/* Chooses buffers in a row, with or without bytes between them. */
static void choose_buffers(void)
{
	const bool low = one_in(4);
	const size_t end = low ? SOFT_LOW_BYTES : SOFT_BYTES;
	size_t at = low ? 0 : SOFT_LOW_BYTES;

	at += random_below((uint32_t)(end - at));
	if (one_in(3))
		at = line_at(at).start;
	t.nbufs = 0;
	t.bytes = 0;
	do {
		struct range r = { at, least(at + some_length(), end) };

		t.ranges[t.nbufs] = r;
		t.bufs[t.nbufs++] = buffer_of(r);
		memset(&t.buffer[r.start], (int)t.nbufs, r.end - r.start);
		t.bytes += r.end - r.start;
		at = r.end + (one_in(2) ? 0 : random_below(2 * SOFT_LINE));
	} while (at < end && t.nbufs < MAX_BUFS && one_in(2));
}

static void forget_buffers(void)
{
	uint32_t k;

	for (k = 0; k < t.nbufs; k++)
		memset(&t.buffer[t.ranges[k].start], 0,
		       t.ranges[k].end - t.ranges[k].start);
}

/* Sometimes keeps the first page mapped during the transfer. */
static void hold_a_page(void)
{
	const pkmap_pfn pfn = t.bufs[0].pfn;

	t.held = NULL;
	if (pfn < SOFT_LOW_PAGES || one_in(2))
		return;
	t.held_locally = one_in(2);
	if (t.held_locally)
		soft_must(pkmap_local_map(soft_window(), pfn, &t.held));
	else
		soft_must(pkmap_map(soft_window(), pfn, PKMAP_NOWAIT, &t.held));
}

static void let_go_of_page(void)
{
	if (t.held && t.held_locally)
		soft_must(pkmap_local_unmap(soft_window(), t.held));
	else if (t.held)
		soft_must(pkmap_unmap(soft_window(), t.held));
	t.held = NULL;
	t.held_locally = false;
}

static void fill_buffers(void)
{
	uint32_t k;

	for (k = 0; k < t.nbufs; k++) {
		const struct range r = with_neighbours(t.ranges[k]);

		cpu_accesses(one_in(3) ? some_part(r) : r, !one_in(4));
	}
}

static void check_buffers(void)
{
	uint32_t k;

	for (k = 0; k < t.nbufs; k++)
		cpu_accesses(with_neighbours(t.ranges[k]), false);
}

static void transfer(void)
{
	uint32_t n;

	t.dir = (enum pkmap_dma_dir)(1 + random_below(3));
	t.neighbours = (enum use)random_below(3);
	choose_buffers();
	hold_a_page();
	fill_buffers();
	if (one_in(2))
		check_buffers();
	if (one_in(2))
		soft_stir();

	map();
	if (one_in(2))
		let_go_of_page();
	for (n = random_below(8); n; n--)
		do_something();
	unmap();
	let_go_of_page();

	if (one_in(2))
		soft_stir();
	check_buffers();
	forget_buffers();
}

/* Whether the library must treat the line as shared with other data. */
static bool is_shared(struct range line)
{
	size_t at;

	for (at = line.start; at < line.end; at++)
		if (!t.buffer[at] || t.buffer[at] != t.buffer[line.start])
			return true;
	return false;
}

static bool is_the_moment(void)
{
	return t.mistake && t.mistake->dir == t.dir &&
	       t.mistake->moment == t.moment;
}

static enum pkmap_cache_op choose(enum soft_level level, enum pkmap_cache_op op,
				  size_t phys)
{
	const struct mistake *no = t.mistake;

	if (is_the_moment() && !no->swapped && no->level == level &&
	    is_shared(line_at(phys)) == (no->lines == SHARED))
		return no->instead;
	return op;
}

static enum soft_order order(void)
{
	if (!is_the_moment() || !t.mistake->swapped)
		return SOFT_AS_CALLED;
	return t.moment == BEFORE ? SOFT_OUTER_FIRST : SOFT_INNER_FIRST;
}

const char *transfers_run(const struct soft_kind *kind,
			  const struct mistake *mistake, uint64_t seed,
			  unsigned int n, unsigned int *done)
{
	static const struct soft_hooks hooks = {
		.choose = choose,
		.order = order,
		.around = meanwhile,
	};

	memset(&t, 0, sizeof(t));
	memset(t.known, true, sizeof(t.known));
	t.random = seed * 0xc2b2ae3d27d4eb4fu + 1;
	t.kind = *kind;
	t.mistake = mistake;
	soft_open(kind, &hooks, seed);
	for (*done = 0; *done < n && !t.wrong[0]; ++*done)
		transfer();
	soft_clean_all();
	compare("memory", 0, soft_memory(), SOFT_BYTES);
	soft_close();
	return t.wrong[0] ? t.wrong : NULL;
}
