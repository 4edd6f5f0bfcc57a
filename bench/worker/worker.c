// SPDX-License-Identifier: MIT
/*
 * worker.c - does the jobs (job.h) of "pkmap bench" with the peer that is
 * linked in.  PEER is the peer's header.
 */
#include PEER

#include "pattern.h"
#include "serve.h"
#include "bench/job.h"

#include <errno.h>
#include <limits.h>
#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define IRQ_SIGNAL SIGALRM
#define TRIES_MAX  6
#define MIX_BATCH  16 /* maps of a mixer before it is the next one's turn */
#define MIX_PASSES 3  /* a map can unmap a page of the working set again */

#ifndef sigev_notify_thread_id
#define sigev_notify_thread_id _sigev_un._tid
#endif

_Thread_local struct cpu this_cpu;

static struct setup the_setup;
static int cpus[CPU_SETSIZE]; /* CPUs that we may run on */
static uint32_t ncpus;

/* The page that the interrupts pin. */
static uint32_t irq_page;
static _Atomic uint64_t interrupts;

static atomic_bool stop; /* ends map_until_told() */

static _Atomic uint32_t next_step; /* the step that a mixer may do; see mix() */

struct thread {
	const struct job *job;
	uint32_t nr;
	struct sequence *sequence;
	struct answer *answer;
	pthread_barrier_t *barrier;
	pthread_t id;
	uint64_t start;
	uint64_t end;
	bool preempted;
	bool failed;
};

static void futex(_Atomic uint32_t *word, int op, uint32_t value)
{
	syscall(SYS_futex, word, op, value, NULL, NULL, 0);
}

void sleep_on(_Atomic uint32_t *word, uint32_t value)
{
	futex(word, FUTEX_WAIT_PRIVATE, value);
}

void wake_sleepers(_Atomic uint32_t *word)
{
	futex(word, FUTEX_WAKE_PRIVATE, INT_MAX);
}

static uint64_t now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

/* How often this thread was preempted. */
static long preemptions(void)
{
	struct rusage usage;

	getrusage(RUSAGE_THREAD, &usage);
	return usage.ru_nivcsw;
}

static void pin_in_interrupt(void)
{
	void *addr = peer_pin(irq_page);

	if (addr)
		peer_unmap(irq_page, addr);
	atomic_fetch_add_explicit(&interrupts, 1, memory_order_relaxed);
}

void take_pending(void)
{
	this_cpu.pending = 0;
	pin_in_interrupt();
}

static void on_signal(int sig)
{
	int saved = errno;

	(void)sig;
	if (this_cpu.irqs_off)
		this_cpu.pending = 1;
	else
		pin_in_interrupt();
	errno = saved;
}

static bool loop_pin(struct sequence *s, uint64_t ops)
{
	uint32_t page;
	void *addr;

	while (ops--) {
		page = next_page(s);
		addr = peer_pin(page);
		if (!addr || !peer_unmap(page, addr))
			return false;
	}
	return true;
}

static bool loop_pin_miss(struct sequence *s, uint64_t ops)
{
	while (ops--) {
		if (peer_pin(next_page(s)))
			return false;
	}
	return true;
}

static bool loop_map(struct sequence *s, uint64_t ops)
{
	uint32_t page;
	void *addr;

	while (ops--) {
		page = next_page(s);
		addr = peer_map(page);
		if (!addr || !peer_unmap(page, addr))
			return false;
	}
	return true;
}

/* Whether all of @page is mapped at @addr. */
static bool shows(const char *addr, uint32_t page)
{
	const size_t system = 4096;
	const size_t n = ((size_t)1 << the_setup.page_shift) / system;
	uint64_t mark;
	size_t i;

	for (i = 0; i < n; i++) {
		memcpy(&mark, addr + i * system, sizeof(mark));
		if (mark != job_mark(page * n + i))
			return false;
	}
	return true;
}

static bool loop_map_touch(struct sequence *s, uint64_t ops)
{
	uint32_t page;
	void *addr;

	while (ops--) {
		page = next_page(s);
		addr = peer_map(page);
		if (!addr || !shows(addr, page) || !peer_unmap(page, addr))
			return false;
	}
	return true;
}

