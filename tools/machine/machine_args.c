// SPDX-License-Identifier: MIT
#include "machine_args.h"

#include "machine/checker/config.h"

#include <stdlib.h>
#include <string.h>

#define ALIAS_COLOURS 2
/* For scenarios that need two slots of one colour. */
#define MORE_SLOTS    4

enum {
	KEY_SCHEME = 512,
	KEY_CACHE,
	KEY_CPUS,
	KEY_SLOTS,
	KEY_PAGES,
	KEY_LINE_BYTES,
	KEY_LINES,
	KEY_ROUNDS,
	KEY_OWN_CACHES,
	KEY_BROADCAST,
	KEY_MEMORY,
	KEY_UNREDUCED,
	KEY_SVG,
	KEY_PNG,
	KEY_TRACE,
};

/* clang-format off */
static const struct argp_option options[] = {
	{ .name = "scheme", .key = KEY_SCHEME, .arg = "NAME",
	  .doc = "How pages are pinned: unpinned, locked, claim-first or "
		 "pkmap" },
	{ .name = "cache", .key = KEY_CACHE, .arg = "KIND",
	  .doc = "pipt, vipt, aliasing, vivt, vivt-page or vivt-steps (what the "
		 "scenario needs)" },
	{ .name = "cpus", .key = KEY_CPUS, .arg = "N",
	  .doc = "CPUs, up to 4 (what the scenario needs)" },
	{ .name = "slots", .key = KEY_SLOTS, .arg = "N",
	  .doc = "Slots of the window, 2 to 8 (2, or what the scenario needs)" },
	{ .name = "pages", .key = KEY_PAGES, .arg = "N",
	  .doc = "Pages of memory, 3 or 4 (3)" },
	{ .name = "line-bytes", .key = KEY_LINE_BYTES, .arg = "N",
	  .doc = "Bytes of a cache line, 2 or 4 (2)" },
	{ .name = "lines", .key = KEY_LINES, .arg = "N",
	  .doc = "Lines of a page, 2 or 4 (2)" },
	{ .name = "rounds", .key = KEY_ROUNDS, .arg = "N",
	  .doc = "How often tasks repeat what they do, up to 4 (1)" },
	{ .name = "own-caches", .key = KEY_OWN_CACHES,
	  .doc = "Give each CPU a cache of its own" },
	{ .name = "broadcast", .key = KEY_BROADCAST,
	  .doc = "Let the hardware flush the TLBs of all CPUs (otherwise: by "
		 "inter-processor interrupts)" },
	{ .name = "memory", .key = KEY_MEMORY, .arg = "MODEL",
	  .doc = "sc: sequential consistency; ra: release and acquire (sc)" },
	{ .name = "unreduced", .key = KEY_UNREDUCED,
	  .doc = "Explore all interleavings, even of steps that commute" },
	{ .name = "svg", .key = KEY_SVG, .arg = "FILE",
	  .doc = "Draw the timeline as SVG" },
	{ .name = "png", .key = KEY_PNG, .arg = "FILE",
	  .doc = "Draw the timeline as PNG" },
	{ .name = "trace", .key = KEY_TRACE, .arg = "FILE",
	  .doc = "Write the timeline as trace events, for Perfetto" },
	{ 0 }
};
/* clang-format on */

const struct scenario *parse_scenario(const struct argp_state *state,
				      const char *name)
{
	const struct scenario *const *s;

	for (s = scenarios; *s; s++) {
		if (!strcmp((*s)->name, name))
			return *s;
	}
	argp_error(state, "there is no scenario '%s'; explore --list names all",
		   name);
	return NULL;
}

const struct scheme *parse_scheme(const struct argp_state *state,
				  const char *name)
{
	const struct scheme *const *s;

	for (s = schemes; *s; s++) {
		if (!strcmp((*s)->name, name))
			return *s;
	}
	argp_error(state, "there is no scheme '%s'; explore --list names all",
		   name);
	return NULL;
}

/* clang-format off */
static const struct cache_kind {
	const char *name;
	enum pkmap_cache_kind kind;
	uint32_t colours;
	enum range_clean range_clean;
} cache_kinds[] = {
	{ "pipt", PKMAP_CACHE_PIPT, 1, RANGE_WHOLE },
	{ "vipt", PKMAP_CACHE_VIPT, 1, RANGE_WHOLE },
	{ "aliasing", PKMAP_CACHE_VIPT, ALIAS_COLOURS, RANGE_WHOLE },
	{ "vivt", PKMAP_CACHE_VIVT, 1, RANGE_WHOLE },
	{ "vivt-page", PKMAP_CACHE_VIVT, 1, RANGE_ONE_PAGE },
	{ "vivt-steps", PKMAP_CACHE_VIVT, 1, RANGE_IN_STEPS },
	{ 0 }
};
/* clang-format on */

