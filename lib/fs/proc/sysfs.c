// SPDX-License-Identifier: MIT
/* /sys: the processors and the memory of the sandbox, as far as programs ask for them. */
#include "fs/proc/internal.h"
#include "south/south.h"

#define SYSFS_MAGIC	0x62656572

static int show_range(struct seq_buf *s, const struct pseudo_ctx *ctx __unused)
{
	u32 n = machine->nr_cpus();

	seq_printf(s, n > 1 ? "0-%u\n" : "%u\n", n - 1);
	return 0;
}

static const struct pseudo_entry cpu_dir[] = {
	{ "online", S_IFREG | 0444, .show = show_range },
	{ "possible", S_IFREG | 0444, .show = show_range },
	{ "present", S_IFREG | 0444, .show = show_range },
	{}
};

static const struct pseudo_entry system_dir[] = { { "cpu", S_IFDIR | 0755, .children = cpu_dir }, {} };
static const struct pseudo_entry devices_dir[] = { { "system", S_IFDIR | 0755, .children = system_dir }, {} };
static const struct pseudo_entry root_table[] = { { "devices", S_IFDIR | 0755, .children = devices_dir }, {} };
static const struct pseudo_entry root_entry = { "/", S_IFDIR | 0555, .children = root_table };

struct super *sysfs_mount(const char *source __unused, const char *data __unused)
{
	return pseudo_super("sysfs", SYSFS_MAGIC, SB_NODEV, &root_entry);
}
