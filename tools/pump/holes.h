/* SPDX-License-Identifier: MIT */
/* Where a file has data, and where holes: bytes of 0 that are not stored. */
#ifndef TOOLS_PUMP_HOLES_H
#define TOOLS_PUMP_HOLES_H

#include <sys/types.h>

struct data {
	off_t begin;
	off_t end;
};

/*
 * The next data at or after @offset in a file of @size bytes; the bytes before
 * @begin are a hole.  If there is no more data, @begin and @end are the end of
 * the file, or @offset if the file has become shorter than that.  If the file
 * system does not report holes, everything is data.
 */
struct data next_data(int fd, off_t offset, off_t size);

#endif /* TOOLS_PUMP_HOLES_H */
