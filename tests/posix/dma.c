// SPDX-License-Identifier: MIT
/*
 * The window's DMA layer.  A "device" reads and writes the frames' file at the
 * addresses that it is given.  The linker's --wrap puts a function in front of
 * mmap(), which makes it fail or interrupts it.
 */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <unistd.h>

#include "ports/posix/posix_priv.h"
#include "posix_test.h"

#ifdef PKMAP_DMA_TRACKER
#define TRACKER_ENTRIES(n) (n)
#else
#define TRACKER_ENTRIES(n) 0
#endif

static const struct pkmap_dma_device device = { .addr_mask = UINT64_MAX };

/* Called before and after each mmap(MAP_FIXED); may be NULL. */
static int (*before_fixed)(void); /* returns an errno to fail with, or 0 */
static void (*after_fixed)(void);

void *__real_mmap64(void *addr, size_t len, int prot, int flags, int fd,
		    off_t off);
void *__wrap_mmap64(void *addr, size_t len, int prot, int flags, int fd,
		    off_t off);

void *__wrap_mmap64(void *addr, size_t len, int prot, int flags, int fd,
		    off_t off)
{
	void *got;
	int err;

	if (!(flags & MAP_FIXED))
		return __real_mmap64(addr, len, prot, flags, fd, off);
	err = before_fixed ? before_fixed() : 0;
	if (err) {
		errno = err;
		return MAP_FAILED;
	}
	got = __real_mmap64(addr, len, prot, flags, fd, off);
	if (after_fixed)
		after_fixed();
	return got;
}

static int map(struct home *h, const struct pkmap_dma_buffer *buf,
	       enum pkmap_dma_dir dir, struct pkmap_dma_segment *seg)
{
	return pkmap_dma_map(h->dma, &device, buf, 1, dir, seg, 1);
}

static int unmap(struct home *h, const struct pkmap_dma_buffer *buf,
		 enum pkmap_dma_dir dir)
{
	return pkmap_dma_unmap(h->dma, &device, buf, 1, dir);
}

/* Gives a buffer to a device and takes it back. */
static int use(struct home *h, const struct pkmap_dma_buffer *buf,
	       enum pkmap_dma_dir dir)
{
	struct pkmap_dma_segment seg;
	int n = map(h, buf, dir, &seg);

	return n < 0 ? n : unmap(h, buf, dir);
}

static struct pkmap_dma_stats dma_stats(struct home *h)
{
	struct pkmap_dma_stats stats;

	pkmap_dma_read_stats(h->dma, &stats);
	return stats;
}

/* The bytes of a buffer as the CPU sees them, through the window. */
static void copy_out(struct home *h, const struct pkmap_dma_buffer *buf,
		     char *to)
{
	const size_t page = pkmap_posix_page_size(h->port);
	char *addr;
	size_t k;

	for (k = 0; k < buf->len; k++) {
		addr = must_map(h->win, buf->pfn + (buf->offset + k) / page);
		to[k] = addr[(buf->offset + k) % page];
		must_unmap(h->win, addr);
	}
}

static void copy_in(struct home *h, const struct pkmap_dma_buffer *buf,
		    const char *from)
{
	const size_t page = pkmap_posix_page_size(h->port);
	char *addr;
	size_t k;

	for (k = 0; k < buf->len; k++) {
		addr = must_map(h->win, buf->pfn + (buf->offset + k) / page);
		addr[(buf->offset + k) % page] = from[k];
		must_unmap(h->win, addr);
	}
}

static void fill(char *text, size_t len, unsigned int seed)
{
	size_t k;

	for (k = 0; k < len; k++)
		text[k] = (char)(k * 7 + (k >> 8) + seed);
}

