/* SPDX-License-Identifier: MIT */
/* Where a file has data, and where a hole: bytes that are not stored, but 0. */
#ifndef TOOLS_PUMP_HOLES_H
#define TOOLS_PUMP_HOLES_H

#include <sys/types.h>

struct data {
	off_t begin;
	off_t end;
};

/*
 * The next data from @offset on, of a file of @size bytes; there is a hole up
 * to its begin.  If there is none, both are where the file ends: at @offset if
 * it has become shorter.  All is data to a file system that does not tell.
 */
struct data next_data(int fd, off_t offset, off_t size);

#endif /* TOOLS_PUMP_HOLES_H */
