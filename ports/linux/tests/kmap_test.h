/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * kmap_test.h - tests of kmap() and its like, started through debugfs.
 *
 * They use what any driver may use, so that they say the same about a kernel
 * with pkmap and about one without it.
 */
#ifndef KMAP_TEST_H
#define KMAP_TEST_H

#include <linux/highmem.h>
#include <linux/types.h>

/*
 * Each runs for about so many seconds, as far as it depends on time, prints
 * what it found, and returns 0, or an error, with the reason in *@why.
 *
 * Context: task.  Not two at once.
 */
int kmap_bench(unsigned int seconds, const char **why);
int kmap_stress(unsigned int seconds, const char **why);
int kmap_deadlock(unsigned int seconds, const char **why);
int kmap_throughput(unsigned int seconds, const char **why);

/* @n pages, all of high memory, or NULL. */
struct page **kmap_test_alloc(unsigned int n);

/* Idle mappings of the pages may be left.  @pages may be NULL. */
void kmap_test_free(struct page **pages, unsigned int n);

/* kmap_high_get(), where there is one; else nothing is ever pinned. */
static inline void *kmap_test_pin(struct page *page)
{
#ifdef ARCH_NEEDS_KMAP_HIGH_GET
	return kmap_high_get(page);
#else
	return NULL;
#endif
}

/* Ends a pin that was given, in any context. */
static inline void kmap_test_unpin(struct page *page)
{
#ifdef ARCH_NEEDS_KMAP_HIGH_GET
	kunmap_high(page);
#endif
}

static inline bool kmap_test_has_pin(void)
{
#ifdef ARCH_NEEDS_KMAP_HIGH_GET
	return true;
#else
	return false;
#endif
}

#endif /* KMAP_TEST_H */
