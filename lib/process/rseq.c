// SPDX-License-Identifier: MIT
#include "process/rseq.h"

#include "base/errno.h"
#include "mm/uaccess.h"
#include "process/task.h"
#include "south/south.h"

/* struct rseq: cpu_id_start, cpu_id, rseq_cs, flags, … */
#define RSEQ_CS			8
#define RSEQ_SIZE		32	/* of the first version; what is longer has all that this kernel writes */
#define RSEQ_ALIGN		32

/* struct rseq_cs, what the program says about a critical section */
struct rseq_cs {
	u32 version, flags;
	u64 start_ip, post_commit_offset, abort_ip;
};

long rseq_register(u64 addr, u32 len, u32 sig)
{
	struct task *t = current;
	u64 none = 0;
	int ret;

	if (t->rseq_addr) {
		if (t->rseq_addr != addr || t->rseq_len != len)
			return -EINVAL;
		return t->rseq_sig != sig ? -EPERM : -EBUSY;
	}
	if (!machine->rseq)
		return -ENOSYS;
	if (len < RSEQ_SIZE || addr % RSEQ_ALIGN)
		return -EINVAL;
	/* what is left there from before is no section of this registration; and who cannot be written to is not registered */
	if (!addr || !access_ok(addr, len) || put_user(none, addr + RSEQ_CS))
		return -EFAULT;
	ret = machine->rseq(addr, len, sig);
	if (ret)
		return ret;
	t->rseq_addr = addr;
	t->rseq_len = len;
	t->rseq_sig = sig;
	return 0;
}

long rseq_unregister(u64 addr, u32 len, u32 sig)
{
	struct task *t = current;

	if (!t->rseq_addr || t->rseq_addr != addr || t->rseq_len != len)
		return -EINVAL;
	if (t->rseq_sig != sig)
		return -EPERM;
	if (!rseq_suspend())
		return -EFAULT;
	t->rseq_addr = 0;
	return 0;
}

bool rseq_suspend(void)
{
	struct task *t = current;

	return !t->rseq_addr || !machine->rseq || !machine->rseq(0, t->rseq_len, t->rseq_sig);
}

void rseq_resume(void)
{
	struct task *t = current;

	if (t->rseq_addr && machine->rseq && machine->rseq(t->rseq_addr, t->rseq_len, t->rseq_sig))
		t->rseq_addr = 0;
}

bool rseq_loses(u64 addr, u64 len)
{
	struct process *p = current->process;
	bool found = false;
	struct task *t;

	spin_lock(&p->siglock);
	list_for_each(t, &p->threads, thread_node) {
		u64 area = READ_ONCE(t->rseq_addr);

		if (area && area + RSEQ_SIZE > addr && area < addr + len) {
			found = true;
			break;
		}
	}
	spin_unlock(&p->siglock);
	if (found)
		atomic_or(&current->work, WORK_RSEQ);
	return found;
}

static bool section_is_sound(const struct rseq_cs *cs)
{
	u32 sig;

	return !cs->version && access_ok(cs->start_ip, 1) && access_ok(cs->abort_ip, 1) &&
	       cs->start_ip + cs->post_commit_offset >= cs->start_ip &&
	       cs->abort_ip - cs->start_ip >= cs->post_commit_offset &&
	       !get_user(sig, cs->abort_ip - sizeof(sig)) && sig == current->rseq_sig;
}

bool rseq_fixup(struct regs *regs)
{
	struct task *t = current;
	struct rseq_cs cs;
	u64 ptr, none = 0;

	if (!t->rseq_addr)
		return true;
	if (get_user(ptr, t->rseq_addr + RSEQ_CS))
		return false;
	if (!ptr)
		return true;
	if (copy_from_user(&cs, ptr, sizeof(cs)) || !section_is_sound(&cs) || put_user(none, t->rseq_addr + RSEQ_CS))
		return false;
	if (regs->rip - cs.start_ip < cs.post_commit_offset)
		regs->rip = cs.abort_ip;
	return true;
}
