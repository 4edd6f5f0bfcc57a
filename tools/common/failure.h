/* SPDX-License-Identifier: MIT */
/*
 * Why the work failed: the first reason, from any thread.  Nothing here
 * allocates memory, since running out of memory may be the reason.
 */
#ifndef TOOLS_COMMON_FAILURE_H
#define TOOLS_COMMON_FAILURE_H

#include <limits.h>
#include <pthread.h>
#include <stdbool.h>

/* Room for two paths and a sentence about them. */
#define FAILURE_TEXT (2 * PATH_MAX + 512)

struct failure {
	pthread_mutex_t lock;
	char text[FAILURE_TEXT]; /* empty: nothing has failed */
};

static inline bool has_failed(const struct failure *failure)
{
	return failure->text[0];
}

/*
 * Records a reason, unless there is one already: later failures are mostly
 * caused by the first.  If @errnum is not 0, its description is appended.
 * Always returns -1, so that callers can return the result.  Not for signal
 * handlers.
 */
int fail(struct failure *failure, int errnum, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/*
 * Records something that must be reported even if there is a reason already:
 * it is appended to that.
 */
void fail_also(struct failure *failure, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

#endif /* TOOLS_COMMON_FAILURE_H */