/* Copies each page to the one half a working set further on. */
static bool loop_copy(const struct job *job, struct sequence *s, uint64_t ops)
{
	const size_t bytes = (size_t)1 << the_setup.page_shift;
	uint32_t from;
	uint32_t to;
	void *source;
	void *target;

	while (ops--) {
		from = next_page(s);
		to = job->first +
		     (from - job->first + job->pages / 2) % job->pages;
		source = peer_map(from);
		target = source ? peer_map(to) : NULL;
		if (!target)
			return false;
		memcpy(target, source, bytes);
		if (!peer_unmap(to, target) || !peer_unmap(from, source))
			return false;
	}
	return true;
}

static void note_latency(struct answer *answer, uint64_t ns)
{
	answer->buckets[job_bucket(ns)]++;
	if (ns > answer->slowest)
		answer->slowest = ns;
}

/* Times each pin; the time includes a reading of the clock. */
static bool loop_latency(const struct job *job, struct answer *answer,
			 uint64_t ops)
{
	uint32_t page = 0;
	uint64_t start;
	uint64_t end;
	void *addr;

	while (ops--) {
		page = page + 1 < job->hold ? page + 1 : 0;
		start = now();
		addr = peer_pin(page);
		end = now();
		if (!addr || !peer_unmap(page, addr))
			return false;
		note_latency(answer, end - start);
	}
	return true;
}

static bool map_until_told(struct sequence *s)
{
	while (!atomic_load_explicit(&stop, memory_order_relaxed)) {
		if (!loop_map(s, 64))
			return false;
	}
	return true;
}

static bool loop(struct thread *t, uint64_t ops)
{
	switch (t->job->work) {
	case WORK_PIN:
		return loop_pin(t->sequence, ops);
	case WORK_PIN_MISS:
		return loop_pin_miss(t->sequence, ops);
	case WORK_MAP:
		return loop_map(t->sequence, ops);
	case WORK_MAP_TOUCH:
		return loop_map_touch(t->sequence, ops);
	case WORK_COPY:
		return loop_copy(t->job, t->sequence, ops);
	case WORK_LATENCY:
		if (t->nr)
			return map_until_told(t->sequence);
		return loop_latency(t->job, t->answer, ops);
	}
	return false;
}

static bool timer_start(timer_t *timer, uint32_t hz)
{
	struct sigevent event = {
		.sigev_notify = SIGEV_THREAD_ID,
		.sigev_signo = IRQ_SIGNAL,
	};
	struct itimerspec period = {
		.it_interval.tv_nsec = 1000000000 / hz,
		.it_value.tv_nsec = 1000000000 / hz,
	};

	event.sigev_notify_thread_id = gettid();
	if (!timer_create(CLOCK_MONOTONIC, &event, timer) &&
	    !timer_settime(*timer, 0, &period, NULL))
		return true;
	perror("worker: timer");
	return false;
}

static void *run_thread(void *arg)
{
	struct thread *t = arg;
	const struct job *job = t->job;
	uint64_t ops = job->ops ? job->ops : t->sequence->n;
	timer_t timer;
	long before;

	if (job->irq_hz && !timer_start(&timer, job->irq_hz))
		exit(EXIT_FAILURE);
	if (job->work != WORK_LATENCY && !t->failed)
		t->failed = !loop(t, job->lead_in);
	pthread_barrier_wait(t->barrier);
	before = preemptions();
	t->start = now();
	if (!t->failed)
		t->failed = !loop(t, ops);
	t->end = now();
	t->preempted = preemptions() != before;
	if (!t->nr)
		atomic_store_explicit(&stop, true, memory_order_relaxed);
	if (job->irq_hz)
		timer_delete(timer);
	return NULL;
}

/* Waits for the turn of this step, and does it. */
static bool mix_step(uint32_t step, struct sequence *s, uint64_t maps)
{
	bool done;

	while (atomic_load_explicit(&next_step, memory_order_acquire) != step)
		sched_yield();
	done = loop_map(s, maps);
	atomic_store_explicit(&next_step, step + 1, memory_order_release);
	return done;
}

