// SPDX-License-Identifier: MIT
/*
 * Every system call and every allocation of the port fails once in each way
 * that is plausible, in the life of a window that uses all calls of the
 * library: the first one fails, then in another life the second, and so on,
 * until there is no n'th.  The linker's --wrap puts the functions below in
 * front of the calls.
 *
 * Whatever fails, the library's call returns an error that its header names,
 * and errno says why; or it succeeds all the same.  Pages that are held stay
 * mapped where they are; the same call succeeds when it is made again; and when
 * the window is closed, no file and no mapping is left.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "ports/posix/posix_priv.h"
#include "posix_test.h"

/* What can fail, and how. */
enum call {
	CALL_CLOSE,
	CALL_FCNTL,
	CALL_FDATASYNC,
	CALL_FOPEN,
	CALL_FSTAT,
	CALL_FTRUNCATE,
	CALL_FUTEX_WAIT,
	CALL_MALLOC,
	CALL_MEMFD_CREATE,
	CALL_MMAP,
	CALL_MPROTECT,
	CALL_MUNMAP,
	CALL_POSIX_MEMALIGN,
	NCALLS,
};

#define MAX_ERRNOS 4

static const struct {
	const char *name;
	int errnos[MAX_ERRNOS];
} calls[NCALLS] = {
	[CALL_CLOSE] = { "close", { EIO, EINTR } },
	[CALL_FCNTL] = { "fcntl", { EMFILE } },
	[CALL_FDATASYNC] = { "fdatasync", { EIO, ENOSPC, EINTR } },
	[CALL_FOPEN] = { "fopen", { ENOENT, EMFILE } },
	[CALL_FSTAT] = { "fstat", { EIO, ENOMEM, EOVERFLOW } },
	[CALL_FTRUNCATE] = { "ftruncate", { ENOSPC, EFBIG, EINTR } },
	[CALL_FUTEX_WAIT] = { "futex wait", { EINTR, EAGAIN } },
	[CALL_MALLOC] = { "malloc", { ENOMEM } },
	[CALL_MEMFD_CREATE] = { "memfd_create", { EMFILE, ENFILE, ENOMEM } },
	[CALL_MMAP] = { "mmap", { ENOMEM, EAGAIN, EACCES, ENODEV } },
	[CALL_MPROTECT] = { "mprotect", { ENOMEM } },
	[CALL_MUNMAP] = { "munmap", { ENOMEM } },
	[CALL_POSIX_MEMALIGN] = { "posix_memalign", { ENOMEM } },
};

/* Which call fails in this life, and whether it has. */
static struct {
	bool armed;	/* a call of the library is being made */
	unsigned int n; /* which one fails, from 1 on */
	unsigned int how;
	bool lasting; /* so do all like it, until the library returns */
	unsigned int seen;
	bool happened;
	bool happened_in_child;
	bool lasts;
	enum call call;
	int errno_is;
} fault;

static bool fails(enum call call)
{
	if (!fault.armed)
		return false;
	if (++fault.seen == fault.n && calls[call].errnos[fault.how]) {
		fault.happened = true;
		fault.call = call;
		fault.errno_is = calls[call].errnos[fault.how];
		/* Calls that are repeated at once fail only once. */
		fault.lasts = fault.lasting && fault.errno_is != EINTR &&
			      call != CALL_FUTEX_WAIT;
	} else if (!fault.lasts || call != fault.call) {
		return false;
	}
	errno = fault.errno_is;
	return true;
}

/* What another thread does just before this one sleeps. */
static void (*before_wait)(void);

int __real_close(int fd);
int __wrap_close(int fd);
int __real_fcntl64(int fd, int cmd, ...);
int __wrap_fcntl64(int fd, int cmd, ...);
int __real_fdatasync(int fd);
int __wrap_fdatasync(int fd);
FILE *__real_fopen64(const char *path, const char *mode);
FILE *__wrap_fopen64(const char *path, const char *mode);
int __real_fstat64(int fd, struct stat *st);
int __wrap_fstat64(int fd, struct stat *st);
int __real_ftruncate64(int fd, off_t bytes);
int __wrap_ftruncate64(int fd, off_t bytes);
void *__real_malloc(size_t bytes);
void *__wrap_malloc(size_t bytes);
int __real_memfd_create(const char *name, unsigned int flags);
int __wrap_memfd_create(const char *name, unsigned int flags);
void *__real_mmap64(void *addr, size_t len, int prot, int flags, int fd,
		    off_t off);
