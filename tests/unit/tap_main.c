// SPDX-License-Identifier: MIT
/*
 * tap_main.c - runs the unit tests without any library; TAP.
 */
#include <setjmp.h>
#include <stdio.h>

#include "check.h"

static jmp_buf test_over;

_Noreturn void check_failed(const char *file, int line, const char *text)
{
	printf("# %s:%d: %s\n", file, line, text);
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
