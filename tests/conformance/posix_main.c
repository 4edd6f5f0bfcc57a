// SPDX-License-Identifier: MIT
/*
 * posix_main.c - runs the conformance kit against the posix port; TAP.
 *
 * An interrupt is a signal that a thread sends itself.  The other route to a
 * page is the file, and the kernel finds out for us whether an access faults.
 */
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include <pkmap/posix.h>

#include "conformance.h"

/* A test has at most two; a test that fails leaves them open. */
#define MAX_WINDOWS 256

struct home {
	int fd;	     /* the frames */
	int scratch; /* a file to load and store a byte through */
	bool strict;
	struct pkmap_posix *open[MAX_WINDOWS];
	pthread_t second;
	void (*run)(void *arg);
	void *arg;
	const char *skipped;
};

/* What the signal handler is to run. */
static void (*interrupt_run)(void *arg);
static void *interrupt_arg;

static void on_interrupt(int sig)
{
	(void)sig;
	interrupt_run(interrupt_arg);
}

static void on_disturb(int sig)
{
	(void)sig;
}

static void die(const char *what)
{
	perror(what);
	exit(EXIT_FAILURE);
}

static void handle(int sig, void (*handler)(int sig))
{
	/* No SA_RESTART: the signal ends a wait. */
	struct sigaction action = { .sa_handler = handler };

	if (sigaction(sig, &action, NULL))
		die("sigaction");
}

static void kit_failed(struct conformance *conf, const char *file, int line,
		       const char *text)
{
	(void)conf;
	printf("# %s:%d: %s\n", file, line, text);
}

static void kit_skipped(struct conformance *conf, const char *why)
{
	struct home *home = conf->port;

	home->skipped = why;
}

static void kit_report(void *arg, const struct pkmap_report *report)
{
	conformance_report(arg, report);
}

static struct pkmap_posix **find(struct home *home, struct pkmap_window *win)
{
	struct pkmap_posix **at;

	for (at = home->open; at < home->open + MAX_WINDOWS; at++) {
		if (*at ? pkmap_posix_window(*at) == win : !win)
			return at;
	}
	return NULL;
}

static struct pkmap_window *kit_open(struct conformance *conf, uint32_t nslots,
				     bool read_only)
{
	struct home *home = conf->port;
	struct pkmap_posix **at = find(home, NULL);
	const struct pkmap_posix_config config = {
		.fd = home->fd,
		.page_size = conf->page_size,
		.nslots = nslots,
		.local_slots = conf->local_slots,
		.dma_slots = conf->dma_slots,
		.read_only = read_only,
		.strict = home->strict,
		.report = kit_report,
		.report_arg = conf,
	};
	int err = at ? pkmap_posix_open(&config, at) : PKMAP_ENOMEM;

	if (err) {
		kit_failed(conf, __FILE__, __LINE__, pkmap_strerror(err));
		return NULL;
	}
	return pkmap_posix_window(*at);
}

static int kit_close(struct conformance *conf, struct pkmap_window *win)
{
	struct pkmap_posix **at = find(conf->port, win);
	int err = pkmap_posix_close(*at);

	if (!err)
		*at = NULL;
	return err;
}

static void *second_thread(void *arg)
{
	struct home *home = arg;

	home->run(home->arg);
	return NULL;
}

static bool kit_start(struct conformance *conf, void (*run)(void *arg),
		      void *arg)
{
	struct home *home = conf->port;

	home->run = run;
	home->arg = arg;
	return !pthread_create(&home->second, NULL, second_thread, home);
}

static void kit_join(struct conformance *conf)
{
	struct home *home = conf->port;

	pthread_join(home->second, NULL);
}

static void kit_relax(struct conformance *conf)
{
	(void)conf;
	sched_yield();
}

static void kit_interrupt(struct conformance *conf, void (*run)(void *arg),
			  void *arg)
{
	(void)conf;
	interrupt_run = run;
	interrupt_arg = arg;
	raise(SIGUSR1);
}

static void kit_disturb(struct conformance *conf)
{
	struct home *home = conf->port;

	pthread_kill(home->second, SIGUSR2);
}

