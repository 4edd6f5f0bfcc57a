// SPDX-License-Identifier: MIT
/*
 * Misuses: each code has a text, and for a program without report functions
 * each misuse is a line on standard error.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ports/posix/posix_priv.h"
#include "posix_test.h"

static const struct pkmap_posix_config silent = { .fd = -1, .npages = 32 };

static struct pkmap_posix *port;
static struct pkmap_window *win;

static char printed[4096];

static void open_port(uint32_t tracker_entries)
{
	struct pkmap_posix_config config = silent;

	config.tracker_entries = tracker_entries;
	assert_int_equal(pkmap_posix_open(&config, &port), 0);
	win = pkmap_posix_window(port);
}

/* Runs @provoke with standard error in a pipe, and stores what it wrote. */
static void catch_stderr(void (*provoke)(void))
{
	int was = dup(STDERR_FILENO);
	int ends[2];
	ssize_t len;

	assert_true(was >= 0);
	assert_int_equal(pipe2(ends, O_NONBLOCK | O_CLOEXEC), 0);
	assert_int_equal(dup2(ends[1], STDERR_FILENO), STDERR_FILENO);
	errno = 4711;
	provoke();
	assert_int_equal(errno, 4711);
	dup2(was, STDERR_FILENO);
	len = read(ends[0], printed, sizeof(printed) - 1);
	printed[len > 0 ? len : 0] = '\0';
	close(was);
	close(ends[0]);
	close(ends[1]);
}

/* Checks that exactly this was printed. */
static void assert_printed(const char *format, ...)
{
	char expected[512];
	va_list args;

	va_start(args, format);
	vsnprintf(expected, sizeof(expected), format, args);
	va_end(args);
	assert_string_equal(printed, expected);
}

static char *addr;

static void unmap(void)
{
	assert_int_equal(pkmap_unmap(win, addr), PKMAP_EINVAL);
}

static void unmap_null(void)
{
	assert_int_equal(pkmap_unmap(win, NULL), PKMAP_ERANGE);
}

static void pin_foreign(void)
{
	assert_null(pkmap_pin(win, 4711));
}

static void in_handler(int sig)
{
	(void)sig;
	unmap();
}

static void unmap_in_handler(void)
{
	raise(SIGUSR1);
}

static void test_window(void **state)
{
	struct sigaction action = { .sa_handler = in_handler };

	(void)state;
	assert_int_equal(sigaction(SIGUSR1, &action, NULL), 0);
	open_port(0);
	addr = must_map(win, 17);
	must_unmap(win, addr);

	catch_stderr(unmap);
	assert_printed("pkmap: pkmap_unmap: page 17 at %p: not mapped by "
		       "anybody\n",
		       (void *)addr);
	catch_stderr(unmap_in_handler);
	assert_printed("pkmap: pkmap_unmap: page 17 at %p: not mapped by "
		       "anybody\n",
		       (void *)addr);
	pkmap_flush_unused(win);
	catch_stderr(unmap);
	assert_printed("pkmap: pkmap_unmap: %p: not mapped\n", (void *)addr);
	catch_stderr(unmap_null);
	assert_printed("pkmap: pkmap_unmap: address outside of the window\n");
	catch_stderr(pin_foreign);
	assert_printed("pkmap: pkmap_pin: page 4711: not a page of the "
		       "window\n");
	assert_int_equal(pkmap_posix_close(port), 0);
}

static void close_busy(void)
{
	assert_int_equal(pkmap_posix_close(port), PKMAP_EBUSY);
}

/* A window in use cannot be closed; each page in use is a line. */
static void test_busy(void **state)
{
	bool in_order;
	char *other;
	void *local;

	(void)state;
	open_port(0);
	addr = must_map(win, 3);
	other = must_map(win, 4);
	assert_non_null(pkmap_pin(win, 3));
	catch_stderr(close_busy);
	in_order = addr < other;
	assert_printed("pkmap: pkmap_fini: page %d at %p: in use by %d\n"
		       "pkmap: pkmap_fini: page %d at %p: in use by %d\n",
		       in_order ? 3 : 4, (void *)(in_order ? addr : other),
		       in_order ? 2 : 1, in_order ? 4 : 3,
		       (void *)(in_order ? other : addr), in_order ? 1 : 2);
	must_unmap(win, addr);
	must_unmap(win, addr);
	must_unmap(win, other);

	assert_int_equal(pkmap_local_map(win, 5, &local), 0);
	catch_stderr(close_busy);
	assert_printed("pkmap: pkmap_fini: page 5 at %p: in use by 1\n", local);
	assert_int_equal(pkmap_local_unmap(win, local), 0);
	assert_int_equal(pkmap_posix_close(port), 0);
}

static const struct pkmap_dma_device device = { .addr_mask = UINT64_MAX };
static const struct pkmap_dma_buffer given = {
	.pfn = 5,
	.offset = 128,
	.len = 256,
};

static void dma_unmap_unmapped(void)
{
	pkmap_dma_unmap(pkmap_posix_dma(port), &device, &given, 1,
			PKMAP_DMA_TO_DEVICE);
}

static void dma_unmap_shorter(void)
{
	struct pkmap_dma_buffer shorter = given;

	shorter.len--;
	pkmap_dma_unmap(pkmap_posix_dma(port), &device, &shorter, 1,
			PKMAP_DMA_FROM_DEVICE);
}

static void dma_forget(void)
{
	assert_int_equal(pkmap_dma_forget(pkmap_posix_dma(port), given.pfn, 1,
					  NULL),
			 PKMAP_EBUSY);
}

