// SPDX-License-Identifier: MIT
#include "input.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

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
	in->size = lseek(in->fd, 0, SEEK_END);
	if (in->size < 0)
		return fail(failure, errno, "cannot read %s", in->path);
	return 0;
}

int input_open(struct input *in, const char *path, struct failure *failure)
{
	/* O_NONBLOCK: a FIFO is refused, not waited for. */
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
