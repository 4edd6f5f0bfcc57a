// SPDX-License-Identifier: MIT
#include "device.h"

#include <sys/sendfile.h>
#include <unistd.h>

static ssize_t by_copy_file_range(struct device *dev, off_t from, off_t to,
				  size_t len)
{
	return copy_file_range(dev->from, &from, dev->to, &to, len, 0);
}

static ssize_t by_sendfile(struct device *dev, off_t from, off_t to, size_t len)
{
	if (lseek(dev->to, to, SEEK_SET) < 0)
		return -1;
	return sendfile(dev->to, dev->from, &from, len);
}

static ssize_t by_read_and_write(struct device *dev, off_t from, off_t to,
				 size_t len)
{
	char buffer[65536];
	ssize_t n;

	if (len > sizeof(buffer))
		len = sizeof(buffer);
	dev->failed_writing = false;
	n = pread(dev->from, buffer, len, from);
	if (n <= 0)
		return n;
	dev->failed_writing = true;
	return pwrite(dev->to, buffer, (size_t)n, to);
}

/* From the cheapest method to the one that always works. */
static const struct {
	const char *name;
	ssize_t (*copy)(struct device *dev, off_t from, off_t to, size_t len);
} methods[] = {
	{ "copy_file_range", by_copy_file_range },
	{ "sendfile", by_sendfile },
	{ "pread and pwrite", by_read_and_write },
};

#define LAST_METHOD (sizeof(methods) / sizeof(methods[0]) - 1)

/*
 * Whether a system call can copy between two kinds of files varies, and so does
 * how it refuses: with an error, or by copying nothing.  So whatever the
 * reason, try the next method.  Only an error of the last one is reported; it
 * also knows which of the two files failed.
 */
ssize_t device_copy(struct device *dev, off_t from, off_t to, size_t len)
{
	size_t done = 0;
	ssize_t n;

	while (done < len) {
		n = methods[dev->method].copy(dev, from + (off_t)done,
					      to + (off_t)done, len - done);
		if (n > 0)
			done += (size_t)n;
		else if (dev->method < LAST_METHOD)
			dev->method++;
		else if (n < 0)
			return -1;
		else
			break;
	}
	return (ssize_t)done;
}

const char *device_method(const struct device *dev)
{
	return methods[dev->method].name;
}
