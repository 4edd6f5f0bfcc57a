// SPDX-License-Identifier: GPL-2.0-only
/*
 * kmap_bench.c - measures what each operation costs.
 *
 * It measures nanoseconds with ktime_get().  In QEMU with -icount shift=0 each
 * of them is an instruction.
 */
#define pr_fmt(fmt) "kmap_test: bench " fmt

#include <linux/compiler.h>
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/ktime.h>
#include <linux/limits.h>
#include <linux/math64.h>
#include <linux/minmax.h>
#include <linux/sched.h>

#include "kmap_test.h"

#define MAPPED	256    /* pages that stay mapped; fewer than slots */
#define PAGES	4096   /* so many that none is still mapped at its next turn */
#define STEPS	20480u /* of a measurement: a multiple of both */
#define REPEATS 9 /* the shortest counts: no timer interrupt disturbed it */

typedef void (*operation)(struct page *page);

static __always_inline void op_empty(struct page *page)
{
	barrier_data(page);
}

static __always_inline void op_map(struct page *page)
{
	barrier_data(kmap(page));
	kunmap(page);
}

static __always_inline void op_pin(struct page *page)
{
	void *addr = kmap_test_pin(page);

	barrier_data(addr);
	if (addr)
		kmap_test_unpin(page);
}

static __always_inline void op_page_address(struct page *page)
{
	barrier_data(page_address(page));
}

/* Inlined for each operation, so that it is called directly. */
static __always_inline u64 measure(operation op, struct page **pages,
				   unsigned int npages)
{
	u64 least = U64_MAX;
	unsigned int repeat;
	unsigned int i;
	u64 start;

	for (repeat = 0; repeat < REPEATS; repeat++) {
		cond_resched();
		start = ktime_get_ns();
		for (i = 0; i < STEPS; i++)
			op(pages[i % npages]);
		least = min(least, ktime_get_ns() - start);
	}
	return least;
}

static void print(const char *name, u64 total, u64 empty)
{
	const u64 tenths = div_u64(10 * (total - min(total, empty)), STEPS);
	u32 digit;
	u64 whole = div_u64_rem(tenths, 10, &digit);

	pr_info("op=%s instructions=%llu.%u\n", name, whole, digit);
}

static void measure_mapped(struct page **pages, u64 empty)
{
	print("hit", measure(op_map, pages, MAPPED), empty);
	if (kmap_test_has_pin())
		print("pin", measure(op_pin, pages, MAPPED), empty);
	else
		pr_info("op=pin unavailable\n");
	print("page_address", measure(op_page_address, pages, MAPPED), empty);
}

/* Maps all of them, and says whether all stay mapped once they are idle. */
static bool leave_mapped(struct page **pages)
{
	bool mapped = true;
	unsigned int i;

	for (i = 0; i < MAPPED; i++)
		kmap(pages[i]);
	for (i = 0; i < MAPPED; i++)
		kunmap(pages[i]);
	for (i = 0; i < MAPPED; i++)
		mapped &= !!page_address(pages[i]);
	return mapped;
}

int kmap_bench(unsigned int seconds, const char **why)
{
	struct page **pages = kmap_test_alloc(PAGES);
	int err = 0;
	u64 empty;

	if (!pages) {
		*why = "no memory";
		return -ENOMEM;
	}
	empty = measure(op_empty, pages, MAPPED);
	print("empty", empty, 0);
	if (leave_mapped(pages)) {
		measure_mapped(pages, empty);
		print("miss", measure(op_map, pages, PAGES), empty);
	} else {
		*why = "idle pages do not stay mapped";
		err = -EIO;
	}
	kmap_test_free(pages, PAGES);
	return err;
}