static void parse_cache(const struct argp_state *state, const char *arg,
			struct machine_options *opt)
{
	struct machine_config *config = &opt->setup.config;
	const struct cache_kind *k = cache_kinds;

	while (k->name && strcmp(k->name, arg) != 0)
		k++;
	if (!k->name)
		argp_error(state,
			   "--cache: '%s' is not pipt, vipt, aliasing, vivt, "
			   "vivt-page or vivt-steps",
			   arg);
	opt->cache_given = true;
	config->cache.kind = k->kind;
	config->cache.colours = k->colours;
	config->range_clean = k->range_clean;
}

static bool parse_memory(const struct argp_state *state, const char *arg)
{
	if (!strcmp(arg, "ra"))
		return true;
	if (strcmp(arg, "sc") != 0)
		argp_error(state, "--memory: '%s' is not sc or ra", arg);
	return false;
}

static error_t parse_option(int key, char *arg, struct argp_state *state)
{
	struct machine_options *opt = state->input;
	struct machine_config *config = &opt->setup.config;

	switch (key) {
	case KEY_SCHEME:
		opt->setup.scheme = parse_scheme(state, arg);
		break;
	case KEY_CACHE:
		parse_cache(state, arg, opt);
		break;
	case KEY_CPUS:
		config->ncpus = parse_number(state, "cpus", arg, 1, 4);
		opt->cpus_given = true;
		break;
	case KEY_SLOTS:
		config->nslots = parse_number(state, "slots", arg, 2, 8);
		opt->slots_given = true;
		break;
	case KEY_PAGES:
		config->npages = parse_number(state, "pages", arg, 3, 4);
		break;
	case KEY_LINE_BYTES:
		opt->line_bytes = parse_number(state, "line-bytes", arg, 2, 4);
		break;
	case KEY_LINES:
		opt->lines = parse_number(state, "lines", arg, 2, 4);
		break;
	case KEY_ROUNDS:
		config->rounds = parse_number(state, "rounds", arg, 1, 4);
		break;
	case KEY_OWN_CACHES:
		config->own_caches = true;
		break;
	case KEY_BROADCAST:
		opt->broadcast = true;
		break;
	case KEY_MEMORY:
		config->weak_memory = parse_memory(state, arg);
		break;
	case KEY_UNREDUCED:
		config->unreduced = true;
		break;
	case KEY_SVG:
		opt->svg = arg;
		break;
	case KEY_PNG:
		opt->png = arg;
		break;
	case KEY_TRACE:
		opt->trace = arg;
		break;
	default:
		return ARGP_ERR_UNKNOWN;
	}
	opt->any_given = true;
	return 0;
}

const struct argp machine_argp = {
	.options = options,
	.parser = parse_option,
};

void machine_options_init(struct machine_options *opt)
{
	*opt = (struct machine_options){
		.setup.config = config_smallest,
		.line_bytes = 1u << config_smallest.line_shift,
		.lines = 1u << (config_smallest.page_shift -
				config_smallest.line_shift),
	};
}

static uint32_t shift_of(const struct argp_state *state, const char *name,
			 uint32_t n)
{
	uint32_t shift = 0;

	if (n & (n - 1))
		argp_error(state, "--%s: %u is not a power of two", name, n);
	while (1u << shift < n)
		shift++;
	return shift;
}

bool setup_fit(struct run_setup *setup, bool more_slots)
{
	const struct scenario *s = setup->scenario;
	struct machine_config *config = &setup->config;
	const uint32_t nslots = config->nslots;

	if (s->configure)
		s->configure(config);
	if (!s->makes_sense || s->makes_sense(config))
		return true;
	if (!more_slots || nslots >= MORE_SLOTS)
		return false;
	config->nslots = MORE_SLOTS;
	if (s->makes_sense(config))
		return true;
	config->nslots = nslots;
	return false;
}

