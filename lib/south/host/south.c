// SPDX-License-Identifier: MIT
/* The eight calls on South `host`, and the host calls that the hosted machine needs beside them. */
#include "south/south.h"

#include "base/errno.h"
#include "base/printf.h"
#include "base/string.h"
#include "sched/wait.h"
#include "south/host/header.h"
#include "south/host/calls.h"
#include "south/host/host.h"
#include "south/hosted/cpu.h"
#include "south/hosted/gate.h"

#define NR_close		3
#define NR_mmap			9
#define NR_mprotect		10
#define NR_munmap		11
#define NR_mremap		25
#define NR_madvise		28
#define NR_recvmsg		47
#define NR_kill			62
#define NR_arch_prctl		158
#define NR_futex		202
#define NR_timer_create		222
#define NR_timer_settime	223
#define NR_clock_gettime	228
#define NR_exit_group		231
#define NR_preadv2		327
#define NR_pwritev2		328
#define NR_rseq			334

#define FUTEX_WAIT_BITSET	9
#define FUTEX_WAKE_BITSET	10
#define FUTEX_ANY		0xffffffffu
#define MADV_REMOVE		9
#define CLOCK_THREAD_CPUTIME_ID	3

struct host_timespec {
	s64 sec, nsec;
};

void __noreturn host_exit_process(int status)
{
	for (;;)
		gate_call(NR_exit_group, (u64)status, 0, 0, 0, 0, 0);
}

void __noreturn south_exit(int status)
{
	host_header->exit_status = (u32)status;
	store_release(&host_header->exit_valid, 1u);
	gate_call(NR_kill, 0, 9, 0, 0, 0, 0);
	/* not reached: SIGKILL for our own process group */
	host_exit_process(status);
}

static s64 (*vdso_clock_gettime)(s32 id, struct host_timespec *ts);

void host_clock_init(void *vdso_function)
{
	vdso_clock_gettime = (s64 (*)(s32, struct host_timespec *))vdso_function;
}

s64 south_clock(u32 id)
{
	struct host_timespec ts = { 0, 0 };

	if (!vdso_clock_gettime || vdso_clock_gettime((s32)id, &ts))
		gate_call(NR_clock_gettime, id, (u64)&ts, 0, 0, 0, 0);
	return ts.sec * NSEC_PER_SEC + ts.nsec;
}

s64 host_thread_time(void)
{
	struct host_timespec ts = { 0, 0 };

	gate_call(NR_clock_gettime, CLOCK_THREAD_CPUTIME_ID, (u64)&ts, 0, 0, 0, 0);
	return ts.sec * NSEC_PER_SEC + ts.nsec;
}

/* A call that may block for what is outside of the sandbox: a kick has to get through to it. */
static long blocking_call(long nr, u64 a0, u64 a1, u64 a2, u64 a3, u64 a4, u64 a5)
{
	struct cpu *cpu = current_cpu();
	long ret;

	atomic_xchg(&cpu->in_call, 1u);
	/* work that was set before in_call was seen sends no signal */
	if (cpu->task && (load_acquire(&cpu->task->work) & WORK_INTERRUPTS))
		ret = -EINTR;
	else
		ret = gate_call_int(nr, a0, a1, a2, a3, a4, a5);
	store_release(&cpu->in_call, 0u);
	if (ret == -EINTR)
		store_relaxed(&cpu->kicked, 0u);
	return ret;
}

ssize_t south_read(u32 handle, u64 off, const struct iov *iov, u32 nr)
{
	return blocking_call(NR_preadv2, handle, (u64)iov, nr, off, 0, 0);
}

ssize_t south_write(u32 handle, u64 off, const struct iov *iov, u32 nr)
{
	return blocking_call(NR_pwritev2, handle, (u64)iov, nr, off, 0, 0);
}

int south_wait(s64 deadline, u32 *word, u32 expected)
{
	struct host_timespec ts = { deadline / NSEC_PER_SEC, deadline % NSEC_PER_SEC };
	struct host_timespec *until = deadline == FOREVER ? NULL : &ts;
	long ret;

	if (deadline < 0)
		ts = (struct host_timespec){ 0, 0 };
	ret = gate_call_int(NR_futex, (u64)word, FUTEX_WAIT_BITSET, expected, (u64)until, 0, FUTEX_ANY);
	if (ret == -EINTR) {
		store_relaxed(&current_cpu()->kicked, 0u);
		return -EINTR;
	}
	return ret == -ETIMEDOUT ? -ETIMEDOUT : 0;
}

void south_kick(u32 *word, u32 nr)
{
	gate_call(NR_futex, (u64)word, FUTEX_WAKE_BITSET, min(nr, 0x7fffffffu), 0, 0, FUTEX_ANY);
}

long host_map(u64 addr, u64 len, u32 prot, u32 flags, u32 fd, u64 off)
{
	long ret = gate_call(NR_mmap, addr, len, prot, flags, fd, off);

	return IS_ERR_VALUE(ret) ? ret : 0;
}

