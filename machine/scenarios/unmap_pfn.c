// SPDX-License-Identifier: MIT
/*
 * unmap_pfn.c - a task unmaps, by number, a page that nobody has mapped, while
 * the page's slot is given to one that another task maps.
 */
#include "scenario.h"

/* Maps by the page's number can be ended correctly, too. */
static void user(void)
{
	char *page = map(2);

	store(page, 0x31);
	unmap_pfn(2, page);
}

static void careless(void)
{
	unmap_pfn_once_too_often(0);
}

static void prepare(void)
{
	leave_mapped(0, 0x11);
	leave_mapped(1, 0x21);
	machine_task("user", 0, user);
	machine_task("careless", cpu_or_last(1), careless);
}

const struct scenario scenario_unmap_pfn = {
	.name = "unmap-pfn",
	.about = "one unmap too many, by number, of a page whose slot moves on",
	.prepare = prepare,
};
