/* SPDX-License-Identifier: MIT */
#ifndef TESTS_HANG_H
#define TESTS_HANG_H

/*
 * Turns a hang into a failure that says where.  No verdict may depend on it: a
 * machine may be 20 times slower than usual, or busy.  Meson's time-out, which
 * says less, comes later.
 */
#define HANG_SECONDS 600

#endif /* TESTS_HANG_H */
