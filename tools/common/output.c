// SPDX-License-Identifier: MIT
#include "output.h"

#include "stop.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/vfs.h>
#include <unistd.h>

#define MAX_LINKS   40 /* as many as the kernel follows */
#define PERMISSIONS (S_IRWXU | S_IRWXG | S_IRWXO)
#define ALL_MAY_WRITE \
	(S_IRUSR | S_IWUSR | S_IRGRP | S_IWGRP | S_IROTH | S_IWOTH)
#define PROC_PATH sizeof("/proc/self/fd/2147483647")

static int cannot_write(const struct output *out, struct failure *failure)
{
	return fail(failure, errno, "cannot write %s", out->path);
}

static int not_a_file(const struct output *out, struct failure *failure)
{
	return fail(failure, 0, "%s exists and is not a regular file",
		    out->path);
}

/*
 * Finding the place of the file.
 */

static void leave_dir(struct output *out)
{
	if (out->dir >= 0)
		close(out->dir);
}

/* Splits the last name off @path, and opens the directory before it. */
static int enter_dir(struct output *out, char *path, struct failure *failure)
{
	char *slash = strrchr(path, '/');
	const char *name = slash ? slash + 1 : path;
	int dir;

	if (!*name)
		return fail(failure, 0, "'%s' does not name a file", out->path);
	if (strlen(name) > NAME_MAX)
		return fail(failure, ENAMETOOLONG, "cannot write %s",
			    out->path);
	strcpy(out->name, name);
	if (!slash)
		return 0;
	slash[1] = '\0';
	dir = openat(out->dir, path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0)
		return cannot_write(out, failure);
	leave_dir(out);
	out->dir = dir;
	return 0;
}

static bool is_procfs(int dir)
{
	struct statfs fs;

	return !fstatfs(dir, &fs) && fs.f_type == PROC_SUPER_MAGIC;
}

/*
 * A symbolic link's target is replaced, not the link.  The links in
 * /proc/self/fd cannot be followed by name: they are written to directly.
 */
static int follow_links(struct output *out, struct failure *failure)
{
	char path[PATH_MAX];
	ssize_t n;
	int i;

	if (strlen(out->path) >= sizeof(path))
		return fail(failure, ENAMETOOLONG, "cannot write %s",
			    out->path);
	strcpy(path, out->path);
	for (i = 0; i <= MAX_LINKS; i++) {
		if (enter_dir(out, path, failure))
			return -1;
		n = readlinkat(out->dir, out->name, path, sizeof(path) - 1);
		if (n < 0)
			return 0;
		out->direct = is_procfs(out->dir);
		if (out->direct)
			return 0;
		path[n] = '\0';
	}
	return fail(failure, ELOOP, "cannot write %s", out->path);
}

/* @there: the existing file; st_mode is 0 if there is none. */
static int find_place(struct output *out, struct stat *there,
		      struct failure *failure)
{
	if (stat(out->path, there)) {
		if (errno != ENOENT)
			return cannot_write(out, failure);
		if (!lstat(out->path, there))
			return fail(failure, 0,
				    "%s is a dangling symbolic link",
				    out->path);
		there->st_mode = 0;
	}
	return follow_links(out, failure);
}

static int check_file(const struct output *out, const struct stat *there,
		      const struct input *in, struct failure *failure)
{
	if (in && there->st_dev == in->stat.st_dev &&
	    there->st_ino == in->stat.st_ino)
		return fail(failure, 0, "%s and %s are the same file", in->path,
			    out->path);
	if (in && out->direct)
		return not_a_file(out, failure);
	if (!out->direct && faccessat(out->dir, out->name, W_OK, AT_EACCESS))
		return cannot_write(out, failure);
	return 0;
}

/*
 * Creating the file.
 */

/*
 * If it is an open file of this process, duplicate that: opened again, it would
 * have a position of its own, and overwrite what others write.  Opening a pipe
 * may wait for its reader, so let signals end the process: there is nothing to
 * clean up.
 */
static int open_direct(struct output *out, const struct stat *there)
{
	struct stat own;
	int fd = atoi(out->name);

	fflush(stdout);
	stop_let_through();
	if (is_procfs(out->dir) && !fstat(fd, &own) &&
	    own.st_dev == there->st_dev && own.st_ino == there->st_ino)
		return fcntl(fd, F_DUPFD_CLOEXEC, 0);
	return openat(out->dir, out->name,
		      O_WRONLY | O_TRUNC | O_NOCTTY | O_CLOEXEC);
}

static void name_temporary(struct output *out)
{
	static unsigned int n;

	snprintf(out->temporary, sizeof(out->temporary), ".pkmap-%d-%u",
		 (int)getpid(), n++);
}

static void drop_temporary(struct output *out)
{
	if (*out->temporary)
		unlinkat(out->dir, out->temporary, 0);
	*out->temporary = '\0';
}

static void make_named(struct output *out, mode_t mode)
{
	do {
		name_temporary(out);
		out->fd = openat(out->dir, out->temporary,
				 O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, mode);
	} while (out->fd < 0 && errno == EEXIST);
	if (out->fd < 0)
		*out->temporary = '\0';
}

