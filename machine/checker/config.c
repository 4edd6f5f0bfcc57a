// SPDX-License-Identifier: MIT
#include "config.h"

#include "machine/model/model.h"
#include "machine/schemes/slots.h"

#include <stdio.h>

/*
 * Scenarios use pages 0 to 2, unless they ask for more, and lines 0 and 1, and
 * share lines by bytes.
 */
#define MIN_SLOTS 2
#define MIN_PAGES 3
#define MIN_LINES 2
#define MIN_LINE  2

const struct machine_config config_smallest = {
	.ncpus = 1,
	.nslots = MIN_SLOTS,
	.npages = MIN_PAGES,
	.page_shift = 2,
	.line_shift = 1,
	.local_slots = 2,
	.dma_slots = 2,
	.cache.kind = PKMAP_CACHE_VIVT,
	.rounds = 1,
};

static bool is_within(uint32_t n, uint32_t min, uint32_t max)
{
	return n >= min && n <= max;
}

const char *config_wrong(const struct machine_config *config)
{
	const uint32_t line = 1u << config->line_shift;
	const uint32_t lines = 1u << (config->page_shift - config->line_shift);

	if (!is_within(config->ncpus, 1, MAX_CPUS))
		return "there are 1 to 4 CPUs";
	if (!is_within(config->npages, MIN_PAGES, MAX_PAGES))
		return "there are 3 to 6 pages";
	if (config->npages << config->page_shift > MAX_BYTES)
		return "there are at most 64 bytes of memory";
	if (!is_within(config->nslots, MIN_SLOTS, SLOTS_MAX))
		return "there are 2 to 8 slots";
	if (!is_within(line, MIN_LINE, MAX_LINE))
		return "a line has 2 or 4 bytes";
	if (!is_within(lines, MIN_LINES, MAX_LINES))
		return "a page has 2 or 4 lines";
	if (config->nslots % ncolours(config))
		return "on an aliasing cache, half of the slots are of each "
		       "colour";
	if (all_slots(config) > MAX_SLOTS)
		return "with those for local maps, these are too many slots";
	if (config->cache.kind == PKMAP_CACHE_VIVT && config->ncpus > 1)
		return "a VIVT cache is for 1 CPU";
	return NULL;
}

static const char *kind_text(const struct machine_config *config)
{
	static const char *const vivt[] = {
		[RANGE_WHOLE] = "VIVT",
		[RANGE_ONE_PAGE] = "VIVT cleaned by the page",
		[RANGE_IN_STEPS] = "VIVT cleaned in steps",
	};

	if (config->cache.kind == PKMAP_CACHE_VIVT)
		return vivt[config->range_clean];
	if (config->cache.kind == PKMAP_CACHE_PIPT)
		return "PIPT";
	return ncolours(config) > 1 ? "aliasing VIPT" : "VIPT";
}

static const char vivt_about[] =
	"VIVT: the cache finds lines by virtual address alone, that is by "
	"slot. A line\nbelongs to the page that the slot showed when it was "
	"filled. Cleaning writes it\nback to that page; invalidating throws it "
	"away, whichever page's it is by then.\n";
static const char tagged_about[] =
	"The cache finds lines by physical address: a line belongs to one "
	"page. Cleaning\nor invalidating at a slot works on the page that the "
	"slot shows by then.\n";
static const char aliasing_about[] =
	"The cache finds lines by physical address, but has two places for "
	"each, one for\nslots of each colour (c.): a page that is mapped at "
	"both may be cached twice.\n";

const char *config_about(const struct machine_config *config)
{
	if (config->cache.kind == PKMAP_CACHE_VIVT)
		return vivt_about;
	return ncolours(config) > 1 ? aliasing_about : tagged_about;
}

const char *config_text(const struct machine_config *config,
			char text[CONFIG_TEXT])
{
	snprintf(text, CONFIG_TEXT, "%s, %u CPU%s%s%s%s", kind_text(config),
		 config->ncpus, config->ncpus > 1 ? "s" : "",
		 config->own_caches && config->ncpus > 1 ? ", a cache each" :
							   "",
		 config->ncpus == 1 ? "" :
		 config->ipi	    ? ", TLBs flushed by interrupt" :
				      ", TLBs flushed by broadcast",
		 config->weak_memory ? ", weak memory" : "");
	return text;
}
