/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * pkmap/types.h - the fixed-width types, for the Linux kernel, which is built
 * without the compiler's own headers.
 */
#ifndef PKMAP_TYPES_H
#define PKMAP_TYPES_H

#include <linux/limits.h>
#include <linux/stddef.h>
#include <linux/types.h>

#ifndef INT32_MAX
#define INT32_MAX S32_MAX
#endif
#ifndef UINT32_MAX
#define UINT32_MAX U32_MAX
#endif
#ifndef UINT64_MAX
#define UINT64_MAX U64_MAX
#endif
#ifndef UINTPTR_MAX
#define UINTPTR_MAX ULONG_MAX
#endif

typedef unsigned long pkmap_pfn;

#define PKMAP_NO_PFN (~(pkmap_pfn)0)

#endif /* PKMAP_TYPES_H */