/* Maps the pages of the working set that this mixer has to map. */
static bool mix_pages(const struct thread *t, uint32_t *step)
{
	const struct job *job = t->job;
	bool done = true;
	uint32_t page;
	uint32_t k;

	for (k = 0; k < job->pages; k++, (*step)++) {
		struct sequence one = { .pages = &page, .n = 1 };

		if ((k % job->threads + job->shift) % job->mixers != t->nr)
			continue;
		page = page_of_number(job, job->first + k);
		done &= mix_step(*step, &one, 1);
	}
	return done;
}

/* A thread of those that mix the slots before others are timed. */
static void *mix(void *arg)
{
	struct thread *t = arg;
	const struct job *job = t->job;
	const uint32_t batches = job->mix / MIX_BATCH * job->mixers;
	uint32_t step;
	int pass;

	for (step = 0; step < batches; step++) {
		if (step % job->mixers == t->nr)
			t->failed |= !mix_step(step, t->sequence, MIX_BATCH);
	}
	for (pass = 0; pass < MIX_PASSES; pass++)
		t->failed |= !mix_pages(t, &step);
	return NULL;
}

static void start_thread(struct thread *t, void *(*run)(void *arg))
{
	pthread_attr_t attr;
	cpu_set_t set;
	int err;

	CPU_ZERO(&set);
	CPU_SET((size_t)cpus[t->nr % ncpus], &set);
	pthread_attr_init(&attr);
	err = pthread_attr_setaffinity_np(&attr, sizeof(set), &set);
	if (!err)
		err = pthread_create(&t->id, &attr, run, t);
	pthread_attr_destroy(&attr);
	if (!err)
		return;
	/* The other threads would wait for this one forever. */
	fprintf(stderr, "worker: thread: %s\n", strerror(err));
	exit(EXIT_FAILURE);
}

/* The cost in @threads, which were timed; with WORK_LATENCY only the first. */
static void measure(struct answer *answer, const struct thread *threads,
		    uint32_t n)
{
	uint64_t start = threads[0].start;
	uint64_t end = threads[0].end;
	uint32_t i;

	for (i = 1; i < n; i++) {
		if (threads[i].start < start)
			start = threads[i].start;
		if (threads[i].end > end)
			end = threads[i].end;
	}
	answer->ops = n * (threads[0].job->ops ? threads[0].job->ops :
						 threads[0].sequence->n);
	answer->cost = (double)(end - start) / (double)answer->ops;
}

/* Returns whether a thread was preempted. */
static bool run_threads(struct thread *threads, uint32_t n,
			struct answer *answer)
{
	bool preempted = false;
	pthread_barrier_t barrier;
	uint32_t i;

	atomic_store(&stop, false);
	pthread_barrier_init(&barrier, NULL, n);
	for (i = 0; i < n; i++) {
		threads[i].barrier = &barrier;
		threads[i].failed = false;
		start_thread(&threads[i], run_thread);
	}
	for (i = 0; i < n; i++) {
		pthread_join(threads[i].id, NULL);
		preempted |= threads[i].preempted;
		if (threads[i].failed)
			strcpy(answer->why, "a call failed unexpectedly");
	}
	pthread_barrier_destroy(&barrier);
	measure(answer, threads, threads->job->work == WORK_LATENCY ? 1 : n);
	return preempted;
}

/* Whether the page with this number is one to @release. */
static bool to_release(const struct job *job, uint32_t n)
{
	const uint32_t every = job->release ? job->hold / job->release : 0;

	return every && n % every == every / 2 && n / every < job->release;
}

static const char *map_first(const struct job *job)
{
	static uint32_t held; /* or to be released */
	uint32_t page;
	uint32_t n;
	void *addr;
	bool first;

	for (n = 0; n < job->prepare || n < job->hold; n++) {
		page = page_of_number(job, n);
		addr = peer_map(page);
		if (!addr)
			return "a page cannot be mapped";
		first = n == held && n < job->hold;
		held += first;
		if (!first || to_release(job, n))
			peer_unmap(page, addr);
	}
	return NULL;
}

/* Mapping a page can unmap another (Linux, when its slots wrap): repeat. */
static const char *prepare(const struct job *job)
{
	const char *why;
	struct counts before;
	struct counts after;
	int passes = 0;

	irq_page = page_of_number(job, job->first);
	do {
		peer_count(&before);
		why = map_first(job);
		peer_count(&after);
	} while (!why && after.misses != before.misses && ++passes < 4);
	return why;
}

