// SPDX-License-Identifier: MIT
/*
 * host.c - what the figures depend on: the CPUs, the kernel, the clock, the
 * compiler.
 */
#include "bench.h"

#include <sched.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#define CLOCK_SOURCE \
	"/sys/devices/system/clocksource/clocksource0/current_clocksource"
#define GOVERNOR    "/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor"

#define DEVICE_TREE "/proc/device-tree/model"
#define SIBLINGS    "/sys/devices/system/cpu/cpu%d/topology/thread_siblings_list"

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

/* The text after the colon of the first line that begins with @key. */
static bool read_cpuinfo(const char *key, char text[96])
{
	FILE *file = fopen("/proc/cpuinfo", "re");
	char line[256];
	char *value;
	bool found = false;

	while (file && !found && fgets(line, sizeof(line), file)) {
		value = strchr(line, ':');
		if (strncmp(line, key, strlen(key)) || !value)
			continue;
		value += 1 + strspn(value + 1, " ");
		value[strcspn(value, "\n")] = '\0';
		snprintf(text, 96, "%.95s", value);
		found = text[0];
	}
	if (file)
		fclose(file);
	return found;
}

/* ARM's kernels show a number for the kind of core, or a board's name. */
static void read_cpu(char text[96])
{
	char part[96];
	FILE *file;

	if (read_cpuinfo("model name", text))
		return;
	if (read_cpuinfo("CPU part", part)) {
		snprintf(text, 96, "CPU part %.80s", part);
		return;
	}
	file = fopen(DEVICE_TREE, "re");
	if (!file || fscanf(file, "%95[^\n]", text) != 1)
		strcpy(text, "model not shown");
	if (file)
		fclose(file);
}

/* The first CPU in the list of those that share a core with @cpu, or -1. */
static int first_sibling(int cpu)
{
	char path[128];
	FILE *file;
	int first;

	snprintf(path, sizeof(path), SIBLINGS, cpu);
	file = fopen(path, "re");
	if (!file || fscanf(file, "%d", &first) != 1)
		first = -1;
	if (file)
		fclose(file);
	return first;
}

/* Threads run on these CPUs in this order (worker/worker.c). */
static void read_cores(char text[96])
{
	int first_cpu[CPU_SETSIZE]; /* that we may use, of each core; or -1 */
	cpu_set_t set;
	int core;
	int cpu;

	strcpy(text, "whether CPUs share a core is not shown");
	memset(first_cpu, -1, sizeof(first_cpu));
	if (sched_getaffinity(0, sizeof(set), &set))
		return;
	for (cpu = 0; cpu < CPU_SETSIZE; cpu++) {
		if (!CPU_ISSET((size_t)cpu, &set))
			continue;
		core = first_sibling(cpu);
		if (core < 0 || core >= CPU_SETSIZE)
			return;
		if (first_cpu[core] >= 0) {
			snprintf(text, 96, "CPUs %d and %d share a core",
				 first_cpu[core], cpu);
			return;
		}
		first_cpu[core] = cpu;
	}
	strcpy(text, "no two CPUs share a core");
}

void read_host(struct host *host)
{
	struct utsname uts;

	host->ncpus = sysconf(_SC_NPROCESSORS_ONLN);
	read_cpu(host->cpu);
	read_cores(host->cores);
	strcpy(host->kernel, "unknown");
	if (!uname(&uts))
		snprintf(host->kernel, sizeof(host->kernel), "%.63s %.63s",
			 uts.release, uts.machine);
	read_word(CLOCK_SOURCE, host->clock_source);
	read_word(GOVERNOR, host->governor);
	host->compiler = COMPILER;
	host->build = BUILD;
}
