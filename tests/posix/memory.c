// SPDX-License-Identifier: MIT
/*
 * System calls that fail: because the process has no mappings left, and, by the
 * linker's --wrap, in ways that a test cannot cause.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "posix_test.h"

#define NSLOTS 8

/* How the next mmap(MAP_FIXED) of slots fail; errno 0: they do not. */
static struct {
	int err;
	bool leaves_hole; /* it unmaps what was there before it fails */
	unsigned int times;
	void (*before_last)(void); /* a handler, in place of the last failure */
} fixed_fails;

/*
 * Linux before 4.17, where the address of MAP_FIXED_NOREPLACE is only a hint;
 * and where it put the last mapping.
 */
static bool old_kernel;
static void *elsewhere;

/* How many of the next calls of munmap() fail. */
static unsigned int munmap_fails;

/* Which of the next calls of posix_memalign() fails: 1 is the next one. */
static unsigned int memalign_fails;

/* The errnos of the next calls of fdatasync(), the last first; 0: end. */
static int sync_errors[2];

void *__real_mmap64(void *addr, size_t len, int prot, int flags, int fd,
		    off_t off);
void *__wrap_mmap64(void *addr, size_t len, int prot, int flags, int fd,
		    off_t off);
int __real_munmap(void *addr, size_t len);
int __wrap_munmap(void *addr, size_t len);
int __real_posix_memalign(void **mem, size_t alignment, size_t bytes);
int __wrap_posix_memalign(void **mem, size_t alignment, size_t bytes);
int __real_fdatasync(int fd);
int __wrap_fdatasync(int fd);

void *__wrap_mmap64(void *addr, size_t len, int prot, int flags, int fd,
		    off_t off)
{
	void (*handler)(void) = fixed_fails.before_last;

	if (old_kernel && flags & MAP_FIXED_NOREPLACE) {
		elsewhere = __real_mmap64(
			addr, len, prot, flags & ~MAP_FIXED_NOREPLACE, fd, off);
		return elsewhere;
	}
	if (!(flags & MAP_FIXED) || prot == PROT_READ || !fixed_fails.err)
		return __real_mmap64(addr, len, prot, flags, fd, off);

	if (fixed_fails.times == 1 && handler) {
		memset(&fixed_fails, 0, sizeof(fixed_fails));
		handler();
		return __real_mmap64(addr, len, prot, flags, fd, off);
	}
	if (fixed_fails.leaves_hole)
		__real_munmap(addr, len);
	errno = fixed_fails.err;
	if (!--fixed_fails.times)
		memset(&fixed_fails, 0, sizeof(fixed_fails));
	return MAP_FAILED;
}

int __wrap_munmap(void *addr, size_t len)
{
	if (munmap_fails) {
		munmap_fails--;
		errno = ENOMEM;
		return -1;
	}
	return __real_munmap(addr, len);
}

int __wrap_posix_memalign(void **mem, size_t alignment, size_t bytes)
{
	if (memalign_fails && !--memalign_fails)
		return ENOMEM;
	return __real_posix_memalign(mem, alignment, bytes);
}

int __wrap_fdatasync(int fd)
{
	int k;

	for (k = 1; k >= 0; k--) {
		if (!sync_errors[k])
			continue;
		errno = sync_errors[k];
		sync_errors[k] = 0;
		return -1;
	}
	return __real_fdatasync(fd);
}

static void fail_fixed(unsigned int times, int err, bool leaves_hole)
{
	fixed_fails.times = times;
	fixed_fails.err = err;
	fixed_fails.leaves_hole = leaves_hole;
}

static bool is_taken(void *page)
{
	void *got = mmap(page, system_page(), PROT_NONE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1,
			 0);

	if (got == MAP_FAILED)
		return errno == EEXIST;
	munmap(got, system_page());
	return false;
}

