/* SPDX-License-Identifier: MIT */
/*
 * soft_cache.h - a data cache in software: sets and ways, lines with dirty
 * bits, write-back.
 *
 * Lines are found by virtual or by physical address, depending on the kind.  A
 * line of a VIVT cache remembers the physical address that it was filled from,
 * and is written back there.
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

/* The virtual and the physical address of a byte. */
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
	struct soft_cache *outer; /* the next level; NULL: memory */
	uint8_t *memory;
	uint64_t *random;
	struct soft_line lines[SOFT_MAX_SETS * SOFT_WAYS];
};

/* Reads or writes bytes of one line. */
void soft_cache_read(struct soft_cache *c, struct soft_place at, void *data,
		     size_t bytes);
void soft_cache_write(struct soft_cache *c, struct soft_place at,
		      const void *data, size_t bytes);

/* Fills the line, if it is not in the cache. */
void soft_cache_fill(struct soft_cache *c, struct soft_place at);

/* Does @op to the line, if it is in the cache. */
void soft_cache_op(struct soft_cache *c, enum pkmap_cache_op op,
		   struct soft_place at);

/* The same in every set where the physical address can be.  Not for VIVT. */
void soft_cache_op_phys(struct soft_cache *c, enum pkmap_cache_op op,
			size_t phys);

/* Evicts up to @n lines, chosen at random. */
void soft_cache_evict(struct soft_cache *c, uint32_t n);

void soft_cache_clean_all(struct soft_cache *c);

#endif /* SOFT_CACHE_H */
