// SPDX-License-Identifier: MIT
/* mesi.c - what the simulated caches of "pkmap bench cpus" count. */
#include "bench/worker/mesi.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define LINE 0x1000u

struct step {
	uint32_t cpu;
	bool write;
	uint64_t transfers; /* so far */
	uint64_t invalidations;
};

static void take(struct mesi *m, const struct step *steps, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++) {
		mesi_access(m, steps[i].cpu, LINE + 4 * (uintptr_t)i, 4,
			    steps[i].write);
		assert_int_equal(m->counts.transfers, steps[i].transfers);
		assert_int_equal(m->counts.invalidations,
				 steps[i].invalidations);
	}
}

#define TAKE(m, steps) take(m, steps, sizeof(steps) / sizeof((steps)[0]))

/* A CPU alone with a line exchanges nothing. */
static void one_cpu(void **state)
{
	static const struct step steps[] = {
		{ 7, false, 0, 0 },
		{ 7, true, 0, 0 },
		{ 7, false, 0, 0 },
		{ 7, true, 0, 0 },
	};
	struct mesi m = { 0 };

	(void)state;
	TAKE(&m, steps);
	mesi_free(&m);
}

/* CPUs that only read exchange nothing either. */
static void readers(void **state)
{
	static const struct step steps[] = {
		{ 0, false, 0, 0 },
		{ 1, false, 0, 0 },
		{ 127, false, 0, 0 },
		{ 0, false, 0, 0 },
	};
	struct mesi m = { 0 };

	(void)state;
	TAKE(&m, steps);
	mesi_free(&m);
}

/* Each write of another CPU takes the line; the second of its own does not. */
static void writers(void **state)
{
	static const struct step steps[] = {
		{ 0, true, 0, 0 }, { 64, true, 1, 1 }, { 64, true, 1, 1 },
		{ 0, true, 2, 2 }, { 1, true, 3, 3 },
	};
	struct mesi m = { 0 };

	(void)state;
	TAKE(&m, steps);
	mesi_free(&m);
}

/*
 * A write to a line that others share invalidates their copies, and moves no
 * data.  Each of them has to fetch the line again, also the one that comes when
 * the writer has written it back already.
 */
static void shared_line(void **state)
{
	static const struct step steps[] = {
		{ 0, false, 0, 0 },   { 1, false, 0, 0 }, { 100, false, 0, 0 },
		{ 0, true, 0, 2 },    { 1, false, 1, 2 }, { 100, false, 2, 2 },
		{ 100, false, 2, 2 }, { 0, false, 2, 2 }, { 1, true, 2, 4 },
	};
	struct mesi m = { 0 };

	(void)state;
	TAKE(&m, steps);
	mesi_free(&m);
}

/* A first read: of a line that is modified elsewhere, and of one that was. */
static void first_read(void **state)
{
	static const struct step steps[] = {
		{ 0, true, 0, 0 },
		{ 1, false, 1, 0 },
		{ 2, false, 1, 0 },
	};
	struct mesi m = { 0 };

	(void)state;
	TAKE(&m, steps);
	mesi_free(&m);
}

/* An access that crosses lines is one to each, and an empty one to none. */
static void several_lines(void **state)
{
	struct mesi m = { 0 };

	(void)state;
	mesi_access(&m, 0, LINE, 3 * MESI_LINE_BYTES, true);
	mesi_access(&m, 1, LINE + 60, 8, false);
	assert_int_equal(m.counts.transfers, 2);
	mesi_access(&m, 1, LINE + 2 * MESI_LINE_BYTES, 0, true);
	assert_int_equal(m.counts.transfers, 2);
	mesi_access(&m, 1, LINE + 3 * MESI_LINE_BYTES - 1, 1, true);
	assert_int_equal(m.counts.transfers, 3);
	assert_int_equal(m.counts.invalidations, 1);
	mesi_free(&m);
}

/* More lines than there is room for at first. */
static void many_lines(void **state)
{
	const uintptr_t n = 20000;
	struct mesi m = { 0 };
	uintptr_t i;

	(void)state;
	for (i = 0; i < n; i++)
		mesi_access(&m, 0, i * MESI_LINE_BYTES, 1, true);
	assert_int_equal(m.counts.transfers, 0);
	for (i = 0; i < n; i++)
		mesi_access(&m, 1, i * MESI_LINE_BYTES, 1, false);
	assert_int_equal(m.counts.transfers, n);
	assert_int_equal(m.used, n);
	mesi_free(&m);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_cpu),    cmocka_unit_test(readers),
		cmocka_unit_test(writers),    cmocka_unit_test(shared_line),
		cmocka_unit_test(first_read), cmocka_unit_test(several_lines),
		cmocka_unit_test(many_lines),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
