// SPDX-License-Identifier: MIT
/*
 * Sends signals at the system calls of the main thread of "pkmap pump", from
 * its first one about signals on (two thirds of all calls are the linker's,
 * before that).  After Ctrl-C and similar signals, either OUT is unchanged and
 * the pump was killed by the signal, or OUT is a complete copy and the exit
 * status is 0.  Nothing else is left behind, and no frame is left with a
 * device.
 *
 * Signals that kill the pump at once are sent at the calls about files.  They
 * leave OUT unchanged or complete.  SIGKILL may also leave, at one place where
 * OUT is replaced, a complete copy with a temporary name.
 *
 * Usage: pump-interrupted PKMAP FAULTS, the command and faults.c's module.
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
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* More calls than the pump makes. */
#define MAX_CALLS    10000

/* The stop signal at a system call, with PTRACE_O_TRACESYSGOOD. */
#define SYSCALL_STOP (SIGTRAP | 0x80)

#define OLD	     "what was there before\n"
#define COPY_BYTES   200000

#define TEMPORARY    ".pkmap-"

struct sweep {
	const char *what;
	int sig;
	int step;
	bool replaces;	/* OUT exists */
	bool temporary; /* as on a file system without O_TMPFILE */
	bool kills;	/* at once; sent only at calls about files */
};

static char *tool;
static int messages; /* the pump's standard error */
static int names;    /* copies that SIGKILL left under a temporary name */
static int failures;
static sigset_t ends;

