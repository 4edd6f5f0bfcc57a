// SPDX-License-Identifier: MIT
#include "matrix.h"

#include "cells.h"
#include "machine/checker/config.h"
#include "machine_args.h"
#include "show.h"
#include "tools/common/stop.h"

#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

/*
 * Bounds for the cells of --all that must be complete, and for the others.
 * Bounds of states give the same result on every host, however slow or busy.
 * The largest cell that must be complete has 5.3 million states; 9 million fit
 * into the GiB that each cell has at least.
 */
#define REQUIRED_STATES 9000000
#define OTHER_STATES	1000000

#define ROW_WIDTH	16
#define CELL_WIDTH	16

struct matrix_machine {
	enum pkmap_cache_kind kind;
	uint32_t colours;
	uint32_t ncpus;
	bool own_caches;
	bool ipi;
};

/* VIVT caches have one CPU only, because of local maps. */
static const struct matrix_machine machines[] = {
	{ PKMAP_CACHE_VIVT, 1, 1, false, false },
	{ PKMAP_CACHE_VIPT, 1, 1, false, false },
	{ PKMAP_CACHE_VIPT, 2, 1, false, false },
	{ PKMAP_CACHE_PIPT, 1, 1, false, false },
	{ PKMAP_CACHE_VIPT, 1, 2, false, true },
	{ PKMAP_CACHE_VIPT, 2, 2, false, true },
	{ PKMAP_CACHE_PIPT, 1, 2, true, false },
};

#define NMACHINES ((uint32_t)(sizeof(machines) / sizeof(machines[0])))

/* The machines of --deep, as indices of machines[]. */
static const uint32_t deep_machines[] = { 0, 4 };

#define NDEEP	   ((uint32_t)(sizeof(deep_machines) / sizeof(deep_machines[0])))
#define MAX_ROUNDS 2
#define NMODELS	   2 /* of memory */

static struct machine_config config_of(const struct matrix_machine *machine)
{
	struct machine_config config = config_smallest;

	config.cache.kind = machine->kind;
	config.cache.colours = machine->colours;
	/*
	 * The weaker hardware, on which a call cleans one page at most.  The
	 * machine's port cleans page by page anyway, so what is clean here is
	 * also clean where a call cleans a whole range.
	 */
	if (machine->kind == PKMAP_CACHE_VIVT)
		config.range_clean = RANGE_ONE_PAGE;
	config.ncpus = machine->ncpus;
	config.own_caches = machine->own_caches;
	config.ipi = machine->ipi;
	return config;
}

static uint32_t count(const void *const *list)
{
	uint32_t n = 0;

	while (list[n])
		n++;
	return n;
}

static uint32_t nscenarios(void)
{
	return count((const void *const *)scenarios);
}

static uint32_t nschemes(void)
{
	return count((const void *const *)schemes);
}

static bool is_clean(const struct cell *cell)
{
	return cell->state == CELL_DONE && !cell->result.broken.invariant;
}

static bool is_complete(const struct cell *cell)
{
	return is_clean(cell) && cell->result.bound == BOUND_NONE;
}

/* The bound that kept a cell from being complete. */
static const char *bound_name(const struct cell *cell)
{
	switch (cell->result.bound) {
	case BOUND_NONE:
		return "nothing";
	case BOUND_STATES:
		return "states";
	case BOUND_TIME:
		return "time";
	case BOUND_MEMORY:
		return "memory";
	case BOUND_HISTORY:
		return "history";
	default:
		return "limits";
	}
}

/* "data loss I1", "clean complete" */
static const char *cell_text(const struct cell *cell, char text[CELL_WIDTH])
{
	const struct broken *b = &cell->result.broken;

	switch (cell->state) {
	case CELL_SENSELESS:
		return "-";
	case CELL_CRASHED:
		return "crashed";
	case CELL_DONE:
		break;
	default:
		return "not run";
	}
	if (is_complete(cell))
		return "clean complete";
	if (is_clean(cell)) {
		snprintf(text, CELL_WIDTH, "clean (%s)", bound_name(cell));
		return text;
	}
	snprintf(text, CELL_WIDTH, "%s I%d", verdict_name(b->verdict),
		 b->invariant);
	return text;
}

