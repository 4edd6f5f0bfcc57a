// SPDX-License-Identifier: MIT
/* files.c - the files that are written for --out. */
#include "bench.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int bench_error(const char *what)
{
	fprintf(stderr, "pkmap bench: %s: %s\n", what, strerror(errno));
	return -1;
}

int file_path(char path[PATH_MAX], const char *dir, const char *name)
{
	if (snprintf(path, PATH_MAX, "%s/%s", dir, name) < PATH_MAX)
		return 0;
	errno = ENAMETOOLONG;
	return bench_error(dir);
}

/* Not over a link or a device: what took its place would be another thing. */
static int check_replaceable(const char *path)
{
	struct stat st;

	if (lstat(path, &st) || S_ISREG(st.st_mode))
		return 0;
	fprintf(stderr, "pkmap bench: %s exists and is not a file\n", path);
	return -1;
}

/* mkstemp() makes files that only we can read. */
static int use_umask(int fd)
{
	const mode_t mask = umask(0);

	umask(mask);
	return fchmod(fd, 0666 & ~mask);
}

int file_begin(struct bench_file *f, const char *dir, const char *name)
{
	int fd;

	if (file_path(f->path, dir, name) || check_replaceable(f->path))
		return -1;
	snprintf(f->temporary, sizeof(f->temporary), "%s.XXXXXX", f->path);
	fd = mkstemp(f->temporary);
	if (fd < 0)
		return bench_error(f->path);
	f->out = use_umask(fd) ? NULL : fdopen(fd, "w");
	if (f->out)
		return 0;
	bench_error(f->path);
	close(fd);
	unlink(f->temporary);
	return -1;
}

int file_end(struct bench_file *f, int error)
{
	error |= ferror(f->out);
	error |= fclose(f->out);
	if (!error && !rename(f->temporary, f->path))
		return 0;
	bench_error(f->path);
	unlink(f->temporary);
	return -1;
}
