/* SPDX-License-Identifier: MIT */
/*
 * soft_cache.h - a data cache in software: sets and ways, lines with dirty
 * bits, write-back.
 *
 * A cache is found by virtual or by physical address, as its kind says.  A line
 * of a VIVT cache remembers the physical address that it was filled from, and
 * is written back there.
 */
#ifndef SOFT_CACHE_H
#define SOFT_CACHE_H

#include "tests/random.h"

#include <pkmap/dma.h>

#define SOFT_PAGE     4096u
#define SOFT_LINE     64u
#define SOFT_WAYS     4u
#define SOFT_COLOURS  4u
#define SOFT_MAX_SETS (SOFT_COLOURS * SOFT_PAGE / SOFT_LINE)

/* Where a byte is: as the CPU names it, and its place in memory. */
struct soft_place {
	uintptr_t virt;
	size_t phys;
};

struct soft_line {
	uintptr_t tag;
	size_t phys;
	bool valid;
	bool dirty;
	uint8_t data[SOFT_LINE];
};

struct soft_cache {
	enum pkmap_cache_kind kind;
	uint32_t sets; /* a power of two, up to SOFT_MAX_SETS */
	bool write_allocate;
	struct soft_cache *outer; /* NULL: memory is next */
	uint8_t *memory;
	uint64_t *random;
	struct soft_line lines[SOFT_MAX_SETS * SOFT_WAYS];
};

/* Reads or writes bytes of one line. */
void soft_cache_read(struct soft_cache *c, struct soft_place at, void *data,
		     size_t bytes);
void soft_cache_write(struct soft_cache *c, struct soft_place at,
		      const void *data, size_t bytes);

/* Fills the line, if it is not there. */
void soft_cache_fill(struct soft_cache *c, struct soft_place at);

/* Works on the line, if it is there. */
void soft_cache_op(struct soft_cache *c, enum pkmap_cache_op op,
		   struct soft_place at);

/* The same wherever the physical address can be; not on VIVT. */
void soft_cache_op_phys(struct soft_cache *c, enum pkmap_cache_op op,
			size_t phys);

/* Up to @n lines, chosen at random, lose their places. */
void soft_cache_evict(struct soft_cache *c, uint32_t n);

void soft_cache_clean_all(struct soft_cache *c);

#endif /* SOFT_CACHE_H */
