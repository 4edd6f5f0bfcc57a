// SPDX-License-Identifier: GPL-2.0-only
/*
 * init.c - the first process in the guests of check-linux.
 *
 * It runs the steps that pkmap.run=STEP,STEP:ARGUMENT,... on the kernel's
 * command line names, prints how each of them ended, and ends the machine.  The
 * steps:
 *
 *	stress:SECONDS deadlock:SECONDS throughput:SECONDS bench
 *		runs the test of that name (../tests/kmap_test.c)
 *	disk[:MIB]
 *		writes two files, each larger than low memory, and reads them
 *	stats	prints the counters of pkmap, if there are any
 *	kunit	does nothing: KUnit ran while the kernel booted
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

#define DEBUGFS	     "/sys/kernel/debug"
#define MIB	     (1u << 20)
#define BLOCK	     (256u << 10) /* bytes that are read or written at once */
#define BLOCK_WORDS  (BLOCK / sizeof(uint32_t))
#define PROGRESS     (64 * MIB / BLOCK)
#define MAPPED_BYTES (16u * MIB) /* of a file, compared through mmap() */
#define DISK_SECONDS 30		 /* for a disk to appear */
#define MOUNT_POINT  "/mnt"

/* Why the step failed: the first reason is the one that matters. */
static char why[160];

/* Aligned for O_DIRECT. */
static _Alignas(4096) uint32_t block[BLOCK_WORDS];

static void say(const char *format, ...) __attribute__((format(printf, 1, 2)));
static bool fail(const char *format, ...) __attribute__((format(printf, 1, 2)));

static void say(const char *format, ...)
{
	va_list args;

	printf("init: ");
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	printf("\n");
}

static bool fail(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	if (!why[0])
		vsnprintf(why, sizeof(why), format, args);
	va_end(args);
	return false;
}

static bool fail_errno(const char *what)
{
	return fail("%s: %s", what, strerror(errno));
}

static void mount_all(void)
{
	static const char *const mounts[][2] = {
		{ "devtmpfs", "/dev" },
		{ "proc", "/proc" },
		{ "sysfs", "/sys" },
		{ "debugfs", DEBUGFS },
	};
	unsigned int i;

	for (i = 0; i < sizeof(mounts) / sizeof(mounts[0]); i++) {
		mkdir(mounts[i][1], 0755);
		mount(mounts[i][0], mounts[i][1], mounts[i][0], 0, NULL);
	}
}

/* Without a console, uses the kernel's log, which an early console shows. */
static void open_console(void)
{
	int fd = open("/dev/console", O_RDWR);
	int i;

	if (fd < 0)
		fd = open("/dev/kmsg", O_RDWR);
	if (fd < 0)
		return;
	for (i = 0; i <= STDERR_FILENO; i++)
		dup2(fd, i);
	if (fd > STDERR_FILENO)
		close(fd);
	/* Each line has to be one write for the log. */
	setvbuf(stdout, NULL, _IOLBF, BUFSIZ);
}

/* The write returns when the test has ended. */
static bool run_kernel_test(const char *name, const char *seconds)
{
	const size_t length = strlen(seconds);
	char path[64];
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), DEBUGFS "/kmap_test/%s", name);
	fd = open(path, O_WRONLY);
	if (fd < 0)
		return fail_errno(path);
	n = write(fd, seconds, length);
	if (n < 0)
		fail("%s", strerror(errno));
	else if ((size_t)n != length)
		fail("short write");
	close(fd);
	return !why[0];
}

static bool show_stats(void)
{
	FILE *stats = fopen(DEBUGFS "/pkmap/stats", "r");
	char line[128];

	if (!stats) {
		say("stats none");
		return true;
	}
	while (fgets(line, sizeof(line), stats)) {
		line[strcspn(line, "\n")] = '\0';
		say("stats %s", line);
	}
	fclose(stats);
	return true;
}

/* The size of low memory and a tenth more, in MiB; 0 if it is unknown. */
static unsigned int more_than_low_memory(void)
{
	FILE *meminfo = fopen("/proc/meminfo", "r");
	unsigned int kib = 0;
	char line[128];

	while (meminfo && fgets(line, sizeof(line), meminfo)) {
		if (sscanf(line, "LowTotal: %u", &kib) == 1)
			break;
	}
	if (meminfo)
		fclose(meminfo);
	return (kib + kib / 10 + 1023) / 1024;
}

