/* SPDX-License-Identifier: MIT */
/*
 * miss.c - a map that misses, its share of reclaim included, and what a
 * process would do without a window.
 *
 * All of them go round in the same pages of one memfd, in the same shuffled
 * order, many windows' worth, so that no page is mapped still when its turn
 * comes again.  All of them touch every system page of the page, so that the
 * page faults are counted, and check what they see there.
 */
#include "bench.h"

#include <pkmap/posix.h>

#include <err.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define NSIZES	     2
#define NSLOTS_SMALL 64
#define NSLOTS_LARGE 512
#define WINDOWS	     4	  /* working set, in large windows */
#define OPS	     1024 /* whole batches of a large window */

/* One page size: the working set, the same for all ways to reach it. */
struct set {
	int fd;
	size_t page_size;
	size_t sys_page;
	uint32_t npages;
	uint32_t *order;
};

enum way { MAP_MISS, MAP_NEW, MAP_REPLACE, READ };

/* One way to reach pages; which members it uses depends on the way. */
struct reach {
	const struct set *set;
	enum way way;
	size_t turn;		/* place in the order */
	struct pkmap_posix *hm; /* MAP_MISS */
	char *ring; /* MAP_REPLACE, READ: addresses to use in turn */
	uint32_t nring;
};

struct miss {
	struct set sets[NSIZES];
	struct reach reaches[16];
	int nreaches;
};

/* The mark that each system page of the file starts with. */
static uint64_t mark_of(uint64_t page)
{
	return page * 0x9e3779b97f4a7c15u + 1;
}

/* Whether @addr shows page @pfn, all of it. */
static int touch(const struct set *set, const char *addr, uint32_t pfn)
{
	size_t n = set->page_size / set->sys_page;
	uint64_t mark;
	size_t i;

	for (i = 0; i < n; i++) {
		memcpy(&mark, addr + i * set->sys_page, sizeof(mark));
		if (mark != mark_of(pfn * n + i)) {
			warnx("page %u: wrong contents", pfn);
			return -1;
		}
	}
	return 0;
}

static off_t offset_of(const struct set *set, uint32_t pfn)
{
	return (off_t)pfn * (off_t)set->page_size;
}

static int reach_map(struct reach *r, uint32_t pfn)
{
	struct pkmap_window *win = pkmap_posix_window(r->hm);
	void *addr;
	int error;

	error = pkmap_map(win, pfn, NULL, &addr);
	if (error) {
		warnx("pkmap_map: %s", pkmap_strerror(error));
		return -1;
	}
	error = touch(r->set, addr, pfn);
	pkmap_unmap(win, addr);
	return error;
}

static int reach_new(struct reach *r, uint32_t pfn)
{
	size_t size = r->set->page_size;
	void *addr;
	int error;

	addr = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, r->set->fd,
		    offset_of(r->set, pfn));
	if (addr == MAP_FAILED) {
		warn("mmap");
		return -1;
	}
	error = touch(r->set, addr, pfn);
	munmap(addr, size);
	return error;
}

static char *ring_next(struct reach *r)
{
	return r->ring + r->turn % r->nring * r->set->page_size;
}

static int reach_replace(struct reach *r, uint32_t pfn)
{
	void *addr;

	addr = mmap(ring_next(r), r->set->page_size, PROT_READ | PROT_WRITE,
		    MAP_SHARED | MAP_FIXED, r->set->fd, offset_of(r->set, pfn));
	if (addr == MAP_FAILED) {
		warn("mmap MAP_FIXED");
		return -1;
	}
	return touch(r->set, addr, pfn);
}

static int reach_read(struct reach *r, uint32_t pfn)
{
	char *addr = ring_next(r);
	ssize_t got;

	got = pread(r->set->fd, addr, r->set->page_size,
		    offset_of(r->set, pfn));
	if (got < 0 || (size_t)got != r->set->page_size) {
		warn("pread");
		return -1;
	}
	return touch(r->set, addr, pfn);
}

static int reach(struct reach *r, uint32_t pfn)
{
	switch (r->way) {
	case MAP_MISS:
		return reach_map(r, pfn);
	case MAP_NEW:
		return reach_new(r, pfn);
	case MAP_REPLACE:
		return reach_replace(r, pfn);
	case READ:
		return reach_read(r, pfn);
	}
	return -1;
}

static unsigned long hits(const struct reach *r)
{
	struct pkmap_stats stats;

	if (!r->hm)
		return 0;
	pkmap_read_stats(pkmap_posix_window(r->hm), &stats);
	return stats.hits;
}

static int run_sample(void *arg, uint64_t ops, uint64_t *ns)
{
	struct reach *r = arg;
	uint64_t start = bench_now(CLOCK_THREAD_CPUTIME_ID);
	uint64_t i;

	for (i = 0; i < ops; i++) {
		if (reach(r, r->set->order[r->turn % r->set->npages]))
			return -1;
		r->turn++;
	}
	*ns = bench_now(CLOCK_THREAD_CPUTIME_ID) - start;
	if (hits(r)) {
		warnx("a map hit that should have missed");
		return -1;
	}
	return 0;
}