void *__wrap_mmap64(void *addr, size_t len, int prot, int flags, int fd,
		    off_t off);
int __real_mprotect(void *addr, size_t len, int prot);
int __wrap_mprotect(void *addr, size_t len, int prot);
int __real_munmap(void *addr, size_t len);
int __wrap_munmap(void *addr, size_t len);
int __real_posix_memalign(void **mem, size_t alignment, size_t bytes);
int __wrap_posix_memalign(void **mem, size_t alignment, size_t bytes);
long __real_syscall(long number, ...);
long __wrap_syscall(long number, ...);

/* Linux closes the file, whatever close() returns. */
int __wrap_close(int fd)
{
	int err = __real_close(fd);

	return fails(CALL_CLOSE) ? -1 : err;
}

int __wrap_fcntl64(int fd, int cmd, ...)
{
	va_list args;
	long arg;

	if (fails(CALL_FCNTL))
		return -1;
	va_start(args, cmd);
	arg = va_arg(args, long);
	va_end(args);
	return __real_fcntl64(fd, cmd, arg);
}

int __wrap_fdatasync(int fd)
{
	return fails(CALL_FDATASYNC) ? -1 : __real_fdatasync(fd);
}

/* What /proc says of the limit on mappings, if not NULL. */
static char *limit_says;

FILE *__wrap_fopen64(const char *path, const char *mode)
{
	if (limit_says && !strcmp(path, "/proc/sys/vm/max_map_count"))
		return fmemopen(limit_says, strlen(limit_says), "r");
	return fails(CALL_FOPEN) ? NULL : __real_fopen64(path, mode);
}

int __wrap_fstat64(int fd, struct stat *st)
{
	return fails(CALL_FSTAT) ? -1 : __real_fstat64(fd, st);
}

int __wrap_ftruncate64(int fd, off_t bytes)
{
	return fails(CALL_FTRUNCATE) ? -1 : __real_ftruncate64(fd, bytes);
}

void *__wrap_malloc(size_t bytes)
{
	return fails(CALL_MALLOC) ? NULL : __real_malloc(bytes);
}

int __wrap_memfd_create(const char *name, unsigned int flags)
{
	return fails(CALL_MEMFD_CREATE) ? -1 : __real_memfd_create(name, flags);
}

void *__wrap_mmap64(void *addr, size_t len, int prot, int flags, int fd,
		    off_t off)
{
	if (fails(CALL_MMAP))
		return MAP_FAILED;
	return __real_mmap64(addr, len, prot, flags, fd, off);
}

int __wrap_mprotect(void *addr, size_t len, int prot)
{
	return fails(CALL_MPROTECT) ? -1 : __real_mprotect(addr, len, prot);
}

int __wrap_munmap(void *addr, size_t len)
{
	return fails(CALL_MUNMAP) ? -1 : __real_munmap(addr, len);
}

/* Leaves errno alone. */
int __wrap_posix_memalign(void **mem, size_t alignment, size_t bytes)
{
	int saved = errno;

	if (!fails(CALL_POSIX_MEMALIGN))
		return __real_posix_memalign(mem, alignment, bytes);
	errno = saved;
	return fault.errno_is;
}

/* Only waits on a futex fail.  A wake of a word that exists cannot. */
long __wrap_syscall(long number, ...)
{
	void (*hook)(void) = before_wait;
	va_list args;
	long arg[6];
	int k;

	va_start(args, number);
	for (k = 0; k < 6; k++)
		arg[k] = va_arg(args, long);
	va_end(args);
	if (fault.armed && arg[1] == FUTEX_WAIT_BITSET_PRIVATE) {
		before_wait = NULL;
		if (hook)
			hook();
		if (fails(CALL_FUTEX_WAIT))
			return -1;
	}
	return __real_syscall(number, arg[0], arg[1], arg[2], arg[3], arg[4],
			      arg[5]);
}

