// SPDX-License-Identifier: MIT
#include "holes.h"

#include <errno.h>
#include <unistd.h>

static off_t between(off_t min, off_t n, off_t max)
{
	if (n < min)
		return min;
	return n < max ? n : max;
}

struct data next_data(int fd, off_t offset, off_t size)
{
	struct data data;

	data.begin = lseek(fd, offset, SEEK_DATA);
	if (data.begin < 0 && errno == ENXIO) {
		data.begin = between(offset, lseek(fd, 0, SEEK_END), size);
		data.end = data.begin;
		return data;
	}
	data.begin = between(offset, data.begin, size);
	data.end = lseek(fd, data.begin, SEEK_HOLE);
	if (data.end <= data.begin || data.end > size)
		data.end = size;
	return data;
}
