// SPDX-License-Identifier: MIT
/*
 * Opening and closing: every kind of file, every refusal, and nothing is left
 * behind.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/loop.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ports/posix/posix_priv.h"
#include "posix_test.h"

static unsigned int open_files(void)
{
	DIR *dir = opendir("/proc/self/fd");
	unsigned int n = 0;

	assert_non_null(dir);
	while (readdir(dir))
		n++;
	closedir(dir);
	return n;
}

/* Bytes of address space in use. */
static unsigned long address_space(void)
{
	FILE *f = fopen("/proc/self/statm", "re");
	unsigned long pages = 0;

	assert_non_null(f);
	assert_int_equal(fscanf(f, "%lu", &pages), 1);
	fclose(f);
	return pages;
}

/* Checks that opening fails with @err and errno @why, and leaves nothing. */
static void refused(const struct pkmap_posix_config *config, int err, int why)
{
	struct pkmap_posix *untouched = (struct pkmap_posix *)1;
	struct pkmap_posix *port = untouched;
	unsigned int files = open_files();

	errno = 0;
	assert_int_equal(pkmap_posix_open(config, &port), err);
	assert_int_equal(errno, why);
	assert_ptr_equal(port, untouched);
	assert_int_equal(open_files(), files);
}

static void refused_file(int fd, bool read_only, int why)
{
	refused(&(struct pkmap_posix_config){ .fd = fd,
					      .npages = 1,
					      .read_only = read_only },
		PKMAP_EIO, why);
}

static void test_memfd(void **state)
{
	struct pkmap_posix_config config = { .fd = -1, .npages = 16 };
	struct stat st;
	struct home h;
	char *addr;
	char byte;
	int fd;

	(void)state;
	home_open(&h, &config);
	assert_int_equal(pkmap_posix_npages(h.port), 16);
	assert_int_equal(pkmap_posix_page_size(h.port), system_page());

	fd = pkmap_posix_fd(h.port);
	assert_int_equal(fcntl(fd, F_GETFD), FD_CLOEXEC);
	assert_int_equal(fstat(fd, &st), 0);
	assert_int_equal(st.st_size, 16 * system_page());

	addr = must_map(h.win, 15);
	addr[7] = 'x';
	assert_int_equal(pread(fd, &byte, 1, (off_t)(15 * system_page() + 7)),
			 1);
	assert_int_equal(byte, 'x');
	must_unmap(h.win, addr);
	home_close(&h);
	assert_int_equal(fcntl(fd, F_GETFD), -1);
}

static void test_sizes_refused(void **state)
{
	const size_t page = system_page();
	struct pkmap_posix_config config = { .fd = -1 };

	(void)state;
	refused(&config, PKMAP_EINVAL, EINVAL);

	config.npages = (pkmap_pfn)(INT64_MAX / (int64_t)page) + 1;
	refused(&config, PKMAP_EINVAL, EINVAL);
	config.npages = 16;

	config.page_size = page / 2;
	refused(&config, PKMAP_EINVAL, EINVAL);
	config.page_size = page + 1;
	refused(&config, PKMAP_EINVAL, EINVAL);
	config.page_size = 3 * page;
	refused(&config, PKMAP_EINVAL, EINVAL);
	assert_int_equal(pkmap_posix_max_slots(&config), 0);
	config.page_size = (size_t)1 << 31;
	refused(&config, PKMAP_EINVAL, EINVAL);
	config.page_size = 0;

	config.batch = 65;
	refused(&config, PKMAP_EINVAL, EINVAL);
	config.batch = 0;
	config.local_slots = 1025;
	refused(&config, PKMAP_EINVAL, EINVAL);
	config.local_slots = 1;
	config.dma_slots = 1024;
	refused(&config, PKMAP_EINVAL, EINVAL);
	config.dma_slots = 0;
	config.ncpus = PKMAP_POSIX_THREADS + 1;
	refused(&config, PKMAP_EINVAL, EINVAL);
	assert_int_equal(pkmap_posix_max_slots(&config), 0);
	config.ncpus = 0;
	config.nslots = PKMAP_POSIX_NONE;
	refused(&config, PKMAP_EINVAL, EINVAL);
	config.nslots = 0;

	/* More bytes than a size_t can express, and more than there are. */
	config.page_size = 1u << 30;
	config.ncpus = PKMAP_POSIX_NCPUS;
	config.local_slots = UINT32_MAX - 1;
	refused(&config, PKMAP_EINVAL, EINVAL);
	config.local_slots = 1;
	config.dma_slots = UINT32_MAX - 1;
	refused(&config, PKMAP_EINVAL, EINVAL);
	/* They fit in a size_t, but not with the page that aligns the first. */
	config.ncpus = 4;
	config.nslots = 3;
	refused(&config, PKMAP_EINVAL, EINVAL);
	config.ncpus = PKMAP_POSIX_NCPUS;
	config.dma_slots = 0;
	config.nslots = 1u << 29;
	config.local_slots = 0;
	refused(&config, PKMAP_ENOMEM, ENOMEM);
}

