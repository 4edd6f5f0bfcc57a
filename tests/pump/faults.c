// SPDX-License-Identifier: MIT
/*
 * Preloaded into "pkmap pump": makes system calls fail that rarely do.
 *
 *	FAULT_<call>=<errno>		the call fails
 *	FAULT_<call>=<errno>@<n>	it fails after the first n calls
 *	FAULT_<call>=stop@<n>		the process is stopped (SIGSTOP) after
 *					the first n calls
 *	FAULT_pwrite=wrong		writes a wrong byte
 *	FAULT_pread=wrong		reads a wrong byte, if 4096 bytes are
 *					read, as in an interrupt's check
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static int fault(const char *variable, unsigned int *calls)
{
	const char *value = getenv(variable);
	unsigned long skip = 0;
	unsigned long call = 0;
	const char *at;

	if (!value)
		return 0;
	at = strchr(value, '@');
	if (at) {
		skip = strtoul(at + 1, NULL, 10);
		call = __atomic_fetch_add(calls, 1, __ATOMIC_RELAXED);
	}
	if (call == skip && !strncmp(value, "stop", 4))
		raise(SIGSTOP);
	return call < skip ? 0 : atoi(value);
}

/* Leaves the function with -1 if the environment says so. */
#define FAULT(call) \
	do { \
		static unsigned int calls; \
		int err = fault("FAULT_" #call, &calls); \
\
		if (err) { \
			errno = err; \
			return -1; \
		} \
	} while (0)

static bool is_wrong(const char *variable)
{
	const char *value = getenv(variable);

	return value && !strcmp(value, "wrong");
}

ssize_t copy_file_range(int in, off_t *in_offset, int out, off_t *out_offset,
			size_t len, unsigned int flags)
{
	FAULT(copy_file_range);
	return syscall(SYS_copy_file_range, in, in_offset, out, out_offset, len,
		       flags);
}

ssize_t sendfile(int out, int in, off_t *offset, size_t len)
{
	FAULT(sendfile);
	return syscall(SYS_sendfile, out, in, offset, len);
}

/* Only for holes. */
off_t lseek(int fd, off_t offset, int whence)
{
	if (whence == SEEK_DATA || whence == SEEK_HOLE)
		FAULT(lseek);
	return syscall(SYS_lseek, fd, offset, whence);
}

ssize_t pread(int fd, void *buffer, size_t len, off_t offset)
{
	ssize_t n;

	FAULT(pread);
	n = syscall(SYS_pread64, fd, buffer, len, offset);
	if (n == 4096 && is_wrong("FAULT_pread"))
		((char *)buffer)[n - 1]++;
	return n;
}

ssize_t pwrite(int fd, const void *buffer, size_t len, off_t offset)
{
	char copy[65536];

	FAULT(pwrite);
	if (!is_wrong("FAULT_pwrite") || len > sizeof(copy))
		return syscall(SYS_pwrite64, fd, buffer, len, offset);
	memcpy(copy, buffer, len);
	copy[len - 1]++;
	return syscall(SYS_pwrite64, fd, copy, len, offset);
}

int fsync(int fd)
{
	FAULT(fsync);
	return (int)syscall(SYS_fsync, fd);
}

int fchmod(int fd, mode_t mode)
{
	FAULT(fchmod);
	return (int)syscall(SYS_fchmod, fd, mode);
}

int linkat(int from_dir, const char *from, int to_dir, const char *to,
	   int flags)
{
	FAULT(linkat);
	return (int)syscall(SYS_linkat, from_dir, from, to_dir, to, flags);
}

int renameat(int from_dir, const char *from, int to_dir, const char *to)
{
	FAULT(renameat);
	return (int)syscall(SYS_renameat2, from_dir, from, to_dir, to, 0);
}

int openat(int dir, const char *path, int flags, ...)
{
	mode_t mode = 0;
	va_list args;

	if ((flags & O_TMPFILE) == O_TMPFILE)
		FAULT(tmpfile);
	if (flags & (O_CREAT | __O_TMPFILE)) {
		va_start(args, flags);
		mode = va_arg(args, mode_t);
		va_end(args);
	}
	return (int)syscall(SYS_openat, dir, path, flags, mode);
}

/* glibc's own functions, which do not call those below. */
void *__libc_malloc(size_t bytes);
void *__libc_calloc(size_t n, size_t bytes);
void *__libc_realloc(void *old, size_t bytes);

static bool started; /* the pump has begun: it blocks signals */

/* One count for all of these, after all libraries are initialised. */
static bool no_memory(void)
{
	static unsigned int calls;
	int err = started ? fault("FAULT_malloc", &calls) : 0;

	if (err)
		errno = err;
	return err;
}

int sigprocmask(int how, const sigset_t *set, sigset_t *old)
{
	started = true;
	return pthread_sigmask(how, set, old);
}

void *malloc(size_t bytes)
{
	return no_memory() ? NULL : __libc_malloc(bytes);
}

void *calloc(size_t n, size_t bytes)
{
	return no_memory() ? NULL : __libc_calloc(n, bytes);
}

void *realloc(void *old, size_t bytes)
{
	return no_memory() ? NULL : __libc_realloc(old, bytes);
}

/* Calls that return an error number, or of which glibc does a part. */
int pthread_create(pthread_t *thread, const pthread_attr_t *attr,
		   void *(*start)(void *), void *arg)
{
	static unsigned int calls;
	int err = fault("FAULT_pthread_create", &calls);
	int (*create)(pthread_t *, const pthread_attr_t *, void *(*)(void *),
		      void *);

	if (err)
		return err;
	*(void **)&create = dlsym(RTLD_NEXT, "pthread_create");
	return create(thread, attr, start, arg);
}

int timer_create(clockid_t clock, struct sigevent *event, timer_t *timer)
{
	int (*create)(clockid_t, struct sigevent *, timer_t *);

	FAULT(timer_create);
	*(void **)&create = dlsym(RTLD_NEXT, "timer_create");
	return create(clock, event, timer);
}
