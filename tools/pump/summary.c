// SPDX-License-Identifier: MIT
#include "pump.h"
#include "tools/common/streams.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>

static double copied(const struct pump_result *result)
{
	return (double)(result->bytes - result->holes);
}

static double rate(const struct pump_result *result)
{
	return result->seconds > 0 ? copied(result) / result->seconds : 0;
}

static void print_text(const struct pump_options *options,
		       const struct pump_result *result)
{
	const struct pkmap_stats *stats = &result->stats;
	const struct pkmap_dma_stats *dma = &result->dma;
	const struct irq_counts *irq = &result->irq;
	double page_size = (double)options->page_size;
	char a[SIZE_TEXT];
	char b[SIZE_TEXT];
	char c[SIZE_TEXT];

	printf("copied      %s in %.2f s, %s/s; %s of holes are kept\n",
	       size_text(a, copied(result)), result->seconds,
	       size_text(b, rate(result)), size_text(c, (double)result->holes));
	printf("device      read by %s, wrote by %s\n", result->device_in,
	       result->device_out);
	printf("window      %u slots of %s = %s, onto %u frames = %s\n",
	       options->slots, size_text(a, page_size),
	       size_text(b, page_size * options->slots), options->frames,
	       size_text(c, page_size * options->frames));
	printf("maps        %lu by %u CPU threads, %.1f %% of pages already "
	       "mapped\n"
	       "            %lu waits for a slot\n",
	       stats->hits + stats->misses, options->threads,
	       100 * hit_ratio(stats), stats->waits);
	printf("reclaims    %lu, which freed %lu slots\n", stats->reclaims,
	       stats->reclaimed);
	printf("DMA         %lu frames given to devices\n"
	       "            their pages: %lu in use, %lu idle, %lu not "
	       "mapped\n",
	       dma->maps, dma->in_use, dma->idle, dma->not_mapped);
	printf("cache       %lu lines to clean, %lu to invalidate, %lu to do "
	       "both\n",
	       dma->cleaned, dma->invalidated, dma->clean_invalidated);
	printf("interrupts  %lu: %lu pinned the page, %lu found it not "
	       "mapped\n",
	       irq->taken, irq->pins, irq->pin_misses);
	printf("checks      %lu pinned pages compared with their frames, all "
	       "equal\n",
	       irq->compared);
	printf("SHA-256     %s\n", result->sha256);
	printf("equal       IN and OUT, byte for byte\n");
}

/* clang-format off */
static json_t *make_json(const struct pump_options *options,
			 const struct pump_result *result)
{
	const struct pkmap_stats *stats = &result->stats;
	const struct pkmap_dma_stats *dma = &result->dma;
	const struct irq_counts *irq = &result->irq;

	return json_pack(
		"{s:I, s:I, s:f, s:f, s:s, s:s, s:I, s:I, s:I, s:I, s:b,"
		" s:{s:I, s:I, s:f, s:I}, s:{s:I, s:I},"
		" s:{s:I, s:I, s:I, s:I, s:I, s:I, s:I},"
		" s:{s:I, s:I, s:I, s:I, s:I}, s:s}",
		"bytes", (json_int_t)result->bytes,
		"holes", (json_int_t)result->holes,
		"seconds", result->seconds,
		"bytes_per_second", rate(result),
		"device_read", result->device_in,
		"device_write", result->device_out,
		"page_size", (json_int_t)options->page_size,
		"slots", (json_int_t)options->slots,
		"frames", (json_int_t)options->frames,
		"threads", (json_int_t)options->threads,
		"strict", (int)options->strict,
		"maps",
			"hits", (json_int_t)stats->hits,
			"misses", (json_int_t)stats->misses,
			"hit_ratio", hit_ratio(stats),
			"waits", (json_int_t)stats->waits,
		"reclaims",
			"batches", (json_int_t)stats->reclaims,
			"slots", (json_int_t)stats->reclaimed,
		"dma",
			"maps", (json_int_t)dma->maps,
			"in_use", (json_int_t)dma->in_use,
			"idle", (json_int_t)dma->idle,
			"not_mapped", (json_int_t)dma->not_mapped,
			"cleaned", (json_int_t)dma->cleaned,
			"invalidated", (json_int_t)dma->invalidated,
			"clean_invalidated",
				(json_int_t)dma->clean_invalidated,
		"interrupts",
			"rate", (json_int_t)options->irq_rate,
			"taken", (json_int_t)irq->taken,
			"pins", (json_int_t)irq->pins,
			"pin_misses", (json_int_t)irq->pin_misses,
			"compared", (json_int_t)irq->compared,
		"sha256", result->sha256);
}
/* clang-format on */

/* Returns 0 or an errno value. */
static int print_json(const struct pump_options *options,
		      const struct pump_result *result)
{
	json_t *json = make_json(options, result);
	int err = 0;

	if (!json)
		return ENOMEM;
	if (json_dumpf(json, stdout, JSON_INDENT(2)) || putchar('\n') == EOF)
		err = errno;
	json_decref(json);
	return err;
}

int summary_print(const struct pump_options *options,
		  const struct pump_result *result, struct failure *failure)
{
	int err = 0;

	if (options->json)
		err = print_json(options, result);
	else if (!options->quiet)
		print_text(options, result);
	if (streams_flush())
		err = errno;
	if (err)
		return fail(failure, err, "cannot print the summary");
	return 0;
}
