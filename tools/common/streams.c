// SPDX-License-Identifier: MIT
#include "streams.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static bool failed; /* and the caller of streams_flush() reports it */

int streams_flush(void)
{
	errno = 0;
	if (!fflush(stdout) && !ferror(stdout))
		return 0;
	failed = true;
	if (!errno)
		errno = EIO;
	return -1;
}

/* The last check: --help, for example, exits without any other. */
static void check_stdout(void)
{
	if (failed || (!streams_flush() && !close(STDOUT_FILENO)))
		return;
	fprintf(stderr, "pkmap: cannot print: %s\n", strerror(errno));
	_exit(EXIT_FAILURE);
}

/*
 * With O_PATH, reads and writes fail with EBADF, as on a closed file.  An open
 * /dev/null would swallow what is written to /dev/stdout.
 */
void streams_init(void)
{
	int fd;

	do {
		fd = open("/", O_PATH);
	} while (fd >= 0 && fd <= STDERR_FILENO);
	if (fd < 0 || atexit(check_stdout)) {
		perror("pkmap: cannot begin");
		_exit(EXIT_FAILURE);
	}
	close(fd);
}
