/* SPDX-License-Identifier: MIT */
/*
 * check.h - the unit tests, whatever runs them.
 *
 * A file of tests fills in unit_tests[].  cmocka_main.c runs them where cmocka
 * is to be had, tap_main.c elsewhere.
 */
#ifndef CHECK_H
#define CHECK_H

struct unit_test {
	const char *name;
	void (*run)(void);
};

/* Ends with one that has no name. */
extern const struct unit_test unit_tests[];

#define UNIT_TEST(name) \
	{ \
#name, name \
	}

/* Ends the test that runs. */
_Noreturn void check_failed(const char *file, int line, const char *text);

#define CHECK(condition) \
	((condition) ? (void)0 : check_failed(__FILE__, __LINE__, #condition))

#endif /* CHECK_H */
