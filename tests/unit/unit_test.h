/* SPDX-License-Identifier: MIT */
/*
 * unit_test.h - the unit tests, whatever runs them.
 *
 * A file of tests fills in unit_tests[].  cmocka_main.c runs them if cmocka is
 * installed, tap_main.c if it is not.
 */
#ifndef UNIT_TEST_H
#define UNIT_TEST_H

struct unit_test {
	const char *name;
	void (*run)(void);
};

/* The last entry has no name. */
extern const struct unit_test unit_tests[];

#define UNIT_TEST(name) \
	{ \
#name, name \
	}

#endif /* UNIT_TEST_H */
