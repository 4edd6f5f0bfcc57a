/* SPDX-License-Identifier: MIT */
/*
 * shim.h - what the worker sees of Linux's mm/highmem.c and of the shim below
 * it (kernel.h, shim.c).
 */
#ifndef BENCH_LINUX_SHIM_H
#define BENCH_LINUX_SHIM_H

#include "bench/worker/peer.h"

/* As large as in a 64-bit kernel; only @virtual is used. */
struct page {
	unsigned long before[3];
	void *virtual;
	unsigned long behind[4];
};

/* An array of npages. */
extern struct page *shim_pages;

/* The address of the first slot: a constant, as in a kernel. */
#define SHIM_BASE  0x200000000000ul
/*
 * That of the first struct page, which is constant too: the pages' places in
 * the hash table depend on it.
 */
#define SHIM_PAGES 0x210000000000ul

/*
 * Returns NULL, or a text that says what failed.  LAST_PKMAP is the number of
 * slots.
 */
const char *shim_open(const struct setup *setup);
void shim_count(struct counts *counts);

/* mm/highmem.c */
void *kmap_high(struct page *page);
void *kmap_high_get(struct page *page);
void kunmap_high(struct page *page);

#endif /* BENCH_LINUX_SHIM_H */
