/* SPDX-License-Identifier: MIT */
/*
 * pkmap/posix.h - a window in an ordinary Linux process.
 *
 * The frames (the "high memory") are in a memfd, a regular file or a block
 * device.  A slot is a page of reserved address space, and mapping a page is an
 * mmap() of its frame over the slot.  Threads are the CPUs, and signal handlers
 * are their interrupts.  Offsets have 64 bits, in a 32-bit process too.
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
 * How the calls of <pkmap/pkmap.h> behave in this port:
 *
 *   Signal handlers.  Calls that are legal in "any" context work in a signal
 *   handler, whatever it interrupted, this library included.
 *
 *   Waiting.  A deadline is CLOCK_MONOTONIC in nanoseconds; see
 *   pkmap_posix_deadline().  A wait with PKMAP_WAIT_INTERRUPTIBLE ends with
 *   PKMAP_EINTR if a signal handler runs while the thread sleeps, with or
 *   without SA_RESTART.  A handler that runs just before the thread sleeps does
 *   not end the wait; where that matters, set a deadline too.
 *
 *   errno.  A call on a window or on its DMA layer that succeeds leaves errno
 *   unchanged.  The exception is a map that runs out of memory, unmaps the idle
 *   pages and then succeeds.  If a call returns PKMAP_ENOMEM or PKMAP_EIO,
 *   errno says why.
 *
 *   Mappings.  Each slot that shows a page uses a mapping, and a process can
 *   have at most vm.max_map_count of them.  At that limit mmap() fails, and so
 *   do malloc() and pthread_create().  pkmap_posix_open() does not let windows
 *   bring a process there: it counts a mapping for each slot and local slot of
 *   all windows, adds the other mappings that the program has at that time, and
 *   fails with PKMAP_ENOMEM (errno ENOMEM) if that leaves less than a quarter
 *   of the limit free.  pkmap_posix_max_slots() says how many slots a window
 *   can have.
 *
 *   Out of memory.  mmap() fails with ENOMEM if the program has used up that
 *   quarter, or if the kernel has no memory.  A map then removes the mappings
 *   of all idle pages and tries again.  If that fails too, it returns
 *   PKMAP_ENOMEM; every page in use stays mapped, and a later map may succeed.
 *   For any other failure of mmap() it returns PKMAP_EIO.
 *
 *   A truncated file.  A page beyond the file's end can be mapped, and touching
 *   it raises SIGBUS, as with every mmap().  The library itself touches no
 *   page, so it keeps working.  Call pkmap_forget() before truncating.
 *
 *   Write-back.  Every process that reads the file sees a store through the
 *   window at once; pkmap_posix_sync() makes stores durable.
 *
 *   Misuse.  If a program sets no report function, each misuse is a line on
 *   standard error, written by one write(2), which also works in a handler:
 *
 *	pkmap: pkmap_unmap: page 17 at 0x7f5e4a012000: not mapped by anybody
 *
 *   fork().  The child gets a window of its own onto the same frames, in the
 *   state of the parent's window: pages that were mapped are mapped in both,
 *   and both see all stores; from then on each maps and unmaps for itself.
 *   Whatever other threads of the parent held at that moment stays held in the
 *   child for ever: their slots stay in use, their local maps stay open, and a
 *   window of which they held a page, or in which they waited, cannot be
 *   closed.  fork() waits for the window's lock, so it must not be called from
 *   a signal handler or from report().  The program's own pthread_atfork()
 *   handlers may do all that a thread may; if the library was loaded by
 *   dlopen(), only those registered after that.  The child of a _Fork(),
 *   vfork() or clone() must not touch the windows: their locks may be held by
 *   threads that the child does not have.
 *
 *   Cancellation and exit of threads.  No call is a cancellation point: a
 *   thread that is cancelled while it waits for a slot keeps waiting.  A signal
 *   ends the wait if it has PKMAP_WAIT_INTERRUPTIBLE.  A thread that is
 *   cancelled elsewhere, or exits, does not release the pages it has mapped,
 *   unless a pthread_cleanup_push() handler unmaps them.  Its local maps are
 *   ended for it by a destructor of thread-specific data, and each is reported
 *   (PKMAP_MISUSE_LOCAL_LEFT), before pthread_join() returns.  Never cancel a
 *   thread asynchronously (PTHREAD_CANCEL_ASYNCHRONOUS) in a call, and never
 *   leave a handler that interrupted a call by siglongjmp(): the window may
 *   stay locked or in use for ever, and may lose a CPU.
 *
 *   Local maps.  A thread counts as a CPU of a window while it has local maps
 *   open there.  A window has a fixed number of CPUs (ncpus below), whatever
 *   the number of threads in the process; if that many threads have local maps
 *   open, the next one gets PKMAP_EBUSY.  (A thread counts as two for an
 *   instant if a handler interrupts its first pkmap_local_map() or its last
 *   pkmap_local_unmap() and opens a local map too.)  At most 1024 threads of a
 *   process can have local maps open at the same time, in all windows together.
 *   A program that creates more than 31 keys of thread-specific data before it
 *   loads the library with dlopen() must not open a thread's first local map in
 *   a handler, because that allocates memory.
 *
 *   DMA.  pkmap_posix_dma() is for programs that stand for a device: they read
 *   and write the file with the frames.  A page's physical address is its
 *   offset in the file.  The kernel keeps the file and the mappings coherent,
 *   so the cache operations do nothing.  Pages are held for them all the same,
 *   and lines of 64 bytes are counted, as on a machine that needs it.  Each
 *   page that is not mapped costs two mmap() calls, and the thread counts as a
 *   CPU meanwhile; without memory or without a free CPU, a DMA call returns the
 *   error that a local map would.  After fork() the child has a copy of the
 *   tracker: in it, what the parent had given to devices counts as given by the
 *   child, and nothing that the parent does later appears.
 */
