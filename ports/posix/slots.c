// SPDX-License-Identifier: MIT
/*
 * slots.c - pointing slots at pages, with mmap().
 *
 * set() and clear() of a local slot are a few system calls and touch nothing
 * else but an atomic flag, so that signal handlers can have local maps.  Those
 * of the window's slots, and clear_now(), are called under its lock.
 *
 * mmap() replaces a mapping in one step: other threads see the old page or the
 * new one, and before it returns the kernel has flushed the old translation
 * from every TLB (I4).  That is why the port has no flush_tlb().
 *
 * The reserved range stays reserved: every mmap() below puts something in the
 * place of what was there.  See reserve_again() for the exception.
 */
#include <string.h>
#include <sys/mman.h>

#include "posix_priv.h"

#ifndef MAP_FIXED_NOREPLACE /* the C library is older than Linux 4.17 */
#define MAP_FIXED_NOREPLACE 0x100000
#endif

static void *mmap_none(void *addr, size_t bytes, int flags)
{
	return mmap(addr, bytes, PROT_NONE,
		    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | flags, -1, 0);
}

/*
 * Keeps a range ours after mmap(MAP_FIXED) over it failed.  Keeps errno.
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
static void reserve_again(void *addr, size_t bytes)
{
	int saved = errno;
	void *got = mmap_none(addr, bytes, MAP_FIXED_NOREPLACE);

	/* Before Linux 4.17 the address is only a hint. */
	if (got != MAP_FAILED && got != addr)
		munmap(got, bytes);
	errno = saved;
}

/*
 * The spare is a page of the range that can be read and has empty ones on both
 * sides: three mappings.  Made like its neighbours, it is one with them, so that
 * the process has two mappings less; and that always works, since to merge takes
 * no mapping.
 *
 * At the limit on mappings the kernel refuses every mmap(), also one that would
 * end with fewer of them, as putting nothing in the place of a page does, and
 * the munmap() of a range that it has merged with what lies before and behind
 * it.  The spare is what these two are made possible with.
 */
int pkmap_posix_make_spare(struct pkmap_posix *p)
{
	/* Not mprotect(), which needs one free mapping more. */
	if (mmap(p->spare, p->spare_bytes, PROT_READ,
		 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED, -1,
		 0) != MAP_FAILED)
		return 0;
	reserve_again(p->spare, p->spare_bytes);
	return pkmap_posix_errno_code();
}

/* Nobody waits for it: a handler may have interrupted who uses it. */
static bool take_spare(struct pkmap_posix *p)
{
	if (atomic_exchange_explicit(&p->spare_taken, true,
				     memory_order_acquire))
		return false;
	mprotect(p->spare, p->spare_bytes, PROT_NONE);
	return true;
}

/*
 * If another thread has used up what it made free, there is no spare until a
 * later call finds room for it.
 */
static void restore_spare(struct pkmap_posix *p)
{
	int saved = errno;

	pkmap_posix_make_spare(p);
	errno = saved;
	atomic_store_explicit(&p->spare_taken, false, memory_order_release);
}

int pkmap_posix_reserve(struct pkmap_posix *p, size_t bytes)
{
	void *range = mmap_none(NULL, bytes, 0);

	if (range == MAP_FAILED)
		return pkmap_posix_errno_code();
	p->reserved = range;
	p->reserved_bytes = bytes;
	return 0;
}

int pkmap_posix_unreserve(struct pkmap_posix *p)
{
	int err = munmap(p->reserved, p->reserved_bytes);

	if (err < 0 && take_spare(p)) {
		err = munmap(p->reserved, p->reserved_bytes);
		if (err < 0)
			restore_spare(p);
	}
	if (err < 0)
		return pkmap_posix_errno_code();
	p->reserved = NULL;
	return 0;
}

static bool try_clear_range(void *addr, size_t bytes)
{
	if (mmap_none(addr, bytes, MAP_FIXED) != MAP_FAILED)
		return true;
	reserve_again(addr, bytes);
	return false;
}

/* Whether a range of slots shows nothing now; errno says why not. */
bool pkmap_posix_clear_range(struct pkmap_posix *p, void *addr, size_t bytes)
{
	bool done = try_clear_range(addr, bytes);

	if (!done && take_spare(p)) {
		done = try_clear_range(addr, bytes);
		restore_spare(p);
	}
	return done;
}

void *pkmap_posix_mmap_page(struct pkmap_posix *p, void *addr, pkmap_pfn pfn,
			    bool read_only)
{
	int prot = read_only ? PROT_READ : PROT_READ | PROT_WRITE;

	return mmap(addr, (size_t)1 << p->page_shift, prot,
		    MAP_SHARED | MAP_FIXED, p->fd, (off_t)pfn << p->page_shift);
}

/* The window's slot at @addr; nslots or more: a local one. */
static size_t slot_at(const struct pkmap_posix *p, const void *addr)
{
	return (size_t)((const char *)addr - p->base) >> p->slot_shift;
}

int pkmap_posix_set(void *port, void *addr, pkmap_pfn pfn, bool read_only)
{
	struct pkmap_posix *p = port;
	size_t slot = slot_at(p, addr);

	if (pkmap_posix_mmap_page(p, addr, pfn, read_only) == MAP_FAILED) {
		reserve_again(addr, (size_t)1 << p->page_shift);
		return pkmap_posix_errno_code();
	}
	if (slot < p->nslots && p->stale[slot])
		p->stale[slot] = false;
	return 0;
}

/*
 * A slot of the window may be used for another page soon, and to replace a page
 * is cheaper than to remove it first: so that is put off, unless config.strict.
 * It is also put off where it fails, for want of memory.
 *
 * Local slots are emptied at once.  Nobody but their CPU could do it later.
 */
void pkmap_posix_clear(void *port, void *addr, size_t npages)
{
	struct pkmap_posix *p = port;
	size_t slot = slot_at(p, addr);
	int saved = errno;

	if ((!p->strict && slot < p->nslots) ||
	    !pkmap_posix_clear_range(p, addr, npages << p->page_shift)) {
		if (slot < p->nslots)
			memset(&p->stale[slot], true, npages);
	}
	errno = saved;
}

/* The first slot from @slot on that is, or is not, put off; or nslots. */
static size_t find_slot(const struct pkmap_posix *p, size_t slot, bool stale)
{
	const bool *found = memchr(&p->stale[slot], stale, p->nslots - slot);

	return found ? (size_t)(found - p->stale) : p->nslots;
}

void pkmap_posix_clear_now(void *port)
{
	struct pkmap_posix *p = port;
	int saved = errno;
	size_t slot = 0;
	size_t end;

	while ((slot = find_slot(p, slot, true)) < p->nslots) {
		end = find_slot(p, slot, false);
		if (pkmap_posix_clear_range(p,
					    p->base + (slot << p->slot_shift),
					    (end - slot) << p->slot_shift))
			memset(&p->stale[slot], false, end - slot);
		slot = end;
	}
	errno = saved;
}
