// SPDX-License-Identifier: MIT
#include "failure.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char *describe(int errnum, const char *format, va_list args)
{
	char *what, *text;

	if (vasprintf(&what, format, args) < 0)
		abort();
	if (!errnum)
		return what;
	if (asprintf(&text, "%s: %s", what, strerrordesc_np(errnum)) < 0)
		abort();
	free(what);
	return text;
}

int fail(struct failure *failure, int errnum, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	pthread_mutex_lock(&failure->lock);
	if (!failure->text)
		failure->text = describe(errnum, format, args);
	pthread_mutex_unlock(&failure->lock);
	va_end(args);
	return -1;
}

void fail_also(struct failure *failure, const char *format, ...)
{
	char *before, *what;
	va_list args;

	va_start(args, format);
	what = describe(0, format, args);
	va_end(args);

	pthread_mutex_lock(&failure->lock);
	before = failure->text;
	failure->text = what;
	if (before) {
		if (asprintf(&failure->text, "%s; %s", before, what) < 0)
			abort();
		free(before);
		free(what);
	}
	pthread_mutex_unlock(&failure->lock);
}