static const char *row_text(const struct run_setup *setup, uint32_t usual_slots,
			    char text[ROW_WIDTH])
{
	if (setup->config.nslots == usual_slots)
		return setup->scenario->name;
	snprintf(text, ROW_WIDTH, "%s (%u)", setup->scenario->name,
		 setup->config.nslots);
	return text;
}

static void init_cell(struct cell *cell, const struct scenario *scenario,
		      const struct scheme *scheme,
		      const struct machine_config *config)
{
	cell->setup.scenario = scenario;
	cell->setup.scheme = scheme;
	cell->setup.config = *config;
	if (!setup_fit(&cell->setup, true))
		cell->state = CELL_SENSELESS;
}

/*
 * JSON.
 */

static json_t *cell_json(const struct cell *cell)
{
	const struct machine_config *config = &cell->setup.config;
	const struct cell_result *r = &cell->result;
	const bool done = cell->state == CELL_DONE;
	char text[CONFIG_TEXT];

	return json_pack(
		"{s:s, s:s, s:s, s:I, s:I, s:s, s:I, s:s, s:b, s:s,"
		" s:I, s:I}",
		"scenario", cell->setup.scenario->name, "scheme",
		cell->setup.scheme->name, "machine", config_text(config, text),
		"slots", (json_int_t)config->nslots, "rounds",
		(json_int_t)config->rounds, "verdict",
		done ? verdict_name(r->broken.invariant ? r->broken.verdict :
							  VERDICT_CLEAN) :
		cell->state == CELL_CRASHED ? "crashed" :
					      "not run",
		"invariant", (json_int_t)r->broken.invariant, "text",
		r->broken.invariant ? r->broken.text : "", "complete",
		(int)is_complete(cell), "bound",
		done ? bound_name(cell) : "not run", "states",
		(json_int_t)r->states, "transitions",
		(json_int_t)r->transitions);
}

static int print_json(const struct cells *c, struct failure *failure)
{
	json_t *list = json_array();
	uint32_t k;
	int err = 0;

	for (k = 0; k < c->ncells; k++) {
		if (c->cells[k].state != CELL_SENSELESS)
			err |= json_array_append_new(list,
						     cell_json(&c->cells[k]));
	}
	err |= json_dumpf(list, stdout, JSON_INDENT(2));
	json_decref(list);
	putchar('\n');
	return err ? fail(failure, errno, "cannot print") : 0;
}

/*
 * Every scenario under every scheme.
 */

static struct cell *cell_of(const struct cells *c, uint32_t scheme,
			    uint32_t machine, uint32_t scenario)
{
	return &c->cells[(scheme * NMACHINES + machine) * nscenarios() +
			 scenario];
}

static void make_all(struct cells *c)
{
	struct machine_config config;
	uint32_t scenario;
	uint32_t machine;
	uint32_t scheme;

	for (machine = 0; machine < NMACHINES; machine++) {
		config = config_of(&machines[machine]);
		for (scheme = 0; scheme < nschemes(); scheme++) {
			for (scenario = 0; scenario < nscenarios(); scenario++)
				init_cell(cell_of(c, scheme, machine, scenario),
					  scenarios[scenario], schemes[scheme],
					  &config);
		}
	}
}

/* One scheme's column; the last one ends the line. */
static void print_column(uint32_t scheme, const char *text)
{
	if (scheme + 1 < nschemes())
		printf("%-*s", CELL_WIDTH, text);
	else
		puts(text);
}

static void print_row(const struct cells *c, uint32_t machine,
		      uint32_t scenario)
{
	const struct cell *cell = cell_of(c, 0, machine, scenario);
	char row[ROW_WIDTH];
	char text[CELL_WIDTH];
	uint32_t k;

	printf("%-*s", ROW_WIDTH,
	       row_text(&cell->setup, config_smallest.nslots, row));
	for (k = 0; k < nschemes(); k++) {
		cell = cell_of(c, k, machine, scenario);
		print_column(k, cell_text(cell, text));
	}
}