static const char *mix_slots(const struct job *job)
{
	static struct thread mixers[JOB_THREADS_MAX];
	struct job drawn = *job;
	const char *what;
	bool failed = false;
	uint32_t i;

	drawn.pattern = PATTERN_ZIPF;
	drawn.first = 0;
	drawn.pages = 10 * the_setup.nslots;
	drawn.threads = job->mixers;
	atomic_store(&next_step, 0);
	for (i = 0; i < job->mixers; i++) {
		mixers[i] = (struct thread){
			.job = job,
			.nr = i,
			.sequence = sequence_for(&drawn, i, &what),
		};
		if (!mixers[i].sequence)
			return say_errno(what);
		mixers[i].sequence->at = 0;
	}
	for (i = 0; i < job->mixers; i++)
		start_thread(&mixers[i], mix);
	for (i = 0; i < job->mixers; i++) {
		pthread_join(mixers[i].id, NULL);
		failed |= mixers[i].failed;
	}
	return failed ? "a map failed while the slots were mixed" : NULL;
}

/*
 * Returns NULL, or a text if there were too few interrupts for the figure to
 * count.  On a busy host, several interrupts become one.
 */
static const char *interrupts_lack(const struct job *job,
				   const struct answer *answer)
{
	const double due =
		job->irq_hz * answer->cost * (double)answer->ops / 1e9;
	const unsigned long came = atomic_load(&interrupts);

	if (!came && due > 4)
		return "no interrupt came";
	if ((double)came < due / 2 - 1)
		return "interrupts came too rarely";
	return NULL;
}

/*
 * If a thread was preempted, its time says nothing about the peer.  So if there
 * are enough CPUs for all threads, a job with a preempted thread is repeated;
 * but only a few times, since the host may never be quiet enough.
 */
static const char *run_job(const struct job *job, struct answer *answer)
{
	static struct thread threads[JOB_THREADS_MAX];
	const bool timed = job->lead_in && job->threads <= ncpus;
	struct counts before;
	struct counts after;
	const char *what;
	const char *why;
	uint32_t i;
	int tries;

	if (!job->threads || job->threads > JOB_THREADS_MAX ||
	    job->mixers > JOB_THREADS_MAX)
		return "the number of threads is out of range";
	for (i = 0; i < job->threads; i++) {
		threads[i] = (struct thread){
			.job = job,
			.nr = i,
			.answer = answer,
			.sequence = sequence_for(job, i, &what),
		};
		if (!threads[i].sequence)
			return say_errno(what);
	}
	for (tries = 0; tries < TRIES_MAX; tries++) {
		memset(answer, 0, sizeof(*answer));
		why = prepare(job);
		if (!why)
			why = mix_slots(job);
		if (why)
			return why;
		atomic_store(&interrupts, 0);
		peer_count(&before);
		if (!run_threads(threads, job->threads, answer) || !timed ||
		    answer->why[0])
			break;
	}
	peer_count(&after);
	answer->misses = after.misses - before.misses;
	answer->flushes = after.flushes - before.flushes;
	return interrupts_lack(job, answer);
}

static void find_cpus(void)
{
	cpu_set_t set;
	int cpu;

	if (sched_getaffinity(0, sizeof(set), &set)) {
		perror("worker: sched_getaffinity");
		exit(EXIT_FAILURE);
	}
	for (cpu = 0; cpu < CPU_SETSIZE; cpu++) {
		if (CPU_ISSET((size_t)cpu, &set))
			cpus[ncpus++] = cpu;
	}
}

static void catch_interrupts(void)
{
	struct sigaction action = {
		.sa_handler = on_signal,
		.sa_flags = SA_RESTART,
	};
	sigset_t set;

	sigaction(IRQ_SIGNAL, &action, NULL);
	sigemptyset(&set);
	sigaddset(&set, IRQ_SIGNAL);
	sigprocmask(SIG_UNBLOCK, &set, NULL);
}

static const char *open_peer(const struct setup *setup)
{
	the_setup = *setup;
	return peer_open(setup);
}

int main(int argc, char **argv)
{
	find_cpus();
	catch_interrupts();
	return serve(argc, argv, open_peer, run_job);
}
