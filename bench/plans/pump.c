// SPDX-License-Identifier: MIT
/* pump.c - "pkmap pump" and other ways to copy a file. */
#include "plan.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define FILE_BYTES (32u << 20)
#define ROUNDS_MAX 9 /* it takes long */

struct copy {
	bench_pump_fn *pump;
	int in;
	int out;
	size_t page_bytes;
};

static void say_failed(struct answer *answer, const char *what)
{
	snprintf(answer->why, sizeof(answer->why), "%s: %s", what,
		 strerror(errno));
}

/* The cost is in nanoseconds per 4 KiB. */
static void say_time(struct answer *answer, double ns)
{
	answer->ops = FILE_BYTES / 4096;
	answer->cost = ns / (double)answer->ops;
}

static int copy_by_pread(const struct copy *c, char *buffer)
{
	off_t at;

	for (at = 0; at < FILE_BYTES; at += (off_t)c->page_bytes) {
		if (pread(c->in, buffer, c->page_bytes, at) !=
			    (ssize_t)c->page_bytes ||
		    pwrite(c->out, buffer, c->page_bytes, at) !=
			    (ssize_t)c->page_bytes)
			return -1;
	}
	return 0;
}

static void run_pread(const void *arg, struct answer *answer)
{
	const struct copy *c = arg;
	char *buffer = malloc(c->page_bytes);
	const bool empty = !ftruncate(c->out, 0);
	uint64_t start = now_ns();

	memset(answer, 0, sizeof(*answer));
	if (!buffer || !empty || copy_by_pread(c, buffer))
		say_failed(answer, "pread, pwrite");
	else
		say_time(answer, (double)(now_ns() - start));
	free(buffer);
}

static void run_mmap(const void *arg, struct answer *answer)
{
	const struct copy *c = arg;
	const bool empty = !ftruncate(c->out, 0);
	uint64_t start = now_ns();
	void *out = MAP_FAILED;
	void *in;

	memset(answer, 0, sizeof(*answer));
	in = mmap(NULL, FILE_BYTES, PROT_READ, MAP_SHARED, c->in, 0);
	if (empty && !ftruncate(c->out, FILE_BYTES))
		out = mmap(NULL, FILE_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED,
			   c->out, 0);
	if (in == MAP_FAILED || out == MAP_FAILED) {
		say_failed(answer, "mmap");
	} else {
		memcpy(out, in, FILE_BYTES);
		say_time(answer, (double)(now_ns() - start));
		munmap(out, FILE_BYTES);
		munmap(in, FILE_BYTES);
	}
}

static void run_pump(const void *arg, struct answer *answer)
{
	const struct copy *c = arg;
	struct failure failure = { .lock = PTHREAD_MUTEX_INITIALIZER };
	double seconds;

	memset(answer, 0, sizeof(*answer));
	if (ftruncate(c->out, 0)) {
		say_failed(answer, "ftruncate");
		return;
	}
	if (c->pump(c->in, c->out, FILE_BYTES, c->page_bytes, &seconds,
		    &failure)) {
		snprintf(answer->why, sizeof(answer->why), "%.*s",
			 JOB_WHY_MAX - 1, failure.text);
		return;
	}
	say_time(answer, 1e9 * seconds);
}

/* The files are in memory, so that no disk is measured. */
void plan_pump(const struct bench *b, struct bench_section *s)
{
	static const struct {
		const char *name;
		void (*run)(const void *arg, struct answer *answer);
	} ways[] = {
		{ "pump", run_pump },
		{ "pread, pwrite", run_pread },
		{ "one mmap of each file", run_mmap },
	};
	static struct copy copies[2];
	const struct job no_job = { 0 };
	int items[3];
	int i;
	int k;

	if (s->rounds > ROUNDS_MAX)
		s->rounds = ROUNDS_MAX;
	for (k = 0; k < 2; k++) {
		copies[k] = (struct copy){
			.pump = b->pump,
			.in = b->fd,
			.out = memfd_create("pkmap-bench-copy", MFD_CLOEXEC),
			.page_bytes = 4096u << (4 * k),
		};
		if (copies[k].out < 0) {
			leave_out_broken(s, "no file: %s", strerror(errno));
			return;
		}
		for (i = 0; i < 3; i++) {
			int run = add_run(s, 0, &no_job);

			s->runs[run].other = ways[i].run;
			s->runs[run].arg = &copies[k];
			items[i] = add_item(s, run, FIELD_NS, "%s, %zu KiB",
					    ways[i].name,
					    copies[k].page_bytes >> 10);
		}
		for (i = 1; i < 3; i++)
			add_comparison(s, items[0], items[i], NO_TARGET, 0,
				       "%zu KiB at a time: pump / %s",
				       copies[k].page_bytes >> 10,
				       ways[i].name);
	}
}
