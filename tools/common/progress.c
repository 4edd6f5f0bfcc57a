// SPDX-License-Identifier: MIT
#include "progress.h"

#include <stdarg.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#define ERASE_LINE "\r\033[K"

uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

void progress_init(struct progress *progress, bool quiet)
{
	progress->shown = !quiet && isatty(STDERR_FILENO);
	progress->next_ns = 0;
}

bool progress_due(struct progress *progress)
{
	uint64_t now;

	if (!progress->shown)
		return false;
	now = now_ns();
	if (now < progress->next_ns)
		return false;
	progress->next_ns = now + PROGRESS_INTERVAL_NS;
	return true;
}

void progress_show(const struct progress *progress, const char *format, ...)
{
	va_list args;

	if (!progress->shown)
		return;
	va_start(args, format);
	fputs(ERASE_LINE, stderr);
	vfprintf(stderr, format, args);
	va_end(args);
}

void progress_clear(const struct progress *progress)
{
	if (progress->shown)
		fputs(ERASE_LINE, stderr);
}

const char *size_text(char text[SIZE_TEXT], double bytes)
{
	static const char *const units[] = {
		"bytes", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB",
	};
	unsigned int unit = 0;

	for (; bytes >= 1024 && unit < 6; unit++)
		bytes /= 1024;
	snprintf(text, SIZE_TEXT, "%.*f %s", unit ? 1 : 0, bytes, units[unit]);
	return text;
}
