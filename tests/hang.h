/* SPDX-License-Identifier: MIT */
#ifndef TESTS_HANG_H
#define TESTS_HANG_H

/*
 * After this time without progress, a test fails and says where it hangs.  No
 * other result may depend on it: a machine can be 20 times slower than usual,
 * or busy.  Meson's time-out, which says less, comes later.
 */
#define HANG_SECONDS 600

#endif /* TESTS_HANG_H */
