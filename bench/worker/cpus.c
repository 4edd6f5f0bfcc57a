// SPDX-License-Identifier: MIT
/*
 * cpus.c - counts the cache lines that CPUs exchange while they do a job
 * (job.h) with the peer that is linked in.  PEER is the peer's header.
 *
 * The job's threads are CPUs that take turns, call by call: each pins or maps a
 * page in one turn, and unmaps it in its next.  The accesses that the peer's
 * code makes go to simulated caches (record.h).  Each job has a peer, and a
 * process, of its own.
 */
#include PEER

#include "pattern.h"
#include "record.h"
#include "serve.h"
#include "turns.h"

#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define PASSES	       4 /* after which all pages are mapped */
#define MIXING_WINDOWS 10
#define PATIENCE       100000 /* turns */

_Thread_local struct cpu this_cpu;

static struct setup the_setup;
static const struct job *the_job;
static struct answer *the_answer; /* shared with the parent */
static uint32_t on_cpu;		  /* whose turn it is */

/* There are no interrupts here. */
void take_pending(void)
{
}

static _Noreturn void give_up(const char *why)
{
	snprintf(the_answer->why, sizeof(the_answer->why), "%s", why);
	_exit(EXIT_SUCCESS);
}

/* A CPU that sleeps looks at the word, but its look is not an access. */
void sleep_on(_Atomic uint32_t *word, uint32_t value)
{
	const uint32_t cpu = on_cpu;
	int turns = 0;

	record_nothing();
	while (*word == value) {
		if (++turns == PATIENCE)
			give_up("a CPU sleeps forever");
		turns_pass(cpu);
	}
	on_cpu = cpu;
	record_as(cpu);
}

void wake_sleepers(_Atomic uint32_t *word)
{
	(void)word;
}

static void begin_call(uint32_t cpu)
{
	on_cpu = cpu;
	record_as(cpu);
}

static void end_call(uint32_t cpu)
{
	record_nothing();
	turns_pass(cpu);
}

/* A map or a pin in one turn, and the unmap in the next. */
static void do_pair(uint32_t cpu, enum job_work work, uint32_t page)
{
	bool unmapped;
	void *addr;

	begin_call(cpu);
	addr = work == WORK_MAP ? peer_map(page) : peer_pin(page);
	end_call(cpu);
	if (!addr != (work == WORK_PIN_MISS))
		give_up("a call failed unexpectedly");
	if (!addr)
		return;
	begin_call(cpu);
	unmapped = peer_unmap(page, addr);
	end_call(cpu);
	if (!unmapped)
		give_up("a page cannot be unmapped");
}

static struct sequence *pages_of(uint32_t cpu, const struct job *job)
{
	const char *what;
	struct sequence *s = sequence_for(job, cpu, &what);

	if (!s)
		give_up(say_errno(what));
	return s;
}

static void do_pairs(uint32_t cpu, uint64_t n)
{
	struct sequence *s = pages_of(cpu, the_job);

	while (n--)
		do_pair(cpu, the_job->work, next_page(s));
}

/* Maps @n random pages of this CPU's own. */
static void map_own(uint32_t cpu, uint64_t n)
{
	struct job job = *the_job;
	struct sequence *s;

	job.pattern = PATTERN_OWN;
	job.first = 0;
	job.pages = MIXING_WINDOWS * the_setup.nslots;
	s = pages_of(cpu, &job);
	while (n--)
		do_pair(cpu, WORK_MAP, next_page(s));
}

static void hold(uint32_t cpu)
{
	uint32_t page;

	for (page = 0; page < the_job->hold; page++) {
		begin_call(cpu);
		if (!peer_map(page))
			give_up("a page cannot be mapped");
		record_nothing();
	}
}

/*
 * Maps this CPU's part of the pages that the job needs.  If slots are to be
 * mixed, it maps some others in between, so that the CPUs do not get theirs in
 * turn.  Mapping a page can unmap another one, so there are several passes.
 */
static void prepare(uint32_t cpu)
{
	uint64_t random = cpu + 1;
	uint32_t page;
	int pass;

	for (pass = 0; pass < PASSES; pass++) {
		for (page = cpu; page < the_job->prepare;
		     page += the_job->threads) {
			do_pair(cpu, WORK_MAP, page);
			if (!the_job->mix || pass)
				continue;
			random = random * 6364136223846793005u + 1;
			map_own(cpu, random >> 62);
		}
	}
}

/* The last CPU that has done its part begins or ends the counting. */
static void note_counts(bool ended)
{
	const struct mesi_counts counts = record_counts();
	struct counts peer;

	peer_count(&peer);
	the_answer->ops = the_job->ops * the_job->threads;
	the_answer->transfers = counts.transfers;
	the_answer->invalidations = counts.invalidations;
	the_answer->misses = peer.misses - (ended ? the_answer->misses : 0);
	the_answer->flushes = peer.flushes - (ended ? the_answer->flushes : 0);
}

/* Lets the other CPUs do their part too; the last to come has no turn twice. */
static void meet(uint32_t cpu, bool ended)
{
	static uint32_t came;
	const uint32_t all = the_job->threads * (ended ? 2 : 1);

	if (++came == all)
		note_counts(ended);
	do
		turns_pass(cpu);
	while (came < all);
}

static void run_cpu(uint32_t cpu)
{
	if (!cpu)
		hold(cpu);
	map_own(cpu, the_job->mix / the_job->threads);
	prepare(cpu);
	do_pairs(cpu, the_job->lead_in);
	meet(cpu, false);
	do_pairs(cpu, the_job->ops);
	meet(cpu, true);
}

/* A turn is passed on faster if no other CPU has to wake up. */
static void stay_on_cpu(void)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET((size_t)sched_getcpu(), &set);
	sched_setaffinity(0, sizeof(set), &set);
}

static _Noreturn void run_child(void)
{
	const char *why;

	stay_on_cpu();
	why = peer_open(&the_setup);
	if (!why)
		why = turns_take(the_job->threads, run_cpu);
	if (why)
		give_up(why);
	_exit(EXIT_SUCCESS);
}

static const char *run_job(const struct job *job, struct answer *answer)
{
	int status = 0;
	pid_t pid;

	if (!job->threads || job->threads > MESI_CPUS_MAX)
		return "the number of CPUs is out of range";
	the_job = job;
	memset(the_answer, 0, sizeof(*the_answer));
	pid = fork();
	if (!pid)
		run_child();
	if (pid < 0 || waitpid(pid, &status, 0) < 0)
		return say_errno("process");
	*answer = *the_answer;
	return status ? "the process died" : NULL;
}

static const char *set_up(const struct setup *setup)
{
	the_setup = *setup;
	the_answer = mmap(NULL, sizeof(*the_answer), PROT_READ | PROT_WRITE,
			  MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	return the_answer == MAP_FAILED ? say_errno("mmap") : NULL;
}

int main(int argc, char **argv)
{
	return serve(argc, argv, set_up, run_job);
}
