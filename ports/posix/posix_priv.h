/* SPDX-License-Identifier: MIT */
/*
 * posix_priv.h - what the files of the posix port share.
 *
 *	posix.c		opening and closing: the file, the address space
 *	slots.c		pointing slots at pages, with mmap()
 *	wait.c		the lock, and waiting by futex
 *	cpu.c		threads as CPUs
 *	dma.c		the DMA layer
 *	fork.c		the list of windows, and their locks during fork()
 *	limit.c		how many mappings the windows may take
 *	report.c	misuses on standard error
 *	text.c		codes in English
 */
#ifndef PKMAP_POSIX_PRIV_H
#define PKMAP_POSIX_PRIV_H

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include <pkmap/posix.h>

_Static_assert(sizeof(off_t) == 8, "build with -D_FILE_OFFSET_BITS=64");

/* How many threads can have local maps open at once, in all windows. */
#define PKMAP_POSIX_THREADS 1024

/* See cpu.c.  Each has a cache line of its own, to avoid false sharing. */
struct pkmap_posix_number {
	_Alignas(PKMAP_ALIGN) atomic_uint taken;
};

struct pkmap_posix_borrower {
	atomic_uint nest;
	atomic_int number;
	atomic_uint last; /* tried first: likely free, and cache-warm */
};

struct pkmap_posix {
	struct pkmap_window *win;
	void *win_mem; /* pkmap_size() bytes */
	struct pkmap_dma *dma;
	void *dma_mem; /* pkmap_dma_size() bytes */

	/* The address space: the window's slots, then the local ones. */
	char *base;
	void *reserved; /* for munmap(): with what aligns the slots */
	size_t reserved_bytes;
	int64_t mappings; /* the most that the window can use */
	void *spare;	  /* see slots.c */
	size_t spare_bytes;
	atomic_bool spare_taken;
	/* By slot: it was cleared, but still shows its page. */
	bool *stale;
	uint32_t nslots;
	uint32_t slot_shift; /* page_shift, or with guard pages one more */

	int fd;
	bool lent; /* the caller's: not closed here */
	uint32_t page_shift;
	pkmap_pfn npages;
	bool strict;

	/* The threads in this window, by number; and its CPUs.  See cpu.c. */
	struct pkmap_posix_borrower *threads;
	struct pkmap_posix_number *cpus;
	uint32_t ncpus;

	pthread_mutex_t lock; /* the window's */
	void (*report)(void *arg, const struct pkmap_report *report);
	void (*dma_report)(void *arg, const struct pkmap_dma_report *report);
	void *report_arg;

	struct pkmap_posix *next; /* fork.c's list, under its lock */
};

/* Not public in the shared library; calls do not go through the PLT. */
#pragma GCC visibility push(hidden)

/* The PKMAP_E code for the errno of a failed system call. */
static inline int pkmap_posix_errno_code(void)
{
	return errno == ENOMEM || errno == EAGAIN ? PKMAP_ENOMEM : PKMAP_EIO;
}

static inline int pkmap_posix_invalid(void)
{
	errno = EINVAL;
	return PKMAP_EINVAL;
}

/* posix.c */
int pkmap_posix_allocate(size_t bytes, void **mem);

/* dma.c */
int pkmap_posix_dma_make(struct pkmap_posix *p, bool slots,
			 uint32_t tracker_entries);

/* slots.c */
int pkmap_posix_reserve(struct pkmap_posix *p, size_t bytes);
int pkmap_posix_unreserve(struct pkmap_posix *p);
int pkmap_posix_make_spare(struct pkmap_posix *p);
bool pkmap_posix_clear_range(struct pkmap_posix *p, void *addr, size_t bytes);
void *pkmap_posix_mmap_page(struct pkmap_posix *p, void *addr, pkmap_pfn pfn,
			    bool read_only);
int pkmap_posix_set(void *port, void *addr, pkmap_pfn pfn, bool read_only);
void pkmap_posix_clear(void *port, void *addr, size_t npages);
void pkmap_posix_clear_now(void *port);

/* wait.c */
void pkmap_posix_lock(void *port);
bool pkmap_posix_trylock(void *port);
void pkmap_posix_unlock(void *port);
int pkmap_posix_wait(void *port, pkmap_a32 *event, uint32_t seen,
		     const struct pkmap_wait *wait);
void pkmap_posix_wake(void *port, pkmap_a32 *event);

/* cpu.c */
int pkmap_posix_borrow(struct pkmap_posix_borrower *b,
		       struct pkmap_posix_number *numbers, unsigned int count);
void pkmap_posix_give_back(struct pkmap_posix_borrower *b,
			   struct pkmap_posix_number *numbers);
int pkmap_posix_local_enter(void *port);
int pkmap_posix_local_cpu(void *port);
void pkmap_posix_local_leave(void *port);
int pkmap_posix_create_exit_key(void);

/* limit.c */
int64_t pkmap_posix_mappings_left(const struct pkmap_posix *list);

/* fork.c */
int pkmap_posix_list_add(struct pkmap_posix *p);
void pkmap_posix_list_remove(struct pkmap_posix *p);
int64_t pkmap_posix_list_mappings_left(void);
struct pkmap_posix *pkmap_posix_list_used_by(int thread);

/* report.c */
void pkmap_posix_print_report(const struct pkmap_report *report);
void pkmap_posix_print_dma_report(const struct pkmap_dma_report *report);

#pragma GCC visibility pop

#endif /* PKMAP_POSIX_PRIV_H */