static void print_table(const struct cells *c, uint32_t machine)
{
	const struct machine_config config = config_of(&machines[machine]);
	char text[CONFIG_TEXT];
	uint32_t k;

	printf("%s\n%-*s", config_text(&config, text), ROW_WIDTH, "scenario");
	for (k = 0; k < nschemes(); k++)
		print_column(k, schemes[k]->name);
	for (k = 0; k < nscenarios(); k++)
		print_row(c, machine, k);
	putchar('\n');
}

struct sums {
	uint32_t run; /* without cells that make no sense */
	uint32_t not_run;
	uint32_t clean;
	uint32_t complete;
};

static struct sums sum_up(const struct cells *c, const struct scheme *scheme)
{
	const struct cell *cell;
	struct sums s = { 0 };

	for (cell = c->cells; cell < c->cells + c->ncells; cell++) {
		if (cell->setup.scheme != scheme ||
		    cell->state == CELL_SENSELESS)
			continue;
		s.not_run += cell->state == CELL_WAITING;
		s.run += cell->state != CELL_WAITING;
		s.clean += is_clean(cell);
		s.complete += is_complete(cell);
	}
	return s;
}

/* The last line.  Cells that were not run are counted separately. */
static void print_ours(const struct cells *c)
{
	const struct sums s = sum_up(c, &scheme_pkmap);

	printf("pkmap clean in %u of %u cells (%u complete)", s.clean, s.run,
	       s.complete);
	if (s.not_run)
		printf("; %u were not run", s.not_run);
	putchar('\n');
}

/* The line about pkmap comes last. */
static void print_sums(const struct cells *c)
{
	struct sums s;
	uint32_t k;

	for (k = 0; k < nschemes(); k++) {
		s = sum_up(c, schemes[k]);
		if (schemes[k] != &scheme_pkmap)
			printf("%s clean in %u of %u cells\n", schemes[k]->name,
			       s.clean, s.run);
	}
	print_ours(c);
}

static void print_all(const struct cells *c)
{
	uint32_t machine;

	for (machine = 0; machine < NMACHINES; machine++)
		print_table(c, machine);
	puts("complete: every interleaving was explored; (states), (time), "
	     "(memory): the bound\nthat was reached; (3), (4): slots, where 2 "
	     "are too few");
	print_sums(c);
}

/* Whether it is one of the two machines on which pkmap must be complete. */
static bool is_required_all(const struct cell *cell)
{
	const struct machine_config *c = &cell->setup.config;

	if (c->cache.kind == PKMAP_CACHE_VIVT)
		return c->ncpus == 1;
	return c->cache.kind == PKMAP_CACHE_VIPT && c->cache.colours <= 1 &&
	       c->ncpus == 2;
}

/*
 * pkmap with more rounds and weak memory.
 */

/*
 * Cells that must be complete come first.  Weak memory only matters with two
 * CPUs, and has too many states for more than one round.
 */
static void make_deep(struct cells *c)
{
	struct cell *cell = c->cells;
	struct machine_config config;
	uint32_t scenario;
	uint32_t variant;
	uint32_t k;

	for (variant = 0; variant < MAX_ROUNDS * NMODELS; variant++) {
		for (k = 0; k < NDEEP; k++) {
			config = config_of(&machines[deep_machines[k]]);
			config.rounds = 1 + variant / NMODELS;
			config.weak_memory = variant % NMODELS;
			if (config.weak_memory &&
			    (config.ncpus == 1 || config.rounds > 1))
				continue;
			for (scenario = 0; scenario < nscenarios(); scenario++)
				init_cell(cell++, scenarios[scenario],
					  &scheme_pkmap, &config);
		}
	}
	c->ncells = (uint32_t)(cell - c->cells);
}

static void print_deep_head(const struct cell *cell)
{
	const uint32_t rounds = cell->setup.config.rounds;
	char text[CONFIG_TEXT];

	printf("%s; %u round%s\n%-*s%12s%14s  %s\n",
	       config_text(&cell->setup.config, text), rounds,
	       rounds > 1 ? "s" : "", ROW_WIDTH, "scenario", "states",
	       "transitions", "verdict");
}

static void print_deep_row(const struct cell *cell)
{
	char row[ROW_WIDTH];
	char text[CELL_WIDTH];

	printf("%-*s%12lu%14lu  %s\n", ROW_WIDTH,
	       row_text(&cell->setup, config_smallest.nslots, row),
	       cell->result.states, cell->result.transitions,
	       cell_text(cell, text));
}

