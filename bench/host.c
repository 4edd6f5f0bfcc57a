// SPDX-License-Identifier: MIT
/* host.c - what the figures depend on: the kernel, the clock, the compiler. */
#include "bench.h"

#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#define CLOCK_SOURCE \
	"/sys/devices/system/clocksource/clocksource0/current_clocksource"
#define GOVERNOR "/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor"

#ifdef __clang__
#define COMPILER __VERSION__
#else
#define COMPILER "gcc " __VERSION__
#endif

#if defined(__OPTIMIZE__) && !defined(PKMAP_DEBUG)
#define BUILD "optimised"
#else
#define BUILD "not to be quoted (checks on, or not optimised)"
#endif

static void read_word(const char *path, char word[32])
{
	FILE *file = fopen(path, "r");

	if (!file || fscanf(file, "%31s", word) != 1)
		strcpy(word, "not shown");
	if (file)
		fclose(file);
}

void read_host(struct host *host)
{
	struct utsname uts;

	host->ncpus = sysconf(_SC_NPROCESSORS_ONLN);
	strcpy(host->kernel, "unknown");
	if (!uname(&uts))
		snprintf(host->kernel, sizeof(host->kernel), "%.63s %.63s",
			 uts.release, uts.machine);
	read_word(CLOCK_SOURCE, host->clock_source);
	read_word(GOVERNOR, host->governor);
	host->compiler = COMPILER;
	host->build = BUILD;
}
