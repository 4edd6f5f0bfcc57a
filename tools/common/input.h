/* SPDX-License-Identifier: MIT */
/* An input file. */
#ifndef TOOLS_COMMON_INPUT_H
#define TOOLS_COMMON_INPUT_H

#include "failure.h"

#include <sys/stat.h>

struct input {
	const char *path;
	int fd;
	off_t size;
	struct stat stat;
};

/* Returns 0, or -1 after fail(). */
int input_open(struct input *in, const char *path, struct failure *failure);
void input_close(struct input *in);

#endif /* TOOLS_COMMON_INPUT_H */
