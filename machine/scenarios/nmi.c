// SPDX-License-Identifier: MIT
/* nmi.c - an interrupt that cannot be masked pins a page at any moment. */
#include "scenario.h"

static void mapper_1(void)
{
	use_page(1, 0x21);
}

static void mapper_2(void)
{
	use_page(2, 0x31);
}

static void handler(void)
{
	char *page = pin(0);

	if (!page)
		return;
	load(page);
	store(page, 0x12);
	unpin(page);
}

static void prepare(void)
{
	leave_mapped(0, 0x11);
	machine_task("task 1", 0, mapper_1);
	machine_task("task 2", cpu_or_last(1), mapper_2);
	machine_raise(machine_interrupt("NMI", 0, MACHINE_NMI, handler));
}

const struct scenario scenario_nmi = {
	.name = "nmi",
	.about = "an interrupt that cannot be masked pins a page",
	.prepare = prepare,
};
