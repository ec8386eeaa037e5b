// SPDX-License-Identifier: MIT
/*
 * /sys: the processors and the memory of the sandbox, as far as programs ask for them. The processors are cores of one package and
 * one memory node; their caches are the host's, by cpuid, with what several of the sandbox's cores would share at the last level.
 */
#include "base/printf.h"
#include "base/string.h"
#include "fs/proc/internal.h"
#include "mm/kmalloc.h"
#include "south/south.h"

#define SYSFS_MAGIC	0x62656572
#define CPUS_MAX	1024u		/* kernel_max + 1: as many as an affinity mask has bits */
#define CACHES_MAX	8u

static int show_text(struct seq_buf *s, const struct pseudo_ctx *ctx)
{
	seq_puts(s, (const char *)(uintptr_t)ctx->key2);
	return 0;
}

#define TEXT(name, text)	{ name, S_IFREG | 0444, .show = show_text, .key2 = (u64)(uintptr_t)(text) }
#define SHOW(name, fn)		{ name, S_IFREG | 0444, .show = fn }
#define DIR(name, table)	{ name, S_IFDIR | 0755, .children = table }

static const struct pseudo_entry empty_dir[] = { {} };

/* ---- sets of processors ---- */

static void put_list(struct seq_buf *s, u32 first, u32 last)
{
	if (last > first)
		seq_printf(s, "%u-%u\n", first, last);
	else
		seq_printf(s, "%u\n", first);
}

/* As %*pb prints a mask of all processors there are. */
static void put_mask(struct seq_buf *s, u32 first, u32 last)
{
	u32 n = machine->nr_cpus();

	for (u32 w = (n + 31) / 32; w--;) {
		u32 bits = 0, nr = min(n - w * 32, 32u);

		for (u32 i = 0; i < nr; i++)
			if (w * 32 + i >= first && w * 32 + i <= last)
				bits |= 1u << i;
		seq_printf(s, "%0*x%s", (int)(nr + 3) / 4, bits, w ? "," : "\n");
	}
}

static int show_all(struct seq_buf *s, const struct pseudo_ctx *ctx __unused)
{
	put_list(s, 0, machine->nr_cpus() - 1);
	return 0;
}

static int show_all_mask(struct seq_buf *s, const struct pseudo_ctx *ctx __unused)
{
	put_mask(s, 0, machine->nr_cpus() - 1);
	return 0;
}

/* Of one processor: key is its number. */
static int show_self_list(struct seq_buf *s, const struct pseudo_ctx *ctx)
{
	put_list(s, (u32)ctx->key, (u32)ctx->key);
	return 0;
}

static int show_self_mask(struct seq_buf *s, const struct pseudo_ctx *ctx)
{
	put_mask(s, (u32)ctx->key, (u32)ctx->key);
	return 0;
}

static int show_core(struct seq_buf *s, const struct pseudo_ctx *ctx)
{
	seq_printf(s, "%u\n", (u32)ctx->key);
	return 0;
}

static const struct pseudo_entry topology_dir[] = {
	SHOW("cluster_cpus", show_self_mask), SHOW("cluster_cpus_list", show_self_list), TEXT("cluster_id", "65535\n"),
	SHOW("core_cpus", show_self_mask), SHOW("core_cpus_list", show_self_list), SHOW("core_id", show_core),
	SHOW("core_siblings", show_all_mask), SHOW("core_siblings_list", show_all), SHOW("die_cpus", show_all_mask),
	SHOW("die_cpus_list", show_all), TEXT("die_id", "0\n"), SHOW("package_cpus", show_all_mask),
	SHOW("package_cpus_list", show_all), TEXT("physical_package_id", "0\n"), SHOW("thread_siblings", show_self_mask),
	SHOW("thread_siblings_list", show_self_list),
	{}
};

/* ---- caches ---- */

struct cache {
	u32 type, level, line, partitions, ways, sets;
};

static void cpuid(u32 leaf, u32 sub, u32 r[4])
{
	__asm__ volatile("cpuid" : "=a"(r[0]), "=b"(r[1]), "=c"(r[2]), "=d"(r[3]) : "a"(leaf), "c"(sub));
}

static bool cache_get(u32 index, struct cache *c)
{
	u32 r[4], leaf = 0x8000001d;

	cpuid(0, 0, r);
	if (r[0] >= 4) {
		cpuid(4, 0, r);
		if (r[0] & 31)
			leaf = 4;
	}
	if (leaf != 4) {
		cpuid(0x80000000, 0, r);
		if (r[0] < leaf)
			return false;
	}
	for (u32 i = 0; i <= index; i++) {
		cpuid(leaf, i, r);
		if (!(r[0] & 31))
			return false;
	}
	*c = (struct cache){ r[0] & 31, r[0] >> 5 & 7, (r[1] & 0xfff) + 1, (r[1] >> 12 & 0x3ff) + 1, (r[1] >> 22) + 1, r[2] + 1 };
	return true;
}

