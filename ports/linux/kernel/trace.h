/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * trace.h - the trace events of pkmap: pkmap:pkmap_map and so on.
 */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM pkmap

#if !defined(PKMAP_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define PKMAP_TRACE_H

#include <linux/tracepoint.h>

/* clang-format off */

DECLARE_EVENT_CLASS(pkmap_page,
	TP_PROTO(unsigned long pfn, const void *addr),
	TP_ARGS(pfn, addr),
	TP_STRUCT__entry(
		__field(unsigned long, pfn)
		__field(const void *, addr)
	),
	TP_fast_assign(
		__entry->pfn = pfn;
		__entry->addr = addr;
	),
	TP_printk("pfn=0x%lx addr=%px", __entry->pfn, __entry->addr)
);

/* kmap() of a page of high memory. */
DEFINE_EVENT(pkmap_page, pkmap_map,
	TP_PROTO(unsigned long pfn, const void *addr),
	TP_ARGS(pfn, addr));

/* kmap_high_get(); the address is NULL if the page is not mapped. */
DEFINE_EVENT(pkmap_page, pkmap_pin,
	TP_PROTO(unsigned long pfn, const void *addr),
	TP_ARGS(pfn, addr));

/* kunmap() of a page of high memory, or the end of a pin. */
DEFINE_EVENT(pkmap_page, pkmap_unmap,
	TP_PROTO(unsigned long pfn, const void *addr),
	TP_ARGS(pfn, addr));

/* The cache lines of an idle slot were cleaned by its address. */
TRACE_EVENT(pkmap_clean,
	TP_PROTO(const void *addr),
	TP_ARGS(addr),
	TP_STRUCT__entry(
		__field(const void *, addr)
	),
	TP_fast_assign(
		__entry->addr = addr;
	),
	TP_printk("addr=%px", __entry->addr)
);

/* A batch of slots was torn down, and TLBs were flushed for it. */
TRACE_EVENT(pkmap_reclaim,
	TP_PROTO(const void *addr, size_t npages, unsigned int slots),
	TP_ARGS(addr, npages, slots),
	TP_STRUCT__entry(
		__field(const void *, addr)
		__field(size_t, npages)
		__field(unsigned int, slots)
	),
	TP_fast_assign(
		__entry->addr = addr;
		__entry->npages = npages;
		__entry->slots = slots;
	),
	TP_printk("addr=%px npages=%zu slots=%u", __entry->addr,
		  __entry->npages, __entry->slots)
);

/* All slots are in use, and a kmap() goes to sleep. */
TRACE_EVENT(pkmap_wait,
	TP_PROTO(u32 event),
	TP_ARGS(event),
	TP_STRUCT__entry(
		__field(u32, event)
	),
	TP_fast_assign(
		__entry->event = event;
	),
	TP_printk("event=%u", __entry->event)
);

/* clang-format on */

#endif /* PKMAP_TRACE_H */

#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH .
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE trace
#include <trace/define_trace.h>
