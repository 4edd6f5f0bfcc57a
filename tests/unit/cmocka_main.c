// SPDX-License-Identifier: MIT
/*
 * cmocka_main.c - runs the unit tests under cmocka.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "tests/check.h"
#include "unit_test.h"

#define MAX_TESTS 64

void check_failed(const char *file, int line, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vprint_error(format, args);
	va_end(args);
	print_error("\n");
	_fail(file, line);
	abort();
}

static void run_state(void **state)
{
	const struct unit_test *test = *state;

	test->run();
}

int main(void)
{
	static struct CMUnitTest tests[MAX_TESTS];
	unsigned int i;

	for (i = 0; unit_tests[i].name; i++) {
		if (i == MAX_TESTS)
			return EXIT_FAILURE;
		tests[i] = (struct CMUnitTest){
			.name = unit_tests[i].name,
			.test_func = run_state,
			.initial_state = (void *)&unit_tests[i],
		};
	}
	return _cmocka_run_group_tests("pkmap", tests, i, NULL, NULL);
}