/* In both directions, with page 3 in use, page 4 idle and page 5 not mapped. */
static void check_transfer(struct home *h, const struct pkmap_dma_buffer *buf)
{
	const int fd = pkmap_posix_fd(h->port);
	const uint64_t place =
		(uint64_t)buf->pfn * pkmap_posix_page_size(h->port) +
		buf->offset;
	struct pkmap_dma_segment seg;
	static char sent[40000];
	static char got[40000];
	char *held;

	fill(sent, buf->len, 1);
	copy_in(h, buf, sent);
	pkmap_flush_unused(h->win);
	held = must_map(h->win, 3);
	must_unmap(h->win, must_map(h->win, 4));

	errno = 4711;
	assert_int_equal(map(h, buf, PKMAP_DMA_TO_DEVICE, &seg), 1);
	assert_int_equal(seg.addr, place);
	assert_int_equal(seg.len, buf->len);
	assert_int_equal(pread(fd, got, buf->len, (off_t)seg.addr), buf->len);
	assert_memory_equal(got, sent, buf->len);
	assert_int_equal(unmap(h, buf, PKMAP_DMA_TO_DEVICE), 0);

	fill(sent, buf->len, 2);
	assert_int_equal(map(h, buf, PKMAP_DMA_FROM_DEVICE, &seg), 1);
	assert_int_equal(seg.addr, place);
	assert_int_equal(seg.len, buf->len);
	assert_int_equal(pwrite(fd, sent, buf->len, (off_t)seg.addr), buf->len);
	assert_int_equal(unmap(h, buf, PKMAP_DMA_FROM_DEVICE), 0);
	assert_int_equal(errno, 4711);

	assert_null(pkmap_pfn_to_addr(h->win, 5));
	copy_out(h, buf, got);
	assert_memory_equal(got, sent, buf->len);
	must_unmap(h->win, held);
}

static void test_transfers(void **state)
{
	const size_t page = system_page();
	const struct {
		size_t page_size;
		struct pkmap_dma_buffer buf;
	} cases[] = {
		{ page, { .pfn = 3, .len = 1 } },
		{ page, { .pfn = 3, .len = page } },
		{ page, { .pfn = 4, .offset = 5, .len = 123 } },
		{ page, { .pfn = 5, .offset = page - 1, .len = 1 } },
		{ page, { .pfn = 3, .offset = 77, .len = 3 * page - 99 } },
		{ 2 * page, { .pfn = 3, .len = 6 * page } },
		{ 2 * page, { .pfn = 5, .offset = page, .len = page } },
	};
	struct pkmap_posix_config config = {
		.fd = -1,
		.npages = 16,
		.strict = true,
	};
	struct home h;
	size_t k;

	(void)state;
	for (k = 0; k < sizeof(cases) / sizeof(*cases); k++) {
		config.page_size = cases[k].page_size;
		home_open(&h, &config);
		check_transfer(&h, &cases[k].buf);
		assert_int_equal(h.reports, 0);
		home_close(&h);
	}
}

/* DMA calls count how they find the pages of a buffer, and change nothing. */
static void test_pages_found(void **state)
{
	const struct pkmap_dma_buffer buf = {
		.pfn = 3,
		.len = 6 * system_page(),
	};
	struct pkmap_posix_config config = { .fd = -1, .npages = 16 };
	struct pkmap_dma_stats stats;
	struct home h;
	char *held;
	char *idle[2];

	(void)state;
	home_open(&h, &config);
	held = must_map(h.win, 3);
	idle[0] = must_map(h.win, 4);
	idle[1] = must_map(h.win, 5);
	must_unmap(h.win, idle[0]);
	must_unmap(h.win, idle[1]);
	assert_int_equal(use(&h, &buf, PKMAP_DMA_TO_DEVICE), 0);
	stats = dma_stats(&h);
	assert_int_equal(stats.in_use, 1);
	assert_int_equal(stats.idle, 2);
	assert_int_equal(stats.not_mapped, 3);
	assert_int_equal(stats.cleaned, 6 * system_page() / 64);
	assert_int_equal(stats.invalidated + stats.clean_invalidated, 0);

	assert_ptr_equal(pkmap_pfn_to_addr(h.win, 3), held);
	assert_ptr_equal(pkmap_pfn_to_addr(h.win, 4), idle[0]);
	assert_ptr_equal(pkmap_pfn_to_addr(h.win, 5), idle[1]);
	assert_null(pkmap_pfn_to_addr(h.win, 6));
	assert_int_equal(pkmap_forget(h.win, 4, 5, PKMAP_NOWAIT), 0);
	assert_int_equal(pkmap_forget(h.win, 3, 1, PKMAP_NOWAIT), PKMAP_EBUSY);
	must_unmap(h.win, held);
	assert_int_equal(pkmap_forget(h.win, 3, 1, PKMAP_NOWAIT), 0);
	home_close(&h);
}