struct file {
	const char *path;
	uint32_t seed;
	unsigned int blocks;
	uint64_t sum; /* of what was written */
};

/*
 * One step of xorshift makes four words, because an emulated CPU spends most of
 * its time here.
 */
static uint32_t fill(uint32_t x)
{
	size_t i;

	for (i = 0; i < BLOCK_WORDS; i += 4) {
		x ^= x << 13;
		x ^= x >> 17;
		x ^= x << 5;
		block[i] = x;
		block[i + 1] = ~x;
		block[i + 2] = x + 0x9e3779b9u;
		block[i + 3] = x ^ 0x85ebca6bu;
	}
	return x;
}

/* Fletcher's checksum, which detects wrong words and words that moved. */
static uint64_t add_block(uint64_t sum)
{
	uint32_t low = (uint32_t)sum;
	uint32_t high = (uint32_t)(sum >> 32);
	size_t i;

	for (i = 0; i < BLOCK_WORDS; i++) {
		low += block[i];
		high += low;
	}
	return (uint64_t)high << 32 | low;
}

static void show_progress(const char *done, unsigned int blocks)
{
	if (blocks % PROGRESS == 0)
		say("disk %s %u MiB", done, blocks / (MIB / BLOCK));
}

static bool write_blocks(int fd, struct file *file)
{
	uint32_t x = file->seed;
	unsigned int i;
	ssize_t n;

	for (i = 0; i < file->blocks; i++) {
		x = fill(x);
		file->sum = add_block(file->sum);
		n = write(fd, block, BLOCK);
		if (n < 0)
			return fail_errno(file->path);
		if (n != BLOCK)
			return fail("%s: short write", file->path);
		show_progress("written", i + 1);
	}
	return !fsync(fd) || fail_errno(file->path);
}

static bool write_file(struct file *file, int flags)
{
	int fd = open(file->path, O_WRONLY | O_CREAT | O_TRUNC | flags, 0600);
	bool good;

	if (fd < 0)
		return fail_errno(file->path);
	good = write_blocks(fd, file);
	close(fd);
	return good;
}

static bool read_blocks(int fd, const struct file *file)
{
	uint64_t sum = 0;
	unsigned int i;
	ssize_t n;

	for (i = 0; i < file->blocks; i++) {
		n = read(fd, block, BLOCK);
		if (n < 0)
			return fail_errno(file->path);
		if (n != BLOCK)
			return fail("%s: short read", file->path);
		sum = add_block(sum);
		show_progress("read", i + 1);
	}
	return sum == file->sum ||
	       fail("%s: read %016llx, written %016llx", file->path,
		    (unsigned long long)sum, (unsigned long long)file->sum);
}

static bool read_file(const struct file *file, int flags)
{
	int fd = open(file->path, O_RDONLY | flags);
	bool good;

	if (fd < 0)
		return fail_errno(file->path);
	good = read_blocks(fd, file);
	close(fd);
	return good;
}

/* Compares the first bytes of a file through a mapping. */
static bool read_mapped(const struct file *file)
{
	const size_t blocks = file->blocks * (size_t)BLOCK;
	const size_t bytes = blocks < MAPPED_BYTES ? blocks : MAPPED_BYTES;
	int fd = open(file->path, O_RDONLY);
	uint32_t x = file->seed;
	size_t offset;
	char *at;

	at = mmap(NULL, bytes, PROT_READ, MAP_SHARED, fd, 0);
	if (at == MAP_FAILED)
		fail_errno(file->path);
	close(fd);
	if (at == MAP_FAILED)
		return false;
	for (offset = 0; offset < bytes; offset += BLOCK) {
		x = fill(x);
		if (memcmp(at + offset, block, BLOCK)) {
			fail("%s: wrong in its mapping, in the block at %zu",
			     file->path, offset);
			break;
		}
	}
	munmap(at, bytes);
	return offset >= bytes;
}