static void test_dma(void **state)
{
	struct pkmap_dma_segment seg;

	(void)state;
#ifndef PKMAP_DMA_TRACKER
	skip_because("the tracker is not built");
#endif
	open_port(4);
	catch_stderr(dma_unmap_unmapped);
	assert_printed("pkmap: pkmap_dma_unmap: 256 bytes at 128 of page 5 to "
		       "the device: no device has it\n");
	assert_int_equal(pkmap_dma_map(pkmap_posix_dma(port), &device, &given,
				       1, PKMAP_DMA_FROM_DEVICE, &seg, 1),
			 1);
	catch_stderr(dma_unmap_shorter);
	assert_printed("pkmap: pkmap_dma_unmap: 255 bytes at 128 of page 5 "
		       "from the device: the device was given another length: "
		       "256 bytes at 128 of page 5 from the device\n");
	/* A forgotten range has no direction. */
	catch_stderr(dma_forget);
	assert_printed("pkmap: pkmap_dma_forget: %zu bytes at 0 of page 5: a "
		       "device still has it: 256 bytes at 128 of page 5 from "
		       "the device\n",
		       system_page());
	assert_int_equal(pkmap_posix_close(port), 0);
}

static char long_name[1000];

static void print_long(void)
{
	pkmap_posix_print_report(&(struct pkmap_report){ .call = long_name });
}

/* A text that is too long is cut off, but the newline is not. */
static void test_long_line(void **state)
{
	(void)state;
	memset(long_name, 'x', sizeof(long_name) - 1);
	catch_stderr(print_long);
	assert_int_equal(strspn(strchr(printed, 'x'), "x"),
			 strlen(printed) - strlen("pkmap: \n"));
	assert_string_equal(strchr(printed, '\n'), "\n");
}

static void use_home(void)
{
	struct home h;

	home_open(&h, &silent);
	assert_int_equal(pkmap_unmap(h.win, NULL), PKMAP_ERANGE);
	assert_int_equal(h.reports, 1);
	home_close(&h);
}

static void test_own_function(void **state)
{
	(void)state;
	catch_stderr(use_home);
	assert_printed("");
}

/*
 * The standard streams are closed, so their numbers are the next to be given
 * out.  The file with the frames must not get one of them: reports, or what the
 * program prints, would be written to it.
 */
static int closed_streams(void *arg)
{
	struct pkmap_posix_config config = silent;
	struct stat st;
	void *page;
	int file;
	int fd;

	(void)arg;
	for (fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		close(fd);
	CHILD_CHECK(pkmap_posix_open(&config, &port) == 0);
	CHILD_CHECK(pkmap_posix_fd(port) > STDERR_FILENO);
	for (fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		CHILD_CHECK(fstat(fd, &st) < 0 && errno == EBADF);
	errno = 4711;
	CHILD_CHECK(pkmap_unmap(pkmap_posix_window(port), NULL) ==
		    PKMAP_ERANGE);
	CHILD_CHECK(errno == 4711);
	CHILD_CHECK(pkmap_map(pkmap_posix_window(port), 0, NULL, &page) == 0);
	CHILD_CHECK(*(char *)page == 0);
	CHILD_CHECK(pkmap_unmap(pkmap_posix_window(port), page) == 0);
	CHILD_CHECK(pkmap_posix_close(port) == 0);

	file = memfd_create("file", 0);
	CHILD_CHECK(file == STDIN_FILENO && ftruncate(file, 1 << 16) == 0);
	config.fd = fcntl(file, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
	close(file);
	CHILD_CHECK(pkmap_posix_open(&config, &port) == 0);
	CHILD_CHECK(pkmap_posix_fd(port) > STDERR_FILENO);
	CHILD_CHECK(pkmap_posix_close(port) == 0);
	return 0;
}

static void test_closed_streams(void **state)
{
	(void)state;
	assert_int_equal(run_in_child(closed_streams, NULL), 0);
}

static const char *strmisuse(int code)
{
	return pkmap_strmisuse((enum pkmap_misuse)code);
}

static const char *dma_strmisuse(int code)
{
	return pkmap_dma_strmisuse((enum pkmap_dma_misuse)code);
}

/* Each code from @first to @last has a text of its own, the others @unknown. */
static void check_texts(const char *(*text)(int code), int first, int last,
			const char *unknown)
{
	int code;

	for (code = first; code <= last; code++)
		assert_string_not_equal(text(code), unknown);
	assert_string_equal(text(first - 1), unknown);
	assert_string_equal(text(last + 1), unknown);
}

static void test_texts(void **state)
{
	int a;
	int b;

	(void)state;
	check_texts(pkmap_strerror, PKMAP_ENOSPC, 0, "unknown error");
	check_texts(strmisuse, PKMAP_MISUSE_IDLE, PKMAP_MISUSE_CPU,
		    "unknown misuse");
	check_texts(dma_strmisuse, PKMAP_DMA_UNMAP_UNMAPPED,
		    PKMAP_DMA_TRACKER_FULL, "unknown misuse");

	assert_string_equal(pkmap_strerror(0), "success");
	for (a = PKMAP_ENOSPC; a <= 0; a++) {
		for (b = PKMAP_ENOSPC; b < a; b++)
			assert_string_not_equal(pkmap_strerror(a),
						pkmap_strerror(b));
	}
	for (a = PKMAP_MISUSE_IDLE; a <= PKMAP_MISUSE_CPU; a++) {
		for (b = PKMAP_MISUSE_IDLE; b < a; b++)
			assert_string_not_equal(strmisuse(a), strmisuse(b));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_window),
		cmocka_unit_test(test_busy),
		cmocka_unit_test(test_dma),
		cmocka_unit_test(test_long_line),
		cmocka_unit_test(test_own_function),
		cmocka_unit_test(test_closed_streams),
		cmocka_unit_test(test_texts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