static uint64_t kit_deadline(struct conformance *conf, uint64_t ns)
{
	(void)conf;
	return pkmap_posix_deadline(ns);
}

static off_t file_offset(struct conformance *conf, pkmap_pfn pfn, size_t offset)
{
	return (off_t)pfn * (off_t)conf->page_size + (off_t)offset;
}

static uint32_t kit_peek(struct conformance *conf, pkmap_pfn pfn, size_t offset)
{
	struct home *home = conf->port;
	uint32_t word;

	if (pread(home->fd, &word, sizeof(word),
		  file_offset(conf, pfn, offset)) != sizeof(word))
		die("pread");
	return word;
}

static void kit_poke(struct conformance *conf, pkmap_pfn pfn, size_t offset,
		     uint32_t value)
{
	struct home *home = conf->port;

	if (pwrite(home->fd, &value, sizeof(value),
		   file_offset(conf, pfn, offset)) != sizeof(value))
		die("pwrite");
}

static struct pkmap_dma *posix_dma(struct conformance *conf,
				   struct pkmap_window *win)
{
	return pkmap_posix_dma(*find(conf->port, win));
}

/* The store puts back the byte that the load found. */
static bool kit_faults(struct conformance *conf, void *addr, bool store)
{
	struct home *home = conf->port;

	if (pwrite(home->scratch, addr, 1, 0) != 1)
		return true;
	return store && pread(home->scratch, addr, 1, 0) != 1;
}

/* Returns whether it passed. */
static bool run_one(struct conformance *conf,
		    const struct conformance_test *test, unsigned int number)
{
	struct home *home = conf->port;
	bool passed;

	home->skipped = NULL;
	passed = conformance_run(conf, test);
	printf("%s %u - %s %s, %zu KiB pages%s%s\n", passed ? "ok" : "not ok",
	       number, test->name, home->strict ? "strict" : "lazy",
	       conf->page_size >> 10, home->skipped ? " # SKIP " : "",
	       home->skipped ? home->skipped : "");
	return passed;
}

/* From test @number on.  Returns whether all passed. */
static bool run_all(struct home *home, size_t page_size, unsigned int number)
{
	bool passed = true;
	struct conformance conf = {
		.port = home,
		.page_size = page_size,
		.colours = 1,
		.local_slots = CONFORMANCE_LOCAL_SLOTS,
		.dma_slots = CONFORMANCE_DMA_SLOTS,
		.strict = home->strict,
		.open = kit_open,
		.close = kit_close,
		.failed = kit_failed,
		.skipped = kit_skipped,
		.start = kit_start,
		.join = kit_join,
		.relax = kit_relax,
		.interrupt = kit_interrupt,
		.disturb = kit_disturb,
		.deadline = kit_deadline,
		.peek = kit_peek,
		.poke = kit_poke,
		.dma = posix_dma,
		.faults = kit_faults,
	};
	unsigned int i;

	home->fd = memfd_create("pkmap-conformance", MFD_CLOEXEC);
	if (home->fd < 0 ||
	    ftruncate(home->fd, (off_t)(page_size * CONFORMANCE_PAGES)))
		die("memfd");
	for (i = 0; i < conformance_ntests; i++)
		passed &= run_one(&conf, &conformance_tests[i], number + i);
	close(home->fd);
	return passed;
}

int main(void)
{
	/* 4, 16 and 64 KiB if the system's pages have 4 KiB. */
	const size_t system_page = (size_t)sysconf(_SC_PAGESIZE);
	struct home home = { 0 };
	bool passed = true;
	unsigned int i;

	setvbuf(stdout, NULL, _IOLBF, 0);
	home.scratch = memfd_create("pkmap-scratch", MFD_CLOEXEC);
	if (home.scratch < 0)
		die("memfd");
	handle(SIGUSR1, on_interrupt);
	handle(SIGUSR2, on_disturb);

	printf("1..%u\n", 2 * 3 * conformance_ntests);
	for (i = 0; i < 2 * 3; i++) {
		home.strict = i & 1;
		passed &= run_all(&home, system_page << (i & ~1u),
				  1 + i * conformance_ntests);
	}
	close(home.scratch);
	return passed ? EXIT_SUCCESS : EXIT_FAILURE;
}
