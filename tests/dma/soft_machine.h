/* SPDX-License-Identifier: MIT */
/*
 * soft_machine.h - a machine whose device does not see the CPU's caches.
 *
 * Its memory is the frames of a posix window, and its slots are set and cleared
 * by the operations of the posix port.  The CPU has caches in software
 * (soft_cache.h), and accesses memory only by soft_read() and soft_write(), at
 * addresses where a page is mapped.  The device reads and writes the frames.
 *
 * Pages 0 to SOFT_LOW_PAGES - 1 are low memory, the others are the window's.
 * One CPU stands for several whose caches are coherent with each other.
 *
 * There is one machine at a time.  An access is atomic: a signal handler that
 * finds soft_is_busy() must return.
 */
#ifndef SOFT_MACHINE_H
#define SOFT_MACHINE_H

#include "soft_cache.h"

#define SOFT_LOW_PAGES 4u
#define SOFT_PAGES     24u
#define SOFT_LOW_BYTES (SOFT_LOW_PAGES * SOFT_PAGE)
#define SOFT_BYTES     (SOFT_PAGES * SOFT_PAGE)
#define SOFT_SLOTS     8u

/* Where the device sees physical address 0. */
#define SOFT_BUS_BASE  0x80000000u

struct soft_kind {
	enum pkmap_cache_kind cache; /* a VIPT one aliases */
	bool speculative;
	bool outer;
	bool write_allocate;
	bool by_phys; /* has operations by physical address */
};

enum soft_level {
	SOFT_INNER,
	SOFT_OUTER,
};

/* The order of an operation on both levels. */
enum soft_order {
	SOFT_AS_CALLED,
	SOFT_INNER_FIRST,
	SOFT_OUTER_FIRST,
};

/* Hooks into the operations of the DMA layer.  All are optional. */
struct soft_hooks {
	/* Returns what to do to a line instead of @op; 0: nothing. */
	enum pkmap_cache_op (*choose)(enum soft_level level,
				      enum pkmap_cache_op op, size_t phys);
	enum soft_order (*order)(void);
	/* Before and after each operation: an interrupt, or another CPU. */
	void (*around)(void);
	/* Called before a slot of the window is cleaned or torn down. */
	void (*tearing_down)(void);
};

/* Gets kind @nr, counted from 0.  Returns false if there are not so many. */
bool soft_kind_nr(uint32_t nr, struct soft_kind *kind);

/* A phrase in static memory. */
const char *soft_kind_name(const struct soft_kind *kind);

void soft_open(const struct soft_kind *kind, const struct soft_hooks *hooks,
	       uint64_t seed);
void soft_close(void);

struct pkmap_window *soft_window(void);
struct pkmap_dma *soft_dma(void);
const struct pkmap_dma_device *soft_device(void);

/* The address of a byte of low memory. */
void *soft_low(size_t phys);

void soft_read(const void *addr, void *data, size_t bytes);
void soft_write(void *addr, const void *data, size_t bytes);

void soft_device_read(uint64_t bus, void *data, size_t bytes);
void soft_device_write(uint64_t bus, const void *data, size_t bytes);

/* The contents of memory. */
const uint8_t *soft_memory(void);

/* Evicts lines and, if the CPU speculates, fills others. */
void soft_stir(void);

/* Writes back all dirty lines. */
void soft_clean_all(void);

bool soft_is_busy(void);

/* Ends the program, if a call failed or the test itself is wrong. */
_Noreturn void soft_fail(const char *format, ...)
	__attribute__((format(printf, 1, 2)));

/* @call is an expression whose value must be 0. */
#define soft_must(call) \
	do { \
		int soft_err = (call); \
		if (soft_err) \
			soft_fail("%s: error %d", #call, soft_err); \
	} while (0)

#endif /* SOFT_MACHINE_H */
