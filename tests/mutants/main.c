// SPDX-License-Identifier: MIT
/*
 * main.c - explores one scenario with the src/ that it is linked with, and
 * prints the result for scripts/check-mutants.
 *
 *	explore SCENARIO [NAME=VALUE]...
 *
 * The machine's configuration is not checked, because machines that cannot
 * exist are useful here: two CPUs that share a VIVT cache, for instance.
 */
#include "machine/checker/config.h"
#include "machine/checker/explore.h"
#include "machine/scenarios/scenario.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_BYTES (2ull << 30)

static const struct scenario *find_scenario(const char *name)
{
	const struct scenario *const *s = scenarios;

	while (*s && strcmp((*s)->name, name) != 0)
		s++;
	return *s;
}

static bool set_kind(struct machine_config *c, const char *kind)
{
	c->cache.kind = PKMAP_CACHE_VIPT;
	if (!strncmp(kind, "vivt", 4))
		c->cache.kind = PKMAP_CACHE_VIVT;
	if (!strcmp(kind, "vivt-page"))
		c->range_clean = RANGE_ONE_PAGE;
	else if (!strcmp(kind, "vivt-steps"))
		c->range_clean = RANGE_IN_STEPS;
	else if (!strcmp(kind, "pipt"))
		c->cache.kind = PKMAP_CACHE_PIPT;
	else if (!strcmp(kind, "aliasing"))
		c->cache.colours = 2;
	else
		return !strcmp(kind, "vipt") || !strcmp(kind, "vivt");
	return true;
}

static bool set_number(struct machine_config *c, const char *name, uint32_t n)
{
	if (!strcmp(name, "cpus"))
		c->ncpus = n;
	else if (!strcmp(name, "slots"))
		c->nslots = n;
	else if (!strcmp(name, "pages"))
		c->npages = n;
	else if (!strcmp(name, "batch"))
		c->batch = n;
	else if (!strcmp(name, "rounds"))
		c->rounds = n;
	else if (!strcmp(name, "local"))
		c->local_slots = n;
	else if (!strcmp(name, "whole"))
		c->cache.whole_bytes = n;
	else if (!strcmp(name, "own"))
		c->own_caches = n;
	else if (!strcmp(name, "ipi"))
		c->ipi = n;
	else if (!strcmp(name, "ra"))
		c->weak_memory = n;
	else if (!strcmp(name, "spec"))
		c->cache.speculative = n;
	else if (!strcmp(name, "page_shift"))
		c->page_shift = n;
	else
		return false;
	return true;
}

static bool set(struct machine_config *c, char *arg)
{
	char *value = strchr(arg, '=');

	if (!value)
		return false;
	*value++ = '\0';
	if (!strcmp(arg, "cache"))
		return set_kind(c, value);
	return set_number(c, arg, (uint32_t)strtoul(value, NULL, 10));
}

/* Invariant, verdict, bound, steps, states and text, separated by tabs. */
static void print_result(const struct explored *r)
{
	printf("%d\t%s\t%s\t%u\t%llu\t%s\n", r->broken.invariant,
	       verdict_name(r->broken.verdict),
	       r->bound == BOUND_NONE ? "complete" : "bounded", r->nsteps,
	       (unsigned long long)r->states, r->broken.text);
}

int main(int argc, char **argv)
{
	struct machine_config c = config_smallest;
	const struct explore_limits limits = {
		.switches = -1,
		.bytes = MAX_BYTES,
	};
	const struct scenario *s = argc > 1 ? find_scenario(argv[1]) : NULL;
	struct explored r;
	int k;

	if (!s) {
		fprintf(stderr, "there is no such scenario\n");
		return 2;
	}
	if (s->configure)
		s->configure(&c);
	for (k = 2; k < argc; k++) {
		if (!set(&c, argv[k])) {
			fprintf(stderr, "'%s' is not known\n", argv[k]);
			return 2;
		}
	}
	if (s->makes_sense && !s->makes_sense(&c)) {
		fprintf(stderr, "it makes no sense on that machine\n");
		return 2;
	}

	run_begin(s, &scheme_pkmap, &c);
	if (explore(&limits, &r)) {
		fprintf(stderr, "not enough memory\n");
		return 2;
	}
	print_result(&r);
	free(r.schedule);
	return r.broken.invariant ? 1 : 0;
}
