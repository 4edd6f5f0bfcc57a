// SPDX-License-Identifier: MIT
#include "file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
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

/* @stat: what is there now and would be replaced. */
static int check_replaceable(const struct output *out, const struct stat *stat,
			     const struct input *in, struct failure *failure)
{
	if (stat->st_dev == in->stat.st_dev && stat->st_ino == in->stat.st_ino)
		return fail(failure, 0, "%s and %s are the same file", in->path,
			    out->path);
	if (S_ISDIR(stat->st_mode))
		return fail(failure, EISDIR, "cannot write %s", out->path);
	if (!S_ISREG(stat->st_mode))
		return fail(failure, 0, "%s exists and is not a file",
			    out->path);
	if (access(out->path, W_OK))
		return fail(failure, errno, "cannot write %s", out->path);
	return 0;
}

static int find_target(struct output *out, const struct input *in,
		       struct failure *failure)
{
	struct stat stat_out;

	if (!stat(out->path, &stat_out)) {
		if (check_replaceable(out, &stat_out, in, failure))
			return -1;
		out->target = realpath(out->path, NULL);
	} else if (!lstat(out->path, &stat_out)) {
		return fail(failure, 0, "%s is a link that leads nowhere",
			    out->path);
	} else {
		out->target = strdup(out->path);
	}
	if (!out->target)
		return fail(failure, errno, "cannot write %s", out->path);
	return 0;
}

static int make_temporary(struct output *out, struct failure *failure)
{
	const char *slash = strrchr(out->target, '/');
	const char *name = slash ? slash + 1 : out->target;
	int directory_len = (int)(name - out->target);

	if (!*name)
		return fail(failure, 0, "'%s' does not name a file", out->path);
	if (asprintf(&out->temporary, "%.*s.pkmap-XXXXXX", directory_len,
		     out->target) < 0)
		abort();
	out->fd = mkostemp(out->temporary, O_CLOEXEC);
	if (out->fd >= 0)
		return 0;
	fail(failure, errno, "cannot make a file beside %s", out->path);
	free(out->temporary);
	out->temporary = NULL;
	return -1;
}

int output_open(struct output *out, const char *path, const struct input *in,
		struct failure *failure)
{
	*out = (struct output){ .path = path, .fd = -1 };
	if (!find_target(out, in, failure) && !make_temporary(out, failure))
		return 0;
	output_close(out);
	return -1;
}

int output_flush(struct output *out, mode_t mode, struct failure *failure)
{
	if (fchmod(out->fd, mode & (S_IRWXU | S_IRWXG | S_IRWXO)) ||
	    fsync(out->fd))
		return fail(failure, errno, "cannot write %s", out->path);
	return 0;
}

int output_commit(struct output *out, struct failure *failure)
{
	int err = close(out->fd);

	out->fd = -1;
	if (err || rename(out->temporary, out->target))
		return fail(failure, errno, "cannot write %s", out->path);
	free(out->temporary);
	out->temporary = NULL;
	return 0;
}

void output_close(struct output *out)
{
	if (out->fd >= 0)
		close(out->fd);
	if (out->temporary)
		unlink(out->temporary);
	free(out->temporary);
	free(out->target);
}
