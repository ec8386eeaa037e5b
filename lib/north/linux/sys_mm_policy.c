// SPDX-License-Identifier: MIT
/* Memory policies, as a kernel with one node answers. */
#include "base/string.h"
#include "mm/uaccess.h"
#include "mm/vma.h"
#include "north/linux/syscall.h"
#include "process/fork.h"
#include "process/pid.h"
#include "sched/wait.h"

#define MPOL_DEFAULT		0u
#define MPOL_PREFERRED		1u
#define MPOL_LOCAL		4u
#define MPOL_MAX		7u
#define MPOL_F_STATIC_NODES	BIT(15)
#define MPOL_F_RELATIVE_NODES	BIT(14)
#define MPOL_F_NUMA_BALANCING	BIT(13)

#define MPOL_F_NODE		BIT(0)
#define MPOL_F_ADDR		BIT(1)
#define MPOL_F_MEMS_ALLOWED	BIT(2)

#define MPOL_MF_VALID		7u

/* Return: 1 when node 0 is in the mask, 0 when none is; -EINVAL for other nodes, -EFAULT */
static int nodes_get(u64 addr, u64 maxnode)
{
	u64 bits, word, i;
	int ret = 0;

	if (!addr || maxnode <= 1)
		return 0;
	bits = maxnode - 1;
	if (bits > PAGE_SIZE * 8)
		return -EINVAL;
	for (i = 0; i * 64 < bits; i++) {
		if (get_user(word, addr + i * 8))
			return -EFAULT;
		if (bits - i * 64 < 64)
			word &= BIT(bits - i * 64) - 1;
		if (i ? word : word & ~1ull)
			return -EINVAL;
		if (!i)
			ret = (int)(word & 1);
	}
	return ret;
}

static int policy_check(u32 mode, u64 nodemask, u64 maxnode)
{
	u32 kind = mode & ~(u32)(MPOL_F_STATIC_NODES | MPOL_F_RELATIVE_NODES | MPOL_F_NUMA_BALANCING);
	int nodes;

	if (kind >= MPOL_MAX || ((mode & MPOL_F_STATIC_NODES) && (mode & MPOL_F_RELATIVE_NODES)))
		return -EINVAL;
	nodes = nodes_get(nodemask, maxnode);
	if (nodes < 0)
		return nodes;
	if (kind == MPOL_DEFAULT || kind == MPOL_LOCAL)
		return nodes ? -EINVAL : 0;
	return nodes || kind == MPOL_PREFERRED ? 0 : -EINVAL;
}

SYSCALL_DEFINE(set_mempolicy) { return policy_check((u32)a[0], a[1], a[2]); }

SYSCALL_DEFINE(mbind)
{
	u64 start = a[0], end = start + PAGE_ALIGN(a[1]);
	struct mm *mm = current->mm;
	struct vma *v;
	int ret;

	if ((a[5] & ~(u64)MPOL_MF_VALID) || (start & ~PAGE_MASK) || end < start)
		return -EINVAL;
	ret = policy_check((u32)a[2], a[3], a[4]);
	if (ret || start == end)
		return ret;
	mutex_lock(&mm->lock);
	while (start < end && !ret) {
		v = vma_at(mm, start);
		ret = v ? 0 : -EFAULT;
		if (v)
			start = v->end;
	}
	mutex_unlock(&mm->lock);
	return ret;
}

static int nodes_put(u64 addr, u64 maxnode, bool node0)
{
	u64 bytes = ALIGN_UP(maxnode - 1, 64) / 8, word = node0;

	if (bytes > PAGE_SIZE)
		return -EINVAL;
	if (clear_user(addr, bytes))
		return -EFAULT;
	return bytes ? put_user(word, addr) : 0;
}

static bool mapped(u64 addr)
{
	struct mm *mm = current->mm;
	bool yes;

	mutex_lock(&mm->lock);
	yes = vma_at(mm, addr);
	mutex_unlock(&mm->lock);
	return yes;
}

SYSCALL_DEFINE(get_mempolicy)
{
	u64 mode = a[0], nodemask = a[1], maxnode = a[2], addr = a[3], flags = a[4];
	u32 zero = 0;		/* MPOL_DEFAULT, and node 0 */

	if (flags & ~(MPOL_F_NODE | MPOL_F_ADDR | MPOL_F_MEMS_ALLOWED))
		return -EINVAL;
	if (nodemask && !maxnode)
		return -EINVAL;
	if (flags & MPOL_F_MEMS_ALLOWED) {
		if (flags & (MPOL_F_NODE | MPOL_F_ADDR))
			return -EINVAL;
	} else if (flags & MPOL_F_ADDR) {
		if (!mapped(addr))
			return -EFAULT;
	} else if (addr || (flags & MPOL_F_NODE)) {
		return -EINVAL;
	}
	if (mode && put_user(zero, mode))
		return -EFAULT;
	return nodemask ? nodes_put(nodemask, maxnode, flags & MPOL_F_MEMS_ALLOWED) : 0;
}

static int find_process(s32 pid)
{
	struct process *p;

	if (!pid || pid == current->process->tgid)
		return 0;
	p = process_find_get(pid);
	if (!p)
		return -ESRCH;
	process_put(p);
	return -EPERM;
}

SYSCALL_DEFINE(migrate_pages)
{
	int old = nodes_get(a[2], a[1]), new = nodes_get(a[3], a[1]), ret;

	if (old < 0 || new < 0)
		return old < 0 ? old : new;
	ret = find_process((s32)a[0]);
	if (ret)
		return ret;
	return new ? 0 : -EINVAL;
}

/* All pages are on node 0 and stay there. */
SYSCALL_DEFINE(move_pages)
{
	u64 nr = a[1], pages = a[2], nodes = a[3], status = a[4], i, page;
	int ret = find_process((s32)a[0]);
	s32 st, node;

	if (a[5] & ~6ull)
		return -EINVAL;
	if (ret)
		return ret;
	for (i = 0; i < nr; i++) {
		if (get_user(page, pages + i * 8))
			return -EFAULT;
		if (nodes) {
			if (get_user(node, nodes + i * 4))
				return -EFAULT;
			if (node)
				return -ENODEV;
		}
		st = mapped(page) ? 0 : -EFAULT;
		if (put_user(st, status + i * 4))
			return -EFAULT;
		if (fatal_signal_pending())
			return -EINTR;
	}
	return 0;
}
