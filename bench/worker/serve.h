/* SPDX-License-Identifier: MIT */
/* serve.h - the part of a worker that talks to "pkmap bench". */
#ifndef BENCH_WORKER_SERVE_H
#define BENCH_WORKER_SERVE_H

#include "setup.h"
#include "bench/job.h"

/* Both return NULL, or a text that says what failed. */
typedef const char *open_fn(const struct setup *setup);
typedef const char *run_fn(const struct job *job, struct answer *answer);

/*
 * Opens the peer as the worker's arguments say, then reads jobs from standard
 * input and writes their answers.  Returns the exit status.
 */
int serve(int argc, char **argv, open_fn *open_peer, run_fn *run);

#endif /* BENCH_WORKER_SERVE_H */