/* Without options, a scenario runs on the first of these that fits it. */
static const struct usual {
	enum pkmap_cache_kind kind;
	uint32_t ncpus;
	const char *options;
} usual_machines[] = {
	{ PKMAP_CACHE_VIVT, 1, "--cache vivt" },
	{ PKMAP_CACHE_VIPT, 1, "--cache vipt" },
	{ PKMAP_CACHE_VIPT, 2, "--cache vipt --cpus 2" },
	{ 0 },
};

/* Fills in what was not given from a usual machine. */
static void imitate(struct machine_options *opt, const struct usual *usual)
{
	struct machine_config *config = &opt->setup.config;

	if (!opt->cache_given)
		config->cache.kind = usual->kind;
	if (!opt->cpus_given)
		config->ncpus = usual->ncpus;
	config->ipi = config->ncpus > 1 && !opt->broadcast;
}

/*
 * Completes the machine so that it fits the scenario.  Returns the options of
 * the usual machine that it took.  If none fits, returns NULL, and *@wrong says
 * why; if that is NULL, the scenario makes no sense on the machine @on.
 */
static const char *choose_machine(struct machine_options *opt,
				  const char **wrong, char on[CONFIG_TEXT])
{
	const struct usual *usual;
	struct machine_options tried;
	bool senseless = false;

	for (usual = usual_machines; usual->options; usual++) {
		tried = *opt;
		imitate(&tried, usual);
		*wrong = config_wrong(&tried.setup.config);
		if (*wrong)
			continue;
		if (!setup_fit(&tried.setup, !opt->slots_given)) {
			if (!senseless)
				config_text(&tried.setup.config, on);
			senseless = true;
			continue;
		}
		*wrong = config_wrong(&tried.setup.config);
		if (*wrong)
			continue;
		*opt = tried;
		return usual->options;
	}
	if (senseless)
		*wrong = NULL;
	return NULL;
}

/* The options of a usual machine on which the scenario makes sense. */
static const char *sensible_options(const struct scenario *scenario)
{
	struct machine_options opt;
	char on[CONFIG_TEXT];
	const char *wrong;

	machine_options_init(&opt);
	opt.setup.scenario = scenario;
	return choose_machine(&opt, &wrong, on);
}

void machine_options_check(struct machine_options *opt,
			   const struct argp_state *state)
{
	struct machine_config *config = &opt->setup.config;
	const struct scenario *scenario = opt->setup.scenario;
	char on[CONFIG_TEXT];
	const char *wrong;

	if (!opt->setup.scheme)
		argp_error(state, "no --scheme given");
	config->line_shift = shift_of(state, "line-bytes", opt->line_bytes);
	config->page_shift =
		config->line_shift + shift_of(state, "lines", opt->lines);
	if (choose_machine(opt, &wrong, on))
		return;
	if (wrong)
		argp_error(state, "%s", wrong);
	else
		argp_error(state, "%s makes no sense on %s; try %s",
			   scenario->name, on, sensible_options(scenario));
}

static const char *cache_name(const struct machine_config *config)
{
	const bool aliases = config->cache.colours > 1;
	const struct cache_kind *k = cache_kinds;

	while (k->kind != config->cache.kind || (k->colours > 1) != aliases ||
	       k->range_clean != config->range_clean)
		k++;
	return k->name;
}

static void print_number(const char *name, uint32_t n, uint32_t usual,
			 FILE *out)
{
	if (n != usual)
		fprintf(out, " --%s %u", name, n);
}

void machine_options_print(const struct machine_options *opt, FILE *out)
{
	const struct machine_config *usual = &config_smallest;
	const struct machine_config *c = &opt->setup.config;

	fprintf(out, " --scheme %s --cache %s", opt->setup.scheme->name,
		cache_name(c));
	print_number("cpus", c->ncpus, usual->ncpus, out);
	print_number("slots", c->nslots, usual->nslots, out);
	print_number("pages", c->npages, usual->npages, out);
	print_number("line-bytes", opt->line_bytes, 1u << usual->line_shift,
		     out);
	print_number("lines", opt->lines,
		     1u << (usual->page_shift - usual->line_shift), out);
	print_number("rounds", c->rounds, usual->rounds, out);
	if (c->own_caches)
		fprintf(out, " --own-caches");
	if (opt->broadcast)
		fprintf(out, " --broadcast");
	if (c->weak_memory)
		fprintf(out, " --memory ra");
	if (c->unreduced)
		fprintf(out, " --unreduced");
}
