/* SPDX-License-Identifier: MIT */
/*
 * turns.h - threads that stand for CPUs, and of which only one runs at a time.
 *
 * They take turns in the order of their numbers.  Each has a stack of its own
 * at a constant address: the stack is what pkmap knows a CPU by, and which of
 * its counters two CPUs share must not change from run to run.
 */
#ifndef BENCH_WORKER_TURNS_H
#define BENCH_WORKER_TURNS_H

#include <stdint.h>

/*
 * Has @n threads call @run with their numbers, and waits for them to return.
 * Returns NULL, or a text that says what failed.
 */
const char *turns_take(uint32_t n, void (*run)(uint32_t cpu));

/* Ends this thread's turn; returns when the others had theirs. */
void turns_pass(uint32_t cpu);

#endif /* BENCH_WORKER_TURNS_H */