#define LOCAL_SLOTS 2
#define DMA_SLOTS   3

/*
 * DMA calls in a thread and in handlers on top of it.  Each call is interrupted
 * while its page is mapped, in a slot of its own.
 */
static struct nest {
	struct home home;
	unsigned int levels;	  /* handlers that are running */
	unsigned int interrupted; /* levels that have been interrupted */
	int results[DMA_SLOTS + 1];
} nest;

static void use_dma_in_handler(int sig)
{
	struct pkmap_dma_buffer buf = { .len = 64 };
	unsigned int level = ++nest.levels;

	(void)sig;
	buf.pfn = level;
	nest.results[level] = use(&nest.home, &buf, PKMAP_DMA_TO_DEVICE);
	nest.levels--;
}

/* Interrupts each level once, except the last one, which gets no slot. */
static void interrupt(void)
{
	if (nest.levels == nest.interrupted) {
		nest.interrupted++;
		raise(SIGUSR1);
	}
}

static void test_handlers_nest(void **state)
{
	struct pkmap_posix_config config = {
		.fd = -1,
		.npages = 16,
		.local_slots = LOCAL_SLOTS,
		.dma_slots = DMA_SLOTS,
	};
	struct sigaction action = {
		.sa_handler = use_dma_in_handler,
		.sa_flags = SA_NODEFER,
	};
	const struct pkmap_dma_buffer buf = { .len = 64 };
	void *local[LOCAL_SLOTS];
	unsigned int k;

	(void)state;
#ifdef SANITIZED
	skip_because("a sanitizer defers signals");
#endif
	memset(&nest, 0, sizeof(nest));
	home_open(&nest.home, &config);
	assert_int_equal(sigaction(SIGUSR1, &action, NULL), 0);
	for (k = 0; k < LOCAL_SLOTS; k++) {
		assert_int_equal(
			pkmap_local_map(nest.home.win, 10 + k, &local[k]), 0);
		*(char *)local[k] = (char)k;
	}

	after_fixed = interrupt;
	nest.results[0] = use(&nest.home, &buf, PKMAP_DMA_TO_DEVICE);
	after_fixed = NULL;
	for (k = 0; k < DMA_SLOTS; k++)
		assert_int_equal(nest.results[k], 0);
	/* One interrupt too many. */
	assert_int_equal(nest.results[DMA_SLOTS], PKMAP_EBUSY);
	assert_int_equal(nest.home.misuse, PKMAP_MISUSE_LOCAL_DEPTH);
	assert_int_equal(dma_stats(&nest.home).not_mapped, DMA_SLOTS + 1);

	for (k = LOCAL_SLOTS; k-- > 0;) {
		assert_int_equal(*(char *)local[k], k);
		assert_int_equal(pkmap_local_unmap(nest.home.win, local[k]), 0);
	}
	assert_int_equal(pkmap_posix_local_cpu(nest.home.port), -1);
	home_close(&nest.home);
}

/* After @skip more calls, mmap() fails with @err. */
static struct {
	unsigned int skip;
	int err;
} failure;

