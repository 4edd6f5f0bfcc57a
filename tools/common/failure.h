/* SPDX-License-Identifier: MIT */
/*
 * What made the work fail: the first reason, from whichever thread.  It takes
 * no memory, which may be what is missing.
 */
#ifndef TOOLS_COMMON_FAILURE_H
#define TOOLS_COMMON_FAILURE_H

#include <limits.h>
#include <pthread.h>
#include <stdbool.h>

/* Room for two paths, and for what is said of them. */
#define FAILURE_TEXT (2 * PATH_MAX + 512)

struct failure {
	pthread_mutex_t lock;
	char text[FAILURE_TEXT]; /* "": nothing has failed */
};

static inline bool has_failed(const struct failure *failure)
{
	return failure->text[0];
}

/*
 * Notes a reason, unless there is one: what follows a failure is mostly caused
 * by it.  @errnum other than 0 adds its meaning.  Returns -1, always, for
 * callers that return that.  Not for signal handlers.
 */
int fail(struct failure *failure, int errnum, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/*
 * Notes what must not go unnoticed, whatever failed before: it is added to the
 * reason that there is.
 */
void fail_also(struct failure *failure, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

#endif /* TOOLS_COMMON_FAILURE_H */
