// SPDX-License-Identifier: MIT
/*
 * What slots show: the right pages, at any offset, after every kind of
 * teardown, and no mappings of anybody else.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "posix_test.h"

#define NSLOTS 8

/* Opens a window onto a file whose pages begin with their number. */
static void open_numbered(struct home *h, struct pkmap_posix_config *config)
{
	pkmap_pfn pfn;

	config->nslots = NSLOTS;
	config->npages = 64;
	config->fd = temp_file(64 * system_page());
	for (pfn = 0; pfn < 64; pfn++)
		assert_int_equal(pwrite(config->fd, &pfn, sizeof(pfn),
					(off_t)(pfn * system_page())),
				 sizeof(pfn));
	home_open(h, config);
	close(config->fd);
}

static pkmap_pfn number_at(const char *addr)
{
	pkmap_pfn pfn;

	memcpy(&pfn, addr, sizeof(pfn));
	return pfn;
}

/* Maps every page once, with all the reclaims that this takes. */
static void map_all(struct home *h)
{
	pkmap_pfn pfn;
	char *addr;

	for (pfn = 0; pfn < 64; pfn++) {
		addr = must_map(h->win, pfn);
		assert_int_equal(number_at(addr), pfn);
		must_unmap(h->win, addr);
	}
}

static void test_shared_with_file(void **state)
{
	struct pkmap_posix_config config = { 0 };
	pkmap_pfn written = 4711;
	pkmap_pfn pfn;
	struct home h;
	char *addr;
	int fd;

	(void)state;
	open_numbered(&h, &config);
	fd = pkmap_posix_fd(h.port);
	map_all(&h);

	addr = must_map(h.win, 9);
	memcpy(addr, &written, sizeof(written));
	assert_int_equal(pread(fd, &pfn, sizeof(pfn),
			       (off_t)(9 * system_page())),
			 sizeof(pfn));
	assert_int_equal(pfn, written);
	written++;
	assert_int_equal(pwrite(fd, &written, sizeof(written),
				(off_t)(9 * system_page())),
			 sizeof(written));
	assert_int_equal(number_at(addr), written);
	must_unmap(h.win, addr);
	home_close(&h);
}

static void test_strict_faults(void **state)
{
	struct pkmap_posix_config config = { .strict = true };
	struct home h;
	char *held;
	char *addr;
	void *local;

	(void)state;
	open_numbered(&h, &config);
	map_all(&h);
	held = must_map(h.win, 1);
	addr = must_map(h.win, 2);
	must_unmap(h.win, addr);

	/* The page is idle, but nothing has been reclaimed yet. */
	assert_int_equal(load_signal(addr), 0);
	assert_true(pkmap_flush_unused(h.win) > 0);
	assert_int_equal(load_signal(addr), SIGSEGV);
	assert_int_equal(store_signal(addr), SIGSEGV);
	assert_int_equal(number_at(held), 1);
	must_unmap(h.win, held);

	assert_int_equal(pkmap_local_map(h.win, 5, &local), 0);
	assert_int_equal(number_at(local), 5);
	assert_int_equal(pkmap_local_unmap(h.win, local), 0);
	assert_int_equal(load_signal(local), SIGSEGV);
	home_close(&h);
}

/*
 * By default a reclaimed slot shows its old page until it is used for another,
 * or until a flush.  In debug builds it does not, and a local slot never does.
 */
static void test_teardown_by_default(void **state)
{
	struct pkmap_posix_config config = { 0 };
	struct home h;
	char *addr[NSLOTS + 1];
	void *local;
	pkmap_pfn pfn;
	int shown = 0;

	(void)state;
	open_numbered(&h, &config);
	for (pfn = 0; pfn <= NSLOTS; pfn++) {
		addr[pfn] = must_map(h.win, pfn);
		must_unmap(h.win, addr[pfn]);
	}
	for (pfn = 0; pfn <= NSLOTS; pfn++) {
		if (pkmap_pfn_to_addr(h.win, pfn))
			continue;
		shown += load_signal(addr[pfn]) == 0 &&
			 number_at(addr[pfn]) == pfn;
	}
#ifdef PKMAP_DEBUG
	assert_int_equal(shown, 0);
#else
	assert_true(shown > 0);
#endif
	assert_true(pkmap_flush_unused(h.win) > 0);
	for (pfn = 0; pfn <= NSLOTS; pfn++)
		assert_int_equal(load_signal(addr[pfn]), SIGSEGV);

	assert_int_equal(pkmap_local_map(h.win, 5, &local), 0);
	assert_int_equal(pkmap_local_unmap(h.win, local), 0);
	assert_int_equal(load_signal(local), SIGSEGV);
	home_close(&h);
}