static int fail_once(void)
{
	int err = failure.err;

	if (!err || failure.skip--)
		return 0;
	failure.err = 0;
	return err;
}

static void fail_fixed(unsigned int skip, int err)
{
	failure.skip = skip;
	failure.err = err;
	before_fixed = fail_once;
}

static const struct {
	int errno_is;
	int err;
} codes[] = {
	{ ENOMEM, PKMAP_ENOMEM },
	{ EAGAIN, PKMAP_ENOMEM },
	{ EPERM, PKMAP_EIO },
};

/*
 * With a single slot, the second page cannot be mapped: the call holds nothing,
 * and succeeds when it is made again.  The buffer shares its first and last
 * line, so that unmapping it needs the pages too.
 */
static void test_set_fails(void **state)
{
	const struct pkmap_dma_buffer buf = {
		.pfn = 1,
		.offset = 1,
		.len = 2 * system_page() - 2,
	};
	struct pkmap_dma_segment untouched = { .addr = 4711, .len = 4712 };
	struct pkmap_posix_config config = {
		.fd = -1,
		.npages = 16,
		.dma_slots = 1,
		.tracker_entries = TRACKER_ENTRIES(1),
	};
	struct pkmap_dma_segment seg = untouched;
	struct home h;
	size_t k;

	(void)state;
	home_open(&h, &config);
	for (k = 0; k < sizeof(codes) / sizeof(*codes); k++) {
		seg = untouched;
		/* Two calls set and clear the slot for the first page. */
		fail_fixed(2, codes[k].errno_is);
		assert_int_equal(map(&h, &buf, PKMAP_DMA_FROM_DEVICE, &seg),
				 codes[k].err);
		assert_int_equal(errno, codes[k].errno_is);
		assert_int_equal(failure.err, 0);
		assert_memory_equal(&seg, &untouched, sizeof(seg));
		assert_int_equal(pkmap_posix_local_cpu(h.port), -1);
		assert_int_equal(map(&h, &buf, PKMAP_DMA_FROM_DEVICE, &seg), 1);

		fail_fixed(0, codes[k].errno_is);
		assert_int_equal(unmap(&h, &buf, PKMAP_DMA_FROM_DEVICE),
				 codes[k].err);
		assert_int_equal(errno, codes[k].errno_is);
		assert_int_equal(pkmap_posix_local_cpu(h.port), -1);
		assert_int_equal(unmap(&h, &buf, PKMAP_DMA_FROM_DEVICE), 0);
	}
	before_fixed = NULL;
	assert_int_equal(dma_stats(&h).maps, k);
	assert_int_equal(dma_stats(&h).unmaps, k);
	assert_int_equal(dma_stats(&h).refused, 2 * k);
	assert_int_equal(h.reports, 0);
	home_close(&h);
}

#ifdef PKMAP_DMA_TRACKER

static void test_tracker(void **state)
{
	const struct pkmap_dma_buffer bufs[] = {
		{ .pfn = 1, .len = 64 },
		{ .pfn = 2, .len = 64 },
		{ .pfn = 3, .len = 64 },
	};
	struct pkmap_posix_config config = {
		.fd = -1,
		.npages = 16,
		.tracker_entries = 2,
	};
	struct pkmap_dma_segment seg;
	struct home h;

	(void)state;
	home_open(&h, &config);
	assert_int_equal(unmap(&h, &bufs[0], PKMAP_DMA_TO_DEVICE),
			 PKMAP_EINVAL);
	assert_int_equal(h.dma_reports, 1);
	assert_int_equal(h.dma_report.what, PKMAP_DMA_UNMAP_UNMAPPED);
	assert_int_equal(h.dma_report.buf.pfn, 1);
	assert_ptr_equal(h.dma_report.dev, &device);
	assert_int_equal(h.reports, 0);

	assert_int_equal(map(&h, &bufs[0], PKMAP_DMA_TO_DEVICE, &seg), 1);
	assert_int_equal(map(&h, &bufs[1], PKMAP_DMA_TO_DEVICE, &seg), 1);
	assert_int_equal(h.dma_reports, 1);
	assert_int_equal(map(&h, &bufs[2], PKMAP_DMA_TO_DEVICE, &seg), 1);
	assert_int_equal(h.dma_reports, 2);
	assert_int_equal(h.dma_report.what, PKMAP_DMA_TRACKER_FULL);
	home_close(&h);
}

