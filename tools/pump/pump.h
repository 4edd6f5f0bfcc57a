/* SPDX-License-Identifier: MIT */
/* What the parts of "pkmap pump" share. */
#ifndef TOOLS_PUMP_PUMP_H
#define TOOLS_PUMP_PUMP_H

#include "irq.h"
#include "tools/common/failure.h"
#include "tools/common/progress.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct pump_options {
	const char *in;
	const char *out;
	uint32_t slots;
	uint32_t frames;
	uint32_t threads;
	uint32_t irq_rate; /* per second, all CPU threads together */
	size_t page_size;
	bool strict;
	bool json;
	bool quiet;
};

#define SHA256_TEXT 65

struct pump_result {
	off_t bytes;
	off_t holes;	/* the part of @bytes that is in holes */
	double seconds; /* from the first read to the last write */
	const char *device_in;
	const char *device_out;
	struct pkmap_stats stats;
	struct pkmap_dma_stats dma;
	struct irq_counts irq;
	char sha256[SHA256_TEXT];
};

static inline double hit_ratio(const struct pkmap_stats *stats)
{
	unsigned long maps = stats->hits + stats->misses;

	return maps ? (double)stats->hits / (double)maps : 0;
}

/* Exits with a message if the command line is wrong. */
void pump_parse(int argc, char **argv, struct pump_options *options);

/*
 * Copies @size bytes from @in to @out through high memory, except for holes:
 * @out must be one hole before.  Returns 0 or fails.
 */
int pipeline_run(const struct pump_options *options, int in, int out,
		 off_t size, struct progress *progress, struct failure *failure,
		 struct pump_result *result);

/*
 * Reads both files again, except where both have a hole, and compares them.
 * Returns 0 and their SHA-256, or fails.
 */
int compare_files(const struct pump_options *options, int in, int out,
		  off_t size, struct progress *progress,
		  struct failure *failure, char text[SHA256_TEXT]);

/* Prints the summary.  Returns 0 or fails. */
int summary_print(const struct pump_options *options,
		  const struct pump_result *result, struct failure *failure);

#endif /* TOOLS_PUMP_PUMP_H */
