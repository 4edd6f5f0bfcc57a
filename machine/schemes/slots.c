// SPDX-License-Identifier: MIT
/*
 * slots.c - look-ups and waiting, for the schemes other than pkmap.
 */
#include "slots.h"

size_t slots_size(const struct pkmap_config *config, size_t bytes)
{
	if (config->nslots > SLOTS_MAX || config->ncpus > SLOTS_MAX_CPUS)
		return 0;
	return bytes;
}

void slots_init(struct slots *s, const struct scheme *scheme,
		const struct pkmap_config *config)
{
	s->scheme = scheme;
	s->config = *config;
	s->ncolours = config->cache.colours ? config->cache.colours : 1;
}

/* The slot that shows @pfn, as @pfns says, or PKMAP_NO_SLOT. */
uint32_t slots_find(const struct slots *s, const pkmap_along *pfns,
		    pkmap_pfn pfn)
{
	uint32_t slot;

	for (slot = slots_first(s, pfn); slot < s->config.nslots;
	     slot += s->ncolours) {
		if (pkmap_along_load_relaxed(&pfns[slot]) == pfn)
			return slot;
	}
	return PKMAP_NO_SLOT;
}

/* Like the port's wait(), but @wait may be NULL. */
int slots_wait(const struct slots *s, pkmap_a32 *event, uint32_t seen,
	       const struct pkmap_wait *wait)
{
	static const struct pkmap_wait no_deadline = {
		.deadline = PKMAP_NO_DEADLINE,
	};

	return s->config.ops->wait(s->config.port, event, seen,
				   wait ? wait : &no_deadline);
}
