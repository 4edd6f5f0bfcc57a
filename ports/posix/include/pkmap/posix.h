/* SPDX-License-Identifier: MIT */
/*
 * pkmap/posix.h - the window's home in an ordinary Linux process.
 *
 * Frames (the "high memory") live in a memfd, a regular file or a block device;
 * a slot is a page of reserved address space, and mapping is mmap() of the
 * frame over it.  Threads are the CPUs, signal handlers their interrupts.
 * Offsets have 64 bits, in a 32-bit process too.
 *
 *	struct pkmap_posix *hm;
 *	struct pkmap_posix_config config = { .fd = -1, .npages = 4096 };
 *
 *	if (pkmap_posix_open(&config, &hm))
 *		err(1, "pkmap");
 *	pkmap_map(pkmap_posix_window(hm), pfn, NULL, &addr);
 *	...
 *	pkmap_posix_close(hm);
 *
 * What the calls of <pkmap/pkmap.h> do here:
 *
 *   Signal handlers.  Whatever is legal in "any" context works in a handler
 *   that interrupted anything, this library included.
 *
 *   Waiting.  A deadline is CLOCK_MONOTONIC in nanoseconds:
 *   pkmap_posix_deadline().  A wait with PKMAP_WAIT_INTERRUPTIBLE ends with
 *   PKMAP_EINTR when a handler runs while the thread sleeps, installed with
 *   SA_RESTART or not.  One that runs just before goes unnoticed; where that
 *   matters, give a deadline too.
 *
 *   errno.  A call on a window, or on its DMA layer, that succeeds leaves it
 *   alone, but for a map that found no memory and, having torn down what was
 *   idle, succeeded.  Where one returns PKMAP_ENOMEM or PKMAP_EIO, errno says
 *   why.
 *
 *   Mappings.  A slot that shows a page takes a mapping, of which a process can
 *   have vm.max_map_count; at that limit mmap() fails, and with it malloc() and
 *   pthread_create().  A window does not take the process there: one is refused
 *   (PKMAP_ENOMEM, errno ENOMEM) if all windows, with a mapping for each of their
 *   slots and local slots, and the mappings that the program has besides, would
 *   leave less than a quarter of the limit free.  pkmap_posix_max_slots() says
 *   how many slots a window can have.
 *
 *   Out of memory.  mmap() fails with ENOMEM when the program has used up that
 *   quarter, or the kernel has no memory.  A map then gives the mappings of all
 *   idle pages back and tries again.  If that fails too it returns PKMAP_ENOMEM,
 *   every page that is held stays mapped, and a later map may succeed.  Any
 *   other failure of mmap() is PKMAP_EIO.
 *
 *   A truncated file.  A page beyond the file's end can be mapped, and touching
 *   it raises SIGBUS, as with every mmap().  The library itself touches no
 *   page, so it goes on working.  Use pkmap_forget() before truncating.
 *
 *   Write-back.  A store through the window is in the file at once for every
 *   process that reads it; pkmap_posix_sync() makes it durable.
 *
 *   Misuse.  A program that gives no report functions gets a line on standard
 *   error for each misuse, by one write(2), which also works in a handler:
 *
 *	pkmap: pkmap_unmap: page 17 at 0x7f5e4a012000: not mapped by anybody
 *
 *   fork().  The child gets a window of its own onto the same frames, in the
 *   state that the parent's had: what was mapped is mapped in both, stores are
 *   seen by both, and from there on each maps and unmaps for itself.  What
 *   other threads of the parent had in that moment, the child has for ever:
 *   their slots stay held, their local maps open, and a window that they held a
 *   page of or waited for cannot be closed.  fork() waits for the window's
 *   lock, so it must not be called from a signal handler or from report().
 *   The program's own pthread_atfork() handlers may do all that a thread may;
 *   where the library was loaded by dlopen() only those that were registered
 *   after that.  The child of a _Fork(), vfork() or clone() must not touch the
 *   windows: their locks may be held by threads that it does not have.
 *
 *   Ending a thread, or a call, from outside.  No call is a cancellation point:
 *   a thread that waits for a slot goes on waiting when it is cancelled, and a
 *   signal ends the wait if it has PKMAP_WAIT_INTERRUPTIBLE.  A thread that is
 *   cancelled elsewhere, or exits, does not let go of what it has mapped, unless
 *   a pthread_cleanup_push() handler unmaps it.  Its local maps are ended in its
 *   place, in a destructor of thread-specific data, and each is reported
 *   (PKMAP_MISUSE_LOCAL_LEFT), before pthread_join() returns.  Never cancel a
 *   thread asynchronously (PTHREAD_CANCEL_ASYNCHRONOUS) in a call, and never
 *   leave a handler that interrupted one by siglongjmp(): the window may be
 *   locked or counted in use for ever, and a CPU of it lost.
 *
 *   Local maps.  A thread counts as a CPU of a window while it has local maps
 *   open there.  A window has a fixed number of CPUs (ncpus below), whatever
 *   the number of threads in the process: one more thread than that, at the
 *   same time, gets PKMAP_EBUSY.  (A thread counts as two for the instant that
 *   a handler, which interrupted its first pkmap_local_map() or its last
 *   pkmap_local_unmap(), opens one too.)  1024 threads can have local maps open
 *   in the windows of a process together.  A program that makes more than 31
 *   keys of thread-specific data before it loads the library with dlopen() must
 *   not open a thread's first local map in a handler: that allocates.
 *
 *   DMA.  pkmap_posix_dma() is for what stands for a device: whatever reads and
 *   writes the frames' file.  A page's physical address is its place in the
 *   file.  The kernel keeps the file and the mappings coherent, so the cache
 *   operations have nothing to do; but pages are held for them, and lines, of
 *   64 bytes, counted, as on a machine that needs it.  For each page that is
 *   not mapped that costs two mmap(), and the thread counts as a CPU
 *   meanwhile: out of memory, or of CPUs, a DMA call returns what a local map
 *   would.  After a fork() the child's tracker, a copy, knows of what the
 *   parent had given to devices as if the child had, and of nothing that the
 *   parent does later.
 */
