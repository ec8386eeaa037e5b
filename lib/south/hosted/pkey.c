// SPDX-License-Identifier: MIT
/*
 * Memory protection keys. None are handed out, so all memory of a sandbox has key 0, the library kernel's as well. But PKRU, which
 * says what the keys allow, is the program's to write (WRPKRU is no privileged instruction), and with key 0 denied the library
 * kernel could not touch its own stack. So:
 *
 *	in	A host signal's handler runs with PKRU as Linux starts a program. When the program denied itself key 0, its PKRU goes
 *		from the signal frame to task->pkru, WORK_PKRU says so, and the library kernel runs with key 0 allowed. A patched
 *		call site comes in without a handler: the first store in hosted_syscall_entry faults, and is taken for a trap. When
 *		even its way there cannot be read, patching ends for that program.
 *	inside	The copy functions refuse with EFAULT what the program denied itself, as Linux' do: pkey_denies().
 *	out	There is no way to load PKRU and then the other registers, which lie in memory. So the exit code runs into a trap of
 *		its own, and its handler puts the program's registers and PKRU into the signal frame: pkey_leave().
 *
 * WORK_PKRU is never set while the program runs. All other values of PKRU stay in the register. A host before Linux 6.12 cannot
 * deliver a signal to a stack that PKRU denies, and kills: there such a program is the end of its sandbox.
 */
#include "base/atomic.h"
#include "south/hosted/cpu.h"

#define PKRU_KEY0	3u		/* access, and writing, denied */

static bool hosted_pkeys;

static u32 rdpkru(void)
{
	u32 val, zero;

	__asm__ volatile(".byte 0x0f, 0x01, 0xee" : "=a"(val), "=d"(zero) : "c"(0));
	return val;
}

static void wrpkru(u32 val)
{
	__asm__ volatile(".byte 0x0f, 0x01, 0xef" : : "a"(val), "c"(0), "d"(0) : "memory");
}

void pkey_init(void)
{
	u32 a = 7, b, c = 0, d;

	__asm__("cpuid" : "+a"(a), "=b"(b), "+c"(c), "=d"(d));
	hosted_pkeys = c & BIT(4);	/* OSPKE */
}

u32 pkey_get(void)
{
	if (!hosted_pkeys)
		return PKRU_INITIAL;
	return load_relaxed(&current->work) & WORK_PKRU ? current->pkru : rdpkru();
}

/* pkey_set() - what the current task's program finds in PKRU when it goes on */
void pkey_set(u32 pkru)
{
	if (!hosted_pkeys)
		return;
	wrpkru(pkru & ~PKRU_KEY0);
	current->pkru = pkru;
	if (pkru & PKRU_KEY0)
		atomic_or(&current->work, WORK_PKRU);
	else
		atomic_and(&current->work, ~(u32)WORK_PKRU);
}

/* pkey_reset() - as a program starts; on a thread that has no task, or whose task execs */
void pkey_reset(void)
{
	if (hosted_pkeys)
		wrpkru(PKRU_INITIAL);
}

/* pkey_inherit() - @t, which is new and runs on any thread, starts with PKRU as the current task has it */
void pkey_inherit(struct task *t)
{
	if (!hosted_pkeys)
		return;
	t->pkru = pkey_get();
	if (t->pkru != PKRU_INITIAL)
		atomic_or(&t->work, WORK_PKRU);
}

bool pkey_denies_slow(u32 bits)
{
	return current->pkru & bits;
}

/* pkey_enter() - in a host signal's handler that interrupted the program; @fpstate is the frame's */
void pkey_enter(struct cpu *cpu, void *fpstate)
{
	u32 *pkru = hosted_pkeys ? fpu_frame_pkru(fpstate) : NULL;

	if (!pkru || !(*pkru & PKRU_KEY0))
		return;
	cpu->task->pkru = *pkru;
	atomic_or(&cpu->task->work, WORK_PKRU);
	*pkru &= ~PKRU_KEY0;
}

/*
 * pkey_leave() - in the handler of the trap at the end of the exit code: all signals are blocked
 * Return: false when there is other work: the exit code starts over. Else the program is as good as running.
 */
bool pkey_leave(struct cpu *cpu, void *fpstate)
{
	u32 *pkru = fpu_frame_pkru(fpstate);

	atomic_xchg(&cpu->in_user, 1u);	/* a barrier: as in hosted_exit */
	if (!pkru || load_relaxed(&cpu->task->work) != WORK_PKRU) {
		store_relaxed(&cpu->in_user, 0u);
		return false;
	}
	atomic_and(&cpu->task->work, ~(u32)WORK_PKRU);
	*pkru = cpu->task->pkru;
	return true;
}
