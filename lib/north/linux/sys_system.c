// SPDX-License-Identifier: MIT
/* What a program asks about the system: uname(2), sysinfo(2), getrandom(2), arch_prctl(2). */
#include "base/random.h"
#include "base/string.h"
#include "boot_parts.h"
#include "fs/namei.h"
#include "mm/kmalloc.h"
#include "mm/uaccess.h"
#include "north/linux/syscall.h"
#include "north/linux/uts.h"
#include "process/cred.h"
#include "process/pid.h"
#include "process/rseq.h"
#include "process/signal.h"
#include "sched/time.h"
#include "south/south.h"

#define RSEQ_FLAG_UNREGISTER	1u

char uts_domainname[UTS_LEN] = "(none)";

SYSCALL_DEFINE(rseq)
{
	u32 flags = (u32)a[2];

	if (flags & ~RSEQ_FLAG_UNREGISTER)
		return -EINVAL;
	return flags ? rseq_unregister(a[0], (u32)a[1], (u32)a[3]) : rseq_register(a[0], (u32)a[1], (u32)a[3]);
}

SYSCALL_DEFINE(uname)
{
	struct {
		char sysname[UTS_LEN], nodename[UTS_LEN], release[UTS_LEN], version[UTS_LEN], machine[UTS_LEN], domain[UTS_LEN];
	} u;

	memset(&u, 0, sizeof(u));
	strscpy(u.sysname, "Linux", UTS_LEN);
	strscpy(u.nodename, boot_hostname, UTS_LEN);
	strscpy(u.release, UTS_RELEASE, UTS_LEN);
	strscpy(u.version, UTS_VERSION, UTS_LEN);
	strscpy(u.machine, "x86_64", UTS_LEN);
	strscpy(u.domain, uts_domainname, UTS_LEN);
	/* PER_LINUX32: setarch(8) */
	if ((current->process->personality & 0xff) == 8)
		strscpy(u.machine, "i686", UTS_LEN);
	return put_user(u, a[0]);
}

static long set_name(char *name, u64 addr, u64 len)
{
	char buf[UTS_LEN] = "";

	if (!capable(CAP_SYS_ADMIN))
		return -EPERM;
	if (len > UTS_LEN - 1)
		return -EINVAL;
	if (copy_from_user(buf, addr, len))
		return -EFAULT;
	memcpy(name, buf, UTS_LEN);
	return 0;
}

SYSCALL_DEFINE(sethostname)
{
	return set_name(boot_hostname, a[0], a[1]);
}

SYSCALL_DEFINE(setdomainname)
{
	return set_name(uts_domainname, a[0], a[1]);
}

SYSCALL_DEFINE(sysinfo)
{
	struct {
		s64 uptime;
		u64 loads[3], totalram, freeram, sharedram, bufferram, totalswap, freeswap;
		u16 procs, pad;
		u64 totalhigh, freehigh;
		u32 mem_unit;
		u8 tail[4];
	} si = {
		.uptime = clock_monotonic() / NSEC_PER_SEC,
		.totalram = ram_total(), .freeram = ram_total() - ram_used(),
		.procs = (u16)min(nr_tasks, 65535u), .mem_unit = 1,
	};

	_Static_assert(sizeof(si) == 112, "struct sysinfo of x86-64");
	return put_user(si, a[0]);
}

SYSCALL_DEFINE(syslog)
{
	return -EPERM;
}

#define GRND_NONBLOCK	1u
#define GRND_RANDOM	2u
#define GRND_INSECURE	4u

SYSCALL_DEFINE(getrandom)
{
	u64 addr = a[0], len = min_t(u64, a[1], 33554431), done = 0;
	u32 flags = (u32)a[2];
	u8 buf[256];

	if (flags & ~(GRND_NONBLOCK | GRND_RANDOM | GRND_INSECURE) ||
	    (flags & (GRND_RANDOM | GRND_INSECURE)) == (GRND_RANDOM | GRND_INSECURE))
		return -EINVAL;
	while (done < len) {
		size_t n = min_t(u64, len - done, sizeof(buf)), copied;

		random_bytes(buf, n);
		copied = copy_to_user_partial(addr + done, buf, n);
		done += copied;
		if (copied < n)
			break;
		if (done % PAGE_SIZE == 0 && signal_pending())
			break;
	}
	memset(buf, 0, sizeof(buf));
	return done || !len ? (long)done : -EFAULT;
}

#define ARCH_SET_GS	0x1001
#define ARCH_SET_FS	0x1002
#define ARCH_GET_FS	0x1003
#define ARCH_GET_GS	0x1004
#define ARCH_CPUID_GET	0x1011

SYSCALL_DEFINE(arch_prctl)
{
	u64 base;

	switch ((u32)a[0]) {
	case ARCH_SET_FS:
		if (a[1] >= 1ull << 47)
			return -EPERM;
		machine->set_tls(a[1]);
		return 0;
	case ARCH_GET_FS:
		base = machine->get_tls();
		return put_user(base, a[1]);
	case ARCH_GET_GS:
		base = 0;
		return put_user(base, a[1]);
	case ARCH_SET_GS:
		/* GS belongs to the library kernel on hosted Souths; nobody but Wine and some JITs asks */
		return a[1] ? -EPERM : 0;
	case ARCH_CPUID_GET:
		return 1;
	}
	return -EINVAL;
}
