// SPDX-License-Identifier: MIT
/*
 * Program memory is this process's own. process_vm_readv() on ourselves gives EFAULT instead of a crash for bad pointers, and
 * sanitizers do not look through it: unit tests may pass any address.
 */
#define _GNU_SOURCE
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/errno.h"
#include "mm/uaccess.h"

bool access_ok(u64 addr, u64 len)
{
	return addr < (1ull << 47) && len <= (1ull << 47) - addr;
}

static ssize_t move(void *kernel, u64 user, size_t n, bool to_user)
{
	struct iovec local = { kernel, n }, remote = { (void *)user, n };

	if (!n)
		return 0;
	return to_user ? process_vm_writev(getpid(), &local, 1, &remote, 1, 0) :
			 process_vm_readv(getpid(), &local, 1, &remote, 1, 0);
}

int copy_from_user(void *dst, u64 src, size_t n)
{
	return move(dst, src, n, false) == (ssize_t)n ? 0 : -EFAULT;
}

int copy_to_user(u64 dst, const void *src, size_t n)
{
	return move((void *)src, dst, n, true) == (ssize_t)n ? 0 : -EFAULT;
}

size_t copy_from_user_partial(void *dst, u64 src, size_t n)
{
	ssize_t ret = move(dst, src, n, false);

	return ret < 0 ? 0 : ret;
}

size_t copy_to_user_partial(u64 dst, const void *src, size_t n)
{
	ssize_t ret = move((void *)src, dst, n, true);

	return ret < 0 ? 0 : ret;
}

int clear_user(u64 dst, size_t n)
{
	static const char zeros[4096];

	while (n) {
		size_t part = n < sizeof(zeros) ? n : sizeof(zeros);

		if (copy_to_user(dst, zeros, part))
			return -EFAULT;
		dst += part;
		n -= part;
	}
	return 0;
}

ssize_t strncpy_from_user(char *dst, u64 src, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (copy_from_user(dst + i, src + i, 1))
			return -EFAULT;
		if (!dst[i])
			return i;
	}
	return n;
}

ssize_t strnlen_user(u64 src, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		char c;

		if (copy_from_user(&c, src + i, 1))
			return -EFAULT;
		if (!c)
			return i;
	}
	return n;
}

static u32 *user_word(u64 addr)
{
	u32 v;

	return addr % 4 || copy_from_user(&v, addr, 4) ? NULL : (u32 *)addr;
}

int user_load32(u64 addr, u32 *val)
{
	u32 *p = user_word(addr);

	if (!p)
		return -EFAULT;
	*val = __atomic_load_n(p, __ATOMIC_SEQ_CST);
	return 0;
}

int user_cmpxchg32(u64 addr, u32 expect, u32 new, u32 *old)
{
	u32 *p = user_word(addr);

	if (!p)
		return -EFAULT;
	__atomic_compare_exchange_n(p, &expect, new, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
	*old = expect;
	return 0;
}

#define USER_OP(name, op)					\
int user_##name##32(u64 addr, u32 val, u32 *old)		\
{								\
	u32 *p = user_word(addr);				\
								\
	if (!p)							\
		return -EFAULT;					\
	*old = op(p, val, __ATOMIC_SEQ_CST);			\
	return 0;						\
}
USER_OP(xchg, __atomic_exchange_n)
USER_OP(add, __atomic_fetch_add)
USER_OP(or, __atomic_fetch_or)
USER_OP(and, __atomic_fetch_and)
USER_OP(xor, __atomic_fetch_xor)
