/* SPDX-License-Identifier: MIT */
/*
 * pkmap/types.h - the fixed-width types that pkmap uses.
 *
 * This default takes them from the headers that a freestanding C11 compiler has
 * of its own.  A port to a system that has others (a kernel built with
 * -nostdinc) puts a <pkmap/types.h> of its own before this one on the include
 * path.  That provides bool, size_t, uintptr_t, uint8_t to uint64_t, and what
 * is below.
 */
#ifndef PKMAP_TYPES_H
#define PKMAP_TYPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * A page frame number: a page's physical address (or its offset in a file)
 * divided by the window's page size.  One machine word, because readers
 * without a lock load it in one go; 32 bits of 4 KiB pages are 16 TiB.
 */
typedef unsigned long pkmap_pfn;

/* No page.  Never a valid page frame number. */
#define PKMAP_NO_PFN (~(pkmap_pfn)0)

#endif /* PKMAP_TYPES_H */
