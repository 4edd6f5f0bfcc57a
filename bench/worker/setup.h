/* SPDX-License-Identifier: MIT */
/* setup.h - how a worker's peer is set up. */
#ifndef BENCH_WORKER_SETUP_H
#define BENCH_WORKER_SETUP_H

#include <stdbool.h>
#include <stdint.h>

struct setup {
	uint32_t nslots;
	uint32_t npages;
	uint32_t page_shift;
	/*
	 * The file with the pages.  -1: there are no pages, and the translation
	 * of a slot is a word in an array, as in a kernel.
	 */
	int fd;
	bool strict; /* pkmap: as in struct pkmap_posix_config */
};

/* serve.c: "WHAT: text of errno"; valid until the next call. */
const char *say_errno(const char *what);

#endif /* BENCH_WORKER_SETUP_H */
