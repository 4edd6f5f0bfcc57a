/* SPDX-License-Identifier: MIT */
/*
 * An output file.  It gets its name only when it is complete, and replaces an
 * existing file only then; so nothing is left behind however the process ends.
 * File systems without unnamed files (O_TMPFILE) get a temporary file in the
 * same directory instead.
 *
 * Anything but a regular file, such as a device, a pipe or /dev/stdout, is
 * written to directly, and is never removed.
 */
#ifndef TOOLS_COMMON_OUTPUT_H
#define TOOLS_COMMON_OUTPUT_H

#include "failure.h"
#include "input.h"

#include <limits.h>
#include <stdbool.h>
#include <stdio.h>

/* Process ID and a number: unique among running processes. */
#define TEMPORARY_NAME sizeof(".pkmap-2147483647-4294967295")

struct output {
	const char *path; /* as the user gave it */
	int fd;
	int dir; /* of the file, even if the path changes meanwhile */
	char name[NAME_MAX + 1];	/* in @dir, symbolic links followed */
	char temporary[TEMPORARY_NAME]; /* empty: no temporary name */
	bool direct;			/* not a regular file */
};

/* All of these that return int return 0, or -1 after fail(). */

/*
 * An existing file keeps its permissions; a new one gets those of @in, less the
 * umask.  The output must be a regular file other than @in.  @in may be NULL:
 * then a new file gets read and write permission less the umask, and anything
 * that can be written to is accepted.
 */
int output_open(struct output *out, const char *path, const struct input *in,
		struct failure *failure);

/* Sets the size of a new file, which is one hole then. */
int output_grow(struct output *out, off_t size, struct failure *failure);

/* Writes it to the disk, so that all errors are reported. */
int output_flush(struct output *out, struct failure *failure);

/* Gives it its name, replacing an existing file. */
int output_commit(struct output *out, struct failure *failure);

/* Cleans up.  A file that was not committed is lost. */
void output_close(struct output *out);

/* Writes the contents.  Returns 0, or -1 with errno set. */
typedef int output_write_fn(const void *arg, FILE *file);

/* All of the above steps, with the contents that @write writes. */
int output_write(const char *path, output_write_fn *write, const void *arg,
		 struct failure *failure);

#endif /* TOOLS_COMMON_OUTPUT_H */
