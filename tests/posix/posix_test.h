/* SPDX-License-Identifier: MIT */
/*
 * posix_test.h - what the tests of the posix port share.
 */
#ifndef POSIX_TEST_H
#define POSIX_TEST_H

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <pkmap/posix.h>

/*
 * A sanitizer's run-time library needs mappings of its own, and a handler that
 * calls it must not interrupt it.
 */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SANITIZED 1
#endif
#endif

/* cmocka prints no reason; scripts/check takes it from the line before. */
#define skip_because(why) \
	do { \
		print_message("%s\n", why); \
		skip(); \
	} while (0)

/* A port, its window, and what was reported about it. */
struct home {
	struct pkmap_posix *port;
	struct pkmap_window *win;
	struct pkmap_dma *dma;
	unsigned int reports;
	enum pkmap_misuse misuse; /* of the last report */
	unsigned int dma_reports;
	struct pkmap_dma_report dma_report; /* the last one */
};

/* Opens a port and counts its reports.  Fails the test if it cannot. */
void home_open(struct home *home, const struct pkmap_posix_config *config);

/* Closes it.  Fails the test if it is in use. */
void home_close(struct home *home);

/* The system's page size. */
size_t system_page(void);

/* A new file of @bytes without a name, on a disk if TMPDIR is. */
int temp_file(uint64_t bytes);

/* Maps a page, waiting as long as it takes.  Fails the test if it cannot. */
char *must_map(struct pkmap_window *win, pkmap_pfn pfn);
void must_unmap(struct pkmap_window *win, void *addr);

/* Loads or stores one byte.  Returns the signal that it raised, or 0. */
int load_signal(const char *addr);
int store_signal(char *addr);

/* Stores to @bytes bytes from @addr on.  Returns the same. */
int memset_signal(char *addr, size_t bytes);

/*
 * Runs @f in a child.  Returns 0 if it returned 0 there; a child that hangs is
 * killed.
 */
int run_in_child(int (*f)(void *arg), void *arg);

/* For @f: prints what is wrong, and returns from @f. */
#define CHILD_CHECK(x) \
	do { \
		if (!(x)) { \
			print_error("%s:%d: %s\n", __FILE__, __LINE__, #x); \
			return 1; \
		} \
	} while (0)

#endif /* POSIX_TEST_H */