/* A table for each machine. */
static void print_deep(const struct cells *c)
{
	uint32_t k;

	for (k = 0; k < c->ncells; k++) {
		if (k % nscenarios() == 0)
			print_deep_head(&c->cells[k]);
		if (c->cells[k].state != CELL_SENSELESS)
			print_deep_row(&c->cells[k]);
		if (k % nscenarios() == nscenarios() - 1)
			putchar('\n');
	}
	puts("Cells of 1 round must be complete, except with weak memory.");
	print_ours(c);
}

static bool is_required_deep(const struct cell *cell)
{
	return cell->setup.config.rounds == 1 &&
	       !cell->setup.config.weak_memory;
}

/* What is explored, and what pkmap must achieve in it. */
struct matrix {
	uint32_t most_cells;
	void (*make)(struct cells *c);
	void (*print)(const struct cells *c);
	/* Whether pkmap must be complete in a cell. */
	bool (*is_required)(const struct cell *cell);
	/* Bounds of a cell; 0: bounded by memory only. */
	uint64_t required_states;
	uint64_t other_states;
};

static void bound(struct cells *c, const struct matrix *m, uint64_t most_states)
{
	struct cell *cell;

	for (cell = c->cells; cell < c->cells + c->ncells; cell++) {
		if (most_states)
			cell->most_states = most_states;
		else if (m->is_required(cell))
			cell->most_states = m->required_states;
		else
			cell->most_states = m->other_states;
	}
}

/*
 * 1 if pkmap is not clean somewhere, or anything crashed, or pkmap is not
 * complete in a cell in which it must be.
 */
static int judge(const struct cells *c, const struct matrix *m,
		 const struct matrix_options *opt)
{
	const bool bounded = opt->states || opt->seconds;
	const struct cell *cell;

	for (cell = c->cells; cell < c->cells + c->ncells; cell++) {
		if (cell->state == CELL_SENSELESS)
			continue;
		if (cell->state == CELL_CRASHED)
			return 1;
		if (cell->setup.scheme != &scheme_pkmap)
			continue;
		if (!is_clean(cell) ||
		    (!bounded && m->is_required(cell) && !is_complete(cell)))
			return 1;
	}
	return 0;
}

static int run_cells(struct cells *c, const struct matrix *m,
		     const struct matrix_options *opt,
		     struct progress *progress, struct failure *failure)
{
	int err = cells_run(c, progress);

	progress_clear(progress);
	if (err && errno != EINTR)
		return fail(failure, errno, "cannot run the cells");
	if (err)
		fail(failure, 0, "interrupted");
	if (!opt->json)
		m->print(c);
	else if (print_json(c, failure))
		return -1;
	return show_flush(failure) || err ? -1 : 0;
}

static int run_matrix(const struct matrix *m, const struct matrix_options *opt,
		      struct progress *progress, struct failure *failure)
{
	struct cells c = {
		.bytes = opt->bytes,
		.seconds = opt->seconds,
		.ncells = m->most_cells,
		.cells = calloc(m->most_cells, sizeof(*c.cells)),
	};
	int err;

	if (!c.cells)
		return fail(failure, 0, "not enough memory");
	m->make(&c);
	bound(&c, m, opt->states);
	err = run_cells(&c, m, opt, progress, failure);
	if (!err)
		err = judge(&c, m, opt);
	free(c.cells);
	return err;
}

int matrix_all(const struct matrix_options *opt, struct progress *progress,
	       struct failure *failure)
{
	const struct matrix all = {
		.most_cells = nschemes() * NMACHINES * nscenarios(),
		.make = make_all,
		.print = print_all,
		.is_required = is_required_all,
		.required_states = REQUIRED_STATES,
		.other_states = OTHER_STATES,
	};

	return run_matrix(&all, opt, progress, failure);
}

int matrix_deep(const struct matrix_options *opt, struct progress *progress,
		struct failure *failure)
{
	const struct matrix deep = {
		.most_cells = NDEEP * MAX_ROUNDS * NMODELS * nscenarios(),
		.make = make_deep,
		.print = print_deep,
		.is_required = is_required_deep,
	};

	return run_matrix(&deep, opt, progress, failure);
}
