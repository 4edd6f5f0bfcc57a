/* SPDX-License-Identifier: MIT */
/*
 * The file that is read, and the one that replaces another only when it is
 * complete: until then it has a temporary name in the same directory.
 */
#ifndef FILE_H
#define FILE_H

#include "failure.h"

#include <sys/stat.h>

struct input {
	const char *path;
	int fd;
	off_t size;
	struct stat stat;
};

struct output {
	const char *path; /* as the user calls it */
	char *target;	  /* what will be replaced, links followed */
	char *temporary;  /* NULL: there is none */
	int fd;
};

/* Those that return int: 0, or -1 after fail(). */
int input_open(struct input *in, const char *path, struct failure *failure);
void input_close(struct input *in);

int output_open(struct output *out, const char *path, const struct input *in,
		struct failure *failure);

/* Gives the file @mode and puts it onto the disk, where all errors show. */
int output_flush(struct output *out, mode_t mode, struct failure *failure);

/* Puts it in its place. */
int output_commit(struct output *out, struct failure *failure);

/* Cleans up.  A file that was not committed is gone. */
void output_close(struct output *out);

#endif /* FILE_H */
