// SPDX-License-Identifier: GPL-2.0-only
/*
 * pkmap.c - the window and its port in one translation unit.
 *
 * Compiled as a whole program (Makefile): what is not marked __visible is not
 * seen outside, so what kmap() does not use is left out, and kmap_high_get() is
 * one function without a call in it.
 */
#include "src/index.c"
#include "src/init.c"
#include "src/map.c"
#include "src/reclaim.c"
#include "src/window.c"

#include "highmem.c"
