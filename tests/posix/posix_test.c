// SPDX-License-Identifier: MIT
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/hang.h"
#include "posix_test.h"

static void count_report(void *arg, const struct pkmap_report *report)
{
	struct home *home = arg;

	home->reports++;
	home->misuse = report->what;
}

static void count_dma_report(void *arg, const struct pkmap_dma_report *report)
{
	struct home *home = arg;

	home->dma_reports++;
	home->dma_report = *report;
}

void home_open(struct home *home, const struct pkmap_posix_config *config)
{
	struct pkmap_posix_config with_report = *config;

	memset(home, 0, sizeof(*home));
	with_report.report = count_report;
	with_report.dma_report = count_dma_report;
	with_report.report_arg = home;
	assert_int_equal(pkmap_posix_open(&with_report, &home->port), 0);
	home->win = pkmap_posix_window(home->port);
	home->dma = pkmap_posix_dma(home->port);
}

void home_close(struct home *home)
{
	assert_int_equal(pkmap_posix_close(home->port), 0);
}

size_t system_page(void)
{
	return (size_t)sysconf(_SC_PAGESIZE);
}

int temp_file(uint64_t bytes)
{
	const char *dir = getenv("TMPDIR");
	char path[PATH_MAX];
	int fd;

	snprintf(path, sizeof(path), "%s/pkmap-test-XXXXXX",
		 dir && *dir ? dir : "/tmp");
	fd = mkostemp(path, O_CLOEXEC);
	assert_true(fd >= 0);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(ftruncate(fd, (off_t)bytes), 0);
	return fd;
}

char *must_map(struct pkmap_window *win, pkmap_pfn pfn)
{
	void *addr = NULL;

	assert_int_equal(pkmap_map(win, pfn, NULL, &addr), 0);
	assert_non_null(addr);
	return addr;
}

void must_unmap(struct pkmap_window *win, void *addr)
{
	assert_int_equal(pkmap_unmap(win, addr), 0);
}

static sigjmp_buf touch_failed;

static void jump(int sig)
{
	siglongjmp(touch_failed, sig);
}

static void load_byte(volatile char *addr, size_t bytes)
{
	(void)bytes;
	(void)*addr;
}

static void store_byte(volatile char *addr, size_t bytes)
{
	(void)bytes;
	*addr = *addr;
}

/* Not memset(), whose accesses a sanitizer checks. */
static void store_bytes(volatile char *addr, size_t bytes)
{
	while (bytes--)
		*addr++ = 'x';
}

static int touch_signal(void (*touch)(volatile char *addr, size_t bytes),
			volatile char *addr, size_t bytes)
{
	struct sigaction action = { .sa_handler = jump };
	struct sigaction old_segv;
	struct sigaction old_bus;
	int sig;

	sigaction(SIGSEGV, &action, &old_segv);
	sigaction(SIGBUS, &action, &old_bus);
	sig = sigsetjmp(touch_failed, 1);
	if (!sig)
		touch(addr, bytes);
	sigaction(SIGSEGV, &old_segv, NULL);
	sigaction(SIGBUS, &old_bus, NULL);
	return sig;
}

int load_signal(const char *addr)
{
	return touch_signal(load_byte, (volatile char *)(uintptr_t)addr, 1);
}

int store_signal(char *addr)
{
	return touch_signal(store_byte, addr, 1);
}

int memset_signal(char *addr, size_t bytes)
{
	return touch_signal(store_bytes, addr, bytes);
}

#ifdef PKMAP_COVERAGE
/* Of gcc: saves the counts, which _exit() would lose. */
void __gcov_dump(void);
#endif

int run_in_child(int (*f)(void *arg), void *arg)
{
	int status = 0;
	pid_t pid = fork();
	int result;

	if (pid < 0)
		return -1;
	if (!pid) {
		alarm(HANG_SECONDS);
		result = f(arg);
#ifdef PKMAP_COVERAGE
		__gcov_dump();
#endif
		_exit(result);
	}
	while (waitpid(pid, &status, 0) < 0) {
		if (errno != EINTR)
			return -1;
	}
	return status;
}