#ifndef PKMAP_POSIX_H
#define PKMAP_POSIX_H

#include <pkmap/dma.h>
#include <pkmap/pkmap.h>

struct pkmap_posix;

/* How many CPUs a window has, unless its configuration or its pages say less. */
#define PKMAP_POSIX_NCPUS 64

/* For a number of which 0 is not none: none. */
#define PKMAP_POSIX_NONE  UINT32_MAX

struct pkmap_posix_config {
	/*
	 * The frames: a file descriptor open for reading and, unless
	 * @read_only, writing, that stays the caller's and may be closed after
	 * pkmap_posix_open(); or -1 for a new memfd.  0 is what a configuration
	 * has that does not say, and is refused: to use standard input, dup()
	 * it.
	 */
	int fd;
	/*
	 * @fd is lent: the port uses it itself, and no duplicate, and the
	 * caller keeps it open until pkmap_posix_close() has returned 0.  For a
	 * program that has POSIX record locks on the file (lockf(), F_SETLK):
	 * closing any descriptor of a file drops all that the process has on
	 * it, and pkmap_posix_close(), or a pkmap_posix_open() that fails,
	 * closes the duplicate.
	 */
	bool lend_fd;
	/*
	 * How many pages.  0: as many as the file has, the last of which may
	 * be a part of one.  A memfd needs a number.
	 */
	pkmap_pfn npages;
	/*
	 * Bytes in a page: 0 for the system's page size, or a power of two
	 * times that.
	 */
	size_t page_size;
	uint32_t nslots; /* 0: 64 */
	uint32_t batch;	 /* slots in a reclaim; 0: half of them */
	/*
	 * Local maps that a thread and the handlers on top of it can nest;
	 * 0: 4; PKMAP_POSIX_NONE: there are no local maps.
	 */
	uint32_t local_slots;
	/*
	 * DMA calls that a thread and the handlers on top of it can be in at
	 * the same time; 0: 4; PKMAP_POSIX_NONE: any number, since they map no
	 * page and so need no slot, as on a machine whose cache operations take
	 * physical addresses.
	 */
	uint32_t dma_slots;
	/*
	 * How many threads can have local maps or be in DMA calls at the same
	 * time, 1024 at most.  0: PKMAP_POSIX_NCPUS; with large pages so many
	 * fewer that their local slots fit in 256 MiB of address space (64 MiB
	 * in a 32-bit process), but two.
	 */
	uint32_t ncpus;
	uint32_t tracker_entries; /* of the DMA layer's tracker; 0: none */
	bool read_only;
	/*
	 * Between slots, and before the first, a page of address space stays
	 * empty, so that an access beyond the end of a page faults and does not
	 * reach another one.  The slots take twice the address space, and twice
	 * the mappings.
	 */
	bool guard;
	/*
	 * A slot that was reclaimed faults when touched.  Without it, it goes
	 * on showing its old page until it is used for another, or until
	 * pkmap_forget(), of any page, or pkmap_flush_unused(): replacing a
	 * mapping is cheaper than removing one first, and no map or pin can
	 * tell the difference, but a use after unmap goes unnoticed.  (Out of
	 * memory, a strict window's slot can go on showing its page too.)  In
	 * debug builds of the library every window is strict.  Local slots
	 * always are.
	 */
	bool strict;
	/*
	 * Called on a misuse, in the context of the call; and for what the DMA
	 * layer's tracker finds.  NULL: a line on standard error, see "Misuse".
	 */
	void (*report)(void *arg, const struct pkmap_report *report);
	void (*dma_report)(void *arg, const struct pkmap_dma_report *report);
	void *report_arg;
};