#ifndef PKMAP_POSIX_H
#define PKMAP_POSIX_H

#include <pkmap/dma.h>
#include <pkmap/pkmap.h>

struct pkmap_posix;

/* CPUs of a window by default; fewer if its pages are large. */
#define PKMAP_POSIX_NCPUS 64

/* None, for fields in which 0 stands for a default. */
#define PKMAP_POSIX_NONE  UINT32_MAX

struct pkmap_posix_config {
	/*
	 * The frames: -1 for a new memfd, or a file descriptor that is open
	 * for reading and, unless @read_only, for writing.  The caller still
	 * owns it, and may close it after pkmap_posix_open().  0 is refused,
	 * because a configuration that does not set @fd has 0; to use standard
	 * input, dup() it.
	 */
	int fd;
	/*
	 * The port uses @fd itself instead of a duplicate, and the caller keeps
	 * it open until pkmap_posix_close() has returned 0.  This is for
	 * programs with POSIX record locks on the file (lockf(), F_SETLK):
	 * closing any descriptor of a file drops all locks that the process has
	 * on it, and the duplicate is closed by pkmap_posix_close(), or by a
	 * pkmap_posix_open() that fails.
	 */
	bool lend_fd;
	/*
	 * The number of pages.  0: as many as the file has, where a partial
	 * last page counts.  A memfd needs a number.
	 */
	pkmap_pfn npages;
	/*
	 * Bytes in a page: the system's page size times a power of two.  0: the
	 * system's page size.
	 */
	size_t page_size;
	uint32_t nslots; /* 0: 64 */
	uint32_t batch;	 /* slots in a reclaim; 0: half of them */
	/*
	 * How many local maps a thread and the handlers on top of it can have
	 * open at the same time.  0: 4; PKMAP_POSIX_NONE: no local maps.
	 */
	uint32_t local_slots;
	/*
	 * How many DMA calls a thread and the handlers on top of it can be in
	 * at the same time.  0: 4; PKMAP_POSIX_NONE: any number.  The calls then
	 * map no page and need no slot, as on a machine whose cache operations
	 * take physical addresses.
	 */
	uint32_t dma_slots;
	/*
	 * How many threads can have local maps or be in DMA calls at the same
	 * time, at most 1024.  0: PKMAP_POSIX_NCPUS; with large pages fewer,
	 * so that their local slots fit in 256 MiB of address space (64 MiB in
	 * a 32-bit process), but at least two.
	 */
	uint32_t ncpus;
	uint32_t tracker_entries; /* of the DMA layer's tracker; 0: no tracker */
	bool read_only;
	/*
	 * Leaves a page of address space empty between slots and before the
	 * first, so that an access beyond the end of a page faults and does not
	 * reach another page.  The slots take twice the address space and twice
	 * the mappings.
	 */
	bool guard;
	/*
	 * Touching a slot that was reclaimed faults.  In a window that is not
	 * strict, the slot shows its old page until it is used for another, or
	 * until a pkmap_forget() of any page or a pkmap_flush_unused().  That
	 * is cheaper, because mmap() replaces a mapping in one call, and no map
	 * or pin can tell the difference, but a use after unmap goes unnoticed.
	 * (If the kernel has no memory, a slot of a strict window can show its
	 * old page too.)  In debug builds of the library every window is
	 * strict.  Local slots always are.
	 */
	bool strict;
	/*
	 * Called in the context of the call: @report on a misuse, @dma_report
	 * for what the DMA layer's tracker finds.  NULL: a line on standard
	 * error, see "Misuse".
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
 * The address space holds the slots and the local slots of all CPUs:
 * (nslots + (local_slots + dma_slots) * ncpus + 1) pages, twice that with guard
 * pages, and three more of the system's pages.  It stays reserved until
 * pkmap_posix_close(): no other mmap() of the process is given a part of it.
 *
 * Context: a thread, not a signal handler.
 * Return: 0; PKMAP_EINVAL: @fd is 0, there are no pages, a number is too large,
 * the page size is invalid, or the library was built without the tracker;
 * PKMAP_ENOMEM; PKMAP_EIO: the file cannot be used.  On each error errno says
 * why.
 */
int pkmap_posix_open(const struct pkmap_posix_config *config,
		     struct pkmap_posix **port);

/**
 * pkmap_posix_max_slots() - how many slots a window can have.
 * @config: the window's configuration; nslots is ignored.
 *
 * The answer follows from the limit on mappings (see "Mappings") and from the
 * mappings that there are now.  There may be too little address space for it.
 *
 * Context: a thread, not a signal handler.
 * Return: the largest nslots; 0: not even one slot, or @config is invalid.
 */
uint32_t pkmap_posix_max_slots(const struct pkmap_posix_config *config);

/**
 * pkmap_posix_close() - ends the window and releases its address space.
 *
 * The frames of a memfd are lost; those of a file stay.
 *
 * Context: a thread, not a signal handler.
 * Return: 0; PKMAP_EBUSY (reported): the window is in use, and nothing has
 * changed; PKMAP_ENOMEM: the kernel had no memory, or no free mapping, to
 * release the address space.  The window is then still open, with no page
 * mapped, and can be used or closed again.
 */
int pkmap_posix_close(struct pkmap_posix *port);

/* The window.  Context: any. */
struct pkmap_window *pkmap_posix_window(struct pkmap_posix *port);

/* The window's DMA layer.  Context: any. */
struct pkmap_dma *pkmap_posix_dma(struct pkmap_posix *port);

/* The file with the frames; page n begins at n page sizes.  Context: any. */
int pkmap_posix_fd(const struct pkmap_posix *port);

/* The number of pages.  Context: any. */
pkmap_pfn pkmap_posix_npages(const struct pkmap_posix *port);

/* Bytes in a page.  Context: any. */
size_t pkmap_posix_page_size(const struct pkmap_posix *port);

/**
 * pkmap_posix_sync() - makes stores durable.
 *
 * When it returns 0, every store through the window that happened before the
 * call is on the storage device, whichever thread made it and whether its page
 * is still mapped or not.
 *
 * Context: a thread; sleeps.
 * Return: 0; PKMAP_EIO: errno says why, and stores may not be on the device.
 */
int pkmap_posix_sync(struct pkmap_posix *port);

/* The deadline @ns nanoseconds from now, for pkmap_wait.  Context: any. */
uint64_t pkmap_posix_deadline(uint64_t ns);

/*
 * The meaning of a code in English: of 0 ("success") or a PKMAP_E code, of a
 * misuse of a window, and of a misuse that the tracker found.  Context: any.
 */
const char *pkmap_strerror(int err);
const char *pkmap_strmisuse(enum pkmap_misuse what);
const char *pkmap_dma_strmisuse(enum pkmap_dma_misuse what);

#endif /* PKMAP_POSIX_H */