#define NSLOTS 4
#define NPAGES 16

/* The window whose life it is. */
static struct {
	struct pkmap_posix_config config;
	struct pkmap_posix *port;
	struct pkmap_window *win;
	struct pkmap_dma *dma;
	char *held[NPAGES];   /* by page: where it is mapped, or NULL */
	unsigned int reports; /* must stay 0 */
} life;

static char number_of(pkmap_pfn pfn)
{
	return (char)('A' + pfn);
}

/* The library's calls.  One that fails must succeed when repeated. */

static int open_port(void)
{
	char number;
	pkmap_pfn pfn;
	int err;

	err = pkmap_posix_open(&life.config, &life.port);
	if (err)
		return err;
	life.win = pkmap_posix_window(life.port);
	life.dma = pkmap_posix_dma(life.port);
	for (pfn = 0; pfn < NPAGES; pfn++) {
		number = number_of(pfn);
		if (pwrite(pkmap_posix_fd(life.port), &number, 1,
			   (off_t)(pfn * system_page())) != 1)
			return PKMAP_EIO;
	}
	return 0;
}

static int hold(pkmap_pfn pfn, const struct pkmap_wait *wait)
{
	void *addr;
	int err = pkmap_map(life.win, pfn, wait, &addr);

	if (!err)
		life.held[pfn] = addr;
	return err;
}

static int let_go(pkmap_pfn pfn)
{
	char *addr = life.held[pfn];

	life.held[pfn] = NULL;
	return addr ? pkmap_unmap(life.win, addr) : 0;
}

static int hold_two(void)
{
	int err = life.held[0] ? 0 : hold(0, NULL);

	return err ? err : hold(1, NULL);
}

/* Maps each page once, with reclaims.  PKMAP_ERANGE: one shows another page. */
static int visit_all(void)
{
	pkmap_pfn pfn;
	void *addr;
	char seen;
	int err;

	for (pfn = 0; pfn < NPAGES; pfn++) {
		err = pkmap_map(life.win, pfn, NULL, &addr);
		if (err)
			return err;
		seen = *(char *)addr;
		err = pkmap_unmap(life.win, addr);
		if (err)
			return err;
		if (seen != number_of(pfn))
			return PKMAP_ERANGE;
	}
	return 0;
}

static int hold_two_more(void)
{
	static const pkmap_pfn pfns[] = { 2, 3 };
	void *addrs[2];
	int err = pkmap_map_pages(life.win, pfns, 2, NULL, addrs);

	if (err)
		return err;
	life.held[2] = addrs[0];
	life.held[3] = addrs[1];
	return 0;
}

/* All slots are in use, and the deadline has passed. */
static int wait_in_vain(void)
{
	const struct pkmap_wait wait = { .deadline = 0 };

	return hold(4, &wait);
}

static void let_go_of_three(void)
{
	fault.armed = false;
	let_go(3);
	fault.armed = true;
}

static int wait_until_woken(void)
{
	before_wait = let_go_of_three;
	return hold(4, NULL);
}

static int wait_here(void)
{
	const struct pkmap_wait wait = {
		.deadline = PKMAP_NO_DEADLINE,
		.flags = PKMAP_WAIT_INTERRUPTIBLE,
	};

	before_wait = let_go_of_three;
	return hold(4, &wait);
}

static int let_go_of_all(void)
{
	pkmap_pfn pfn;
	int err;

	for (pfn = 2; pfn < NPAGES; pfn++) {
		err = let_go(pfn);
		if (err)
			return err;
	}
	return 0;
}