long south_map(u32 op, u64 addr, u64 len, u32 prot, u32 flags, u32 handle, u64 off)
{
	long ret;

	switch (op) {
	case SOUTH_MAP_BACK: {
		u32 words = 0x10;	/* MAP_FIXED */

		words |= handle == SOUTH_NO_HANDLE ? 0x22 : flags & SOUTH_MAP_SHARED ? 0x01 : 0x02;
		if (flags & SOUTH_MAP_POPULATE)
			words |= 0x8000;
		if (flags & SOUTH_MAP_NORESERVE && !(flags & SOUTH_MAP_SHARED))
			words |= 0x4000;
		return host_map(addr, len, prot, words, handle, off);
	}
	case SOUTH_MAP_PROTECT:
		return gate_call(NR_mprotect, addr, len, prot, 0, 0, 0);
	case SOUTH_MAP_RELEASE:
		return gate_call(NR_munmap, addr, len, 0, 0, 0, 0);
	case SOUTH_MAP_MOVE:
		ret = gate_call(NR_mremap, addr, len, len, flags & SOUTH_MAP_KEEP ? 7 : 3, off, 0);
		return IS_ERR_VALUE(ret) ? ret : 0;
	case SOUTH_MAP_DISCARD:
		return gate_call(NR_madvise, addr, len, addr >= HOSTED_RAM ? MADV_REMOVE : flags, 0, 0, 0);
	}
	return -EINVAL;
}

long south_cpu(u32 flags, void (*entry)(void *arg), void *stack, void *arg, u64 tls)
{
	struct cpu *cpu = (struct cpu *)tls;
	long ret;

	switch (flags) {
	case SOUTH_CPU_THREAD:
		ret = gate_clone(HOST_CLONE_THREAD, stack, &cpu->host_tid, entry, arg);
		break;
	case SOUTH_CPU_COPY:
		ret = gate_clone(HOST_CLONE_PROCESS, stack, &cpu->host_tid, entry, arg);
		break;
	default:
		return -EINVAL;
	}
	/* what a host without room says is not always EAGAIN: ENOSPC when its PID namespace dies, EPERM from a cgroup's filter */
	return ret >= 0 || ret == -ENOMEM ? ret : -EAGAIN;
}

void kprint(const char *fmt, ...)
{
	char line[256];
	struct iov iov = { (u64)line, 0 };
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(line, sizeof(line) - 1, fmt, ap);
	va_end(ap);
	iov.len = strlen(line);
	line[iov.len++] = '\n';
	gate_call(NR_pwritev2, HOST_FD_LOG, (u64)&iov, 1, SOUTH_STREAM, 0, 0);
}

long host_arch_prctl(int code, u64 addr)
{
	return gate_call(NR_arch_prctl, (u64)code, addr, 0, 0, 0, 0);
}

s32 host_kick_timer_create(s32 tid)
{
	struct { u64 value; s32 signo, notify, tid; s32 pad[11]; } event = {
		.signo = HOST_SIGKICK, .notify = 4 /* SIGEV_THREAD_ID */, .tid = tid,
	};
	s32 timer = -1;
	long ret = gate_call(NR_timer_create, 1, (u64)&event, (u64)&timer, 0, 0, 0);

	return ret ? (s32)ret : timer;
}

int host_kick_timer_fire(s32 timer)
{
	struct { struct host_timespec interval, value; } spec = { .value = { 0, 1 } };

	return (int)gate_call(NR_timer_settime, (u64)timer, 0, (u64)&spec, 0, 0, 0);
}

void host_kick_all(void)
{
	gate_call(NR_kill, 0, HOST_SIGKICK, 0, 0, 0, 0);
}

ssize_t host_send(u32 server, const void *buf, size_t len)
{
	struct iov iov = { (u64)buf, len };
	long ret;

	do {
		ret = gate_call(NR_pwritev2, server, (u64)&iov, 1, SOUTH_STREAM, 0, 0);
	} while (ret == -EINTR);
	return ret;
}

ssize_t host_recv(u32 server, void *buf, size_t len, u32 *granted)
{
	struct iov iov = { (u64)buf, len };
	struct { u64 len; s32 level, type; s32 fd, pad; } control = { 0 };
	struct {
		u64 name; u32 namelen, pad; struct iov *iov; u64 iovlen; void *control; u64 controllen; u32 flags, pad2;
	} msg = { .iov = &iov, .iovlen = 1, .control = &control, .controllen = sizeof(control) };
	long ret;

	do {
		msg.controllen = sizeof(control);
		ret = gate_call(NR_recvmsg, server, (u64)&msg, 0x40000000, 0, 0, 0);
	} while (ret == -EINTR);
	*granted = SOUTH_NO_HANDLE;
	if (ret >= 0 && msg.controllen >= 20 && control.level == 1 && control.type == 1)
		*granted = (u32)control.fd;
	return ret;
}

void host_close_handle(u32 handle)
{
	gate_call(NR_close, handle, 0, 0, 0, 0, 0);
}

long host_rseq(u64 addr, u32 len, u32 flags, u32 sig)
{
	return gate_call(NR_rseq, addr, len, flags, sig, 0, 0);
}

void host_leave_at(u32 handle, u64 pos)
{
	if (handle < ARRAY_SIZE(host_header->left_at))
		WRITE_ONCE(host_header->left_at[handle], pos + 1);
}