static int unmap_in_child(void *arg)
{
	const struct pkmap_dma_buffer buf = { .pfn = 1, .len = 64 };
	const struct pkmap_dma_buffer other = { .pfn = 2, .len = 64 };
	struct pkmap_dma_segment seg;
	struct home *h = arg;

	CHILD_CHECK(pkmap_dma_leaks(h->dma, NULL) == 1);
	CHILD_CHECK(unmap(h, &buf, PKMAP_DMA_FROM_DEVICE) == 0);
	CHILD_CHECK(pkmap_dma_leaks(h->dma, NULL) == 0);
	CHILD_CHECK(map(h, &other, PKMAP_DMA_FROM_DEVICE, &seg) == 1);
	CHILD_CHECK(pkmap_dma_leaks(h->dma, NULL) == 1);
	return 0;
}

/* Each process has the buffers mapped before the fork, and then its own. */
static void test_fork(void **state)
{
	const struct pkmap_dma_buffer buf = { .pfn = 1, .len = 64 };
	struct pkmap_posix_config config = {
		.fd = -1,
		.npages = 16,
		.tracker_entries = 2,
	};
	struct pkmap_dma_segment seg;
	struct home h;

	(void)state;
	home_open(&h, &config);
	assert_int_equal(map(&h, &buf, PKMAP_DMA_FROM_DEVICE, &seg), 1);
	assert_int_equal(run_in_child(unmap_in_child, &h), 0);
	assert_int_equal(dma_stats(&h).maps, 1);
	assert_int_equal(unmap(&h, &buf, PKMAP_DMA_FROM_DEVICE), 0);
	assert_int_equal(pkmap_dma_leaks(h.dma, NULL), 0);
	assert_int_equal(h.dma_reports, 0);
	home_close(&h);
}

#else

static void test_tracker(void **state)
{
	struct pkmap_posix_config config = {
		.fd = -1,
		.npages = 16,
		.tracker_entries = 1,
	};
	struct pkmap_posix *port;

	(void)state;
	errno = 0;
	assert_int_equal(pkmap_posix_open(&config, &port), PKMAP_EINVAL);
	assert_int_equal(errno, EINVAL);
}

static void test_fork(void **state)
{
	(void)state;
	skip_because("the tracker is not built");
}

#endif

/*
 * Only the caller gives this page to devices, and it looks at the page in a
 * local map.  Others map the page and reclaim its slot meanwhile.
 */
static int transfer(struct home *h, pkmap_pfn pfn, uint32_t n)
{
	const struct pkmap_dma_buffer buf = { .pfn = pfn, .len = 64 };
	struct pkmap_dma_segment seg;
	int fd = pkmap_posix_fd(h->port);
	uint32_t word;
	void *addr;

	if (map(h, &buf, PKMAP_DMA_FROM_DEVICE, &seg) != 1 ||
	    pwrite(fd, &n, sizeof(n), (off_t)seg.addr) != sizeof(n) ||
	    unmap(h, &buf, PKMAP_DMA_FROM_DEVICE))
		return -1;
	if (pkmap_local_map(h->win, pfn, &addr))
		return -1;
	word = *(uint32_t *)addr;
	*(uint32_t *)addr = ++n;
	if (pkmap_local_unmap(h->win, addr) || word != n - 1)
		return -1;
	if (map(h, &buf, PKMAP_DMA_TO_DEVICE, &seg) != 1 ||
	    pread(fd, &word, sizeof(word), (off_t)seg.addr) != sizeof(word) ||
	    unmap(h, &buf, PKMAP_DMA_TO_DEVICE))
		return -1;
	return word == n ? 0 : -1;
}

