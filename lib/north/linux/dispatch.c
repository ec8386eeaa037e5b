// SPDX-License-Identifier: MIT
/* From a call's number to its function, and what --trace and --stats see of it. */
#include "north/linux/syscall.h"

#include "base/atomic.h"
#include "base/printf.h"
#include "north/linux/trace.h"
#include "process/task.h"

const struct syscall_def syscall_defs[SYSCALL_TABLE_SIZE] = {
#define SYSCALL(nr, name, args, missing) [nr] = { sys_##name, #name, args, missing },
#include "north/linux/calls/all.def"
#undef SYSCALL
};

/* The same functions alone: eight bytes a call, most of them in few lines of the cache. */
static const syscall_fn syscall_fns[SYSCALL_TABLE_SIZE] = {
#define SYSCALL(nr, name, args, missing) [nr] = sys_##name,
#include "north/linux/calls/all.def"
#undef SYSCALL
};
static u32 nr_unwatched = SYSCALL_TABLE_SIZE;	/* calls from here on are served slowly: all of them with --trace or --stats */

struct syscall_count *syscall_counts;
bool syscall_tracing;
static u64 unknown_calls;

u64 syscall_unknown_count(void)
{
	return load_relaxed(&unknown_calls);
}

void syscall_watch(void)
{
	nr_unwatched = 0;
}

/* Counted only under --stats: the counters are shared by all processors. */
static long __attribute__((noinline)) serve_slowly(struct regs *regs)
{
	u32 nr = (u32)regs->orig_rax;
	const struct syscall_def *def = nr < SYSCALL_TABLE_SIZE && syscall_defs[nr].fn ? &syscall_defs[nr] : NULL;
	long ret;

	if (nr < SYSCALL_TABLE_SIZE && syscall_counts)
		atomic_add(&syscall_counts[nr].calls, 1ull);
	if (!def) {
		atomic_add(&unknown_calls, 1ull);
		ret = -ENOSYS;
		if (syscall_tracing)
			trace_call(NULL, nr, regs->arg, &ret);
		return ret;
	}
	if (syscall_tracing && trace_before(nr))
		trace_call(def, nr, regs->arg, NULL);
	ret = def->fn(regs->arg);
	if (syscall_tracing)
		trace_call(def, nr, regs->arg, &ret);
	if (ret < 0 && syscall_counts)
		atomic_add(&syscall_counts[nr].errors, 1ull);
	return ret;
}

void syscall_dispatch(struct regs *regs)
{
	u64 called = regs->orig_rax;
	u32 nr = (u32)called;
	syscall_fn fn;
	long ret;

	if (likely(nr < nr_unwatched && (fn = syscall_fns[nr])))
		ret = fn(regs->arg);
	else
		ret = serve_slowly(regs);
	/* rt_sigreturn and the like have set all registers; orig_rax -1 says so, unless the program asked for call -1 */
	if (regs->orig_rax == (u64)-1 && called != (u64)-1)
		return;
	regs->rax = (u64)ret;
	/* a call that wants to be restarted ends in task_exit_work() even when no signal is left to take */
	if (unlikely(ret <= -ERESTARTSYS && ret >= -ERESTART_RESTARTBLOCK))
		atomic_or(&current->work, WORK_SIGNAL);
}