static void proc_path(const struct output *out, char path[PROC_PATH])
{
	snprintf(path, PROC_PATH, "/proc/self/fd/%d", out->fd);
}

/* Unnamed if the file system can do that and it can be named later. */
static int make_file(struct output *out, mode_t mode, struct failure *failure)
{
	char path[PROC_PATH];

	out->fd = openat(out->dir, ".", O_RDWR | O_TMPFILE | O_CLOEXEC, mode);
	proc_path(out, path);
	if (out->fd >= 0 && access(path, F_OK)) {
		close(out->fd);
		out->fd = -1;
	}
	if (out->fd < 0)
		make_named(out, mode);
	if (out->fd < 0)
		return fail(failure, errno, "cannot create a file next to %s",
			    out->path);
	return 0;
}

/* The kernel applies the umask, or the directory's default ACL instead. */
static int open_new(struct output *out, const struct input *in,
		    struct failure *failure)
{
	return make_file(out,
			 in ? in->stat.st_mode & PERMISSIONS : ALL_MAY_WRITE,
			 failure);
}

static int open_over(struct output *out, const struct stat *there,
		     struct failure *failure)
{
	if (make_file(out, S_IRUSR | S_IWUSR, failure))
		return -1;
	if (fchmod(out->fd, there->st_mode & PERMISSIONS))
		return cannot_write(out, failure);
	return 0;
}

static int open_place(struct output *out, const struct input *in,
		      struct failure *failure)
{
	struct stat there;

	if (find_place(out, &there, failure))
		return -1;
	if (!there.st_mode)
		return open_new(out, in, failure);
	if (S_ISDIR(there.st_mode))
		return fail(failure, EISDIR, "cannot write %s", out->path);
	out->direct = out->direct || !S_ISREG(there.st_mode);
	if (check_file(out, &there, in, failure))
		return -1;
	if (!out->direct)
		return open_over(out, &there, failure);
	out->fd = open_direct(out, &there);
	return out->fd < 0 ? cannot_write(out, failure) : 0;
}

int output_open(struct output *out, const char *path, const struct input *in,
		struct failure *failure)
{
	*out = (struct output){ .path = path, .fd = -1, .dir = AT_FDCWD };
	/* At the file size limit, get an error and not a signal. */
	signal(SIGXFSZ, SIG_IGN);
	if (!open_place(out, in, failure))
		return 0;
	output_close(out);
	return -1;
}

int output_grow(struct output *out, off_t size, struct failure *failure)
{
	return ftruncate(out->fd, size) ? cannot_write(out, failure) : 0;
}

int output_flush(struct output *out, struct failure *failure)
{
	if (!out->direct && fsync(out->fd))
		return cannot_write(out, failure);
	return 0;
}

/*
 * Naming the file.
 */

static int link_as(const struct output *out, const char *name)
{
	char path[PROC_PATH];

	proc_path(out, path);
	return linkat(AT_FDCWD, path, out->dir, name, AT_SYMLINK_FOLLOW);
}

static int link_temporary(struct output *out)
{
	int err;

	do {
		name_temporary(out);
		err = link_as(out, out->temporary);
	} while (err && errno == EEXIST);
	if (err)
		*out->temporary = '\0';
	return err;
}

/*
 * linkat() cannot replace a file, so link a temporary name and then rename it.
 * Between the two, only SIGKILL can end the process.
 */
static int replace(struct output *out)
{
	sigset_t before;
	sigset_t all;
	int err = 0;
	int why;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	if (!*out->temporary)
		err = link_temporary(out);
	if (!err)
		err = renameat(out->dir, out->temporary, out->dir, out->name);
	why = errno;
	if (err)
		drop_temporary(out);
	*out->temporary = '\0';
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	errno = why;
	return err;
}

/* Look again: a file may have appeared or changed since output_open(). */
int output_commit(struct output *out, struct failure *failure)
{
	struct stat there;

	if (out->direct)
		return 0;
	if (!*out->temporary) {
		if (!link_as(out, out->name))
			return 0;
		if (errno != EEXIST)
			return cannot_write(out, failure);
	}
	if (!fstatat(out->dir, out->name, &there, AT_SYMLINK_NOFOLLOW) &&
	    !S_ISREG(there.st_mode))
		return not_a_file(out, failure);
	return replace(out) ? cannot_write(out, failure) : 0;
}

void output_close(struct output *out)
{
	if (out->fd >= 0)
		close(out->fd);
	drop_temporary(out);
	leave_dir(out);
}

int output_write(const char *path, output_write_fn *write, const void *arg,
		 struct failure *failure)
{
	struct output out;
	FILE *file;
	int err;

	if (output_open(&out, path, NULL, failure))
		return -1;
	file = fdopen(out.fd, "w");
	if (!file || write(arg, file) || fflush(file) || ferror(file))
		err = cannot_write(&out, failure);
	else
		err = output_flush(&out, failure) ||
		      output_commit(&out, failure);
	if (file) {
		fclose(file);
		out.fd = -1;
	}
	output_close(&out);
	return err ? -1 : 0;
}
