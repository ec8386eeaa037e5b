/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * The checks: raw record in, checked record out, or an errno.
 *
 * Every function here is pure: it reads what it is given (copied once, out of
 * reach of who sent it), writes at most its result, calls nothing of its host,
 * and ends. One source serves the module, the hypervisor, the broker, BPF and
 * the proofs. A refused record leaves the result as it was.
 *
 * The contracts (ACSL, in comments that begin with an at sign) say exactly when
 * each errno is given; `make prove` proves them and the absence of run-time
 * errors for all inputs. In a contract numbers are mathematical: nothing wraps.
 *
 * When a record has several faults, words come before handles and cpus, and
 * those before addresses: E2BIG, ENOSYS, EINVAL; EBADF, ESRCH; EFAULT.
 */
#ifndef LBX_UAPI_CHECK_H
#define LBX_UAPI_CHECK_H

#include "check_call.h"
#include "check_cpu.h"
#include "check_device.h"
#include "check_handle.h"
#include "check_io.h"
#include "check_map.h"
#include "check_sandbox.h"
#include "south.h"

#endif /* LBX_UAPI_CHECK_H */
