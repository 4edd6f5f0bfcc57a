// SPDX-License-Identifier: MIT
#include "irq.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#define IRQ_SIGNAL SIGALRM

#ifndef sigev_notify_thread_id
#define sigev_notify_thread_id _sigev_un._tid
#endif

/* Only the thread's own handler changes these: no atomic add is needed. */
static void count(_Atomic unsigned long *counter)
{
	unsigned long n = atomic_load_explicit(counter, memory_order_relaxed);

	atomic_store_explicit(counter, n + 1, memory_order_relaxed);
}

static uint64_t next_random(struct irq_cpu *cpu)
{
	cpu->random ^= cpu->random << 13;
	cpu->random ^= cpu->random >> 7;
	cpu->random ^= cpu->random << 17;
	return cpu->random;
}

static void note_fault(struct irq *irq, const char *what, pkmap_pfn pfn,
		       void *addr)
{
	if (atomic_fetch_add(&irq->faults, 1))
		return;
	irq->fault = (struct irq_fault){ what, pfn, addr };
	atomic_store_explicit(&irq->fault_noted, true, memory_order_release);
}

/*
 * The frame may get new contents while we read it; then the result is thrown
 * away, as by the reader of a seqlock.  ThreadSanitizer cannot know that.
 */
__attribute__((no_sanitize("thread"))) static bool
same_contents(const volatile uint64_t *a, const uint64_t *b)
{
	size_t i;

	for (i = 0; i < IRQ_CHECK_BYTES / sizeof(*a); i++) {
		if (a[i] != b[i])
			return false;
	}
	return true;
}

/* The frame's file shows its contents without the window. */
static void compare(struct irq_cpu *cpu, pkmap_pfn pfn, char *addr)
{
	struct pkmap_posix *hm = cpu->irq->hm;
	_Atomic uint32_t *stable = &cpu->irq->pool->frames[pfn].stable;
	size_t page_size = pkmap_posix_page_size(hm);
	size_t part = next_random(cpu) % (page_size / IRQ_CHECK_BYTES) *
		      IRQ_CHECK_BYTES;
	uint32_t version = frame_version(stable);
	ssize_t n;
	bool same;

	if (!frame_says(version))
		return;
	n = pread(pkmap_posix_fd(hm), cpu->contents, IRQ_CHECK_BYTES,
		  (off_t)pfn * (off_t)page_size + (off_t)part);
	same = same_contents((const uint64_t *)(addr + part), cpu->contents);
	if (!frame_unchanged(stable, version))
		return;
	count(&cpu->compared);
	if (n != IRQ_CHECK_BYTES)
		note_fault(cpu->irq, "cannot read the frame's file", pfn, addr);
	else if (!same)
		note_fault(cpu->irq, "the contents are not the frame's", pfn,
			   addr);
}

static void check_mapped(struct irq_cpu *cpu, pkmap_pfn pfn, char *addr)
{
	struct pkmap_window *win = pkmap_posix_window(cpu->irq->hm);

	count(&cpu->pins);
	if (pkmap_addr_to_pfn(win, addr) != pfn)
		note_fault(cpu->irq, "the address belongs to another frame",
			   pfn, addr);
	compare(cpu, pfn, addr);
	if (pkmap_unmap(win, addr))
		note_fault(cpu->irq, "the pin was lost", pfn, addr);
}

static pkmap_pfn choose_frame(struct irq_cpu *cpu)
{
	if (next_random(cpu) % 2)
		return atomic_load_explicit(&cpu->current,
					    memory_order_relaxed);
	return next_random(cpu) % cpu->irq->pool->nframes;
}

static void check_a_frame(struct irq_cpu *cpu)
{
	struct pkmap_window *win = pkmap_posix_window(cpu->irq->hm);
	pkmap_pfn pfn = choose_frame(cpu);
	_Atomic uint32_t *held = &cpu->irq->pool->frames[pfn].held;
	uint32_t version = frame_version(held);
	char *addr = pkmap_pin(win, pfn);

	if (addr) {
		check_mapped(cpu, pfn, addr);
		return;
	}
	count(&cpu->pin_misses);
	if (frame_says(version) && frame_unchanged(held, version))
		note_fault(cpu->irq, "not found, although a CPU has it mapped",
			   pfn, NULL);
}

static void interrupt(int sig, siginfo_t *info, void *context)
{
	struct irq_cpu *cpu = info->si_value.sival_ptr;
	int saved_errno = errno;

	(void)sig;
	(void)context;
	/* Anyone can send the signal; only the timer's carries the CPU. */
	if (info->si_code != SI_TIMER)
		return;
	count(&cpu->taken);
	check_a_frame(cpu);
	errno = saved_errno;
}

void irq_init(struct irq *irq, struct pkmap_posix *hm, struct pool *pool,
	      uint64_t period_ns)
{
	struct sigaction action = {
		.sa_sigaction = interrupt,
		.sa_flags = SA_SIGINFO | SA_RESTART,
	};

	*irq = (struct irq){
		.hm = hm,
		.pool = pool,
		.period_ns = period_ns,
	};
	sigaction(IRQ_SIGNAL, &action, NULL);
}

void irq_cpu_init(struct irq_cpu *cpu, struct irq *irq, uint32_t number)
{
	*cpu = (struct irq_cpu){
		.irq = irq,
		.random = 0x9e3779b97f4a7c15u * (number + 1u),
	};
}

int irq_cpu_start(struct irq_cpu *cpu)
{
	uint64_t period_ns = cpu->irq->period_ns;
	struct timespec period = {
		.tv_sec = (time_t)(period_ns / 1000000000u),
		.tv_nsec = (long)(period_ns % 1000000000u),
	};
	struct sigevent event = {
		.sigev_notify = SIGEV_THREAD_ID,
		.sigev_signo = IRQ_SIGNAL,
		.sigev_value.sival_ptr = cpu,
	};
	sigset_t set;

	if (!period_ns)
		return 0;
	event.sigev_notify_thread_id = gettid();
	if (timer_create(CLOCK_MONOTONIC, &event, &cpu->timer))
		return errno;
	sigemptyset(&set);
	sigaddset(&set, IRQ_SIGNAL);
	pthread_sigmask(SIG_UNBLOCK, &set, NULL);
	timer_settime(cpu->timer, 0, &(struct itimerspec){ period, period },
		      NULL);
	return 0;
}

void irq_cpu_work_on(struct irq_cpu *cpu, pkmap_pfn pfn)
{
	atomic_store_explicit(&cpu->current, pfn, memory_order_relaxed);
}

void irq_cpu_stop(struct irq_cpu *cpu)
{
	if (cpu->irq->period_ns)
		timer_delete(cpu->timer);
}

void irq_cpu_count(struct irq_cpu *cpu, struct irq_counts *counts)
{
	counts->taken += cpu->taken;
	counts->pins += cpu->pins;
	counts->pin_misses += cpu->pin_misses;
	counts->compared += cpu->compared;
}

const struct irq_fault *irq_fault(struct irq *irq)
{
	if (!atomic_load_explicit(&irq->fault_noted, memory_order_acquire))
		return NULL;
	return &irq->fault;
}
