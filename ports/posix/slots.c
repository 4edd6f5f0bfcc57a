// SPDX-License-Identifier: MIT
/*
 * slots.c - pointing slots at pages, with mmap().
 *
 * set() and clear() of a local slot make a few system calls and access nothing
 * but an atomic flag, so that signal handlers can have local maps.  For the
 * window's slots they are called under the window's lock, as is clear_now().
 *
 * mmap() replaces a mapping in one step: other threads see the old page or the
 * new one, and before it returns, the kernel has flushed the old translation
 * from every TLB (I4).  So the port needs no flush_tlb().
 *
 * The reserved range stays reserved: every mmap() below replaces a mapping of
 * the range by another.  See reserve_again() for the exception.
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
 * Keeps a range reserved after mmap(MAP_FIXED) over it failed.  Keeps errno.
 *
 * mmap() almost always fails before it changes anything.  But the kernel may
 * have removed the old mapping when it finds that it has no memory for the new
 * one.  That leaves a hole in the range, which another thread's mmap() may be
 * given.  So the range is reserved again, unless there is a mapping (EEXIST),
 * which is almost always the old one.
 *
 * One case remains: if another thread's mmap() gets the hole just before it is
 * closed, or if the kernel has no memory to close it either, the next use of
 * the slot replaces what that thread has mapped there.
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
 * The spare is a readable page of the range between two inaccessible ones:
 * three mappings.  When it is made inaccessible too, the three merge into one,
 * and the process has two mappings fewer.  That works even at the limit on
 * mappings, since merging needs none.
 *
 * At the limit, the kernel refuses every mmap(), even one that would leave
 * fewer mappings, such as one that clears a slot.  It also refuses the munmap()
 * of a range that it has merged with its neighbours on both sides.  The two
 * mappings of the spare make both possible.
 */
int pkmap_posix_make_spare(struct pkmap_posix *p)
{
	/* Not mprotect(), which needs one more free mapping. */
	if (mmap(p->spare, p->spare_bytes, PROT_READ,
		 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED, -1,
		 0) != MAP_FAILED)
		return 0;
	reserve_again(p->spare, p->spare_bytes);
	return pkmap_posix_errno_code();
}

/* Does not wait for the spare: its user may be the thread we interrupted. */
static bool take_spare(struct pkmap_posix *p)
{
	if (atomic_exchange_explicit(&p->spare_taken, true,
				     memory_order_acquire))
		return false;
	mprotect(p->spare, p->spare_bytes, PROT_NONE);
	return true;
}

/*
 * If another thread has used the two mappings meanwhile, there is no spare
 * until a later call can make one.
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

/* Makes a range of slots inaccessible.  If it cannot, errno says why. */
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

/* The number of the slot at @addr; local slots begin at nslots. */
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
 * A window's slot will often be used for another page soon, and replacing a
 * mapping is cheaper than removing it first.  So unless config.strict is set,
 * the slot is only marked as stale; likewise if clearing it fails for lack of
 * memory.
 *
 * Local slots are cleared at once, since only their own CPU could do it later.
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

/* The first slot from @slot on that is, or is not, stale; or nslots. */
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
