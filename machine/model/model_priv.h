/* SPDX-License-Identifier: MIT */
/*
 * model_priv.h - what only the files of the model share.
 */
#ifndef MACHINE_MODEL_MODEL_PRIV_H
#define MACHINE_MODEL_MODEL_PRIV_H

#include "model.h"

/* context.c: the context stops here until the checker lets it continue. */
void give_way(const struct op *op);
void give_way_as(enum op_kind kind);

/*
 * memory.c: what orders memory besides atomics: locks and answers to
 * inter-processor interrupts; and what a CPU sees of data and translations.
 */
void weak_init(void);
/* For the port: loads the newest value. */
uint32_t weak_newest(const pkmap_a32 *var);
/* Nothing runs on the CPU any more, so it loads no old values. */
void weak_retire(int cpu);
void sync_lock(bool taken);
void sync_spin(bool taken);
void sync_ask(void);
void sync_answer(int cpu);
void sync_answered(void);
void sync_store(int page, uint32_t offset);
void sync_translation(uint32_t slot);
void sync_flush(int cpu, uint32_t first, uint32_t end);
/* The bit that stands for a byte of a page. */
uint64_t byte_bit(int page, uint32_t offset);
/* Whether this CPU is sure to see the last store to a byte. */
bool sync_sees(int page, uint32_t offset);
/* This CPU has cleaned a line of the page at a window address. */
void sync_clean(int page);
/* Whether this CPU has seen at least so many cleanings of the page. */
bool sync_sees_clean(int page, uint8_t times);
/* Whether a CPU's page-table walker is sure to see the slot's translation. */
bool sync_sees_translation(int cpu, uint32_t slot);

/* mmu.c */
/* The page that the CPU reaches at @slot; -1 if it faults, which is broken. */
int translate(int cpu, uint32_t slot);
int mmu_set(void *port, void *addr, pkmap_pfn pfn, bool read_only);
void mmu_clear(void *port, void *addr, size_t npages);
void mmu_flush_tlb(void *port, void *addr, size_t npages, bool this_cpu_only);

/* cache.c */
/* The hardware's operation on a range; see enum range_clean. */
void cache_clean_inval_range(const void *addr, size_t bytes);
void cache_clean_inval_all(void *port);
/* Whether a line of the page is cached at an address of the window. */
bool page_is_cached(int page);
/* Whether a page has the same cache entries at both slots. */
bool same_entries(uint32_t slot, uint32_t other, int page);
/* To be called when the slot of @page is torn down. */
void check_unsure(int page);

/* checks.c */
void check_load(int page, uint32_t offset, uint8_t value, const char *who);
/* To be called when a copy of some of the page's bytes has gone. */
void check_written(int page);

#endif /* MACHINE_MODEL_MODEL_PRIV_H */
