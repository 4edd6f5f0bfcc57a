/* SPDX-License-Identifier: MIT */
/*
 * check.h - a check of a test.  The program that uses it brings the function
 * that says what failed and ends the test.
 */
#ifndef TESTS_CHECK_H
#define TESTS_CHECK_H

_Noreturn void check_failed(const char *file, int line, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* Fails, and says why. */
#define FAIL(...)	 check_failed(__FILE__, __LINE__, __VA_ARGS__)

#define CHECK(condition) ((condition) ? (void)0 : FAIL("%s", #condition))

#endif /* TESTS_CHECK_H */