static const char *find_disk(void)
{
	static const char *const disks[] = { "/dev/nvme0n1", "/dev/sda" };
	unsigned int i;

	for (i = 0; i < DISK_SECONDS * 10; i++) {
		if (!access(disks[0], F_OK))
			return disks[0];
		if (!access(disks[1], F_OK))
			return disks[1];
		poll(NULL, 0, 100);
	}
	return NULL;
}

static bool mount_disk(const char *disk)
{
	mkdir(MOUNT_POINT, 0755);
	return !mount(disk, MOUNT_POINT, "ext2", 0, NULL) || fail_errno(disk);
}

static bool unmount_disk(void)
{
	return !umount(MOUNT_POINT) || fail_errno("unmounting");
}

/* Afterwards reads come from the disk. */
static bool forget_cache(const char *disk)
{
	static const char path[] = "/proc/sys/vm/drop_caches";
	int fd = open(path, O_WRONLY);

	if (fd < 0 || write(fd, "3", 1) != 1)
		fail_errno(path);
	close(fd);
	return !why[0] && unmount_disk() && mount_disk(disk);
}

/* For each file either the write or the read goes through the page cache. */
static bool use_disk(const char *disk, unsigned int mib)
{
	const unsigned int blocks = mib * (MIB / BLOCK);
	struct file cached = { MOUNT_POINT "/cached", 0x2545f491, blocks, 0 };
	struct file direct = { MOUNT_POINT "/direct", 0x6c078965, blocks, 0 };

	if (!write_file(&cached, 0) || !write_file(&direct, O_DIRECT) ||
	    !forget_cache(disk) || !read_file(&cached, O_DIRECT) ||
	    !read_file(&direct, 0) || !read_mapped(&direct) ||
	    !read_mapped(&cached))
		return false;
	say("disk size=%u cached=%016llx direct=%016llx", mib,
	    (unsigned long long)cached.sum, (unsigned long long)direct.sum);
	return (!unlink(cached.path) && !unlink(direct.path)) ||
	       fail_errno("unlink");
}

static bool run_disk(const char *arg)
{
	const unsigned int mib = arg ? (unsigned int)strtoul(arg, NULL, 10) :
				       more_than_low_memory();
	const char *disk = find_disk();

	if (!mib)
		return fail("the size of low memory is unknown");
	if (!disk)
		return fail("no disk in %u s", DISK_SECONDS);
	if (!mount_disk(disk))
		return false;
	use_disk(disk, mib);
	unmount_disk();
	return !why[0];
}

static bool run_step(const char *name, const char *arg)
{
	static const char *const kernel_tests[] = { "stress", "deadlock",
						    "throughput", "bench" };
	unsigned int i;

	if (!strcmp(name, "kunit"))
		return true;
	if (!strcmp(name, "disk"))
		return run_disk(arg);
	if (!strcmp(name, "stats"))
		return show_stats();
	for (i = 0; i < sizeof(kernel_tests) / sizeof(kernel_tests[0]); i++) {
		if (!strcmp(name, kernel_tests[i]))
			return run_kernel_test(name, arg ? arg : "1");
	}
	return fail("unknown");
}

static void run_all(char *steps)
{
	char *step;
	char *arg;

	while ((step = strsep(&steps, ","))) {
		arg = strchr(step, ':');
		if (arg)
			*arg++ = '\0';
		say("%s ...", step);
		why[0] = '\0';
		if (run_step(step, arg))
			say("%s ok", step);
		else
			say("%s FAILED: %s", step, why);
	}
}

int main(void)
{
	static char line[4096];
	char *steps;
	int fd;

	mount_all();
	open_console();
	fd = open("/proc/cmdline", O_RDONLY);
	if (fd < 0 || read(fd, line, sizeof(line) - 1) < 0)
		say("/proc/cmdline: %s", strerror(errno));
	steps = strstr(line, "pkmap.run=");
	if (steps) {
		steps += strlen("pkmap.run=");
		steps[strcspn(steps, " \n")] = '\0';
		run_all(steps);
	}
	say("done");
	sync();
	/* Ends QEMU with -no-reboot. versatilepb cannot power off: it halts. */
	reboot(RB_AUTOBOOT);
	return 1;
}
