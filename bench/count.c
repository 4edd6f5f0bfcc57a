// SPDX-License-Identifier: MIT
/*
 * count.c - how many instructions an operation takes.
 *
 * callgrind counts the instructions in some functions and their callees.  The
 * same job is done twice, with N operations and with 2 * N: the difference is
 * the cost of N operations, without what comes before and after.  The figure is
 * the same in each run.
 */
#include "bench.h"

#include "tools/common/ended.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define FUNCTIONS_MAX 4
#define LINE_BYTES    128 /* of callgrind's log */

/* Runs a worker under callgrind: reads the job from @in, logs to @log. */
static void run_program(const struct bench_worker *w, const char *functions,
			int in, int log)
{
	char toggles[FUNCTIONS_MAX][64];
	char *args[5 + FUNCTIONS_MAX + WORKER_ARGS] = {
		"valgrind",
		"--tool=callgrind",
		"--callgrind-out-file=/dev/null",
	};
	char path[WORKER_PATH];
	char numbers[5][16];
	char log_fd[32];
	char *rest = strdupa(functions);
	char *name;
	int n = 3;
	int null;
	int i;

	snprintf(log_fd, sizeof(log_fd), "--log-fd=%d", log);
	args[n++] = log_fd;
	for (i = 0; (name = strsep(&rest, " ")) && i < FUNCTIONS_MAX; i++) {
		snprintf(toggles[i], sizeof(toggles[i]), "--toggle-collect=%s",
			 name);
		args[n++] = toggles[i];
	}
	worker_args(w, path, numbers, args + n);
	unblock_signals();
	dup2(in, STDIN_FILENO);
	/* The worker's answer is not needed. */
	null = open("/dev/null", O_WRONLY);
	if (dup2(null, STDOUT_FILENO) < 0) {
		dprintf(log, "/dev/null: %s\n", strerror(errno));
		_exit(EXIT_FAILURE);
	}
	fcntl(log, F_SETFD, 0);
	if (w->fd >= 0)
		fcntl(w->fd, F_SETFD, 0);
	execvp(args[0], args);
	dprintf(log, "%s: %s\n", args[0], strerror(errno));
	_exit(EXIT_FAILURE);
}

/* Reads the number in "Collected : N", and the last line.  Closes @log. */
static int read_count(int log, double *count, char last[LINE_BYTES])
{
	FILE *file = fdopen(log, "r");
	char line[LINE_BYTES];
	int err = -1;
	char *at;

	if (!file) {
		snprintf(last, sizeof(line), "its log: %s", strerror(errno));
		close(log);
		return -1;
	}
	rewind(file);
	while (fgets(line, sizeof(line), file)) {
		line[strcspn(line, "\n")] = '\0';
		memcpy(last, line, sizeof(line));
		at = strstr(line, "Collected :");
		if (at) {
			*count = strtod(at + strlen("Collected :"), NULL);
			err = 0;
		}
	}
	fclose(file);
	return err;
}

static int count_once(const struct bench_worker *w, const struct job *job,
		      const char *functions, double *count, char *why)
{
	int in = memfd_create("job", MFD_CLOEXEC);
	int log = memfd_create("log", MFD_CLOEXEC);
	char last[LINE_BYTES] = "it says nothing";
	char ended[ENDED_TEXT];
	pid_t pid = -1;
	int status = 0;

	if (in >= 0 && log >= 0 && pwrite(in, job, sizeof(*job), 0) >= 0)
		pid = fork();
	if (pid < 0) {
		snprintf(why, JOB_WHY_MAX, "no process: %s", strerror(errno));
		close(in);
		close(log);
		return -1;
	}
	if (!pid)
		run_program(w, functions, in, log);
	close(in);
	waitpid(pid, &status, 0);
	if (!read_count(log, count, last) && !status)
		return 0;
	snprintf(why, JOB_WHY_MAX, "valgrind ended: %s: %s",
		 ended_text(ended, status), last);
	return -1;
}

void count_instructions(const struct bench_worker *w, const struct job *job,
			const char *functions, struct answer *answer)
{
	struct job twice = *job;
	double one;
	double two;

	memset(answer, 0, sizeof(*answer));
	twice.ops *= 2;
	if (count_once(w, job, functions, &one, answer->why) ||
	    count_once(w, &twice, functions, &two, answer->why))
		return;
	answer->why[0] = '\0';
	answer->ops = job->ops;
	answer->cost = (two - one) / (double)job->ops;
}
