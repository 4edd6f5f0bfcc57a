/* SPDX-License-Identifier: MIT */
/*
 * tracker_port.h - a DMA layer with a tracker over the fake port; the reports
 * are kept.
 *
 * Lines are worked on by physical address, so that no call depends on what the
 * window shows.  The operations are only counted.
 */
#ifndef TRACKER_PORT_H
#define TRACKER_PORT_H

#include <pkmap/dma.h>

#include "tests/fake/fake_port.h"

#define TRACKER_REPORTS 16
#define LINE		64u

struct tracker {
	/* For the test to change between tracker_init() and tracker_open(). */
	struct fake f;
	struct pkmap_dma_config config;

	struct pkmap_dma *dma;
	void *mem;

	struct pkmap_dma_report report[TRACKER_REPORTS]; /* the first ones */
	unsigned int nreports;
	unsigned int ncache; /* operations on lines */
};

/* A buffer on its way to or from a device. */
struct transfer {
	const struct pkmap_dma_device *dev;
	struct pkmap_dma_buffer buf;
	enum pkmap_dma_dir dir;
};

/* Two devices with the same abilities. */
extern const struct pkmap_dma_device devices[2];

/* 8 entries, lines of LINE bytes, and speculation: each transfer has both ends. */
void tracker_init(struct tracker *t);
void tracker_open(struct tracker *t);
/* Nothing may be mapped any more, and all entries must be free. */
void tracker_close(struct tracker *t);
/* Ends a tracker that had too few entries. */
void tracker_discard(struct tracker *t);

/* The calls, for one buffer; a map returns 0 if it succeeds. */
int tracker_map(struct tracker *t, const struct transfer *x);
int tracker_unmap(struct tracker *t, const struct transfer *x);
int tracker_sync_for_cpu(struct tracker *t, const struct transfer *x);
int tracker_sync_for_device(struct tracker *t, const struct transfer *x);

/* Report @n says this; @known is NULL if it names no mapping. */
void tracker_check(const struct tracker *t, unsigned int n,
		   enum pkmap_dma_misuse what, const char *call,
		   const struct transfer *x, const struct transfer *known);

struct pkmap_dma_stats tracker_stats(struct tracker *t);

#endif /* TRACKER_PORT_H */