enum cache_field { CACHE_LINE, CACHE_LEVEL, CACHE_SETS, CACHE_PARTITION, CACHE_SIZE, CACHE_TYPE, CACHE_WAYS, CACHE_LIST, CACHE_MAP, CACHE_ID };

/* key: processor, and the cache's index above it; key2: the field */
static int show_cache(struct seq_buf *s, const struct pseudo_ctx *ctx)
{
	static const char *const types[] = { "", "Data", "Instruction", "Unified" };
	u32 cpu = (u32)(ctx->key & 0xffff), last = machine->nr_cpus() - 1;
	struct cache c;

	if (!cache_get((u32)(ctx->key >> 16), &c))
		return -ENOENT;
	switch ((enum cache_field)ctx->key2) {
	case CACHE_LINE:
		seq_printf(s, "%u\n", c.line);
		break;
	case CACHE_LEVEL:
		seq_printf(s, "%u\n", c.level);
		break;
	case CACHE_SETS:
		seq_printf(s, "%u\n", c.sets);
		break;
	case CACHE_PARTITION:
		seq_printf(s, "%u\n", c.partitions);
		break;
	case CACHE_SIZE:
		seq_printf(s, "%luK\n", (u64)c.line * c.partitions * c.ways * c.sets / 1024);
		break;
	case CACHE_TYPE:
		seq_printf(s, "%s\n", c.type < ARRAY_SIZE(types) ? types[c.type] : "");
		break;
	case CACHE_WAYS:
		seq_printf(s, "%u\n", c.ways);
		break;
	case CACHE_LIST:
		put_list(s, c.level >= 3 ? 0 : cpu, c.level >= 3 ? last : cpu);
		break;
	case CACHE_MAP:
		put_mask(s, c.level >= 3 ? 0 : cpu, c.level >= 3 ? last : cpu);
		break;
	case CACHE_ID:
		seq_printf(s, "%u\n", c.level >= 3 ? 0 : cpu);
		break;
	}
	return 0;
}

#define CACHE(name, field)	{ name, S_IFREG | 0444, .show = show_cache, .key2 = (field) }
static const struct pseudo_entry index_dir[] = {
	CACHE("coherency_line_size", CACHE_LINE), CACHE("id", CACHE_ID), CACHE("level", CACHE_LEVEL),
	CACHE("number_of_sets", CACHE_SETS), CACHE("physical_line_partition", CACHE_PARTITION),
	CACHE("shared_cpu_list", CACHE_LIST), CACHE("shared_cpu_map", CACHE_MAP), CACHE("size", CACHE_SIZE),
	CACHE("type", CACHE_TYPE), CACHE("ways_of_associativity", CACHE_WAYS),
	{}
};
static const struct pseudo_entry index_entry = { "", S_IFDIR | 0755, .children = index_dir };

/* The number at the end of @name, which begins with @prefix. Return: it, or -1 */
static s64 numbered(const struct qstr *name, const char *prefix)
{
	u32 skip = (u32)strlen(prefix);
	struct qstr rest = { .name = name->name + skip, .len = name->len - skip };

	if (name->len <= skip || memcmp(name->name, prefix, skip))
		return -1;
	return proc_parse_pid(&rest);
}

static const struct pseudo_entry *cache_lookup(const struct pseudo_ctx *dir, const struct qstr *name, struct pseudo_ctx *ctx,
					       bool *counted __unused)
{
	s64 i = numbered(name, "index");
	struct cache c;

	if (i < 0 || i >= CACHES_MAX || !cache_get((u32)i, &c))
		return NULL;
	ctx->key = (dir->key & 0xffff) | (u64)i << 16;
	return &index_entry;
}

static bool cache_next(const struct pseudo_ctx *dir __unused, u64 *from, char *name, size_t size, u32 *mode)
{
	struct cache c;

	if (*from >= CACHES_MAX || !cache_get((u32)*from, &c))
		return false;
	snprintf(name, size, "index%u", (u32)*from);
	*mode = S_IFDIR | 0755;
	return true;
}

static const struct pseudo_dir cache_dynamic = { .lookup = cache_lookup, .next = cache_next };

/* ---- cpu ---- */

static const struct pseudo_entry one_cpu_dir[] = {
	{ "cache", S_IFDIR | 0755, .dynamic = &cache_dynamic },
	DIR("topology", topology_dir),
	{}
};
static const struct pseudo_entry cpu_entry = { "", S_IFDIR | 0755, .children = one_cpu_dir };

static const struct pseudo_entry *cpu_lookup(const struct pseudo_ctx *dir __unused, const struct qstr *name, struct pseudo_ctx *ctx,
					     bool *counted __unused)
{
	s64 i = numbered(name, "cpu");

	if (i < 0 || i >= machine->nr_cpus())
		return NULL;
	ctx->key = (u64)i;
	return &cpu_entry;
}

