// SPDX-License-Identifier: MIT
/*
 * ipi.c - one CPU pins with its interrupts off while the other reclaims, and
 * flushes the first one's TLB by inter-processor interrupt.
 */
#include "scenario.h"

static void mapper(void)
{
	use_page(2, 0x31);
}

static void pinner(void)
{
	const bool were_on = machine_irq_save();
	char *page = pin(0);

	if (page) {
		load(page);
		unpin(page);
	}
	machine_irq_restore(were_on);
}

static void prepare(void)
{
	leave_mapped(0, 0x11);
	leave_mapped(1, 0x21);
	machine_task("mapper", 0, mapper);
	machine_task("pinner", 1, pinner);
}

static bool makes_sense(const struct machine_config *config)
{
	return config->ncpus > 1 && config->ipi;
}

const struct scenario scenario_ipi = {
	.name = "ipi",
	.about = "a pin with interrupts off while another CPU flushes TLBs",
	.makes_sense = makes_sense,
	.prepare = prepare,
};
