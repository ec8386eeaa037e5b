/* SPDX-License-Identifier: MIT */
/*
 * What the hosted parts need of South `host`: its host calls, typed. Each goes through the gate; the words that the filter lets
 * pass stand in calls.c.
 */
#ifndef LIB_SOUTH_HOST_HOST_H
#define LIB_SOUTH_HOST_HOST_H

#include "base/types.h"

/* exit statuses of host processes, which the reaper reads (tools/): 0 is the orderly end of an address space */
#define LBX_EXIT_BROKEN		126	/* the library kernel found itself broken */

#define HOST_ARCH_SET_GS	0x1001
#define HOST_ARCH_SET_FS	0x1002

/* CLONE_VM FS FILES SIGHAND THREAD SYSVSEM PARENT_SETTID */
#define HOST_CLONE_THREAD	(0x100ul | 0x200 | 0x400 | 0x800 | 0x10000 | 0x40000 | 0x100000)
/* CLONE_PARENT FILES PARENT_SETTID; the exit signal is inherited with CLONE_PARENT */
#define HOST_CLONE_PROCESS	(0x8000ul | 0x400 | 0x100000)

long host_arch_prctl(int code, u64 addr);
s32 host_kick_timer_create(s32 tid);
int host_kick_timer_fire(s32 timer);
/* host_kick_all() - the kick signal to every host process of the sandbox */
void host_kick_all(void);
void __noreturn host_exit_process(int status);
ssize_t host_send(u32 server, const void *buf, size_t len);
ssize_t host_recv(u32 server, void *buf, size_t len, u32 *granted);
void host_close_handle(u32 handle);
/* host_thread_time() - ns of processor time of this host thread */
s64 host_thread_time(void);
long host_rseq(u64 addr, u32 len, u32 flags, u32 sig);
void host_leave_at(u32 handle, u64 pos);
long host_map(u64 addr, u64 len, u32 prot, u32 flags, u32 fd, u64 off);

/* boot.c: what was found out before sealing */
extern u64 host_vdso;
void host_clock_init(void *vdso_function);

#endif
