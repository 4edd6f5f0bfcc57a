// SPDX-License-Identifier: MIT
#include "turns.h"

#include "mesi.h"
#include "setup.h"

#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdlib.h>
#include <sys/mman.h>

/* Below each other and as far apart as glibc puts the stacks of threads. */
#define STACK_BYTES ((size_t)8 << 20)
#define SPACING	    (STACK_BYTES + 4096)
#define STACKS	    0x220000000000ul
#define BYTES	    (MESI_CPUS_MAX * SPACING)

static struct turn {
	pthread_t id;
	uint32_t cpu;
	bool ended;
	sem_t come;
} turns[MESI_CPUS_MAX];

static uint32_t ncpus;
static void (*run_cpu)(uint32_t cpu);

/* Gives the turn to the next thread that has not ended, if there is one. */
static void pass_on(uint32_t cpu)
{
	uint32_t next = cpu;

	do
		next = (next + 1) % ncpus;
	while (turns[next].ended && next != cpu);
	sem_post(&turns[next].come);
}

void turns_pass(uint32_t cpu)
{
	pass_on(cpu);
	sem_wait(&turns[cpu].come);
}

static void *run_thread(void *arg)
{
	struct turn *turn = arg;

	sem_wait(&turn->come);
	run_cpu(turn->cpu);
	turn->ended = true;
	pass_on(turn->cpu);
	return NULL;
}

static int start_thread(uint32_t cpu, char *stack)
{
	struct turn *turn = &turns[cpu];
	pthread_attr_t attr;
	int err;

	*turn = (struct turn){ .cpu = cpu };
	sem_init(&turn->come, 0, 0);
	pthread_attr_init(&attr);
	err = pthread_attr_setstack(&attr, stack, STACK_BYTES);
	if (!err)
		err = pthread_create(&turn->id, &attr, run_thread, turn);
	pthread_attr_destroy(&attr);
	return err;
}

const char *turns_take(uint32_t n, void (*run)(uint32_t cpu))
{
	char *stacks = mmap((void *)STACKS, BYTES, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE |
				    MAP_FIXED_NOREPLACE,
			    -1, 0);
	uint32_t i;

	if (stacks != (char *)STACKS)
		return say_errno("stacks");
	ncpus = n;
	run_cpu = run;
	for (i = 0; i < n; i++) {
		errno = start_thread(i, stacks + BYTES - (i + 1) * SPACING);
		if (errno)
			return say_errno("thread");
	}
	sem_post(&turns[0].come);
	for (i = 0; i < n; i++)
		pthread_join(turns[i].id, NULL);
	munmap(stacks, BYTES);
	return NULL;
}
