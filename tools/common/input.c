// SPDX-License-Identifier: MIT
#include "input.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

/*
 * Files in /proc have a size of 0, those in /sys a size of one page, whatever
 * can be read from them.
 */
static int check_size(const struct input *in, struct failure *failure)
{
	char byte;
	ssize_t n = pread(in->fd, &byte, 1, in->size ? in->size - 1 : 0);

	if (n < 0)
		return fail(failure, errno, "cannot read %s", in->path);
	if ((n > 0) != (in->size > 0))
		return fail(failure, 0,
			    "%s does not have as many bytes as its size says, "
			    "like files in /proc and /sys; copy the output of "
			    "cat(1) instead",
			    in->path);
	return 0;
}

static int input_check(struct input *in, struct failure *failure)
{
	if (fstat(in->fd, &in->stat))
		return fail(failure, errno, "cannot read %s", in->path);
	if (S_ISDIR(in->stat.st_mode))
		return fail(failure, EISDIR, "cannot read %s", in->path);
	if (!S_ISREG(in->stat.st_mode) && !S_ISBLK(in->stat.st_mode))
		return fail(failure, 0,
			    "%s is neither a file nor a block device",
			    in->path);
	in->size = in->stat.st_size;
	if (S_ISBLK(in->stat.st_mode))
		in->size = lseek(in->fd, 0, SEEK_END);
	if (in->size < 0)
		return fail(failure, errno, "cannot read %s", in->path);
	return check_size(in, failure);
}

int input_open(struct input *in, const char *path, struct failure *failure)
{
	/* O_NONBLOCK: do not wait for the writer of a FIFO, but refuse it. */
	*in = (struct input){
		.path = path,
		.fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC),
	};
	if (in->fd < 0)
		return fail(failure, errno, "cannot read %s", path);
	if (!input_check(in, failure))
		return 0;
	input_close(in);
	return -1;
}

void input_close(struct input *in)
{
	close(in->fd);
}
