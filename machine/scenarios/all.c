// SPDX-License-Identifier: MIT
/* all.c - the scenarios, in the order in which they are shown. */
#include "scenario.h"

extern const struct scenario scenario_rfc;
extern const struct scenario scenario_dma_irq;
extern const struct scenario scenario_reclaim_pin;
extern const struct scenario scenario_ipi;
extern const struct scenario scenario_full_window;
extern const struct scenario scenario_two_pages;
extern const struct scenario scenario_local_alias;
extern const struct scenario scenario_edges;
extern const struct scenario scenario_prefetch;
extern const struct scenario scenario_recycle;
extern const struct scenario scenario_carried;
extern const struct scenario scenario_nmi;
extern const struct scenario scenario_deadline;
extern const struct scenario scenario_nested;
extern const struct scenario scenario_remap;
extern const struct scenario scenario_flush;
extern const struct scenario scenario_flush_run;
extern const struct scenario scenario_stray;
extern const struct scenario scenario_same_page;
extern const struct scenario scenario_to_device;
extern const struct scenario scenario_local_dma;
extern const struct scenario scenario_second_look;
extern const struct scenario scenario_wake_all;
extern const struct scenario scenario_misuse;
extern const struct scenario scenario_excess;
extern const struct scenario scenario_excess_forget;
extern const struct scenario scenario_forget;
extern const struct scenario scenario_unmap_pfn;

/* clang-format off */
const struct scenario *const scenarios[] = {
	&scenario_rfc,
	&scenario_dma_irq,
	&scenario_reclaim_pin,
	&scenario_ipi,
	&scenario_full_window,
	&scenario_two_pages,
	&scenario_local_alias,
	&scenario_edges,
	&scenario_prefetch,
	&scenario_recycle,
	&scenario_carried,
	&scenario_nmi,
	&scenario_deadline,
	&scenario_nested,
	&scenario_remap,
	&scenario_flush,
	&scenario_flush_run,
	&scenario_stray,
	&scenario_same_page,
	&scenario_to_device,
	&scenario_local_dma,
	&scenario_second_look,
	&scenario_wake_all,
	&scenario_misuse,
	&scenario_excess,
	&scenario_excess_forget,
	&scenario_forget,
	&scenario_unmap_pfn,
	NULL,
};
/* clang-format on */

const struct scheme *const schemes[] = {
	&scheme_unpinned, &scheme_locked, &scheme_claim_first,
	&scheme_pkmap,	  NULL,
};
