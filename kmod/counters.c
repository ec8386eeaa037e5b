// SPDX-License-Identifier: MIT OR GPL-2.0-only
/* debugfs: litebox/counters. What stays there after the last sandbox is a leak. */
#include <linux/debugfs.h>
#include <linux/seq_file.h>

#include "litebox.h"

struct litebox_counters litebox_counters;
static struct dentry *dir;

static int counters_show(struct seq_file *m, void *v)
{
	seq_printf(m, "sandboxes %d\n", atomic_read(&litebox_counters.sandboxes));
	seq_printf(m, "processes %d\n", atomic_read(&litebox_counters.processes));
	seq_printf(m, "cpus %d\n", atomic_read(&litebox_counters.cpus));
	seq_printf(m, "handles %d\n", atomic_read(&litebox_counters.handles));
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(counters);

/* Without debugfs there are no counters to read, and that is all. */
void litebox_counters_init(void)
{
	dir = debugfs_create_dir("litebox", NULL);
	debugfs_create_file("counters", 0444, dir, NULL, &counters_fops);
}

void litebox_counters_exit(void)
{
	debugfs_remove_recursive(dir);
}