static void test_files_refused(void **state)
{
	struct pkmap_posix_config config = { .npages = 1 };
	char path[32];
	int pipes[2];
	int file;
	int fd;

	(void)state;
	refused_file(-2, false, EBADF);

	fd = open("/", O_RDONLY | O_DIRECTORY);
	refused_file(fd, true, EISDIR);
	close(fd);
	refused_file(fd, true, EBADF);

	assert_int_equal(pipe(pipes), 0);
	refused_file(pipes[0], true, ENODEV);
	close(pipes[0]);
	close(pipes[1]);

	/* The kernel can map it, but two mappings would not share its pages. */
	fd = open("/dev/zero", O_RDWR);
	refused_file(fd, false, ENODEV);
	close(fd);

	fd = open("/proc/self/exe", O_RDONLY);
	refused_file(fd, false, EACCES);
	close(fd);
	fd = open("/proc/self/exe", O_PATH);
	refused_file(fd, true, EBADF);
	close(fd);

	file = temp_file(0);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", file);
	fd = open(path, O_WRONLY);
	assert_true(fd >= 0);
	close(file);
	refused_file(fd, false, EACCES);
	refused_file(fd, true, EACCES);
	config.fd = fd;
	config.npages = 0;
	config.read_only = true;
	refused(&config, PKMAP_EINVAL, EINVAL);
	close(fd);

	fd = memfd_create("sealed", MFD_ALLOW_SEALING);
	assert_int_equal(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE), 0);
	refused_file(fd, false, EPERM);
	close(fd);
}

/*
 * A configuration that does not set fd must not use standard input, even if
 * that is a suitable file.  A duplicate of standard input can be used.
 */
static int open_standard_input(void *arg)
{
	struct pkmap_posix_config config = { .npages = 1 };
	struct pkmap_posix *port;

	(void)arg;
	CHILD_CHECK(dup2(temp_file(system_page()), STDIN_FILENO) == 0);
	errno = 0;
	CHILD_CHECK(pkmap_posix_open(&config, &port) == PKMAP_EINVAL);
	CHILD_CHECK(errno == EINVAL);
	config.fd = dup(STDIN_FILENO);
	CHILD_CHECK(pkmap_posix_open(&config, &port) == 0);
	CHILD_CHECK(pkmap_posix_close(port) == 0);
	return 0;
}

static void test_standard_input(void **state)
{
	(void)state;
	assert_int_equal(run_in_child(open_standard_input, NULL), 0);
}

