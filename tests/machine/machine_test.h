/* SPDX-License-Identifier: MIT */
/*
 * machine_test.h - what the tests of the model machine share: runs of tasks
 * that use the machine directly, without a scheme.
 */
#ifndef MACHINE_TEST_H
#define MACHINE_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "machine/checker/explore.h"
#include "machine/checker/run.h"
#include "machine/model/model.h"
#include "machine/scenarios/scenario.h"

#define ANY_NUMBER_OF_SWITCHES (-1)

static inline size_t bare_size(const struct pkmap_config *config)
{
	(void)config;
	return 0;
}

static inline void bare_init(void *mem, const struct pkmap_config *config)
{
	(void)mem;
	(void)config;
}

static inline const char *bare_check_end(void *mem)
{
	(void)mem;
	return NULL;
}

static inline void begin(void (*prepare)(void),
			 const struct machine_config *config)
{
	static const struct scheme bare = {
		.name = "bare",
		.size = bare_size,
		.init = bare_init,
		.check_end = bare_check_end,
	};
	const struct scenario scenario = { .name = "test", .prepare = prepare };

	run_begin(&scenario, &bare, config);
}

/* The schedule is to be freed. */
static inline struct explored
explore_within(void (*prepare)(void), const struct machine_config *config,
	       const struct explore_limits *limits)
{
	struct explored e;

	begin(prepare, config);
	assert_int_equal(explore(limits, &e), 0);
	return e;
}

static inline struct explored explore_all(void (*prepare)(void),
					  const struct machine_config *config)
{
	const struct explore_limits limits = {
		.switches = ANY_NUMBER_OF_SWITCHES,
	};

	return explore_within(prepare, config, &limits);
}

/* The search is complete, and breaks this invariant (0: none), so named. */
static inline void expect(void (*prepare)(void),
			  const struct machine_config *config, int invariant,
			  enum verdict verdict)
{
	struct explored e = explore_all(prepare, config);

	free(e.schedule);
	if (e.broken.invariant != invariant || e.broken.verdict != verdict)
		fail_msg("I%d (%s) was expected, not I%d (%s): %s", invariant,
			 verdict_name(verdict), e.broken.invariant,
			 verdict_name(e.broken.verdict), e.broken.text);
	assert_int_equal(e.bound, BOUND_NONE);
}

static inline void expect_clean(void (*prepare)(void),
				const struct machine_config *config)
{
	expect(prepare, config, 0, VERDICT_CLEAN);
}

/* To be called by a task that sees what the test looks for. */
static inline void seen(void)
{
	broken(3, VERDICT_BROKEN, "what was looked for");
}

static inline void expect_seen(void (*prepare)(void),
			       const struct machine_config *config)
{
	expect(prepare, config, 3, VERDICT_BROKEN);
}

/* The address of a byte in a slot. */
static inline char *at(uint32_t slot, uint32_t offset)
{
	return (char *)(uintptr_t)(WINDOW_BASE + (slot << m.config.page_shift) +
				   offset);
}

static inline void set(uint32_t slot, pkmap_pfn pfn)
{
	machine_ops.set(NULL, at(slot, 0), pfn, false);
}

static inline void clear(uint32_t slot)
{
	machine_ops.clear(NULL, at(slot, 0), 1);
}

static inline void flush(uint32_t slot)
{
	machine_ops.flush_tlb(NULL, at(slot, 0), 1, false);
}

#endif /* MACHINE_TEST_H */
