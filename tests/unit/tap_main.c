// SPDX-License-Identifier: MIT
/*
 * tap_main.c - runs the unit tests without any library, and prints TAP.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include "tests/check.h"
#include "unit_test.h"

static jmp_buf test_over;

void check_failed(const char *file, int line, const char *format, ...)
{
	va_list args;

	printf("# %s:%d: ", file, line);
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	putchar('\n');
	longjmp(test_over, 1);
}

int main(void)
{
	volatile unsigned int i;

	setvbuf(stdout, NULL, _IOLBF, 0);
	for (i = 0; unit_tests[i].name; i++) {
		if (setjmp(test_over)) {
			printf("not ok %u - %s\n", i + 1, unit_tests[i].name);
			continue;
		}
		unit_tests[i].run();
		printf("ok %u - %s\n", i + 1, unit_tests[i].name);
	}
	printf("1..%u\n", i);
	return 0;
}