/* The same order in every run: a fixed generator (Marsaglia's xorshift). */
static void shuffle(uint32_t *order, uint32_t n)
{
	uint32_t x = 2463534242u;
	uint32_t swap;
	uint32_t i;

	for (i = 0; i < n; i++)
		order[i] = i;
	for (i = n - 1; i > 0; i--) {
		x ^= x << 13;
		x ^= x >> 17;
		x ^= x << 5;
		swap = order[i];
		order[i] = order[x % (i + 1)];
		order[x % (i + 1)] = swap;
	}
}

static int write_marks(const struct set *set)
{
	size_t n = set->npages * (set->page_size / set->sys_page);
	uint64_t mark;
	size_t i;

	for (i = 0; i < n; i++) {
		mark = mark_of(i);
		if (pwrite(set->fd, &mark, sizeof(mark),
			   (off_t)(i * set->sys_page)) != sizeof(mark))
			return -1;
	}
	return 0;
}

static void set_setup(struct set *set, size_t page_size)
{
	set->sys_page = (size_t)sysconf(_SC_PAGESIZE);
	set->page_size = page_size;
	set->npages = WINDOWS * NSLOTS_LARGE;
	set->order = malloc(set->npages * sizeof(*set->order));
	set->fd = memfd_create("pkmap-bench", MFD_CLOEXEC);
	if (!set->order || set->fd < 0)
		err(EXIT_FAILURE, "frames");
	if (ftruncate(set->fd, offset_of(set, set->npages)) || write_marks(set))
		err(EXIT_FAILURE, "frames");
	shuffle(set->order, set->npages);
}

static struct reach *new_reach(struct miss *m, const struct set *set,
			       enum way way)
{
	struct reach *r = &m->reaches[m->nreaches++];

	r->set = set;
	r->way = way;
	return r;
}

static int add(struct bench *b, struct reach *r, const char *name)
{
	return bench_add(b, run_sample, r, OPS, "%zu KiB: %s",
			 r->set->page_size >> 10, name);
}

/* Aligned as a window's slots are, which fault-around likes. */
static char *ring_alloc(size_t page_size, uint32_t nring)
{
	uintptr_t addr;
	void *mem;

	mem = mmap(NULL, (nring + 1) * page_size, PROT_READ | PROT_WRITE,
		   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (mem == MAP_FAILED)
		err(EXIT_FAILURE, "mmap");
	addr = ((uintptr_t)mem + page_size - 1) & ~(uintptr_t)(page_size - 1);
	return (char *)addr;
}

static int add_ring(struct bench *b, struct miss *m, const struct set *set,
		    enum way way, uint32_t nring, const char *name)
{
	struct reach *r = new_reach(m, set, way);

	r->nring = nring;
	r->ring = ring_alloc(set->page_size, nring);
	return add(b, r, name);
}

static int add_window(struct bench *b, struct miss *m, const struct set *set,
		      uint32_t nslots, bool strict)
{
	const struct pkmap_posix_config config = {
		.fd = set->fd,
		.npages = set->npages,
		.page_size = set->page_size,
		.nslots = nslots,
		.strict = strict,
	};
	struct reach *r = new_reach(m, set, MAP_MISS);
	int error;

	error = pkmap_posix_open(&config, &r->hm);
	if (error)
		errx(EXIT_FAILURE, "window: %s", pkmap_strerror(error));
	return bench_add(b, run_sample, r, OPS,
			 "%zu KiB: map that misses, %u slots%s",
			 set->page_size >> 10, nslots,
			 strict ? ", strict" : "");
}

static void compare(struct bench *b, int item, int base, enum bench_target kind)
{
	bench_compare(b, item, base, kind, 0.9, "%s / %s", b->items[item].name,
		      strchr(b->items[base].name, ':') + 2);
}

static void add_size(struct bench *b, struct miss *m, const struct set *set)
{
	static const uint32_t nslots[] = { NSLOTS_SMALL, NSLOTS_LARGE };
	int new_map = add(b, new_reach(m, set, MAP_NEW), "mmap, munmap");
	int replace =
		add_ring(b, m, set, MAP_REPLACE, NSLOTS_SMALL, "mmap in place");
	int read = add_ring(b, m, set, READ, 1, "pread");
	int item;
	int i;

	for (i = 0; i < 4; i++) {
		bool strict = i & 1;
		uint32_t n = nslots[i >> 1];

		item = add_window(b, m, set, n, strict);
		compare(b, item, new_map,
			strict || set->page_size > set->sys_page ?
				BENCH_NO_TARGET :
				BENCH_AT_MOST);
		compare(b, item, replace, BENCH_NO_TARGET);
		compare(b, item, read, BENCH_NO_TARGET);
	}
}

struct miss *miss_setup(struct bench *b)
{
	static const size_t page_sizes[NSIZES] = { 4096, 65536 };
	struct miss *m = calloc(1, sizeof(*m));
	int i;

	if (!m)
		err(EXIT_FAILURE, "miss_setup");
	for (i = 0; i < NSIZES; i++) {
		set_setup(&m->sets[i], page_sizes[i]);
		add_size(b, m, &m->sets[i]);
	}
	return m;
}

void miss_teardown(struct miss *m)
{
	int i;

	for (i = 0; i < m->nreaches; i++) {
		if (m->reaches[i].hm)
			pkmap_posix_close(m->reaches[i].hm);
	}
	for (i = 0; i < NSIZES; i++) {
		close(m->sets[i].fd);
		free(m->sets[i].order);
	}
	free(m);
}