/* A tiny file, and one whose last page is partial. */
static void test_file_size(void **state)
{
	const size_t page = system_page();
	struct pkmap_posix_config config = { .page_size = 2 * page };
	struct home h;
	char *addr;
	int fd = temp_file(1);

	(void)state;
	config.fd = fd;
	home_open(&h, &config);
	assert_int_equal(pkmap_posix_npages(h.port), 1);
	home_close(&h);

	assert_int_equal(ftruncate(fd, (off_t)(4 * page)), 0);
	home_open(&h, &config);
	assert_int_equal(pkmap_posix_npages(h.port), 2);
	home_close(&h);

	assert_int_equal(pwrite(fd, "end", 3, (off_t)(4 * page)), 3);
	assert_int_equal(lseek(fd, 123, SEEK_SET), 123);
	home_open(&h, &config);
	assert_int_equal(pkmap_posix_npages(h.port), 3);
	assert_int_equal(pkmap_posix_page_size(h.port), 2 * page);

	/* The caller's descriptor is unchanged, and may be closed. */
	assert_int_not_equal(pkmap_posix_fd(h.port), fd);
	assert_int_equal(lseek(fd, 0, SEEK_CUR), 123);
	close(fd);
	addr = must_map(h.win, 2);
	assert_int_equal((uintptr_t)addr % (2 * page), 0);
	assert_memory_equal(addr, "end", 4);
	must_unmap(h.win, addr);
	home_close(&h);
}

