// SPDX-License-Identifier: MIT
/*
 * limit.c - how many mappings the windows may use.
 *
 * A process can have vm.max_map_count mappings.  At that limit every mmap()
 * fails, not only those of windows, and with it malloc() and pthread_create().
 * A window is opened only if it cannot bring the process there: the most that
 * all windows can use, and the other mappings that there are now, must leave a
 * quarter of the limit free.  That quarter is for what the program maps later.
 */
#include <stdio.h>
#include <stdlib.h>

#include "posix_priv.h"

/* The kernel's default, for systems without /proc. */
#define DEFAULT_LIMIT 65530

static int64_t max_map_count(void)
{
	FILE *f = fopen("/proc/sys/vm/max_map_count", "re");
	long long n = DEFAULT_LIMIT;

	if (f) {
		if (fscanf(f, "%lld", &n) != 1)
			n = DEFAULT_LIMIT;
		fclose(f);
	}
	return n;
}

static bool in_any_window(const struct pkmap_posix *list, uintptr_t addr)
{
	const struct pkmap_posix *p;

	for (p = list; p; p = p->next) {
		if (addr - (uintptr_t)p->reserved < p->reserved_bytes)
			return true;
	}
	return false;
}

/* The mappings that do not begin in a window.  Without /proc: none. */
static int64_t mappings_outside(const struct pkmap_posix *list)
{
	FILE *f = fopen("/proc/self/maps", "re");
	char *line = NULL;
	size_t bytes = 0;
	int64_t n = 0;

	if (!f)
		return 0;
	while (getline(&line, &bytes, f) > 0)
		n += !in_any_window(list, (uintptr_t)strtoull(line, NULL, 16));
	free(line);
	fclose(f);
	return n;
}

/*
 * How many mappings are left for windows other than those in @list; less than 0
 * if these could use too many already.  Keeps errno.
 */
int64_t pkmap_posix_mappings_left(const struct pkmap_posix *list)
{
	const struct pkmap_posix *p;
	int saved = errno;
	int64_t left = max_map_count();

	left -= left / 4 + mappings_outside(list);
	for (p = list; p; p = p->next)
		left -= p->mappings;
	errno = saved;
	return left;
}