#define NTHREADS 3
#define NBUFFERS (NTHREADS + 2) /* at a time */
#define ROUNDS	 2000

static struct home busy;
static atomic_uint wrong;
static atomic_uint handled;
static atomic_uint running;

static void transfer_in_handler(int sig)
{
	int saved = errno;

	(void)sig;
	if (transfer(&busy, 0, atomic_fetch_add(&handled, 1)))
		atomic_fetch_add(&wrong, 1);
	errno = saved;
}

/* Thread k's page is k.  The window is too small for all pages. */
static void *transfer_in_thread(void *arg)
{
	const pkmap_pfn pfn = (pkmap_pfn)(uintptr_t)arg;
	uint32_t n;
	void *addr;

	for (n = 0; n < ROUNDS; n++) {
		if (transfer(&busy, pfn, n) ||
		    pkmap_map(busy.win, n % (NTHREADS + 1), NULL, &addr) ||
		    pkmap_unmap(busy.win, addr))
			atomic_fetch_add(&wrong, 1);
	}
	atomic_fetch_sub(&running, 1);
	return NULL;
}

static void test_threads_and_handlers(void **state)
{
	struct pkmap_posix_config config = {
		.fd = -1,
		.npages = NTHREADS + 1,
		.nslots = 2,
		.tracker_entries = TRACKER_ENTRIES(2 * NBUFFERS),
	};
	struct sigaction action = { .sa_handler = transfer_in_handler };
	struct itimerval often = {
		.it_interval.tv_usec = 100,
		.it_value.tv_usec = 100,
	};
	struct itimerval never = { 0 };
	pthread_t threads[NTHREADS];
	sigset_t alarms;
	uintptr_t k;

	(void)state;
	home_open(&busy, &config);
	atomic_store(&running, NTHREADS);
	sigemptyset(&alarms);
	sigaddset(&alarms, SIGALRM);
	/* Only this thread is interrupted; its handler uses page 0. */
	pthread_sigmask(SIG_BLOCK, &alarms, NULL);
	for (k = 0; k < NTHREADS; k++)
		assert_int_equal(pthread_create(&threads[k], NULL,
						transfer_in_thread,
						(void *)(k + 1)),
				 0);
	pthread_sigmask(SIG_UNBLOCK, &alarms, NULL);
	assert_int_equal(sigaction(SIGALRM, &action, NULL), 0);
	assert_int_equal(setitimer(ITIMER_REAL, &often, NULL), 0);
	/* Something to interrupt, with bytes that nobody else uses. */
	while (atomic_load(&running) || atomic_load(&handled) < 500)
		assert_int_equal(use(&busy,
				     &(struct pkmap_dma_buffer){ .offset = 64,
								 .len = 64 },
				     PKMAP_DMA_TO_DEVICE),
				 0);
	assert_int_equal(setitimer(ITIMER_REAL, &never, NULL), 0);
	for (k = 0; k < NTHREADS; k++)
		assert_int_equal(pthread_join(threads[k], NULL), 0);

	assert_int_equal(atomic_load(&wrong), 0);
	assert_int_equal(busy.reports + busy.dma_reports, 0);
	assert_int_equal(pkmap_dma_leaks(busy.dma, NULL), 0);
	assert_int_equal(dma_stats(&busy).maps, dma_stats(&busy).unmaps);
	home_close(&busy);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_transfers),
		cmocka_unit_test(test_pages_found),
		cmocka_unit_test(test_handlers_nest),
		cmocka_unit_test(test_set_fails),
		cmocka_unit_test(test_tracker),
		cmocka_unit_test(test_fork),
		cmocka_unit_test(test_threads_and_handlers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
