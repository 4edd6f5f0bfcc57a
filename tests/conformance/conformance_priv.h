/* SPDX-License-Identifier: MIT */
/*
 * conformance_priv.h - what the kit's files share.
 */
#ifndef CONFORMANCE_PRIV_H
#define CONFORMANCE_PRIV_H

#include "conformance.h"

/* Ends a test or its helper, both of which return whether all checks held. */
#define CHECK(conf, condition) \
	do { \
		if (!(condition)) { \
			(conf)->failed((conf), __FILE__, __LINE__, \
				       #condition); \
			return false; \
		} \
	} while (0)

#define SHORT_NS (1000ull * 1000)
#define LONG_NS	 (600000ull * 1000 * 1000) /* only a broken port waits so long */

/* The @i'th page of the tests.  They have one colour and compete for slots. */
static inline pkmap_pfn page(const struct conformance *conf, uint32_t i)
{
	return conf->first_pfn + (pkmap_pfn)i * conf->colours;
}

/* The word that a version of page @pfn, and of no other, has at @offset. */
uint32_t conf_stamp(const struct conformance *conf, pkmap_pfn pfn,
		    uint32_t version, size_t offset);
void conf_write(const struct conformance *conf, void *addr, pkmap_pfn pfn,
		uint32_t version);
bool conf_shows(const struct conformance *conf, const void *addr, pkmap_pfn pfn,
		uint32_t version);

/* Maps pages @first to @first + @n - 1 without waiting. */
bool conf_map(struct conformance *conf, struct pkmap_window *win,
	      uint32_t first, uint32_t n, void **addrs);
bool conf_unmap(struct conformance *conf, struct pkmap_window *win, uint32_t n,
		void *const *addrs);

/* Whether @addr faults; true if the port does not promise it or cannot tell. */
bool conf_is_torn_down(struct conformance *conf, void *addr);

struct pkmap_stats conf_stats(struct pkmap_window *win);

#define CONFORMANCE_TEST(name) \
	bool name(struct conformance *conf, struct pkmap_window *win)

/* map.c */
CONFORMANCE_TEST(test_map);
CONFORMANCE_TEST(test_map_nested);
CONFORMANCE_TEST(test_unmap_is_lazy);
CONFORMANCE_TEST(test_content_follows_page);
CONFORMANCE_TEST(test_content_other_route);
CONFORMANCE_TEST(test_pin_unmapped);
CONFORMANCE_TEST(test_pin_holds);
CONFORMANCE_TEST(test_pin_in_interrupt);
CONFORMANCE_TEST(test_unmap_in_interrupt);
CONFORMANCE_TEST(test_unmap_pfn);
CONFORMANCE_TEST(test_map_pages);
CONFORMANCE_TEST(test_map_pages_all_or_none);
CONFORMANCE_TEST(test_read_only);

/* wait.c */
CONFORMANCE_TEST(test_nowait_full);
CONFORMANCE_TEST(test_deadline);
CONFORMANCE_TEST(test_woken_by_task);
CONFORMANCE_TEST(test_woken_by_interrupt);
CONFORMANCE_TEST(test_woken_pages);
CONFORMANCE_TEST(test_wait_disturbed);
CONFORMANCE_TEST(test_wait_not_interruptible);

/* window.c */
CONFORMANCE_TEST(test_flush_unused);
CONFORMANCE_TEST(test_forget_idle);
CONFORMANCE_TEST(test_forget_busy);
CONFORMANCE_TEST(test_lookups);
CONFORMANCE_TEST(test_stats);
CONFORMANCE_TEST(test_misuse_unmap);
CONFORMANCE_TEST(test_misuse_address);
CONFORMANCE_TEST(test_misuse_pfn);
CONFORMANCE_TEST(test_misuse_impossible);
CONFORMANCE_TEST(test_fini_busy);
CONFORMANCE_TEST(test_two_windows);

/* local.c */
CONFORMANCE_TEST(test_local);
CONFORMANCE_TEST(test_local_of_mapped);
CONFORMANCE_TEST(test_local_reuses_address);
CONFORMANCE_TEST(test_local_nested);
CONFORMANCE_TEST(test_local_order);
CONFORMANCE_TEST(test_local_in_interrupt);

/* dma.c */
CONFORMANCE_TEST(test_dma);
CONFORMANCE_TEST(test_dma_in_interrupt);
CONFORMANCE_TEST(test_dma_interrupted);
CONFORMANCE_TEST(test_dma_with_local_maps);
CONFORMANCE_TEST(test_dma_transfer);

#endif /* CONFORMANCE_PRIV_H */
