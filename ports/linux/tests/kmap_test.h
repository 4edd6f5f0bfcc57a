/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * kmap_test.h - tests of kmap() and the like, started through debugfs.
 *
 * They use what any driver may use, so that kernels with and without pkmap can
 * be compared.
 */
#ifndef KMAP_TEST_H
#define KMAP_TEST_H

#include <linux/highmem.h>
#include <linux/types.h>

/*
 * Each test prints its results, and returns 0, or an error with the reason in
 * *@why.  It runs for about @seconds, unless the work is fixed.
 *
 * Context: task, one test at a time.
 */
int kmap_bench(unsigned int seconds, const char **why);
int kmap_stress(unsigned int seconds, const char **why);
int kmap_deadlock(unsigned int seconds, const char **why);
int kmap_throughput(unsigned int seconds, const char **why);

/* @n pages, all of high memory, or NULL. */
struct page **kmap_test_alloc(unsigned int n);

/* The pages may still have idle mappings.  @pages may be NULL. */
void kmap_test_free(struct page **pages, unsigned int n);

/* kmap_high_get(), or NULL in a kernel without it. */
static inline void *kmap_test_pin(struct page *page)
{
#ifdef ARCH_NEEDS_KMAP_HIGH_GET
	return kmap_high_get(page);
#else
	return NULL;
#endif
}

/* Ends a pin.  Context: any. */
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
