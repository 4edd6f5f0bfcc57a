// SPDX-License-Identifier: MIT
#include "kernel.h"

#include <errno.h>
#include <stdio.h>
#include <sys/mman.h>

struct page *shim_pages;
int shim_unused;
int shim_fd = -1;
struct counts shim_counts __attribute__((__aligned__(64)));
_Thread_local struct task this_task;

void add_wait_queue(wait_queue_head_t *queue, wait_queue_entry_t *entry)
{
	unsigned long flags;

	spin_lock_irqsave(&queue->lock, flags);
	list_add_tail(&entry->node, &queue->waiters);
	spin_unlock_irqrestore(&queue->lock, flags);
}

void remove_wait_queue(wait_queue_head_t *queue, wait_queue_entry_t *entry)
{
	unsigned long flags;

	spin_lock_irqsave(&queue->lock, flags);
	list_del(&entry->node);
	spin_unlock_irqrestore(&queue->lock, flags);
}

void wake_up(wait_queue_head_t *queue)
{
	wait_queue_entry_t *entry;
	unsigned long flags;

	spin_lock_irqsave(&queue->lock, flags);
	list_for_each_entry(entry, &queue->waiters, node)
	{
		entry->task->state = 0;
		wake_sleepers(&entry->task->state);
	}
	spin_unlock_irqrestore(&queue->lock, flags);
}

void schedule(void)
{
	while (this_task.state)
		sleep_on(&this_task.state, TASK_UNINTERRUPTIBLE);
}

/* Exits on failure: mm/highmem.c has no way to handle it. */
void shim_mmap(unsigned long addr, unsigned long page)
{
	if (mmap((void *)addr, PAGE_SIZE, PROT_READ | PROT_WRITE,
		 MAP_SHARED | MAP_FIXED, shim_fd,
		 (off_t)(page * PAGE_SIZE)) != MAP_FAILED)
		return;
	perror("worker: linux: mmap");
	exit(EXIT_FAILURE);
}

const char *shim_open(const struct setup *setup)
{
	void *base;

	if (setup->nslots != LAST_PKMAP ||
	    1ul << setup->page_shift != PAGE_SIZE)
		return "built for another window";
	base = mmap((void *)SHIM_BASE, LAST_PKMAP * PAGE_SIZE, PROT_NONE,
		    MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
	if (base != (void *)SHIM_BASE)
		return say_errno("mmap");
	shim_pages =
		mmap((void *)SHIM_PAGES, setup->npages * sizeof(*shim_pages),
		     PROT_READ | PROT_WRITE,
		     MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
	if (shim_pages != (void *)SHIM_PAGES)
		return say_errno("mmap");
	pkmap_page_table = calloc(LAST_PKMAP, sizeof(*pkmap_page_table));
	if (!pkmap_page_table)
		return "no memory";
	shim_fd = setup->fd;
	page_address_init();
	return NULL;
}

void shim_count(struct counts *counts)
{
	*counts = shim_counts;
}
