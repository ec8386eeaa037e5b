// SPDX-License-Identifier: MIT
/* execve(2), execveat(2). */
#include "base/string.h"
#include "fs/namei.h"
#include "mm/kmalloc.h"
#include "mm/uaccess.h"
#include "north/linux/syscall.h"
#include "process/exec.h"
#include "process/limits.h"

/* Linux: a quarter of the stack's limit, at least 128 KiB, at most three quarters of 8 MiB; the library kernel's copy is bounded too. */
static size_t strings_limit(void)
{
	u64 limit = rlimit(RLIM_STACK) / 4;

	return max_t(u64, 131072, min_t(u64, limit, 2 << 20));
}

static int copy_strings(struct string_list *l, u64 array, size_t limit)
{
	if (!array)
		return 0;
	for (u64 i = 0; ; i++) {
		u64 p;
		int ret;

		if (get_user(p, array + i * 8))
			return -EFAULT;
		if (!p)
			return 0;
		ret = string_list_add_user(l, p, limit);
		if (ret)
			return ret;
		/* each string costs a pointer as well */
		if (l->len + l->nr * 8ull > limit)
			return -E2BIG;
	}
}

static long do_execveat(int dirfd, u64 path, u64 argv, u64 envp, u32 flags)
{
	struct string_list args = { 0 }, envs = { 0 };
	struct pathname name;
	char *copy;
	size_t limit = strings_limit();
	long ret;

	if (flags & ~(AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW))
		return -EINVAL;
	ret = pathname_get(&name, path, flags & AT_EMPTY_PATH ? LOOKUP_EMPTY : 0);
	if (ret)
		return ret;
	/* exec does not come back to put the name: it gets a copy of its own */
	copy = kstrdup(name.s);
	pathname_put(&name);
	ret = copy ? copy_strings(&args, argv, limit) : -ENOMEM;
	if (!ret)
		ret = copy_strings(&envs, envp, limit - min(limit, args.len));
	if (!ret)
		return exec_file(dirfd, copy, flags, &args, &envs);
	kfree(copy);
	kfree(args.buf);
	kfree(envs.buf);
	return ret;
}

SYSCALL_DEFINE(execve)
{
	return do_execveat(AT_FDCWD, a[0], a[1], a[2], 0);
}

SYSCALL_DEFINE(execveat)
{
	return do_execveat((int)a[0], a[1], a[2], a[3], (u32)a[4]);
}
