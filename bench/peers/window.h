/* SPDX-License-Identifier: MIT */
/* window.h - a window of pkmap on the port in table.h. */
#ifndef BENCH_PEERS_WINDOW_H
#define BENCH_PEERS_WINDOW_H

#include "table.h"

static struct pkmap_window *win;

static const char *window_open(const struct setup *setup)
{
	struct pkmap_config config;
	const char *why = table_make(setup, &config);
	void *mem;

	if (why)
		return why;
	mem = aligned_alloc(PKMAP_ALIGN, pkmap_size(&config));
	if (!mem || pkmap_init(mem, &config, &win))
		return "no memory";
	return NULL;
}

#endif /* BENCH_PEERS_WINDOW_H */
