/* SPDX-License-Identifier: MIT */
/*
 * slots.h - what the schemes other than pkmap share: where slots are, local
 * maps, and DMA.
 *
 * A scheme's memory begins with a struct slots.  The functions below that take
 * a void * are given that memory, and fit into struct scheme as they are.
 */
#ifndef MACHINE_SCHEMES_SLOTS_H
#define MACHINE_SCHEMES_SLOTS_H

#include "machine/model/machine.h"
#include "scheme.h"

/* The largest window.  The benchmark overrides it. */
#ifndef SLOTS_MAX
#define SLOTS_MAX 8
#endif
#define SLOTS_MAX_CPUS 4

/* Each CPU has its own slots for each of these uses, and a depth in them. */
enum local_use {
	FOR_LOCAL_MAPS,
	FOR_DMA,
	LOCAL_USES,
};

struct slots {
	/* Constant after slots_init(). */
	const struct scheme *scheme;
	struct pkmap_config config;
	uint32_t ncolours;

	/*
	 * How many of its slots each CPU uses.  Not atomic: only that CPU
	 * changes them, and an interrupt leaves them as it found them.
	 */
	uint32_t depth[SLOTS_MAX_CPUS][LOCAL_USES];
};

/* slots.c */
/* Returns @bytes, or 0 if the configuration is too large for a scheme. */
size_t slots_size(const struct pkmap_config *config, size_t bytes);
void slots_init(struct slots *s, const struct scheme *scheme,
		const struct pkmap_config *config);
uint32_t slots_find(const struct slots *s, const pkmap_along *pfns,
		    pkmap_pfn pfn);
int slots_wait(const struct slots *s, pkmap_a32 *event, uint32_t seen,
	       const struct pkmap_wait *wait);

/* local.c */
int slots_local_map(void *mem, pkmap_pfn pfn, void **addr);
int slots_local_map_unpinned(void *mem, pkmap_pfn pfn, void **addr);
int slots_local_unmap(void *mem, void *addr);
int slots_local_open(struct slots *s, enum local_use use, pkmap_pfn pfn,
		     void **addr);
void slots_local_close(struct slots *s, enum local_use use, void *addr);

/* dma.c */
int slots_dma_map(void *mem, const struct pkmap_dma_buffer *buf,
		  enum pkmap_dma_dir dir);
int slots_dma_unmap(void *mem, const struct pkmap_dma_buffer *buf,
		    enum pkmap_dma_dir dir);

static inline void *slots_addr(const struct slots *s, uint32_t slot)
{
	return (char *)s->config.base + ((size_t)slot << s->config.page_shift);
}

/* The slot at @addr; nslots or more if that is not in the window. */
static inline uintptr_t slots_of(const struct slots *s, const void *addr)
{
	return ((uintptr_t)addr - (uintptr_t)s->config.base) >>
	       s->config.page_shift;
}

/* The first of the slots that @pfn may be in; the others are ncolours apart. */
static inline uint32_t slots_first(const struct slots *s, pkmap_pfn pfn)
{
	return (uint32_t)(pfn % s->ncolours);
}

#endif /* MACHINE_SCHEMES_SLOTS_H */
