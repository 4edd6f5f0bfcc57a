// SPDX-License-Identifier: MIT
#include "failure.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* Room kept for the text of an errno value and for what fail_also() adds. */
#define RESERVE 256

/* Puts "..." after the last complete UTF-8 character of a truncated text. */
static void end_short(char *text, size_t len)
{
	static const char dots[] = "...";

	len -= sizeof(dots);
	while (len && (text[len] & 0xc0) == 0x80)
		len--;
	strcpy(text + len, dots);
}

/* Appends as much as fits into the first @size bytes of @text. */
static void append(char *text, size_t size, const char *format, va_list args)
{
	size_t used = strlen(text);
	int n = vsnprintf(text + used, size - used, format, args);

	if (n > 0 && (size_t)n >= size - used)
		end_short(text, size);
}

static void add(char *text, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	append(text, FAILURE_TEXT, format, args);
	va_end(args);
}

static void add_meaning(char *text, int errnum)
{
	const char *meaning = strerrordesc_np(errnum);

	if (meaning)
		add(text, ": %s", meaning);
	else
		add(text, ": error %d", errnum);
}

int fail(struct failure *failure, int errnum, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	pthread_mutex_lock(&failure->lock);
	if (!has_failed(failure)) {
		append(failure->text, FAILURE_TEXT - RESERVE, format, args);
		if (errnum)
			add_meaning(failure->text, errnum);
	}
	pthread_mutex_unlock(&failure->lock);
	va_end(args);
	return -1;
}

void fail_also(struct failure *failure, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	pthread_mutex_lock(&failure->lock);
	if (has_failed(failure))
		add(failure->text, "; ");
	append(failure->text, FAILURE_TEXT, format, args);
	pthread_mutex_unlock(&failure->lock);
	va_end(args);
}
