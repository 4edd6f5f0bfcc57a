// SPDX-License-Identifier: MIT
/*
 * slots.c - pointing slots at pages, with mmap().
 *
 * Every call here is one or two system calls and touches nothing but its
 * arguments, so that local maps can use them in signal handlers.
 *
 * mmap() replaces a mapping in one step: other threads see the old page or the
 * new one, and before it returns the kernel has flushed the old translation
 * from every TLB (I4).  That is why the port has no flush_tlb().
 *
 * The reserved range stays reserved: every mmap() below puts something in the
 * place of what was there.  See hold() for the exception.
 */
#include <sys/mman.h>

#include "posix_priv.h"

#ifndef MAP_FIXED_NOREPLACE /* the C library is older than Linux 4.17 */
#define MAP_FIXED_NOREPLACE 0x100000
#endif

static void *mmap_nothing(void *addr, size_t bytes, int flags)
{
	return mmap(addr, bytes, PROT_NONE,
		    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | flags, -1, 0);
}

void *pkmap_posix_reserve(size_t bytes)
{
	return mmap_nothing(NULL, bytes, 0);
}

/*
 * Keeps a range ours after mmap(MAP_FIXED) over it failed.
 *
 * Almost always it failed before it changed anything.  But the kernel can have
 * removed the old mapping by the time it finds that it has no memory for the
 * new one: the range then has a hole that another thread's mmap() may be given.
 * So it is reserved anew, unless something is there (EEXIST): the old mapping,
 * as a rule.
 *
 * What remains: if another thread's mmap() hits the hole in the instant before
 * it is closed, or the kernel has no memory to close it either, the next use of
 * the slot replaces what has been mapped there meanwhile.
 */
static void hold(void *addr, size_t bytes)
{
	void *got = mmap_nothing(addr, bytes, MAP_FIXED_NOREPLACE);

	/* Before Linux 4.17 the address is only a hint. */
	if (got != MAP_FAILED && got != addr)
		munmap(got, bytes);
}

void *pkmap_posix_mmap_page(struct pkmap_posix *p, void *addr, int flags,
			    pkmap_pfn pfn, bool read_only)
{
	int prot = read_only ? PROT_READ : PROT_READ | PROT_WRITE;

	return mmap(addr, (size_t)1 << p->page_shift, prot, MAP_SHARED | flags,
		    p->fd, (off_t)pfn << p->page_shift);
}

int pkmap_posix_set(void *port, void *addr, pkmap_pfn pfn, bool read_only)
{
	struct pkmap_posix *p = port;
	int why;

	if (pkmap_posix_mmap_page(p, addr, MAP_FIXED, pfn, read_only) !=
	    MAP_FAILED)
		return 0;

	why = errno;
	hold(addr, (size_t)1 << p->page_shift);
	errno = why;
	return pkmap_posix_error();
}

/*
 * If it fails, for want of memory, the slots go on showing their old pages
 * until they are used for others, as they do without config.strict.
 */
void pkmap_posix_clear(void *port, void *addr, size_t npages)
{
	struct pkmap_posix *p = port;
	size_t bytes = npages << p->page_shift;
	int saved = errno;

	if (!p->strict)
		return;

	if (mmap_nothing(addr, bytes, MAP_FIXED) == MAP_FAILED)
		hold(addr, bytes);
	errno = saved;
}
