// SPDX-License-Identifier: MIT
/*
 * Each operation of dma.h's table is needed: if one is left out, or does less
 * than it should, or is done to the two cache levels in the wrong order, some
 * transfer of dma_data goes wrong.
 *
 * usage: dma_left_out [TRANSFERS]
 */
#include "transfers.h"

#include <stdio.h>
#include <stdlib.h>

/* A row and a column of the table. */
struct entry {
	enum pkmap_dma_dir dir;
	enum moment moment;
	enum lines lines;
	enum pkmap_cache_op op;
};

static const struct entry table[] = {
	{ PKMAP_DMA_TO_DEVICE, BEFORE, WHOLE, PKMAP_CACHE_CLEAN },
	{ PKMAP_DMA_TO_DEVICE, BEFORE, SHARED, PKMAP_CACHE_CLEAN },
	{ PKMAP_DMA_FROM_DEVICE, BEFORE, WHOLE, PKMAP_CACHE_INVAL },
	{ PKMAP_DMA_FROM_DEVICE, BEFORE, SHARED, PKMAP_CACHE_CLEAN_INVAL },
	{ PKMAP_DMA_FROM_DEVICE, AFTER, WHOLE, PKMAP_CACHE_INVAL },
	{ PKMAP_DMA_FROM_DEVICE, AFTER, SHARED, PKMAP_CACHE_CLEAN_INVAL },
	{ PKMAP_DMA_BIDIRECTIONAL, BEFORE, WHOLE, PKMAP_CACHE_CLEAN_INVAL },
	{ PKMAP_DMA_BIDIRECTIONAL, BEFORE, SHARED, PKMAP_CACHE_CLEAN_INVAL },
	{ PKMAP_DMA_BIDIRECTIONAL, AFTER, WHOLE, PKMAP_CACHE_INVAL },
	{ PKMAP_DMA_BIDIRECTIONAL, AFTER, SHARED, PKMAP_CACHE_CLEAN_INVAL },
};

#define NENTRIES (sizeof(table) / sizeof(*table))

static const char *const op_names[] = {
	[LEAVE_OUT] = "nothing",
	[PKMAP_CACHE_CLEAN] = "clean",
	[PKMAP_CACHE_INVAL] = "invalidate",
	[PKMAP_CACHE_CLEAN_INVAL] = "clean and invalidate",
};

static const char *const dir_names[] = {
	[PKMAP_DMA_TO_DEVICE] = "TO_DEVICE",
	[PKMAP_DMA_FROM_DEVICE] = "FROM_DEVICE",
	[PKMAP_DMA_BIDIRECTIONAL] = "BIDIRECTIONAL",
};

static unsigned int ntransfers;
static unsigned int ntests;

/* Tries every kind of machine, until one shows the mistake. */
static bool is_seen(const struct mistake *mistake)
{
	struct soft_kind kind;
	unsigned int done;
	const char *wrong;
	uint32_t nr;

	for (nr = 0; soft_kind_nr(nr, &kind); nr++) {
		wrong = transfers_run(&kind, mistake, nr, ntransfers, &done);
		if (!wrong)
			continue;
		printf("# %s, transfer %u: %s\n", soft_kind_name(&kind), done,
		       wrong);
		return true;
	}
	return false;
}

static void try(const struct mistake *mistake, const char *what)
{
	const bool seen = is_seen(mistake);

	printf("%sok %u - %s %s: %s\n", seen ? "" : "not ", ++ntests,
	       dir_names[mistake->dir],
	       mistake->moment == BEFORE ? "before" : "after", what);
}

static void try_instead(const struct entry *e, enum soft_level level,
			enum pkmap_cache_op instead)
{
	const struct mistake mistake = {
		.dir = e->dir,
		.moment = e->moment,
		.lines = e->lines,
		.level = level,
		.instead = instead,
	};
	char what[128];

	snprintf(what, sizeof(what), "%s instead of %s, %s lines, %s cache",
		 op_names[instead], op_names[e->op],
		 e->lines == WHOLE ? "whole" : "shared",
		 level == SOFT_INNER ? "inner" : "outer");
	try(&mistake, what);
}

static void try_less(const struct entry *e, enum soft_level level)
{
	try_instead(e, level, LEAVE_OUT);
	if (e->op != PKMAP_CACHE_CLEAN)
		try_instead(e, level, PKMAP_CACHE_CLEAN);
	if (e->op != PKMAP_CACHE_INVAL)
		try_instead(e, level, PKMAP_CACHE_INVAL);
}

static void try_wrong_order(const struct entry *e)
{
	const struct mistake mistake = {
		.dir = e->dir,
		.moment = e->moment,
		.swapped = true,
	};

	try(&mistake, "inner and outer cache in the wrong order");
}

int main(int argc, char **argv)
{
	unsigned int k;

	ntransfers = argc > 1 ? (unsigned int)strtoul(argv[1], NULL, 0) : 100;
	setvbuf(stdout, NULL, _IOLBF, 0);
	for (k = 0; k < NENTRIES; k++) {
		try_less(&table[k], SOFT_INNER);
		try_less(&table[k], SOFT_OUTER);
		if (table[k].lines == WHOLE)
			try_wrong_order(&table[k]);
	}
	printf("1..%u\n", ntests);
	return 0;
}