/* Two nested local maps of pages that are not mapped. */
static int local_maps(void)
{
	void *outer;
	void *inner;
	int err = pkmap_local_map(life.win, 10, &outer);
	bool right;

	if (err)
		return err;
	err = pkmap_local_map(life.win, 11, &inner);
	if (err) {
		int saved = errno;

		pkmap_local_unmap(life.win, outer);
		errno = saved;
		return err;
	}
	right = *(char *)outer == number_of(10) &&
		*(char *)inner == number_of(11);
	err = pkmap_local_unmap(life.win, inner);
	if (!err)
		err = pkmap_local_unmap(life.win, outer);
	return right ? err : PKMAP_ERANGE;
}

static const struct pkmap_dma_device device = { .addr_mask = UINT64_MAX };

/* They begin within a line, so that unmapping them needs the pages too. */
static const struct pkmap_dma_buffer buffers[] = {
	{ .pfn = 0, .offset = 8, .len = 100 },
	{ .pfn = 12, .offset = 8, .len = 100 },
};

static int dma_map(void)
{
	struct pkmap_dma_segment segs[2];
	int n = pkmap_dma_map(life.dma, &device, buffers, 2,
			      PKMAP_DMA_FROM_DEVICE, segs, 2);

	return n < 0 ? n : n - 2;
}

static int dma_unmap(void)
{
	int err = pkmap_dma_unmap(life.dma, &device, buffers, 2,
				  PKMAP_DMA_FROM_DEVICE);

	if (!err && pkmap_dma_leaks(life.dma, NULL))
		return PKMAP_EBUSY;
	return err;
}

static int forget(void)
{
	int err = pkmap_forget(life.win, 5, 3, PKMAP_NOWAIT);

	return err ? err : pkmap_forget(life.win, 2, NPAGES - 2, PKMAP_NOWAIT);
}

static int flush(void)
{
	pkmap_flush_unused(life.win);
	return 0;
}

static int sync_file(void)
{
	return pkmap_posix_sync(life.port);
}

static int let_go_of_two(void)
{
	int err = let_go(0);

	return err ? err : let_go(1);
}

static int close_port(void)
{
	return pkmap_posix_close(life.port);
}

static int in_child(void);

struct step {
	const char *name;
	int (*call)(void);
	int result;	 /* without a fault */
	bool second_try; /* a map makes room and tries again: errno may change */
	int errors[3];	 /* what it may return on a fault, by its header */
};

#define MAP_ERRORS PKMAP_ENOMEM, PKMAP_EIO

static const struct step steps[] = {
	{ "open", open_port, 0, false, { PKMAP_ENOMEM, PKMAP_EIO } },
	{ "map", hold_two, 0, true, { MAP_ERRORS } },
	{ "map and unmap all", visit_all, 0, true, { MAP_ERRORS } },
	{ "map two at once", hold_two_more, 0, true, { MAP_ERRORS } },
	{ "wait in vain", wait_in_vain, PKMAP_ETIMEDOUT, false, { 0 } },
	{ "wait until woken", wait_until_woken, 0, true, { MAP_ERRORS } },
	{ "unmap", let_go_of_all, 0, false, { 0 } },
	{ "local maps", local_maps, 0, false, { MAP_ERRORS } },
	{ "give to a device", dma_map, 0, false, { MAP_ERRORS } },
	{ "fork", in_child, 0, false, { 0 } },
	{ "take back from it", dma_unmap, 0, false, { MAP_ERRORS } },
	{ "forget", forget, 0, false, { 0 } },
	{ "map all again", visit_all, 0, true, { MAP_ERRORS } },
	{ "flush", flush, 0, false, { 0 } },
	{ "sync", sync_file, 0, false, { PKMAP_EIO } },
	{ "unmap the rest", let_go_of_two, 0, false, { 0 } },
	{ "close", close_port, 0, false, { PKMAP_ENOMEM } },
	{ 0 },
};