static void write_file(const char *path, const char *text, size_t times)
{
	FILE *file = fopen(path, "w");
	size_t i;

	for (i = 0; file && i < times; i++)
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

static bool is_copy(const char *path)
{
	return starts_with(path, "in\n", COPY_BYTES / 3 * 3);
}

/* Whether there are only IN, OUT and maybe a copy.  Removes other files. */
static bool is_clean(bool may_be_left)
{
	DIR *dir = opendir(".");
	bool clean = dir;
	struct dirent *file;

	while (dir && (file = readdir(dir))) {
		const char *name = file->d_name;

		if (strspn(name, ".") == strlen(name) || !strcmp(name, "in") ||
		    !strcmp(name, "out"))
			continue;
		clean = clean && may_be_left && is_copy(name) &&
			!strncmp(name, TEMPORARY, strlen(TEMPORARY));
		names++;
		unlink(name);
	}
	closedir(dir);
	return clean;
}

/* With the signals' default actions: nohup ignores one of them. */
static void run_pump(bool temporary)
{
	int null = open("/dev/null", O_WRONLY);

	signal(SIGINT, SIG_DFL);
	signal(SIGTERM, SIG_DFL);
	signal(SIGHUP, SIG_DFL);
	signal(SIGUSR1, SIG_DFL);
	sigprocmask(SIG_UNBLOCK, &ends, NULL);
	dup2(null, STDOUT_FILENO);
	dup2(messages, STDERR_FILENO);
	if (temporary) {
		setenv("LD_PRELOAD", "../faults.so", 1);
		setenv("FAULT_tmpfile", "95", 1);
	}
	if (ptrace(PTRACE_TRACEME, 0, NULL, NULL))
		_exit(99);
	execl(tool, "pkmap", "pump", "in", "out", "--slots", "2", "--frames",
	      "8", "--threads", "3", (char *)NULL);
	_exit(99);
}

/* The call that a thread enters or leaves; -1: the kernel cannot tell. */
static long which_call(pid_t pid, long entered)
{
	struct __ptrace_syscall_info info;

	if (ptrace(PTRACE_GET_SYSCALL_INFO, pid, sizeof(info), &info) <= 0)
		return -1;
	return info.op == PTRACE_SYSCALL_INFO_ENTRY ? (long)info.entry.nr :
						      entered;
}

static bool is_about_files(long call)
{
	static const long calls[] = { SYS_openat,   SYS_fchmod,
				      SYS_fsync,    SYS_ftruncate,
				      SYS_linkat,   SYS_renameat,
				      SYS_unlinkat, SYS_exit_group };
	size_t i;

	for (i = 0; i < sizeof(calls) / sizeof(calls[0]); i++)
		if (call == calls[i])
			return true;
	return call < 0;
}

/*
 * Sends the signal when the main thread enters or leaves a system call of
 * interest for the @stop-th time, from the first one about signals on.  Returns
 * the pump's exit status; *@sent says whether the signal was sent.
 */
static int interrupt_at(const struct sweep *sweep, int stop, bool *sent)
{
	bool began = false;
	long call = 0;
	pid_t pid;
	int status;

	*sent = false;
	fflush(stdout);
	if (ftruncate(messages, 0) || lseek(messages, 0, SEEK_SET))
		return -1;
	pid = fork();
	if (!pid)
		run_pump(sweep->temporary);
	while (waitpid(pid, &status, 0) == pid && WIFSTOPPED(status)) {
		int sig = WSTOPSIG(status);

		if (sig == SIGTRAP) /* of execl() */
			ptrace(PTRACE_SETOPTIONS, pid, NULL,
			       (long)(PTRACE_O_TRACESYSGOOD |
				      PTRACE_O_EXITKILL));
		call = which_call(pid, call);
		began = began || call < 0 || call == SYS_rt_sigaction;
		if (began && (!sweep->kills || is_about_files(call)) &&
		    stop-- == 0) {
			*sent = true;
			kill(pid, sweep->sig);
			ptrace(PTRACE_DETACH, pid, NULL, 0L);
			continue;
		}
		ptrace(PTRACE_SYSCALL, pid, NULL,
		       sig == SIGTRAP || sig == SYSCALL_STOP ? 0L : (long)sig);
	}
	return status;
}

/* The pump prints nothing, or only that it was interrupted. */
static bool said_interrupted(void)
{
	char text[256] = "";

	return pread(messages, text, sizeof(text) - 1, 0) >= 0 &&
	       (!*text || !strcmp(text, "pkmap pump: interrupted\n"));
}

static bool is_as_it_was(const struct sweep *sweep)
{
	if (sweep->replaces)
		return starts_with("out", OLD, (long)strlen(OLD));
	return access("out", F_OK);
}

static bool check(const struct sweep *sweep, int status)
{
	bool copied = WIFEXITED(status) && WEXITSTATUS(status) == 0;
	bool killed = WIFSIGNALED(status) && WTERMSIG(status) == sweep->sig;

	if (!is_clean(sweep->sig == SIGKILL && sweep->replaces) ||
	    !said_interrupted())
		return false;
	if (copied)
		return is_copy("out");
	return killed &&
	       (is_as_it_was(sweep) || (sweep->kills && is_copy("out")));
}

/* The test itself got a signal. */
static bool must_end(void)
{
	sigset_t pending;

	sigpending(&pending);
	return sigismember(&pending, SIGINT) ||
	       sigismember(&pending, SIGTERM) || sigismember(&pending, SIGHUP);
}

/* Stops from linkat() to renameat(): the copy has a temporary name. */
#define NAMES_MAX 2

static bool run(const struct sweep *sweep, int *killed)
{
	bool sent = true;
	int stop;

	names = 0;
	for (stop = 0; sent && stop < MAX_CALLS && !must_end();
	     stop += sweep->step) {
		int status;

		unlink("out");
		if (sweep->replaces)
			write_file("out", OLD, 1);
		status = interrupt_at(sweep, stop, &sent);
		if (!must_end() && !check(sweep, status)) {
			printf("# %s at stop %d: status %#x\n", sweep->what,
			       stop, (unsigned int)status);
			return false;
		}
		*killed += WIFSIGNALED(status);
	}
	return !sent && names <= NAMES_MAX;
}

static void sweep_all(void)
{
	static const struct sweep sweeps[] = {
		/* At the entry of each call: the pump blocks the signal. */
		{ "SIGINT", SIGINT, 2, .replaces = true },
		{ "SIGTERM, with a temporary name", SIGTERM, 7,
		  .replaces = true, .temporary = true },
		{ "SIGHUP, with no OUT", SIGHUP, 11, .kills = false },
		{ "SIGUSR1", SIGUSR1, 1, .replaces = true, .kills = true },
		{ "SIGKILL", SIGKILL, 1, .replaces = true, .kills = true },
		{ "SIGKILL, with no OUT", SIGKILL, 1, .kills = true },
	};
	const int n = sizeof(sweeps) / sizeof(sweeps[0]);
	int nameless = open(".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	int i;

	printf("1..%d\n", n);
	for (i = 0; i < n && !must_end(); i++) {
		int killed = 0;
		bool ok;

		if (sweeps[i].kills && nameless < 0) {
			printf("ok %d - %s # SKIP no O_TMPFILE here\n", i + 1,
			       sweeps[i].what);
			continue;
		}
		ok = run(&sweeps[i], &killed) && killed > 0;
		printf("%sok %d - %s, %d times before the end\n",
		       ok ? "" : "not ", i + 1, sweeps[i].what, killed);
		failures += !ok;
	}
	close(nameless);
}

/* Makes a working directory of its own. */
static int begin(const char *faults, char **top)
{
	const char *tmp = getenv("TMPDIR");

	if (asprintf(top, "%s/pkmap-interrupted-XXXXXX",
		     tmp && *tmp ? tmp : "/tmp") < 0)
		return -1;
	if (!mkdtemp(*top) || chdir(*top) || symlink(faults, "faults.so") ||
	    mkdir("work", 0700) || chdir("work"))
		return -1;
	write_file("in", "in\n", COPY_BYTES / 3);
	return 0;
}

static void end(const char *top)
{
	is_clean(false);
	unlink("in");
	unlink("out");
	unlink("../faults.so");
	if (!chdir(top)) {
		rmdir("work");
		rmdir(top);
	}
}

int main(int argc, char **argv)
{
	char *faults;
	char *top;

	messages = memfd_create("messages", MFD_CLOEXEC);
	if (argc != 3 || messages < 0)
		return EXIT_FAILURE;
	tool = realpath(argv[1], NULL);
	faults = realpath(argv[2], NULL);
	sigemptyset(&ends);
	sigaddset(&ends, SIGINT);
	sigaddset(&ends, SIGTERM);
	sigaddset(&ends, SIGHUP);
	sigprocmask(SIG_BLOCK, &ends, NULL);
	if (!tool || !faults || begin(faults, &top))
		return EXIT_FAILURE;
	sweep_all();
	end(top);
	free(top);
	free(faults);
	free(tool);
	fflush(stdout);
	sigprocmask(SIG_UNBLOCK, &ends, NULL);
	return failures ? EXIT_FAILURE : EXIT_SUCCESS;
}
