// SPDX-License-Identifier: GPL-2.0-only
/*
 * pkmap.c - the window and its port in one translation unit.
 *
 * It is compiled as a whole program (see the Makefile): only what is marked
 * __visible can be seen outside.  So the compiler leaves out what kmap() does
 * not use, and makes kmap_high_get() one function that calls no other.
 */
#include "src/index.c"
#include "src/init.c"
#include "src/map.c"
#include "src/reclaim.c"
#include "src/window.c"

#include "highmem.c"
