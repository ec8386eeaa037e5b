// SPDX-License-Identifier: MIT
/*
 * /proc/sys: what programs ask for, with the values that hold here. Nothing can be set but the names of the system, by who may
 * (CAP_SYS_ADMIN); other writes answer EPERM.
 */
#include "base/random.h"
#include "base/string.h"
#include "boot_parts.h"
#include "fs/proc/internal.h"
#include "north/linux/uts.h"
#include "process/cred.h"
#include "process/limits.h"
#include "process/pid.h"

static int show_text(struct seq_buf *s, const struct pseudo_ctx *ctx)
{
	seq_puts(s, (const char *)(uintptr_t)ctx->key2);
	seq_putc(s, '\n');
	return 0;
}

static ssize_t store_refused(const struct pseudo_ctx *ctx __unused, const char *text __unused, size_t len __unused)
{
	return -EPERM;
}

#define TEXT(name, text)	{ name, S_IFREG | 0644, .show = show_text, .store = store_refused, .key2 = (u64)(uintptr_t)(text) }
#define SHOW(name, fn)		{ name, S_IFREG | 0444, .show = fn, .store = store_refused }

/* ---- kernel ---- */

static ssize_t store_name(const struct pseudo_ctx *ctx, const char *text, size_t len)
{
	char name[UTS_LEN] = "", *nl, *to = (char *)(uintptr_t)ctx->key2;

	if (!capable(CAP_SYS_ADMIN))
		return -EPERM;
	memcpy(name, text, min(len, sizeof(name) - 1));
	nl = strchr(name, '\n');
	if (nl)
		*nl = '\0';
	memcpy(to, name, sizeof(name));
	return (ssize_t)len;
}

static int show_threads_max(struct seq_buf *s, const struct pseudo_ctx *ctx __unused)
{
	seq_printf(s, "%u\n", tasks_max);
	return 0;
}

static char boot_id[37];

static void make_uuid(char out[37])
{
	static const char hex[] = "0123456789abcdef";
	u8 b[16];
	u32 at = 0;

	random_bytes(b, sizeof(b));
	b[6] = (u8)((b[6] & 0x0f) | 0x40);
	b[8] = (u8)((b[8] & 0x3f) | 0x80);
	for (u32 i = 0; i < 16; i++) {
		if (i == 4 || i == 6 || i == 8 || i == 10)
			out[at++] = '-';
		out[at++] = hex[b[i] >> 4];
		out[at++] = hex[b[i] & 15];
	}
	out[at] = '\0';
}

void proc_sysctl_init(void)
{
	make_uuid(boot_id);
}

static int show_uuid(struct seq_buf *s, const struct pseudo_ctx *ctx __unused)
{
	char uuid[37];

	make_uuid(uuid);
	seq_printf(s, "%s\n", uuid);
	return 0;
}

static const struct pseudo_entry random_dir[] = {
	{ "boot_id", S_IFREG | 0444, .show = show_text, .store = store_refused, .key2 = (u64)(uintptr_t)boot_id },
	TEXT("entropy_avail", "256"),
	TEXT("poolsize", "256"),
	SHOW("uuid", show_uuid),
	{}
};

static const struct pseudo_entry kernel_dir[] = {
	TEXT("cap_last_cap", "40"),
	TEXT("core_pattern", "core"),
	{ "domainname", S_IFREG | 0644, .show = show_text, .store = store_name, .key2 = (u64)(uintptr_t)uts_domainname },
	{ "hostname", S_IFREG | 0644, .show = show_text, .store = store_name, .key2 = (u64)(uintptr_t)boot_hostname },
	TEXT("ngroups_max", "65536"),
	TEXT("osrelease", UTS_RELEASE),
	TEXT("ostype", "Linux"),
	TEXT("overflowgid", "65534"),
	TEXT("overflowuid", "65534"),
	TEXT("pid_max", "4194304"),
	{ "random", S_IFDIR | 0555, .children = random_dir },
	TEXT("randomize_va_space", "2"),
	SHOW("threads-max", show_threads_max),
	TEXT("version", UTS_VERSION),
	{}
};

static const struct pseudo_entry vm_dir[] = {
	TEXT("max_map_count", "65530"),
	TEXT("mmap_min_addr", "65536"),
	TEXT("overcommit_memory", "0"),
	{}
};

const struct pseudo_entry proc_sys_dir[] = {
	{ "kernel", S_IFDIR | 0555, .children = kernel_dir },
	{ "vm", S_IFDIR | 0555, .children = vm_dir },
	{}
};
