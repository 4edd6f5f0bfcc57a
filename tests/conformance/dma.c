// SPDX-License-Identifier: MIT
/*
 * dma.c - conformance: DMA calls from a task and from an interrupt find a page
 * wherever it is mapped, and hold nothing when they return.
 */
#include "conformance_priv.h"

/* Page 0 is in use, page 1 idle, page 2 not mapped. */
#define NPAGES	   3
/* Not mapped either: the page of the task's call while it is interrupted. */
#define TASKS_PAGE NPAGES

struct dma_test {
	struct conformance *conf;
	struct pkmap_window *win;
	struct pkmap_dma *dma;
	void *addrs[NPAGES];
	struct call *call; /* the innermost that is going on */
	bool passed;	   /* what the interrupt found */
};

/* A DMA call, as its cache operations see it. */
struct call {
	pkmap_pfn pfn;
	uint32_t nops;
	void *addr;
	bool shows; /* @addr shows @pfn */
	void (*interrupt)(void *arg);
};

static bool shows_page(const struct dma_test *t, const struct call *call,
		       size_t bytes)
{
	return bytes == t->conf->page_size &&
	       conf_shows(t->conf, call->addr, call->pfn, 1);
}

/* Looks at the page instead of cleaning it. */
static void cache(void *port, enum pkmap_cache_op op, void *addr, size_t bytes)
{
	struct dma_test *t = port;
	struct call *call = t->call;

	call->nops++;
	call->addr = addr;
	call->shows = op == PKMAP_CACHE_CLEAN && shows_page(t, call, bytes);
	if (!call->interrupt)
		return;
	t->conf->interrupt(t->conf, call->interrupt, t);
	call->shows = call->shows && shows_page(t, call, bytes);
}

/* Makes the pages and a layer; false if the port allows no DMA calls. */
static bool dma_open(struct dma_test *t, struct conformance *conf,
		     struct pkmap_window *win)
{
	static const struct pkmap_dma_ops ops = { .cache = cache };
	static _Alignas(PKMAP_ALIGN) char mem[1024];
	const struct pkmap_dma_config config = {
		.win = win,
		.ops = &ops,
		.port = t,
		.line_bytes = 32,
	};

	*t = (struct dma_test){ .conf = conf, .win = win };
	if (pkmap_dma_size(&config) <= sizeof(mem) &&
	    !pkmap_dma_init(mem, &config, &t->dma))
		return true;
	conf->skipped(conf, "no DMA slots");
	return false;
}

static bool make_pages(struct dma_test *t)
{
	struct conformance *conf = t->conf;
	void *addr;
	uint32_t i;

	CHECK(conf, conf_map(conf, t->win, TASKS_PAGE, 1, &addr));
	conf_write(conf, addr, page(conf, TASKS_PAGE), 1);
	CHECK(conf, conf_unmap(conf, t->win, 1, &addr));
	CHECK(conf,
	      !pkmap_forget(t->win, page(conf, TASKS_PAGE), 1, PKMAP_NOWAIT));

	CHECK(conf, conf_map(conf, t->win, 0, NPAGES, t->addrs));
	for (i = 0; i < NPAGES; i++)
		conf_write(conf, t->addrs[i], page(conf, i), 1);
	CHECK(conf, conf_unmap(conf, t->win, 2, t->addrs + 1));
	CHECK(conf, !pkmap_forget(t->win, page(conf, 2), 1, PKMAP_NOWAIT));
	return true;
}

/* Gives the @i'th page to a device and takes it back. */
static bool use_page(struct dma_test *t, uint32_t i, struct call *call)
{
	const struct pkmap_dma_device dev = { .addr_mask = UINT64_MAX };
	const struct pkmap_dma_buffer buf = {
		.pfn = page(t->conf, i),
		.len = t->conf->page_size,
	};
	struct pkmap_dma_segment seg;
	struct call *outer = t->call;

	call->pfn = buf.pfn;
	t->call = call;
	CHECK(t->conf, pkmap_dma_map(t->dma, &dev, &buf, 1, PKMAP_DMA_TO_DEVICE,
				     &seg, 1) == 1);
	CHECK(t->conf, seg.addr == (uint64_t)buf.pfn * t->conf->page_size);
	CHECK(t->conf, seg.len == buf.len);
	CHECK(t->conf,
	      !pkmap_dma_unmap(t->dma, &dev, &buf, 1, PKMAP_DMA_TO_DEVICE));
	t->call = outer;
	return true;
}

/* The lines of a mapped page are reached where it is mapped. */
static bool use_mapped(struct dma_test *t, uint32_t i)
{
	struct call call = { .nops = 0 };

	CHECK(t->conf, use_page(t, i, &call));
	CHECK(t->conf, call.nops == 1 && call.shows);
	CHECK(t->conf, call.addr == t->addrs[i]);
	return true;
}

/* A page that is not mapped is shown elsewhere for the call, if need be. */
static bool use_unmapped(struct dma_test *t, uint32_t i,
			 void (*interrupt)(void *arg))
{
	struct call call = { .interrupt = interrupt };

	CHECK(t->conf, use_page(t, i, &call));
	CHECK(t->conf, !pkmap_pfn_to_addr(t->win, page(t->conf, i)));
	if (!t->conf->dma_slots) {
		CHECK(t->conf, !call.nops);
		return true;
	}
	CHECK(t->conf, call.nops == 1 && call.shows);
	CHECK(t->conf, pkmap_addr_to_pfn(t->win, call.addr) == PKMAP_NO_PFN);
	CHECK(t->conf, conf_is_torn_down(t->conf, call.addr));
	return true;
}

