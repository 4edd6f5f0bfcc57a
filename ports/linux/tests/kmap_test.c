// SPDX-License-Identifier: GPL-2.0-only
/*
 * kmap_test.c - starts the tests of kmap() through debugfs.
 *
 * Writing a number of seconds to kmap_test/NAME runs the test of that name.
 * (bench takes anything.)  The write returns when the test has ended, with an
 * error if it failed.  The kernel's log has the results.
 */
#define pr_fmt(fmt) "kmap_test: " fmt

#include <linux/debugfs.h>
#include <linux/fs.h>
#include <linux/init.h>
#include <linux/kernel.h>
#include <linux/mutex.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>

#include "kmap_test.h"

#define MOST_SECONDS 3600

struct kmap_test {
	const char *name;
	int (*run)(unsigned int seconds, const char **why);
	bool timed;
};

static const struct kmap_test tests[] = {
	{ "bench", kmap_bench, false },
	{ "stress", kmap_stress, true },
	{ "deadlock", kmap_deadlock, true },
	{ "throughput", kmap_throughput, true },
};

static DEFINE_MUTEX(one_at_a_time);

void kmap_test_free(struct page **pages, unsigned int n)
{
	while (pages && n--) {
		if (pages[n])
			__free_page(pages[n]);
	}
	kvfree(pages);
}

struct page **kmap_test_alloc(unsigned int n)
{
	const gfp_t gfp = GFP_HIGHUSER | __GFP_NORETRY | __GFP_NOWARN;
	struct page **pages = kvcalloc(n, sizeof(*pages), GFP_KERNEL);
	unsigned int i;

	for (i = 0; pages && i < n; i++) {
		pages[i] = alloc_page(gfp);
		if (pages[i] && PageHighMem(pages[i]))
			continue;
		kmap_test_free(pages, n);
		return NULL;
	}
	return pages;
}

static ssize_t write_test(struct file *file, const char __user *text,
			  size_t count, loff_t *ppos)
{
	const struct kmap_test *test = file->private_data;
	const char *why = "error";
	unsigned int seconds = 1;
	int err = 0;

	if (test->timed)
		err = kstrtouint_from_user(text, count, 10, &seconds);
	if (err)
		return err;
	if (!seconds || seconds > MOST_SECONDS)
		return -ERANGE;
	if (mutex_lock_interruptible(&one_at_a_time))
		return -ERESTARTSYS;
	err = test->run(seconds, &why);
	mutex_unlock(&one_at_a_time);
	if (err) {
		pr_err("%s FAILED: %s\n", test->name, why);
		return err;
	}
	pr_info("%s done\n", test->name);
	return count;
}

static const struct file_operations test_fops = {
	.open = simple_open,
	.write = write_test,
	.llseek = noop_llseek,
};

static int __init kmap_test_init(void)
{
	struct dentry *dir = debugfs_create_dir("kmap_test", NULL);
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(tests); i++)
		debugfs_create_file(tests[i].name, 0200, dir, (void *)&tests[i],
				    &test_fops);
	return 0;
}
late_initcall(kmap_test_init);
