// SPDX-License-Identifier: MIT
#include "cells.h"

#include "machine/checker/config.h"
#include "machine/scenarios/scenario.h"
#include "machine/schemes/scheme.h"
#include "tools/common/ended.h"
#include "tools/common/stop.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define MAX_JOBS     64
#define NS_PER_SEC   1000000000u
#define POLL_MS	     100

/*
 * A scenario that runs for so long without yielding hangs, which counts as a
 * crash.  No machine is slow or busy enough to reach this otherwise.
 */
#define HUNG_SECONDS 3600

/* Exit status of a cell's process. */
enum { EXIT_NO_MEMORY = 3 };

/* In the cell's process: progress resets the alarm. */
static bool put_off_alarm(const struct progress_report *report)
{
	(void)report;
	alarm(HUNG_SECONDS);
	return false;
}

/* In the cell's process.  Returns its exit status. */
static int explore_cell(const struct cell *cell, const struct cells *c)
{
	const struct explore_limits limits = {
		.switches = -1,
		.states = cell->most_states,
		.bytes = c->bytes / c->njobs,
		.until = c->seconds ? now_ns() + c->seconds * NS_PER_SEC : 0,
		.report = put_off_alarm,
	};
	struct cell_result result;
	struct explored explored;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	alarm(HUNG_SECONDS);
	run_begin(cell->setup.scenario, cell->setup.scheme,
		  &cell->setup.config);
	if (explore(&limits, &explored))
		return EXIT_NO_MEMORY;
	memset(&result, 0, sizeof(result));
	result.states = explored.states;
	result.transitions = explored.transitions;
	result.bound = explored.bound;
	result.broken = explored.broken;
	return write(cell->fd, &result, sizeof(result)) == sizeof(result) ?
		       EXIT_SUCCESS :
		       EXIT_FAILURE;
}

static int start_cell(struct cells *c, struct cell *cell)
{
	int ends[2];

	if (pipe(ends))
		return -1;
	cell->pid = fork();
	if (cell->pid < 0) {
		close(ends[0]);
		close(ends[1]);
		return -1;
	}
	cell->fd = ends[cell->pid ? 0 : 1];
	if (!cell->pid)
		_exit(explore_cell(cell, c));
	close(ends[1]);
	cell->state = CELL_RUNNING;
	c->nrunning++;
	return 0;
}

static int start_cells(struct cells *c)
{
	struct cell *cell;

	while (c->nrunning < c->njobs && c->started < c->ncells) {
		cell = &c->cells[c->started];
		if (cell->state == CELL_WAITING && start_cell(c, cell))
			return -1;
		c->started++;
	}
	return 0;
}

static void say_crashed(const struct cell *cell, int status)
{
	char machine[CONFIG_TEXT];
	char ended[ENDED_TEXT];

	fprintf(stderr, "pkmap explore: %s, %s, %s: %s\n",
		cell->setup.scenario->name, cell->setup.scheme->name,
		config_text(&cell->setup.config, machine),
		WIFEXITED(status) && WEXITSTATUS(status) == EXIT_NO_MEMORY ?
			"not enough memory" :
			ended_text(ended, status));
}

static void end_cell(struct cells *c, struct cell *cell,
		     const struct progress *progress)
{
	const ssize_t bytes =
		read(cell->fd, &cell->result, sizeof(cell->result));
	int status;

	close(cell->fd);
	waitpid(cell->pid, &status, 0);
	cell->state = CELL_DONE;
	if (bytes != sizeof(cell->result) || status) {
		cell->state = CELL_CRASHED;
		progress_clear(progress);
		say_crashed(cell, status);
	}
	c->nrunning--;
	c->ndone++;
}

/* Waits for a moment, and collects the results of cells that have ended. */
static int wait_for_cells(struct cells *c, const struct progress *progress)
{
	struct pollfd fds[MAX_JOBS];
	struct cell *cells[MAX_JOBS];
	nfds_t n = 0;
	nfds_t i;
	uint32_t k;

	for (k = 0; k < c->started; k++) {
		if (c->cells[k].state != CELL_RUNNING)
			continue;
		cells[n] = &c->cells[k];
		fds[n].fd = cells[n]->fd;
		fds[n].events = POLLIN;
		n++;
	}
	if (poll(fds, n, POLL_MS) < 0 && errno != EINTR)
		return -1;
	for (i = 0; i < n; i++) {
		if (fds[i].revents)
			end_cell(c, cells[i], progress);
	}
	return 0;
}

/* Kills the running cells, which go back to waiting. */
static void give_up(struct cells *c)
{
	const int err = errno;
	struct cell *cell;

	for (cell = c->cells; cell < c->cells + c->started; cell++) {
		if (cell->state != CELL_RUNNING)
			continue;
		kill(cell->pid, SIGKILL);
		waitpid(cell->pid, NULL, 0);
		close(cell->fd);
		cell->state = CELL_WAITING;
	}
	errno = err;
}

/* One job per CPU, but at most one per GiB of memory. */
static void init_jobs(struct cells *c)
{
	const long cpus = sysconf(_SC_NPROCESSORS_ONLN);
	const uint64_t most = c->bytes >> 30 ? c->bytes >> 30 : 1;

	c->njobs = cpus < 1 ? 1 : cpus > MAX_JOBS ? MAX_JOBS : (uint32_t)cpus;
	if (c->njobs > most)
		c->njobs = (uint32_t)most;
	c->started = 0;
	c->ndone = 0;
	c->nrunning = 0;
}

int cells_run(struct cells *c, struct progress *progress)
{
	uint32_t wanted = 0;
	uint32_t k;

	init_jobs(c);
	for (k = 0; k < c->ncells; k++)
		wanted += c->cells[k].state == CELL_WAITING;
	/* Children would print buffered output a second time. */
	fflush(stdout);
	while (c->ndone < wanted) {
		if (start_cells(c) || wait_for_cells(c, progress))
			goto fail;
		if (stop_requested()) {
			errno = EINTR;
			goto fail;
		}
		if (progress_due(progress))
			progress_show(progress, "%u of %u cells", c->ndone,
				      wanted);
	}
	return 0;
fail:
	give_up(c);
	return -1;
}
