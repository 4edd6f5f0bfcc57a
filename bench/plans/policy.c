// SPDX-License-Identifier: MIT
/* policy.c - counts misses and flushes. */
#include "plan.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define TRACES_MAX (BENCH_WORKERS_MAX / 3) /* each needs 3 workers */

/* Misses and flushes of a job with all peers, each in a new worker. */
static void plan_policy_of(struct bench_section *s, const struct job *job,
			   uint32_t nslots, const char *what, const char *plot,
			   double x, bool target)
{
	static const char *const peers[3] = { "pkmap", "linux", "locked" };
	int misses[3];
	int flushes[3];
	int run;
	int p;

	for (p = 0; p < 3; p++) {
		run = add_run(s, add_sized(s, peers[p], nslots, -1), job);
		misses[p] = add_item(s, run, FIELD_MISSES, "%s: %s", peers[p],
				     what);
		flushes[p] = add_item(s, run, FIELD_FLUSHES, "%s: %s", peers[p],
				      what);
		if (plot)
			add_to_plot(s, misses[p], plot, peers[p], x);
	}
	/* If all pages fit, each misses once only. */
	if (x < 1)
		return;
	add_comparison(s, misses[0], misses[1], target ? AT_MOST : NO_TARGET,
		       0.82, "%s: misses, pkmap / linux", what);
	add_comparison(s, flushes[0], flushes[1], target ? AT_MOST : NO_TARGET,
		       1.7, "%s: flushes, pkmap / linux", what);
	add_comparison(s, misses[2], misses[1], NO_TARGET, 0,
		       "%s: misses, the machine's locked scheme / linux", what);
}

void plan_policy(const struct bench *b, struct bench_section *s)
{
	char what[64];
	int draw;
	int set;

	for (draw = 0; draw < NDRAWS; draw++) {
		for (set = 0; set < NSETS; set++) {
			const double windows = working_sets[set].windows;
			const struct job job = {
				.work = WORK_MAP,
				.pattern = draws[draw].pattern,
				.pages = (uint32_t)(windows * SLOTS),
				.threads = 1,
				.ops = ops_of(b, 1u << 20),
			};

			snprintf(what, sizeof(what), "%s over %s",
				 draws[draw].name, working_sets[set].name);
			plan_policy_of(s, &job, SLOTS, what, draws[draw].plot,
				       windows, draw == 0 && windows == 10);
		}
	}
}

static int is_trace(const struct dirent *entry)
{
	const char *end = strrchr(entry->d_name, '.');

	return end && !strcmp(end, ".pages");
}

static void plan_trace(const struct bench *b, struct bench_section *s,
		       const char *file)
{
	struct job job = {
		.work = WORK_MAP,
		.pattern = PATTERN_TRACE,
		.pages = BENCH_FILE_PAGES,
		.threads = 1,
	};
	char what[64];

	if ((size_t)snprintf(job.path, sizeof(job.path), "%s/%s", b->traces,
			     file) >= sizeof(job.path)) {
		leave_out(s, "the path of a trace is too long");
		return;
	}
	snprintf(what, sizeof(what), "%.*s, 64 slots",
		 (int)(strlen(file) - strlen(".pages")), file);
	plan_policy_of(s, &job, 64, what, NULL, 1, false);
}

void plan_traces(const struct bench *b, struct bench_section *s)
{
	struct dirent **entries;
	int n;
	int i;

	if (!b->traces) {
		leave_out(s, "no traces: scripts/record-traces makes some, and "
			     "--traces names their directory");
		return;
	}
	n = scandir(b->traces, &entries, is_trace, alphasort);
	if (n < 0)
		leave_out_broken(s, "%s: %s", b->traces, strerror(errno));
	else if (!n)
		leave_out_broken(s, "there are no traces in %s", b->traces);
	for (i = 0; i < n; i++) {
		if (i < TRACES_MAX)
			plan_trace(b, s, entries[i]->d_name);
		else
			leave_out(s, "some of the traces: there are too many");
		free(entries[i]);
	}
	if (n >= 0)
		free(entries);
}