static void test_set_fails(void **state)
{
	static const struct {
		int errno_is;
		int err;
	} codes[] = {
		{ ENOMEM, PKMAP_ENOMEM },
		{ EAGAIN, PKMAP_ENOMEM },
		{ EPERM, PKMAP_EIO },
		{ EOVERFLOW, PKMAP_EIO },
	};
	struct pkmap_posix_config config = {
		.fd = -1,
		.npages = 16,
		.nslots = 1,
		.local_slots = 1,
	};
	void *untouched = &config;
	void *addr = untouched;
	void *slot;
	struct home h;
	size_t k;

	(void)state;
	home_open(&h, &config);
	slot = must_map(h.win, 1);
	must_unmap(h.win, slot);
	/* So that a map has no slot to tear down: that calls mmap() too. */
	assert_int_equal(pkmap_flush_unused(h.win), 1);

	for (k = 0; k < 2 * sizeof(codes) / sizeof(*codes); k++) {
		/* Out of memory, a map tries twice. */
		fail_fixed(1 + (codes[k / 2].err == PKMAP_ENOMEM),
			   codes[k / 2].errno_is, k % 2);
		assert_int_equal(pkmap_map(h.win, 2, NULL, &addr),
				 codes[k / 2].err);
		assert_int_equal(errno, codes[k / 2].errno_is);
		assert_ptr_equal(addr, untouched);
		assert_true(is_taken(slot));
		assert_null(pkmap_pin(h.win, 2));

		fail_fixed(1, codes[k / 2].errno_is, k % 2);
		assert_int_equal(pkmap_local_map(h.win, 2, &addr),
				 codes[k / 2].err);
		assert_int_equal(errno, codes[k / 2].errno_is);
		assert_ptr_equal(addr, untouched);
	}

	assert_ptr_equal(must_map(h.win, 3), slot);
	*(char *)slot = 'm';
	assert_int_equal(pkmap_local_map(h.win, 2, &addr), 0);
	assert_int_equal(pkmap_local_unmap(h.win, addr), 0);
	must_unmap(h.win, slot);
	home_close(&h);
}

/*
 * Clearing a slot fails, in the teardown and at the end of the call: the slot
 * is free all the same, and is used again.
 */
static void test_clear_fails(void **state)
{
	struct pkmap_posix_config config = {
		.fd = -1,
		.npages = 16,
		.nslots = NSLOTS,
		.strict = true,
	};
	struct home h;
	char *addr;
	int hole;

	(void)state;
	home_open(&h, &config);
	for (hole = 0; hole < 2; hole++) {
		addr = must_map(h.win, 1);
		*addr = 'c';
		must_unmap(h.win, addr);
		errno = 4711;
		fail_fixed(4, ENOMEM, hole);
		assert_int_equal(pkmap_flush_unused(h.win), 1);
		assert_int_equal(fixed_fails.err, 0);
		assert_int_equal(errno, 4711);
		assert_null(pkmap_pin(h.win, 1));
		assert_true(is_taken(addr));
		assert_int_equal(load_signal(addr), hole ? SIGSEGV : 0);
	}
	addr = must_map(h.win, 1);
	assert_int_equal(*addr, 'c');
	must_unmap(h.win, addr);

	/* The next flush clears what the last one could not. */
	fail_fixed(4, ENOMEM, false);
	assert_int_equal(pkmap_flush_unused(h.win), 1);
	assert_int_equal(load_signal(addr), 0);
	assert_int_equal(pkmap_flush_unused(h.win), 0);
	assert_int_equal(load_signal(addr), SIGSEGV);

	/* After three failures, it succeeds with the spare. */
	must_unmap(h.win, must_map(h.win, 1));
	fail_fixed(3, ENOMEM, false);
	assert_int_equal(pkmap_flush_unused(h.win), 1);
	assert_int_equal(load_signal(addr), SIGSEGV);
	home_close(&h);
}