static bool use_pages(struct dma_test *t)
{
	CHECK(t->conf, use_mapped(t, 0));
	CHECK(t->conf, use_mapped(t, 1));
	CHECK(t->conf, use_unmapped(t, 2, NULL));
	return true;
}

/* Only this test still uses a page; close() checks everything else. */
static bool nothing_held(struct dma_test *t)
{
	struct conformance *conf = t->conf;

	CHECK(conf, pkmap_forget(t->win, page(conf, 0), 1, PKMAP_NOWAIT) ==
			    PKMAP_EBUSY);
	CHECK(conf, !pkmap_unmap(t->win, t->addrs[0]));
	CHECK(conf,
	      !pkmap_forget(t->win, page(conf, 0),
			    NPAGES * (pkmap_pfn)conf->colours, PKMAP_NOWAIT));
	CHECK(conf, !conf_stats(t->win).misuses);
	return true;
}

static void use_pages_in_interrupt(void *arg)
{
	struct dma_test *t = arg;

	t->passed = use_pages(t);
}

CONFORMANCE_TEST(test_dma)
{
	struct dma_test t;

	if (!dma_open(&t, conf, win))
		return true;
	CHECK(conf, make_pages(&t));
	CHECK(conf, use_pages(&t));
	CHECK(conf, nothing_held(&t));
	return true;
}

CONFORMANCE_TEST(test_dma_in_interrupt)
{
	struct dma_test t;

	if (!dma_open(&t, conf, win))
		return true;
	CHECK(conf, make_pages(&t));
	conf->interrupt(conf, use_pages_in_interrupt, &t);
	CHECK(conf, t.passed);
	CHECK(conf, nothing_held(&t));
	return true;
}

/* The interrupt comes while the task's call shows a page. */
CONFORMANCE_TEST(test_dma_interrupted)
{
	struct dma_test t;

	if (!conf->dma_slots) {
		conf->skipped(conf, "no DMA slots");
		return true;
	}
	CHECK(conf, dma_open(&t, conf, win));
	CHECK(conf, make_pages(&t));
	CHECK(conf, use_unmapped(&t, TASKS_PAGE, use_pages_in_interrupt));
	CHECK(conf, t.passed);
	CHECK(conf, nothing_held(&t));
	return true;
}

/* Local maps and DMA calls do not use up each other's slots. */
CONFORMANCE_TEST(test_dma_with_local_maps)
{
	const uint32_t depth = conf->local_slots;
	const uint32_t first = TASKS_PAGE + 1;
	void *locals[CONFORMANCE_PAGES];
	struct dma_test t;
	uint32_t i;

	if (!dma_open(&t, conf, win))
		return true;
	CHECK(conf, first + depth <= CONFORMANCE_PAGES);
	CHECK(conf, make_pages(&t));
	for (i = 0; i < depth; i++) {
		CHECK(conf,
		      !pkmap_local_map(win, page(conf, first + i), &locals[i]));
		conf_write(conf, locals[i], page(conf, first + i), 1);
	}
	CHECK(conf, use_pages(&t));
	conf->interrupt(conf, use_pages_in_interrupt, &t);
	CHECK(conf, t.passed);
	for (i = depth; i-- > 0;) {
		CHECK(conf,
		      conf_shows(conf, locals[i], page(conf, first + i), 1));
		CHECK(conf, !pkmap_local_unmap(win, locals[i]));
	}
	CHECK(conf, nothing_held(&t));
	return true;
}

/* A device, which is the other route to the page, reads it and writes it. */
static bool transfer(struct conformance *conf, struct pkmap_dma *dma,
		     char *addr, pkmap_pfn pfn)
{
	const struct pkmap_dma_device dev = { .addr_mask = UINT64_MAX };
	const struct pkmap_dma_buffer buf = { .pfn = pfn,
					      .len = conf->page_size };
	struct pkmap_dma_segment seg;
	size_t offset;

	conf_write(conf, addr, pfn, 1);
	CHECK(conf, pkmap_dma_map(dma, &dev, &buf, 1, PKMAP_DMA_TO_DEVICE, &seg,
				  1) == 1);
	for (offset = 0; offset < buf.len; offset += sizeof(uint32_t))
		CHECK(conf, conf->peek(conf, pfn, offset) ==
				    conf_stamp(conf, pfn, 1, offset));
	CHECK(conf, !pkmap_dma_unmap(dma, &dev, &buf, 1, PKMAP_DMA_TO_DEVICE));

	CHECK(conf, pkmap_dma_map(dma, &dev, &buf, 1, PKMAP_DMA_FROM_DEVICE,
				  &seg, 1) == 1);
	for (offset = 0; offset < buf.len; offset += sizeof(uint32_t))
		conf->poke(conf, pfn, offset, conf_stamp(conf, pfn, 2, offset));
	CHECK(conf,
	      !pkmap_dma_unmap(dma, &dev, &buf, 1, PKMAP_DMA_FROM_DEVICE));
	CHECK(conf, conf_shows(conf, addr, pfn, 2));
	return true;
}

/* The port's own cache operations, on a page that stays mapped. */
CONFORMANCE_TEST(test_dma_transfer)
{
	struct pkmap_dma *dma = conf->dma ? conf->dma(conf, win) : NULL;
	void *addr;

	if (!dma || !conf->peek) {
		conf->skipped(conf,
			      "no DMA layer, or no other route to a page");
		return true;
	}
	CHECK(conf, conf_map(conf, win, 0, 1, &addr));
	CHECK(conf, transfer(conf, dma, addr, page(conf, 0)));
	CHECK(conf, conf_unmap(conf, win, 1, &addr));
	return true;
}