/* Slots are aligned to their size, wherever the kernel puts the range. */
static void test_alignment(void **state)
{
	const size_t big = 4 * system_page();
	struct pkmap_posix_config config = {
		.fd = -1,
		.npages = 8,
		.page_size = big,
		.nslots = 1,
		.local_slots = 1,
	};
	struct home h[4];
	void *spacer[4];
	char *addr;
	int k;

	(void)state;
	for (k = 0; k < 4; k++) {
		/* Moves the next mapping by a page. */
		spacer[k] = mmap(NULL, system_page(), PROT_READ,
				 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		home_open(&h[k], &config);
		addr = must_map(h[k].win, 7);
		assert_int_equal((uintptr_t)addr % big, 0);
		must_unmap(h[k].win, addr);
	}
	for (k = 0; k < 4; k++) {
		home_close(&h[k]);
		munmap(spacer[k], system_page());
	}
}

/*
 * Returns a loop device on a file, which is removed when it is closed; or -1 if
 * there is none.
 */
static int loop_device(int file)
{
	struct loop_config config = {
		.fd = (uint32_t)file,
		.info.lo_flags = LO_FLAGS_AUTOCLEAR,
	};
	char name[32];
	int control = open("/dev/loop-control", O_RDWR | O_CLOEXEC);
	int fd;
	int n;

	if (control < 0)
		return -1;
	n = ioctl(control, LOOP_CTL_GET_FREE);
	close(control);
	if (n < 0)
		return -1;
	snprintf(name, sizeof(name), "/dev/loop%d", n);
	fd = open(name, O_RDWR | O_CLOEXEC);
	if (fd >= 0 && ioctl(fd, LOOP_CONFIGURE, &config) < 0) {
		close(fd);
		return -1;
	}
	return fd;
}

static void test_block_device(void **state)
{
	struct pkmap_posix_config config = { 0 };
	struct home h;
	char *addr;
	char byte = 0;
	char path[32];
	int unusable;
	int file = temp_file(1 << 20);

	(void)state;
	config.fd = loop_device(file);
	if (config.fd < 0) {
		close(file);
		skip_because("no loop device");
	}
	/* A descriptor that allows no ioctl(). */
	snprintf(path, sizeof(path), "/proc/self/fd/%d", config.fd);
	unusable = open(path, O_PATH | O_CLOEXEC);
	assert_true(unusable >= 0);
	refused_file(unusable, false, EBADF);
	close(unusable);

	assert_int_equal(lseek(config.fd, 512, SEEK_SET), 512);
	home_open(&h, &config);
	assert_int_equal(pkmap_posix_npages(h.port), (1 << 20) / system_page());
	assert_int_equal(lseek(config.fd, 0, SEEK_CUR), 512);

	addr = must_map(h.win, 3);
	addr[5] = 'b';
	assert_int_equal(pkmap_posix_sync(h.port), 0);
	must_unmap(h.win, addr);
	home_close(&h);

	assert_int_equal(pread(file, &byte, 1, (off_t)(3 * system_page() + 5)),
			 1);
	assert_int_equal(byte, 'b');
	close(config.fd);
	close(file);
}

static int open_without_memory(void *arg)
{
	struct pkmap_posix_config config = { .fd = -1, .npages = 16 };
	struct rlimit none = { 0 };
	struct pkmap_posix *port;

	(void)arg;
	CHILD_CHECK(setrlimit(RLIMIT_AS, &none) == 0);
	CHILD_CHECK(pkmap_posix_open(&config, &port) == PKMAP_ENOMEM);
	CHILD_CHECK(errno == ENOMEM);
	return 0;
}

static int open_without_files(void *arg)
{
	struct pkmap_posix_config config = { .fd = -1, .npages = 16 };
	struct rlimit none = { 0 };
	struct pkmap_posix *port;

	CHILD_CHECK(setrlimit(RLIMIT_NOFILE, &none) == 0);
	CHILD_CHECK(pkmap_posix_open(&config, &port) == PKMAP_EIO);
	CHILD_CHECK(errno == EMFILE);
	config.fd = *(int *)arg;
	CHILD_CHECK(pkmap_posix_open(&config, &port) == PKMAP_EIO);
	CHILD_CHECK(errno == EMFILE || errno == EINVAL);
	return 0;
}

static void test_limits(void **state)
{
	int file = temp_file(1);

	(void)state;
	assert_int_equal(run_in_child(open_without_memory, NULL), 0);
	assert_int_equal(run_in_child(open_without_files, &file), 0);
	close(file);
}

static void test_close(void **state)
{
	struct pkmap_posix_config config = { .fd = -1, .npages = 16 };
	unsigned int files = open_files();
	unsigned long space;
	struct home h;
	char *addr;

	(void)state;
	/* What the C library allocates at first stays allocated. */
	home_open(&h, &config);
	home_close(&h);
	space = address_space();

	home_open(&h, &config);
	addr = must_map(h.win, 3);
	*addr = 'c';
	assert_int_equal(pkmap_posix_close(h.port), PKMAP_EBUSY);
	assert_int_equal(h.reports, 1);
	assert_int_equal(h.misuse, PKMAP_MISUSE_IN_USE);

	/* The window still works. */
	assert_int_equal(*addr, 'c');
	assert_ptr_equal(pkmap_pin(h.win, 3), addr);
	must_unmap(h.win, addr);
	must_unmap(h.win, addr);
	must_unmap(h.win, must_map(h.win, 4));
	home_close(&h);

	assert_int_equal(open_files(), files);
	assert_int_equal(address_space(), space);
}

/* In another process: exits with 0 if @fd has a POSIX record lock. */
static int is_locked(void *arg)
{
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	int fd = *(int *)arg;

	CHILD_CHECK(fcntl(fd, F_GETLK, &lock) == 0);
	return lock.l_type == F_UNLCK;
}

/* The file stays locked while this process holds the lock, if it is lent. */
static void test_lent(void **state)
{
	int fd = temp_file(16 * system_page());
	struct pkmap_posix_config config = { .fd = fd, .lend_fd = true };
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	struct pkmap_posix *port;
	struct home h;
	char *addr;

	(void)state;
	assert_int_equal(fcntl(fd, F_SETLK, &lock), 0);
	home_open(&h, &config);
	assert_int_equal(pkmap_posix_fd(h.port), fd);
	addr = must_map(h.win, 7);
	*addr = 'l';
	must_unmap(h.win, addr);
	assert_int_equal(pkmap_posix_sync(h.port), 0);
	home_close(&h);
	assert_int_equal(run_in_child(is_locked, &fd), 0);

	/* Nor does an open that fails close it. */
	config.npages = PKMAP_NO_PFN;
	assert_int_equal(pkmap_posix_open(&config, &port), PKMAP_EINVAL);
	assert_int_equal(run_in_child(is_locked, &fd), 0);

	/* The lock would be gone if it were not lent. */
	config = (struct pkmap_posix_config){ .fd = fd };
	home_open(&h, &config);
	assert_int_not_equal(pkmap_posix_fd(h.port), fd);
	assert_int_equal(*must_map(h.win, 7), 'l');
	assert_int_equal(pkmap_unmap_pfn(h.win, 7), 0);
	home_close(&h);
	assert_int_not_equal(run_in_child(is_locked, &fd), 0);

	assert_int_equal(close(fd), 0);
	config.lend_fd = true;
	assert_int_equal(pkmap_posix_open(&config, &port), PKMAP_EIO);
	assert_int_equal(errno, EBADF);
}

/* Opening reserves as many pages as posix.h says, and some bookkeeping. */
static void check_address_space(struct pkmap_posix_config *config,
				unsigned long pages)
{
	unsigned long before;
	struct home h;

	config->fd = -1;
	config->npages = 16;
	before = address_space();
	home_open(&h, config);
	pages *= pkmap_posix_page_size(h.port) / system_page();
	assert_in_range(address_space(), before + pages, before + pages + 128);
	home_close(&h);
}

static void test_address_space(void **state)
{
	struct pkmap_posix_config config = {
		.nslots = 100,
		.local_slots = 2,
		.dma_slots = 7,
		.ncpus = 13,
	};

	(void)state;
	check_address_space(&config, 100 + (2 + 7) * 13 + 1);
	config.guard = true;
	check_address_space(&config, 2 * (100 + (2 + 7) * 13 + 1));
	config.guard = false;
	config.ncpus = 0;
	check_address_space(&config, 100 + (2 + 7) * PKMAP_POSIX_NCPUS + 1);
	config.local_slots = PKMAP_POSIX_NONE;
	check_address_space(&config, 100 + 7 * PKMAP_POSIX_NCPUS + 1);
	config.dma_slots = PKMAP_POSIX_NONE;
	check_address_space(&config, 100 + 1);

	/* Large pages: fewer CPUs, but at least two. */
	config = (struct pkmap_posix_config){ .nslots = 1 };
	config.page_size = 1 << 20;
	check_address_space(&config, 1 + 8 * (sizeof(long) == 8 ? 32 : 8) + 1);
	config.page_size = 8 << 20;
	check_address_space(&config, 1 + 8 * (sizeof(long) == 8 ? 4 : 2) + 1);
	config.page_size = 64 << 20;
	config.local_slots = 1;
	config.dma_slots = PKMAP_POSIX_NONE;
	check_address_space(&config, 1 + (sizeof(long) == 8 ? 4 : 2) + 1);
}

/* Without local slots of either kind, local maps fail, but DMA works. */
static void test_none(void **state)
{
	struct pkmap_posix_config config = {
		.fd = -1,
		.npages = 16,
		.local_slots = PKMAP_POSIX_NONE,
		.dma_slots = PKMAP_POSIX_NONE,
	};
	const struct pkmap_dma_device dev = { .addr_mask = UINT64_MAX };
	const struct pkmap_dma_buffer buf = { .pfn = 5, .len = 64 };
	struct pkmap_dma_segment seg;
	struct pkmap_stats stats;
	struct home h;
	void *addr;

	(void)state;
	home_open(&h, &config);
	assert_int_equal(pkmap_local_map(h.win, 5, &addr), PKMAP_EBUSY);
	assert_int_equal(h.reports, 1);
	assert_int_equal(h.misuse, PKMAP_MISUSE_LOCAL_DEPTH);

	assert_int_equal(pkmap_dma_map(h.dma, &dev, &buf, 1,
				       PKMAP_DMA_FROM_DEVICE, &seg, 1),
			 1);
	assert_int_equal(seg.addr, 5 * system_page());
	assert_int_equal(pkmap_dma_unmap(h.dma, &dev, &buf, 1,
					 PKMAP_DMA_FROM_DEVICE),
			 0);
	pkmap_read_stats(h.win, &stats);
	assert_int_equal(stats.pins + stats.pin_misses, 0);
	home_close(&h);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_memfd),
		cmocka_unit_test(test_sizes_refused),
		cmocka_unit_test(test_files_refused),
		cmocka_unit_test(test_standard_input),
		cmocka_unit_test(test_file_size),
		cmocka_unit_test(test_alignment),
		cmocka_unit_test(test_block_device),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_close),
		cmocka_unit_test(test_lent),
		cmocka_unit_test(test_address_space),
		cmocka_unit_test(test_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