/* Reserving a slot's range again leaves no mapping anywhere else. */
static void test_old_kernel(void **state)
{
	struct pkmap_posix_config config = { .fd = -1, .npages = 16 };
	struct home h;
	void *addr;

	(void)state;
	home_open(&h, &config);
	elsewhere = NULL;
	old_kernel = true;
	fail_fixed(1, EPERM, false);
	assert_int_equal(pkmap_map(h.win, 2, NULL, &addr), PKMAP_EIO);
	old_kernel = false;
	assert_non_null(elsewhere);
	assert_false(is_taken(elsewhere));
	home_close(&h);
}

static struct pkmap_window *handlers_window;

/* Its local slot cannot be cleared either, and the spare is in use. */
static void local_map_in_handler(void)
{
	void *local;

	assert_int_equal(pkmap_local_map(handlers_window, 5, &local), 0);
	fail_fixed(1, ENOMEM, false);
	assert_int_equal(pkmap_local_unmap(handlers_window, local), 0);
	assert_int_equal(fixed_fails.err, 0);
	assert_int_equal(load_signal(local), 0);
}

/* A handler that interrupts the user of the spare leaves its slot as it is. */
static void test_spare_in_use(void **state)
{
	struct pkmap_posix_config config = {
		.fd = -1,
		.npages = 16,
		.strict = true,
	};
	struct home h;
	char *addr;

	(void)state;
	home_open(&h, &config);
	handlers_window = h.win;
	addr = must_map(h.win, 1);
	must_unmap(h.win, addr);
	fail_fixed(2, ENOMEM, false);
	fixed_fails.before_last = local_map_in_handler;
	assert_int_equal(pkmap_flush_unused(h.win), 1);
	assert_int_equal(fixed_fails.err, 0);
	assert_int_equal(load_signal(addr), SIGSEGV);
	home_close(&h);
}

/* If the range cannot be unmapped, the window stays open, and can be used. */
static void test_close_fails(void **state)
{
	struct pkmap_posix_config config = { .fd = -1, .npages = 16 };
	struct home h;
	char *addr;

	(void)state;
	home_open(&h, &config);
	addr = must_map(h.win, 1);
	*addr = 'm';
	must_unmap(h.win, addr);
	munmap_fails = 2;
	errno = 0;
	assert_int_equal(pkmap_posix_close(h.port), PKMAP_ENOMEM);
	assert_int_equal(errno, ENOMEM);
	assert_int_equal(h.reports, 0);
	assert_true(is_taken(addr));
	assert_int_equal(load_signal(addr), SIGSEGV);

	addr = must_map(h.win, 1);
	assert_int_equal(*addr, 'm');
	must_unmap(h.win, addr);
	munmap_fails = 1;
	home_close(&h);
	assert_false(is_taken(addr));
}

/* No memory for the window, and then none for its DMA layer. */
static void test_open_fails(void **state)
{
	struct pkmap_posix_config config = { .fd = -1, .npages = 16 };
	struct pkmap_posix *untouched = (struct pkmap_posix *)&config;
	struct pkmap_posix *port = untouched;
	struct home h;
	unsigned int k;

	(void)state;
	for (k = 1; k <= 2; k++) {
		memalign_fails = k;
		errno = 0;
		assert_int_equal(pkmap_posix_open(&config, &port),
				 PKMAP_ENOMEM);
		assert_int_equal(errno, ENOMEM);
		assert_ptr_equal(port, untouched);
	}
	home_open(&h, &config);
	home_close(&h);
}

static void test_sync_fails(void **state)
{
	struct pkmap_posix_config config = { .fd = -1, .npages = 16 };
	struct home h;

	(void)state;
	home_open(&h, &config);
	errno = 4711;
	sync_errors[0] = EINTR;
	sync_errors[1] = EINTR;
	assert_int_equal(pkmap_posix_sync(h.port), 0);
	assert_int_equal(errno, 4711);
	assert_int_equal(sync_errors[0], 0);

	sync_errors[0] = ENOSPC;
	sync_errors[1] = EINTR;
	assert_int_equal(pkmap_posix_sync(h.port), PKMAP_EIO);
	assert_int_equal(errno, ENOSPC);
	assert_int_equal(pkmap_posix_sync(h.port), 0);
	home_close(&h);
}