/*
 * A forgotten page cannot be seen any more, neither in its slot nor in earlier
 * ones; and the kernel sees no mappings of the file.
 */
static void test_forget(void **state)
{
	struct pkmap_posix_config config = { .nslots = NSLOTS };
	struct home h;
	char *addr[64];
	void *local;
	pkmap_pfn pfn;

	(void)state;
	config.fd = memfd_create("sealed", MFD_ALLOW_SEALING);
	assert_int_equal(ftruncate(config.fd, (off_t)(64 * system_page())), 0);
	home_open(&h, &config);
	for (pfn = 0; pfn < 64; pfn++) {
		addr[pfn] = must_map(h.win, pfn);
		*addr[pfn] = 'f';
		must_unmap(h.win, addr[pfn]);
	}
	assert_int_equal(pkmap_local_map(h.win, 3, &local), 0);
	assert_int_equal(pkmap_local_unmap(h.win, local), 0);
	assert_int_equal(fcntl(config.fd, F_ADD_SEALS, F_SEAL_WRITE), -1);
	assert_int_equal(errno, EBUSY);

	/* Most of these were reclaimed before. */
	assert_int_equal(pkmap_forget(h.win, 0, 64, PKMAP_NOWAIT), 0);
	for (pfn = 0; pfn < 64; pfn++)
		assert_int_equal(load_signal(addr[pfn]), SIGSEGV);
	assert_int_equal(load_signal(local), SIGSEGV);
	assert_int_equal(fcntl(config.fd, F_ADD_SEALS, F_SEAL_WRITE), 0);
	home_close(&h);
	close(config.fd);
}

/* Returns whether each of these pages is mapped or reserved. */
static bool all_taken(char *addr, size_t npages)
{
	size_t k;

	for (k = 0; k < npages; k++) {
		void *page = addr + k * system_page();

		if (mmap(page, system_page(), PROT_NONE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1,
			 0) != MAP_FAILED ||
		    errno != EEXIST)
			return false;
	}
	return true;
}

/*
 * After a strict teardown no page is mapped, but no mmap() is given an address
 * in the range.
 */
