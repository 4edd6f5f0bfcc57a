// SPDX-License-Identifier: MIT
/*
 * Ctrl-C at every system call of the main thread of "pkmap pump", from its first
 * one about signals on; the dynamic linker's are two thirds of all.  Either OUT is
 * as it was and the pump died of the signal, or OUT is a complete copy and the
 * exit status is 0; and nothing else is left behind, nor is a frame left with a
 * device.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* More than the pump makes: then it is done before it is interrupted. */
#define MAX_CALLS    10000

/* The signal of a stop at a system call, with PTRACE_O_TRACESYSGOOD. */
#define SYSCALL_STOP (SIGTRAP | 0x80)

#define OLD	     "what was there before\n"
#define COPY_BYTES   200000

static char *tool;
static int messages; /* the pump's standard error */

static void write_file(const char *path, const char *text, size_t times)
{
	FILE *file = fopen(path, "w");

	for (size_t i = 0; file && i < times; i++)
		fputs(text, file);
	if (!file || fclose(file)) {
		printf("Bail out! cannot write %s: %s\n", path,
		       strerror(errno));
		exit(EXIT_FAILURE);
	}
}

static bool starts_with(const char *path, const char *text, long size)
{
	char start[64] = "";
	FILE *file = fopen(path, "r");
	bool same;

	if (!file)
		return false;
	same = fgets(start, sizeof(start), file) && !strcmp(start, text) &&
	       !fseek(file, 0, SEEK_END) && ftell(file) == size;
	fclose(file);
	return same;
}

static int count_files(void)
{
	DIR *dir = opendir(".");
	int n = 0;

	while (dir && readdir(dir))
		n++;
	closedir(dir);
	return n - 2;
}

/* The signals as from a terminal: under nohup one of them is ignored. */
static void run_pump(void)
{
	int null = open("/dev/null", O_WRONLY);

	signal(SIGINT, SIG_DFL);
	signal(SIGTERM, SIG_DFL);
	signal(SIGHUP, SIG_DFL);
	dup2(null, STDOUT_FILENO);
	dup2(messages, STDERR_FILENO);
	if (ptrace(PTRACE_TRACEME, 0, NULL, NULL))
		_exit(99);
	execl(tool, "pkmap", "pump", "in", "out", "--slots", "2", "--frames",
	      "8", "--threads", "3", (char *)NULL);
	_exit(99);
}

/* True for any stop if the kernel does not tell which call it is. */
static bool is_about_signals(pid_t pid)
{
	struct __ptrace_syscall_info info;

	if (ptrace(PTRACE_GET_SYSCALL_INFO, pid, sizeof(info), &info) <= 0)
		return true;
	return info.op == PTRACE_SYSCALL_INFO_ENTRY &&
	       info.entry.nr == SYS_rt_sigaction;
}

/*
 * Sends @sig when the main thread enters or leaves a system call for the
 * @call-th time, from the first one about signals on.  Returns how it ended;
 * *@sent tells whether it came that far.
 */
static int interrupt_at(int call, int sig, bool *sent)
{
	bool began = false;
	pid_t pid;
	int status;

	*sent = false;
	fflush(stdout);
	if (ftruncate(messages, 0) || lseek(messages, 0, SEEK_SET))
		return -1;
	pid = fork();
	if (!pid)
		run_pump();
	while (waitpid(pid, &status, 0) == pid && WIFSTOPPED(status)) {
		int stop = WSTOPSIG(status);

		if (stop == SIGTRAP) /* of execl() */
			ptrace(PTRACE_SETOPTIONS, pid, NULL,
			       (long)PTRACE_O_TRACESYSGOOD);
		began = began || is_about_signals(pid);
		if (began && call-- == 0) {
			*sent = true;
			kill(pid, sig);
			ptrace(PTRACE_DETACH, pid, NULL, 0L);
			continue;
		}
		ptrace(PTRACE_SYSCALL, pid, NULL,
		       stop == SIGTRAP || stop == SYSCALL_STOP ? 0L :
								 (long)stop);
	}
	return status;
}

/* What the pump says when it was stopped in time, and nothing more. */
static bool said_interrupted(void)
{
	char text[256] = "";

	return pread(messages, text, sizeof(text) - 1, 0) >= 0 &&
	       (!*text || !strcmp(text, "pkmap pump: interrupted\n"));
}

static bool check(int status, int sig)
{
	bool copied = WIFEXITED(status) && WEXITSTATUS(status) == 0;
	bool killed = WIFSIGNALED(status) && WTERMSIG(status) == sig;

	if (count_files() != 2 || !said_interrupted())
		return false;
	if (copied)
		return starts_with("out", "in\n", COPY_BYTES / 3 * 3);
	return killed && starts_with("out", OLD, (long)strlen(OLD));
}

static bool sweep(int sig, int step, int *killed)
{
	bool sent = true;

	for (int call = 0; sent && call < MAX_CALLS; call += step) {
		int status;

		write_file("out", OLD, 1);
		status = interrupt_at(call, sig, &sent);
		if (!check(status, sig)) {
			printf("# signal %d at stop %d: status %#x, %d files\n",
			       sig, call, (unsigned int)status, count_files());
			return false;
		}
		*killed += WIFSIGNALED(status);
	}
	return !sent;
}

int main(int argc, char **argv)
{
	static const struct {
		int sig;
		int step;
	} sweeps[] = { { SIGINT, 1 }, { SIGTERM, 7 }, { SIGHUP, 11 } };
	char dir[] = "/tmp/pkmap-interrupted-XXXXXX";
	int failures = 0;

	messages = memfd_create("messages", MFD_CLOEXEC);
	if (argc != 2 || messages < 0)
		return EXIT_FAILURE;
	tool = realpath(argv[1], NULL);
	if (!tool || !mkdtemp(dir) || chdir(dir))
		return EXIT_FAILURE;
	write_file("in", "in\n", COPY_BYTES / 3);
	printf("1..3\n");
	for (int i = 0; i < 3; i++) {
		int killed = 0;
		bool ok = sweep(sweeps[i].sig, sweeps[i].step, &killed) &&
			  killed > 0;

		printf("%sok %d - signal %d, %d times before the end\n",
		       ok ? "" : "not ", i + 1, sweeps[i].sig, killed);
		failures += !ok;
	}
	unlink("in");
	unlink("out");
	rmdir(dir);
	free(tool);
	return failures ? EXIT_FAILURE : EXIT_SUCCESS;
}