static bool cpu_next(const struct pseudo_ctx *dir __unused, u64 *from, char *name, size_t size, u32 *mode)
{
	if (*from >= machine->nr_cpus())
		return false;
	snprintf(name, size, "cpu%u", (u32)*from);
	*mode = S_IFDIR | 0755;
	return true;
}

static const struct pseudo_dir cpu_dynamic = { .lookup = cpu_lookup, .next = cpu_next };

static int show_kernel_max(struct seq_buf *s, const struct pseudo_ctx *ctx __unused)
{
	seq_printf(s, "%u\n", CPUS_MAX - 1);
	return 0;
}

static const struct pseudo_entry smt_dir[] = { TEXT("active", "0\n"), TEXT("control", "notsupported\n"), {} };

static const struct pseudo_entry cpu_dir[] = {
	TEXT("isolated", "\n"), SHOW("kernel_max", show_kernel_max), TEXT("offline", "\n"), SHOW("online", show_all),
	SHOW("possible", show_all), SHOW("present", show_all), DIR("smt", smt_dir), DIR("vulnerabilities", empty_dir),
	{}
};

/* ---- node ---- */

static int show_node_meminfo(struct seq_buf *s, const struct pseudo_ctx *ctx __unused)
{
	u64 total = ram_total(), used = min(ram_used(), total);

	seq_printf(s, "Node 0 MemTotal:       %8lu kB\nNode 0 MemFree:        %8lu kB\nNode 0 MemUsed:        %8lu kB\n", total / 1024,
		   (total - used) / 1024, used / 1024);
	seq_puts(s, "Node 0 HugePages_Total:     0\nNode 0 HugePages_Free:      0\nNode 0 HugePages_Surp:      0\n");
	return 0;
}

static const struct pseudo_entry node0_dir[] = {
	SHOW("cpulist", show_all), SHOW("cpumap", show_all_mask), TEXT("distance", "10\n"), SHOW("meminfo", show_node_meminfo), {}
};
static const struct pseudo_entry node_dir[] = {
	TEXT("has_cpu", "0\n"), TEXT("has_memory", "0\n"), TEXT("has_normal_memory", "0\n"), DIR("node0", node0_dir),
	TEXT("online", "0\n"), TEXT("possible", "0\n"), {}
};

/* ---- the rest ---- */

static const struct pseudo_entry huge_page_dir[] = {
	TEXT("free_hugepages", "0\n"), TEXT("nr_hugepages", "0\n"), TEXT("nr_overcommit_hugepages", "0\n"),
	TEXT("resv_hugepages", "0\n"), TEXT("surplus_hugepages", "0\n"), {}
};
static const struct pseudo_entry huge_pages_dir[] = { DIR("hugepages-2048kB", huge_page_dir), {} };
static const struct pseudo_entry thp_dir[] = {
	TEXT("defrag", "always defer defer+madvise [madvise] never\n"), TEXT("enabled", "always [madvise] never\n"),
	TEXT("hpage_pmd_size", "2097152\n"), TEXT("shmem_enabled", "always within_size advise [never] deny force\n"),
	TEXT("use_zero_page", "1\n"), {}
};
static const struct pseudo_entry mm_dir[] = { DIR("hugepages", huge_pages_dir), DIR("transparent_hugepage", thp_dir), {} };
static const struct pseudo_entry kernel_dir[] = {
	TEXT("address_bits", "64\n"), TEXT("cpu_byteorder", "little\n"), DIR("debug", empty_dir), DIR("mm", mm_dir),
	TEXT("profiling", "0\n"), DIR("security", empty_dir), DIR("tracing", empty_dir), TEXT("uevent_seqnum", "0\n"), {}
};

static const struct pseudo_entry system_dir[] = {
	{ "cpu", S_IFDIR | 0755, .children = cpu_dir, .dynamic = &cpu_dynamic }, DIR("node", node_dir), {}
};
static const struct pseudo_entry devices_dir[] = { DIR("system", system_dir), DIR("virtual", empty_dir), {} };
static const struct pseudo_entry class_dir[] = { DIR("block", empty_dir), DIR("net", empty_dir), DIR("tty", empty_dir), {} };
static const struct pseudo_entry bus_dir[] = { {} };
static const struct pseudo_entry fs_dir[] = { DIR("cgroup", empty_dir), {} };
static const struct pseudo_entry root_table[] = {
	DIR("block", empty_dir), DIR("bus", bus_dir), DIR("class", class_dir), DIR("dev", empty_dir), DIR("devices", devices_dir),
	DIR("firmware", empty_dir), DIR("fs", fs_dir), DIR("kernel", kernel_dir), DIR("module", empty_dir), DIR("power", empty_dir),
	{}
};
static const struct pseudo_entry root_entry = { "/", S_IFDIR | 0555, .children = root_table };

struct super *sysfs_mount(const char *source __unused, const char *data __unused)
{
	return pseudo_super("sysfs", SYSFS_MAGIC, SB_NODEV, &root_entry);
}