static void test_range_stays_reserved(void **state)
{
	const size_t npages = NSLOTS + 3 * PKMAP_POSIX_NCPUS;
	struct pkmap_posix_config config = {
		.strict = true,
		.local_slots = 1,
		.dma_slots = 2,
	};
	void *others[1000];
	struct home h;
	char *low = NULL;
	char *addr;
	char *other;
	void *local;
	pkmap_pfn pfn;
	size_t k;

	(void)state;
	open_numbered(&h, &config);
	for (pfn = 0; pfn < NSLOTS; pfn++) {
		addr = must_map(h.win, pfn);
		if (!low || addr < low)
			low = addr;
		must_unmap(h.win, addr);
	}
	assert_int_equal(pkmap_flush_unused(h.win), NSLOTS);
	assert_int_equal(pkmap_local_map(h.win, 5, &local), 0);
	assert_true((char *)local >= low + NSLOTS * system_page());
	assert_true((char *)local < low + npages * system_page());
	assert_int_equal(pkmap_local_unmap(h.win, local), 0);
	assert_true(all_taken(low, npages));

	for (k = 0; k < 1000; k++) {
		/* With different protections, they do not merge. */
		others[k] = mmap(NULL, system_page(),
				 k % 2 ? PROT_NONE : PROT_READ,
				 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		assert_ptr_not_equal(others[k], MAP_FAILED);
		other = others[k];
		assert_true(other < low ||
			    other >= low + npages * system_page());
	}
	for (k = 0; k < 1000; k++)
		munmap(others[k], system_page());
	home_close(&h);
	assert_false(all_taken(low, npages));
}

/* The addresses before and after a page's slot show nothing. */
static void test_guard(void **state)
{
	struct pkmap_posix_config config = { .guard = true };
	struct pkmap_posix_config large = {
		.fd = -1,
		.npages = 16,
		.page_size = 4 * system_page(),
		.nslots = 3,
		.guard = true,
	};
	struct home h;
	char *addr[NSLOTS];
	void *local[2];
	pkmap_pfn pfn;

	(void)state;
	open_numbered(&h, &config);
	for (pfn = 0; pfn < NSLOTS; pfn++)
		addr[pfn] = must_map(h.win, pfn);
	assert_int_equal(pkmap_local_map(h.win, 40, &local[0]), 0);
	assert_int_equal(pkmap_local_map(h.win, 50, &local[1]), 0);
	for (pfn = 0; pfn < NSLOTS; pfn++) {
		assert_int_equal(number_at(addr[pfn]), pfn);
		assert_int_equal(memset_signal(addr[pfn], system_page()), 0);
		assert_int_equal(memset_signal(addr[pfn], system_page() + 16),
				 SIGSEGV);
		assert_int_equal(load_signal(addr[pfn] - 1), SIGSEGV);
	}
	assert_int_equal(memset_signal(local[0], system_page() + 16), SIGSEGV);
	assert_int_equal(number_at(local[1]), 50);
	assert_int_equal(pkmap_local_unmap(h.win, local[1]), 0);
	assert_int_equal(pkmap_local_unmap(h.win, local[0]), 0);
	for (pfn = 0; pfn < NSLOTS; pfn++)
		must_unmap(h.win, addr[pfn]);
	assert_int_equal(pkmap_flush_unused(h.win), NSLOTS);
	for (pfn = 0; pfn < NSLOTS; pfn++)
		assert_int_equal(load_signal(addr[pfn]), SIGSEGV);
	home_close(&h);

	home_open(&h, &large);
	for (pfn = 0; pfn < 3; pfn++) {
		addr[pfn] = must_map(h.win, pfn);
		assert_int_equal((uintptr_t)addr[pfn] % large.page_size, 0);
		assert_int_equal(memset_signal(addr[pfn], large.page_size), 0);
		assert_int_equal(load_signal(addr[pfn] + large.page_size),
				 SIGSEGV);
	}
	for (pfn = 0; pfn < 3; pfn++)
		must_unmap(h.win, addr[pfn]);
	home_close(&h);
}

static void test_read_only(void **state)
{
	struct pkmap_posix_config config = { .read_only = true };
	struct home h;
	void *local;
	char *addr;

	(void)state;
	open_numbered(&h, &config);
	addr = must_map(h.win, 3);
	assert_int_equal(number_at(addr), 3);
	assert_int_equal(store_signal(addr), SIGSEGV);
	must_unmap(h.win, addr);

	assert_int_equal(pkmap_local_map(h.win, 6, &local), 0);
	assert_int_equal(number_at(local), 6);
	assert_int_equal(store_signal(local), SIGSEGV);
	assert_int_equal(pkmap_local_unmap(h.win, local), 0);
	assert_int_equal(pkmap_posix_sync(h.port), 0);
	home_close(&h);
}

/* A page above 4 GiB, and the page at the low 32 bits of its offset. */
static void test_large_offsets(void **state)
{
	const uint64_t above = (UINT64_C(5) << 30) + 3 * system_page();
	const uint64_t cut = above & UINT32_MAX;
	struct pkmap_posix_config config = { 0 };
	pkmap_pfn pfn = (pkmap_pfn)(above / system_page());
	struct home h;
	char *addr;
	char byte = 0;

	(void)state;
	config.fd = temp_file(UINT64_C(6) << 30);
	assert_int_equal(pwrite(config.fd, "above", 5, (off_t)above), 5);
	assert_int_equal(pwrite(config.fd, "below", 5, (off_t)cut), 5);
	home_open(&h, &config);
	assert_int_equal(pkmap_posix_npages(h.port),
			 (UINT64_C(6) << 30) / system_page());

	addr = must_map(h.win, pfn);
	assert_memory_equal(addr, "above", 5);
	addr[5] = '!';
	assert_int_equal(pread(config.fd, &byte, 1, (off_t)above + 5), 1);
	assert_int_equal(byte, '!');
	must_unmap(h.win, addr);

	addr = must_map(h.win, (pkmap_pfn)(cut / system_page()));
	assert_memory_equal(addr, "below", 6);
	must_unmap(h.win, addr);
	home_close(&h);
	close(config.fd);
}

static void test_large_pages(void **state)
{
	const size_t big = 4 * system_page();
	struct pkmap_posix_config config = {
		.fd = -1,
		.npages = 32,
		.nslots = 4,
		.page_size = big,
		.strict = true,
	};
	struct home h;
	pkmap_pfn pfn;
	size_t k;
	char *addr;
	char byte;

	(void)state;
	home_open(&h, &config);
	for (pfn = 0; pfn < 32; pfn++) {
		addr = must_map(h.win, pfn);
		assert_int_equal((uintptr_t)addr % big, 0);
		for (k = 0; k < big; k += system_page())
			addr[k] = (char)(pfn + k / system_page());
		must_unmap(h.win, addr);
	}
	for (pfn = 0; pfn < 32; pfn++) {
		for (k = 0; k < big; k += system_page()) {
			assert_int_equal(pread(pkmap_posix_fd(h.port), &byte, 1,
					       (off_t)(pfn * big + k)),
					 1);
			assert_int_equal(byte, (char)(pfn + k / system_page()));
		}
	}
	pkmap_flush_unused(h.win);
	for (k = 0; k < big; k += system_page())
		assert_int_equal(load_signal(addr + k), SIGSEGV);
	home_close(&h);
}

static void test_truncated(void **state)
{
	struct pkmap_posix_config config = { 0 };
	struct home h;
	char *held;
	void *local;
	int fd;

	(void)state;
	open_numbered(&h, &config);
	fd = pkmap_posix_fd(h.port);
	held = must_map(h.win, 40);
	assert_int_equal(ftruncate(fd, (off_t)(16 * system_page())), 0);
	assert_int_equal(load_signal(held), SIGBUS);
	assert_int_equal(store_signal(held), SIGBUS);

	/* The window still works, for this page and others, in all calls. */
	assert_ptr_equal(pkmap_pin(h.win, 40), held);
	must_unmap(h.win, held);
	assert_int_equal(pkmap_local_map(h.win, 50, &local), 0);
	assert_int_equal(load_signal(local), SIGBUS);
	assert_int_equal(pkmap_local_unmap(h.win, local), 0);
	assert_int_equal(number_at(must_map(h.win, 15)), 15);
	must_unmap(h.win, pkmap_pfn_to_addr(h.win, 15));
	assert_int_equal(pkmap_posix_sync(h.port), 0);
	assert_int_equal(pkmap_forget(h.win, 16, 48, PKMAP_NOWAIT),
			 PKMAP_EBUSY);

	/* When the file has grown again, the page is there, and empty. */
	assert_int_equal(ftruncate(fd, (off_t)(64 * system_page())), 0);
	assert_int_equal(number_at(held), 0);
	must_unmap(h.win, held);
	assert_int_equal(pkmap_forget(h.win, 16, 48, PKMAP_NOWAIT), 0);
	home_close(&h);
}

/* Pages beyond the end of the file can be mapped, but not touched. */
static void test_beyond_end(void **state)
{
	struct pkmap_posix_config config = { .npages = 8 };
	struct home h;
	char *addr;

	(void)state;
	config.fd = temp_file(system_page());
	home_open(&h, &config);
	assert_int_equal(pkmap_posix_npages(h.port), 8);
	addr = must_map(h.win, 7);
	assert_int_equal(load_signal(addr), SIGBUS);
	assert_int_equal(ftruncate(config.fd, (off_t)(8 * system_page())), 0);
	assert_int_equal(store_signal(addr), 0);
	must_unmap(h.win, addr);
	home_close(&h);
	close(config.fd);
}

/* Calls that succeed, some of them after a system call failed. */
static void test_errno_kept(void **state)
{
	struct pkmap_posix_config config = { .strict = true };
	struct home h;
	void *local;
	char *addr;

	(void)state;
	open_numbered(&h, &config);
	errno = 4711;
	map_all(&h);
	assert_int_equal(errno, 4711);
	addr = must_map(h.win, 3);
	assert_ptr_equal(pkmap_pin(h.win, 3), addr);
	must_unmap(h.win, addr);
	must_unmap(h.win, addr);
	assert_int_equal(pkmap_local_map(h.win, 6, &local), 0);
	assert_int_equal(pkmap_local_unmap(h.win, local), 0);
	assert_true(pkmap_flush_unused(h.win) > 0);
	assert_int_equal(pkmap_forget(h.win, 0, 64, PKMAP_NOWAIT), 0);
	assert_int_equal(pkmap_posix_sync(h.port), 0);
	assert_true(pkmap_posix_deadline(1) > 0);
	assert_int_equal(errno, 4711);
	home_close(&h);
}

/* New in Linux 6.5; the number is the same on all architectures. */
#ifndef SYS_cachestat
#define SYS_cachestat 451
#endif

struct range {
	uint64_t off;
	uint64_t len;
};

struct cache_pages {
	uint64_t cache;
	uint64_t dirty;
	uint64_t writeback;
	uint64_t evicted;
	uint64_t recently_evicted;
};

/* How many pages are not on the storage device yet; < 0: unknown. */
static int64_t unwritten(int fd)
{
	struct range all = { 0 };
	struct cache_pages pages;
	struct statfs fs;

	if (fstatfs(fd, &fs) < 0 || fs.f_type == TMPFS_MAGIC ||
	    syscall(SYS_cachestat, fd, &all, &pages, 0) < 0)
		return -1;
	return (int64_t)(pages.dirty + pages.writeback);
}

/* Stores to two pages, one still mapped and one no longer. */
static void test_sync(void **state)
{
	struct pkmap_posix_config config = { .strict = true };
	struct home h;
	char *mapped;
	char *gone;
	int tries = 0;
	int fd;

	(void)state;
	open_numbered(&h, &config);
	fd = pkmap_posix_fd(h.port);
	assert_int_equal(pkmap_posix_sync(h.port), 0);
	if (unwritten(fd) < 0) {
		home_close(&h);
		skip_because("no cachestat() before Linux 6.5");
	}
	assert_int_equal(unwritten(fd), 0);

	mapped = must_map(h.win, 3);
	/* Unless the kernel happens to have written them back already. */
	do {
		gone = must_map(h.win, 4);
		mapped[0] = 's';
		gone[0] = 's';
		must_unmap(h.win, gone);
		assert_true(pkmap_flush_unused(h.win) > 0);
		assert_true(tries++ < 1000);
	} while (unwritten(fd) < 2);

	assert_int_equal(pkmap_posix_sync(h.port), 0);
	assert_int_equal(unwritten(fd), 0);
	must_unmap(h.win, mapped);
	home_close(&h);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_shared_with_file),
		cmocka_unit_test(test_strict_faults),
		cmocka_unit_test(test_teardown_by_default),
		cmocka_unit_test(test_forget),
		cmocka_unit_test(test_range_stays_reserved),
		cmocka_unit_test(test_guard),
		cmocka_unit_test(test_read_only),
		cmocka_unit_test(test_large_offsets),
		cmocka_unit_test(test_large_pages),
		cmocka_unit_test(test_truncated),
		cmocka_unit_test(test_beyond_end),
		cmocka_unit_test(test_errno_kept),
		cmocka_unit_test(test_sync),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
