// SPDX-License-Identifier: MIT
/* workers.c - starts workers, gives them jobs, and stops them. */
#include "bench.h"

#include "tools/common/ended.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/*
 * In a build tree, the workers are in bench/ next to the running program; once
 * installed, in their folder under the same prefix.  They are never looked for
 * elsewhere: those would have another version of the library.  Without /proc,
 * nothing is known about where we are, and there are no workers.
 */
static void worker_path(const char *peer, char path[WORKER_PATH])
{
	static const char bindir[] = "/" PKMAP_BINDIR;
	const size_t tail = sizeof(bindir) - 1;
	char self[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);
	const char *dir = "bench";

	if (n < 0) {
		snprintf(path, WORKER_PATH, "/proc/self/exe");
		return;
	}
	self[n] = '\0';
	dirname(self);
	n = (ssize_t)(strlen(self) - tail);
	if (n >= 0 && !strcmp(self + n, bindir)) {
		self[n] = '\0';
		dir = PKMAP_LIBEXECDIR;
	}
	snprintf(path, WORKER_PATH, "%s/%s/worker-%s", self, dir, peer);
}

bool worker_exists(const char *peer, char path[WORKER_PATH])
{
	worker_path(peer, path);
	return !access(path, X_OK);
}

void worker_args(const struct bench_worker *w, char path[WORKER_PATH],
		 char numbers[5][16], char *args[WORKER_ARGS])
{
	const long values[5] = { w->nslots, w->npages, w->page_shift, w->fd,
				 w->strict };
	int i;

	worker_path(w->peer, path);
	args[0] = path;
	for (i = 0; i < 5; i++) {
		snprintf(numbers[i], 16, "%ld", values[i]);
		args[1 + i] = numbers[i];
	}
	args[6] = NULL;
}

/* We block Ctrl-C, but it must end a child that hangs. */
void unblock_signals(void)
{
	sigset_t none;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

static void run_program(const struct bench_worker *w, int in, int out)
{
	char path[WORKER_PATH];
	char numbers[5][16];
	char *args[WORKER_ARGS];

	worker_args(w, path, numbers, args);
	unblock_signals();
	dup2(in, STDIN_FILENO);
	dup2(out, STDOUT_FILENO);
	if (w->fd >= 0)
		fcntl(w->fd, F_SETFD, 0);
	execv(path, args);
	dprintf(STDERR_FILENO, "pkmap bench: %s: %s\n", path, strerror(errno));
	_exit(EXIT_FAILURE);
}

static int worker_start(struct bench_worker *w)
{
	int to[2];
	int from[2];

	if (pipe2(to, O_CLOEXEC))
		return -1;
	if (pipe2(from, O_CLOEXEC))
		goto close_to;
	w->pid = fork();
	if (!w->pid)
		run_program(w, to[0], from[1]);
	close(to[0]);
	close(from[1]);
	w->to = to[1];
	w->from = from[0];
	if (w->pid > 0)
		return 0;
	w->pid = 0;
	close(from[0]);
	close(to[1]);
	return -1;
close_to:
	close(to[0]);
	close(to[1]);
	return -1;
}

static int write_all(int fd, const void *data, size_t bytes)
{
	ssize_t n;

	for (; bytes; data = (const char *)data + n, bytes -= (size_t)n) {
		n = write(fd, data, bytes);
		if (n < 0)
			return -1;
	}
	return 0;
}

static int read_all(int fd, void *data, size_t bytes)
{
	ssize_t n;

	for (; bytes; data = (char *)data + n, bytes -= (size_t)n) {
		n = read(fd, data, bytes);
		if (n <= 0)
			return -1;
	}
	return 0;
}

void worker_ask(struct bench_worker *w, const struct job *job,
		struct answer *answer)
{
	char ended[ENDED_TEXT];

	memset(answer, 0, sizeof(*answer));
	if (!w->pid && worker_start(w)) {
		snprintf(answer->why, sizeof(answer->why), "no process: %s",
			 strerror(errno));
		return;
	}
	if (!write_all(w->to, job, sizeof(*job)) &&
	    !read_all(w->from, answer, sizeof(*answer)))
		return;
	snprintf(answer->why, sizeof(answer->why), "worker-%s ended: %s",
		 w->peer, ended_text(ended, worker_stop(w)));
}

/* A worker ends at the end of its input. */
int worker_stop(struct bench_worker *w)
{
	int status = 0;

	if (!w->pid)
		return 0;
	close(w->to);
	close(w->from);
	waitpid(w->pid, &status, 0);
	w->pid = 0;
	return status;
}