/**
 * pkmap_posix_open() - reserves address space for a window onto some frames.
 * @config: copied.
 * @port: written only on success.
 *
 * The address space is that of the slots and of the local slots of all CPUs,
 * (nslots + (local_slots + dma_slots) * ncpus + 1) pages, twice that with guard
 * pages, and three of the system's, until pkmap_posix_close().  No other mmap()
 * of the process is given a part of it.
 *
 * Context: a thread, not a signal handler.
 * Return: 0; PKMAP_EINVAL: @fd is 0, no pages, a number too large, a page size
 * that is none, a tracker in a library built without; PKMAP_ENOMEM; PKMAP_EIO:
 * the file cannot be used.  In each case errno says why.
 */
int pkmap_posix_open(const struct pkmap_posix_config *config,
		     struct pkmap_posix **port);

/**
 * pkmap_posix_max_slots() - how many slots a window can have.
 * @config: its configuration, without nslots.
 *
 * That is by the limit on mappings, see above, as things are now; the address
 * space for it may not be there.
 *
 * Context: a thread, not a signal handler.
 * Return: what nslots can be at most; 0: not even one, or @config is invalid.
 */
uint32_t pkmap_posix_max_slots(const struct pkmap_posix_config *config);

/**
 * pkmap_posix_close() - ends the window and gives the address space back.
 *
 * The frames of a memfd are gone; those of a file stay.
 *
 * Context: a thread, not a signal handler.
 * Return: 0; PKMAP_EBUSY (reported) while the window is in use: nothing has
 * changed; PKMAP_ENOMEM: the kernel had no memory, or no mapping, to give the
 * address space back.  Then too the window is open still, with no page mapped,
 * and can be used or closed once more.
 */
int pkmap_posix_close(struct pkmap_posix *port);

/* The window.  Context: any. */
struct pkmap_window *pkmap_posix_window(struct pkmap_posix *port);

/* The window's DMA layer.  Context: any. */
struct pkmap_dma *pkmap_posix_dma(struct pkmap_posix *port);

/* The file that holds the frames: page n at n pages.  Context: any. */
int pkmap_posix_fd(const struct pkmap_posix *port);

/* How many pages there are.  Context: any. */
pkmap_pfn pkmap_posix_npages(const struct pkmap_posix *port);

/* Bytes in a page.  Context: any. */
size_t pkmap_posix_page_size(const struct pkmap_posix *port);

/**
 * pkmap_posix_sync() - makes stores durable.
 *
 * Every store through the window that happened before the call, by whatever
 * thread, mapped still or not, is on the storage device when it returns 0.
 *
 * Context: a thread; sleeps.
 * Return: 0; PKMAP_EIO, errno says why, and the data may not be there.
 */
int pkmap_posix_sync(struct pkmap_posix *port);

/* The deadline @ns nanoseconds from now, for pkmap_wait.  Context: any. */
uint64_t pkmap_posix_deadline(uint64_t ns);

/*
 * What a code means, in English: a PKMAP_E code (for 0 "success"), a misuse of a
 * window, and one that the tracker found.  Context: any.
 */
const char *pkmap_strerror(int err);
const char *pkmap_strmisuse(enum pkmap_misuse what);
const char *pkmap_dma_strmisuse(enum pkmap_dma_misuse what);

#endif /* PKMAP_POSIX_H */
