// SPDX-License-Identifier: MIT
/* full_window.c - more tasks than slots: one has to wait for an unmap. */
#include "scenario.h"

static void task_1(void)
{
	use_page(0, 0x11);
}

static void task_2(void)
{
	use_page(1, 0x21);
}

static void task_3(void)
{
	use_page(2, 0x31);
}

static void prepare(void)
{
	machine_task("task 1", 0, task_1);
	machine_task("task 2", cpu_or_last(1), task_2);
	machine_task("task 3", cpu_or_last(2), task_3);
}

const struct scenario scenario_full_window = {
	.name = "full-window",
	.about = "more tasks want pages than there are slots",
	.prepare = prepare,
};