/* Mappings that use up all that the process can have. */
struct ballast {
	char *range;
	size_t bytes;
};

static long max_map_count(void)
{
	FILE *f = fopen("/proc/sys/vm/max_map_count", "re");
	long n = 0;

	if (f) {
		if (fscanf(f, "%ld", &n) != 1)
			n = 0;
		fclose(f);
	}
	return n;
}

/* mmap() allows one more than the limit; then even MAP_FIXED fails. */
static void fill(void)
{
	int k = 0;

	while (mmap(NULL, system_page(),
		    k++ % 2 ? PROT_READ : PROT_READ | PROT_EXEC,
		    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) != MAP_FAILED)
		;
}

static int load(struct ballast *b, long count)
{
	const size_t page = system_page();
	size_t k;

	b->bytes = (size_t)count * page;
	b->range = mmap(NULL, b->bytes, PROT_NONE,
			MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (b->range == MAP_FAILED)
		return -1;
	/* Changing every other page takes two more mappings. */
	for (k = page; k + page < b->bytes; k += 2 * page) {
		if (mprotect(b->range + k, page, PROT_READ) < 0)
			break;
	}
	fill();
	return 0;
}

static long mappings(void)
{
	FILE *f = fopen("/proc/self/maps", "re");
	long n = 0;
	int c;

	if (!f)
		return -1;
	while ((c = getc(f)) != EOF)
		n += c == '\n';
	fclose(f);
	return n;
}

/* The program uses up all mappings while pages are in use and idle. */
static int out_of_mappings(void *arg)
{
	struct pkmap_posix_config config = {
		.fd = -1,
		.npages = 64,
		.nslots = NSLOTS,
		.strict = *(bool *)arg,
	};
	long count = max_map_count();
	struct pkmap_posix *port;
	struct pkmap_window *win;
	struct ballast ballast;
	char *held[NSLOTS - 1];
	void *addr;
	pkmap_pfn pfn;
	unsigned int n;

	CHILD_CHECK(pkmap_posix_open(&config, &port) == 0);
	win = pkmap_posix_window(port);
	for (pfn = 0; pfn < NSLOTS; pfn++) {
		CHILD_CHECK(pkmap_map(win, 2 * pfn, NULL, &addr) == 0);
		*(char *)addr = (char)pfn;
		if (pfn < 2)
			held[pfn] = addr;
		else
			CHILD_CHECK(pkmap_unmap(win, addr) == 0);
	}

	/* As long as pages are idle, a map succeeds. */
	CHILD_CHECK(load(&ballast, 2 * count) == 0);
	for (n = 0; n < 1000; n++) {
		CHILD_CHECK(pkmap_map(win, 20 + n % 40, NULL, &addr) == 0);
		CHILD_CHECK(pkmap_unmap(win, addr) == 0);
	}
	CHILD_CHECK(held[0][0] == 0 && held[1][0] == 1);

	/* With none idle it fails; what is mapped or free stays so. */
	for (n = 2; n < NSLOTS - 1; n++) {
		if (pkmap_map(win, 20 + 2 * n, NULL, &addr))
			break;
		held[n] = addr;
	}
	pkmap_flush_unused(win);
	fill();
	CHILD_CHECK(pkmap_map(win, 63, NULL, &addr) == PKMAP_ENOMEM);
	CHILD_CHECK(errno == ENOMEM);
	CHILD_CHECK(!pkmap_pin(win, 63));
	CHILD_CHECK(pkmap_local_map(win, 63, &addr) == PKMAP_ENOMEM);
	CHILD_CHECK(pkmap_map(win, 2, NULL, &addr) == 0);
	CHILD_CHECK(addr == held[1]);
	CHILD_CHECK(pkmap_unmap(win, addr) == 0);
	CHILD_CHECK(held[0][0] == 0 && held[1][0] == 1);

	/* When pages are unmapped, maps succeed again. */
	while (--n)
		CHILD_CHECK(pkmap_unmap(win, held[n]) == 0);
	CHILD_CHECK(pkmap_map(win, 63, NULL, &addr) == 0);
	CHILD_CHECK(pkmap_unmap(win, addr) == 0);
	CHILD_CHECK(held[0][0] == 0);
	CHILD_CHECK(pkmap_unmap(win, held[0]) == 0);
	CHILD_CHECK(pkmap_posix_close(port) == 0);
	CHILD_CHECK(mmap(held[0], system_page(), PROT_NONE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1,
			 0) == held[0]);
	return 0;
}

/*
 * The largest window that is allowed, with every slot mapped in a mapping of
 * its own: a quarter of the limit stays free.  A flush gives the mappings back.
 */
static int largest_window(void *arg)
{
	struct pkmap_posix_config config = {
		.fd = -1,
		.npages = 1 << 22,
		.guard = *(bool *)arg,
	};
	struct pkmap_posix_config small = { .fd = -1, .npages = 16 };
	const long limit = max_map_count();
	const long before = mappings();
	struct pkmap_posix *port;
	struct pkmap_posix *other;
	struct pkmap_window *win;
	void *addr;
	uint32_t n;

	config.nslots = pkmap_posix_max_slots(&config);
	CHILD_CHECK(config.nslots << config.guard > limit / 2);
	config.nslots += 16;
	CHILD_CHECK(pkmap_posix_open(&config, &port) == PKMAP_ENOMEM);
	CHILD_CHECK(errno == ENOMEM);
	CHILD_CHECK(mappings() <= before + 4);
	config.nslots -= 16;
	CHILD_CHECK(pkmap_posix_open(&config, &port) == 0);
	CHILD_CHECK(pkmap_posix_open(&small, &other) == PKMAP_ENOMEM);
	CHILD_CHECK(pkmap_posix_max_slots(&small) == 0);

	win = pkmap_posix_window(port);
	for (n = 0; n < config.nslots; n++) {
		CHILD_CHECK(pkmap_map(win, 2 * n, NULL, &addr) == 0);
		CHILD_CHECK(pkmap_unmap(win, addr) == 0);
	}
	CHILD_CHECK(mappings() > (long)config.nslots << config.guard);
	CHILD_CHECK(mappings() <= limit - limit / 4);
	CHILD_CHECK(pkmap_flush_unused(win) == config.nslots);
	CHILD_CHECK(mappings() <= before + 16);
	CHILD_CHECK(pkmap_posix_close(port) == 0);
	CHILD_CHECK(pkmap_posix_open(&small, &other) == 0);
	CHILD_CHECK(pkmap_posix_close(other) == 0);
	return 0;
}

static void need_limit(void)
{
	long count = max_map_count();

	/* Some systems allow a million, too many to use up. */
	if (count < 1 || count > 1 << 20)
		skip_because("vm.max_map_count is too large to use up");
#ifdef SANITIZED
	skip_because("a sanitizer needs mappings itself");
#endif
}

static void test_largest_window(void **state)
{
	bool guard;

	(void)state;
	need_limit();
	guard = false;
	assert_int_equal(run_in_child(largest_window, &guard), 0);
	guard = true;
	assert_int_equal(run_in_child(largest_window, &guard), 0);
}

static void test_out_of_mappings(void **state)
{
	bool strict = *(bool *)*state;

	need_limit();
	assert_int_equal(run_in_child(out_of_mappings, &strict), 0);
}

int main(void)
{
	static bool strict[] = { false, true };
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_set_fails),
		cmocka_unit_test(test_clear_fails),
		cmocka_unit_test(test_old_kernel),
		cmocka_unit_test(test_spare_in_use),
		cmocka_unit_test(test_close_fails),
		cmocka_unit_test(test_open_fails),
		cmocka_unit_test(test_sync_fails),
		cmocka_unit_test(test_largest_window),
		{ "test_out_of_mappings", test_out_of_mappings, NULL, NULL,
		  &strict[0] },
		{ "test_out_of_mappings_strict", test_out_of_mappings, NULL,
		  NULL, &strict[1] },
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
