/* SPDX-License-Identifier: MIT */
/*
 * transfers.h - random transfers on the soft machine, checked byte by byte.
 *
 * The CPU writes to buffers and to their neighbours in the same lines, gives
 * the buffers to the device, goes on using the neighbours and other pages, and
 * takes the buffers back.  Each read must return what was written last; bytes
 * that dma.h calls undefined or lost are not checked.
 */
#ifndef TRANSFERS_H
#define TRANSFERS_H

#include "soft_machine.h"

enum moment {
	OUTSIDE,
	BEFORE,
	AFTER,
};

enum lines {
	WHOLE,
	SHARED,
};

#define LEAVE_OUT ((enum pkmap_cache_op)0)

/*
 * A mistake that is made between the library and the caches: lines get the
 * operation @instead, or (@swapped) the two levels are done in the wrong order.
 */
struct mistake {
	enum pkmap_dma_dir dir;
	enum moment moment;
	bool swapped;
	enum lines lines;
	enum soft_level level;
	enum pkmap_cache_op instead;
};

/**
 * transfers_run() - runs up to @n transfers on a machine of its own.
 * @mistake: NULL for none.
 * @done: the number of transfers that it did.
 *
 * Return: the first thing that was wrong, in static memory, or NULL.
 */
const char *transfers_run(const struct soft_kind *kind,
			  const struct mistake *mistake, uint64_t seed,
			  unsigned int n, unsigned int *done);

#endif /* TRANSFERS_H */
