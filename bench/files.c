// SPDX-License-Identifier: MIT
/* files.c - writes the files of --out. */
#include "bench.h"

#include <errno.h>
#include <string.h>

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

int file_write(const char *dir, const char *name, output_write_fn *write,
	       const void *arg)
{
	struct failure failure = { .lock = PTHREAD_MUTEX_INITIALIZER };
	char path[PATH_MAX];

	if (file_path(path, dir, name))
		return -1;
	if (!output_write(path, write, arg, &failure))
		return 0;
	fprintf(stderr, "pkmap bench: %s\n", failure.text);
	return -1;
}