/* What a child does with its copy of the parent's window. */
static const struct step child_steps[] = {
	{ "child: map all", visit_all, 0, true, { MAP_ERRORS } },
	{ "child: map two at once", hold_two_more, 0, true, { MAP_ERRORS } },
	{ "child: wait", wait_here, 0, true, { MAP_ERRORS, PKMAP_EINTR } },
	{ "child: local maps", local_maps, 0, false, { MAP_ERRORS } },
	{ "child: unmap", let_go_of_all, 0, false, { 0 } },
	{ "child: unmap the rest", let_go_of_two, 0, false, { 0 } },
	{ "child: close", close_port, 0, false, { PKMAP_ENOMEM } },
	{ 0 },
};

/* Prints what went wrong, and when.  Returns false. */
static bool wrong(const struct step *step, const char *what)
{
	const char *file = life.config.fd < 0 ? "a memfd" : "a file";

	print_error("%s: %s", step->name, what);
	if (fault.happened)
		print_error("; call %u, %s, fails with %s%s", fault.n,
			    calls[fault.call].name,
			    strerrorname_np(fault.errno_is),
			    fault.lasting ? ", and all alike" : "");
	print_error("; window on %s, %s\n", file,
		    life.config.strict ? "strict" : "lazy");
	return false;
}

static bool held_is_right(const struct step *step)
{
	pkmap_pfn pfn;

	for (pfn = 0; pfn < NPAGES; pfn++) {
		if (!life.held[pfn])
			continue;
		if (*life.held[pfn] != number_of(pfn))
			return wrong(step, "a page shows something else");
		if (pkmap_pin(life.win, pfn) != life.held[pfn])
			return wrong(step, "a page is mapped elsewhere");
		if (pkmap_unmap(life.win, life.held[pfn]))
			return wrong(step, "a page is not held");
	}
	if (pkmap_posix_local_cpu(life.port) >= 0)
		return wrong(step, "the thread is still a CPU");
	return true;
}

static bool error_is_right(const struct step *step, int err)
{
	const int why = errno;
	size_t k;

	if (!fault.happened || err >= 0)
		return wrong(step, "a wrong result, without a fault");
	for (k = 0; step->errors[k] != err; k++) {
		if (k == 2)
			return wrong(step, "not an error of this call");
	}
	if (err == PKMAP_EINTR)
		return true;
	if (why != fault.errno_is)
		return wrong(step, "errno does not say why");
	if ((err == PKMAP_ENOMEM) != (why == ENOMEM || why == EAGAIN))
		return wrong(step, "an error that does not fit errno");
	return true;
}

static int make_call(const struct step *step)
{
	int result;

	fault.armed = true;
	errno = 4711;
	result = step->call();
	fault.armed = false;
	fault.lasts = false;
	return result;
}

static bool changes_errno(const struct step *step)
{
	return step->call == open_port || step->call == close_port ||
	       step->call == in_child ||
	       (step->second_try && errno == fault.errno_is);
}

static bool take_step(const struct step *step)
{
	bool before = fault.happened;
	int result = make_call(step);

	if (result != step->result) {
		if (before)
			return wrong(step, "an error without a new fault");
		if (!error_is_right(step, result))
			return false;
		if (step->call != open_port && !held_is_right(step))
			return false;
		result = make_call(step);
	}
	if (result != step->result)
		return wrong(step, "it does not succeed the second time");
	if (errno != 4711 && !changes_errno(step))
		return wrong(step, "it succeeds, and changes errno");
	return step->call == close_port || held_is_right(step);
}

static bool take_steps(const struct step *step)
{
	while (step->name) {
		if (!take_step(step++))
			return false;
	}
	return true;
}

/* The child goes on counting where the parent was. */
static int in_child(void)
{
	int status;
	pid_t pid = fork();

	if (!pid) {
		alarm(60);
		fault.happened_in_child = !fault.happened;
		if (!take_steps(child_steps) || life.reports)
			_exit(1);
		_exit(fault.happened && fault.happened_in_child ? 2 : 0);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid || !WIFEXITED(status) ||
	    WEXITSTATUS(status) == 1)
		return PKMAP_EINVAL;
	fault.happened_in_child = WEXITSTATUS(status) == 2;
	return 0;
}

static void count_report(void *arg, const struct pkmap_report *report)
{
	(void)arg;
	(void)report;
	life.reports++;
}

