// SPDX-License-Identifier: GPL-2.0-only
/*
 * debugfs.c - shows the counters of kmap()'s window in pkmap/stats.
 */
#include <linux/debugfs.h>
#include <linux/init.h>
#include <linux/seq_file.h>

#include "linux.h"

/* Without local_maps: kmap_local_page() only takes pins of this window. */
static int stats_show(struct seq_file *m, void *v)
{
	struct pkmap_stats s;

	pkmap_linux_read_stats(&s);
	seq_printf(m,
		   "hits %lu\nmisses %lu\npins %lu\npin_misses %lu\n"
		   "reclaims %lu\nreclaimed %lu\ntlb_flushes %lu\n"
		   "waits %lu\nmisuses %lu\n",
		   s.hits, s.misses, s.pins, s.pin_misses, s.reclaims,
		   s.reclaimed, s.tlb_flushes, s.waits, s.misuses);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(stats);

static int __init pkmap_debugfs_init(void)
{
	struct dentry *dir = debugfs_create_dir("pkmap", NULL);

	debugfs_create_file("stats", 0444, dir, NULL, &stats_fops);
	return 0;
}
late_initcall(pkmap_debugfs_init);
