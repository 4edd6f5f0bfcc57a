/* SPDX-License-Identifier: MIT */
/*
 * What is written to a file.  It has no name before it is complete, so that
 * nothing is left of it however the process ends, and only then does it replace
 * what is there.  Where the file system has no files without a name, it has a
 * temporary one beside.
 *
 * What is not a file, such as a device, a pipe or /dev/stdout, is written to
 * directly, and stays whatever happens.
 */
#ifndef TOOLS_COMMON_OUTPUT_H
#define TOOLS_COMMON_OUTPUT_H

#include "failure.h"
#include "input.h"

#include <limits.h>
#include <stdbool.h>
#include <stdio.h>

/* Process and number: no other that runs has it. */
#define TEMPORARY_NAME sizeof(".pkmap-2147483647-4294967295")

struct output {
	const char *path; /* as the user calls it */
	int fd;
	int dir; /* where it goes, whatever becomes of the path meanwhile */
	char name[NAME_MAX + 1];	/* there, links followed */
	char temporary[TEMPORARY_NAME]; /* "": it has no name */
	bool direct;
};

/* Those that return int: 0, or -1 after fail(). */

/*
 * A file that exists keeps its permissions.  A new one gets those of @in less
 * the umask, and has to be a file, and another one.  @in may be NULL: then the
 * umask decides alone, and what is not a file will do.
 */
int output_open(struct output *out, const char *path, const struct input *in,
		struct failure *failure);

/* Makes it that long, all of it a hole. */
int output_grow(struct output *out, off_t size, struct failure *failure);

/* Puts it onto the disk, where all errors show. */
int output_flush(struct output *out, struct failure *failure);

/* Puts it in its place. */
int output_commit(struct output *out, struct failure *failure);

/* Cleans up.  A file that was not committed is gone. */
void output_close(struct output *out);

/* Returns 0, or -1 with errno set. */
typedef int output_write_fn(const void *arg, FILE *file);

/* All of these, with what is written by @write. */
int output_write(const char *path, output_write_fn *write, const void *arg,
		 struct failure *failure);

#endif /* TOOLS_COMMON_OUTPUT_H */