static void count_dma_report(void *arg, const struct pkmap_dma_report *report)
{
	(void)arg;
	(void)report;
	life.reports++;
}

static unsigned int lines_of(const char *path)
{
	FILE *f = fopen(path, "re");
	unsigned int n = 0;
	int c;

	assert_non_null(f);
	while ((c = getc(f)) != EOF)
		n += c == '\n';
	fclose(f);
	return n;
}

/* A sanitizer has mappings of its own. */
static unsigned int mappings(void)
{
#ifdef SANITIZED
	return 0;
#endif
	return lines_of("/proc/self/maps");
}

/* The next descriptor that would be given out. */
static int next_file(void)
{
	int fd = dup(STDOUT_FILENO);

	assert_true(fd >= 0);
	close(fd);
	return fd;
}

/* Returns whether there was an @n'th call, with a @how'th way to fail. */
static bool live(unsigned int n, unsigned int how, bool lasting)
{
	struct pkmap_posix_config config = life.config;
	unsigned int mapped = mappings();
	int file = next_file();

	memset(&life, 0, sizeof(life));
	life.config = config;
	memset(&fault, 0, sizeof(fault));
	fault.n = n;
	fault.how = how;
	fault.lasting = lasting;
	before_wait = NULL;

	if (!take_steps(steps))
		fail();
	if (life.reports) {
		wrong(&steps[0], "something was reported");
		fail();
	}
	if (next_file() != file) {
		wrong(&steps[0], "a file is left");
		fail();
	}
	if (mappings() != mapped) {
		wrong(&steps[0], "a mapping is left, or one is gone");
		fail();
	}
	return fault.happened || fault.happened_in_child;
}

static void fail_everywhere(bool lasting)
{
	unsigned int happened = 1;
	unsigned int n;

	/* What the C library allocates at first stays allocated. */
	live(0, 0, false);
	for (n = 1; happened; n++) {
		happened = 0;
		while (happened < MAX_ERRNOS && live(n, happened, lasting))
			happened++;
	}
	print_message("%u calls\n", n - 2);
	assert_true(n > 40);
}

static void test_faults(void **state)
{
	/* 1: strict; 2: on a file instead of a memfd; 4: the file is lent. */
	const int kind = *(int *)*state;
	int fd = kind & 2 ? temp_file(NPAGES * system_page()) : -1;

	life.config = (struct pkmap_posix_config){
		.fd = fd,
		.lend_fd = kind & 4,
		.npages = NPAGES,
		.nslots = NSLOTS,
#ifdef PKMAP_DMA_TRACKER
		.tracker_entries = 4,
#endif
		.strict = kind & 1,
		.report = count_report,
		.dma_report = count_dma_report,
	};
	fail_everywhere(false);
	if (life.config.strict)
		fail_everywhere(true);
	if (fd >= 0)
		close(fd);
}

/* The limit is not a number, or is larger than any window can use. */
static void test_limits(void **state)
{
	struct pkmap_posix_config config = { .fd = -1, .npages = 16 };
	uint32_t by_default;

	(void)state;
	limit_says = "65530"; /* the kernel's default */
	/* What the C library allocates at first stays allocated. */
	pkmap_posix_max_slots(&config);
	by_default = pkmap_posix_max_slots(&config);
	assert_in_range(by_default, 40000, 65530 - 65530 / 4);
	limit_says = "unlimited";
	assert_int_equal(pkmap_posix_max_slots(&config), by_default);
	limit_says = "9999999999";
	assert_int_equal(pkmap_posix_max_slots(&config), (1 << 30) - 1);
	limit_says = NULL;
}

int main(void)
{
	/* See test_faults(). */
	static int kinds[] = { 3, 0, 6 };
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_limits),
		{ "file_strict", test_faults, NULL, NULL, &kinds[0] },
#ifndef SANITIZED /* it would take long */
		{ "memfd_lazy", test_faults, NULL, NULL, &kinds[1] },
		{ "lent_lazy", test_faults, NULL, NULL, &kinds[2] },
#endif
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
