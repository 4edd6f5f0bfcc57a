/* SPDX-License-Identifier: MIT */
/*
 * record.h - feeds the memory accesses of a peer's code to simulated caches.
 *
 * The code is compiled with -fsanitize=thread, with which compilers put a call
 * before each access to memory and in the place of each atomic operation.
 * record.c has these functions instead of ThreadSanitizer's.
 */
#ifndef BENCH_WORKER_RECORD_H
#define BENCH_WORKER_RECORD_H

#include "mesi.h"

/* From here on, accesses are those of this CPU. */
void record_as(uint32_t cpu);
/* From here on, accesses are not recorded. */
void record_nothing(void);
/* What was counted since the last call. */
struct mesi_counts record_counts(void);

#endif /* BENCH_WORKER_RECORD_H */
