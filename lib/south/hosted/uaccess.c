// SPDX-License-Identifier: MIT
/* Range checks in front of uaccess.S, for Souths where the program's memory is mapped where the library kernel runs. */
#include "mm/uaccess.h"

#include "base/errno.h"
#include "mm/mm.h"
#include "south/hosted/cpu.h"
#include "uapi/window.h"

#define PF_WRITE	2	/* of the page fault error code */

size_t user_copy(void *dst, const void *src, size_t n);
int user_copy8(void *dst, const void *src);
int user_copy4(void *dst, const void *src);
size_t user_zero(void *dst, size_t n);
ssize_t user_strncpy(char *dst, const char *src, size_t n);
ssize_t user_strnlen(const char *s, size_t n);
int user_xchg(u32 *addr, u32 val, u32 *old);
int user_xadd(u32 *addr, u32 val, u32 *old);
int user_cmpxchg(u32 *addr, u32 expect, u32 new, u32 *old);

struct extable_entry {
	u64 from, to;
};
extern const struct extable_entry extable_start[], extable_end[];

/* uaccess_fixup() - @rip is of the library kernel and faulted: true when that is foreseen, and *@rip where it goes on */
int uaccess_fixup(u64 *rip)
{
	for (const struct extable_entry *e = extable_start; e < extable_end; e++) {
		if (e->from == *rip) {
			*rip = e->to;
			return 1;
		}
	}
	return 0;
}

bool access_ok(u64 addr, u64 len)
{
	return len <= LBX_PROGRAM_END && addr <= LBX_PROGRAM_END - len && !READ_ONCE(current_cpu()->hp->deaf);
}

/* These two are for whole accesses: is it the program's window, and not what it denied itself by a protection key? */
static bool may_read(u64 addr, u64 len)
{
	return access_ok(addr, len) && !pkey_denies(false);
}

static bool may_write(u64 addr, u64 len)
{
	return access_ok(addr, len) && !pkey_denies(true);
}

/*
 * The last access faulted. True when the VMA layer made it good (a stack that grows, a page that a truncated file got back), so
 * that trying again makes sense.
 */
static bool fault_mended(void)
{
	struct cpu *cpu = current_cpu();
	int code;

	return current->mm && !mm_fault(cpu->fault_addr, cpu->fault_err & PF_WRITE, false, &code);
}

/* Turns without progress before a copy believes that the fault will stay. */
#define FAULT_TRIES	3

/* Return: bytes that were not copied */
static size_t copy(void *dst, const void *src, size_t n)
{
	size_t left = user_copy(dst, src, n);

	for (int tries = FAULT_TRIES; left && tries && fault_mended(); ) {
		size_t done = n - left, before = left;

		left = user_copy((char *)dst + done, (const char *)src + done, left);
		tries = left < before ? FAULT_TRIES : tries - 1;
	}
	return left;
}

int copy_from_user(void *dst, u64 src, size_t n)
{
	if (!may_read(src, n))
		return -EFAULT;
	if ((n == 8 && !user_copy8(dst, (void *)src)) || (n == 4 && !user_copy4(dst, (void *)src)))
		return 0;
	return copy(dst, (void *)src, n) ? -EFAULT : 0;
}

int copy_to_user(u64 dst, const void *src, size_t n)
{
	if (!may_write(dst, n))
		return -EFAULT;
	if ((n == 8 && !user_copy8((void *)dst, src)) || (n == 4 && !user_copy4((void *)dst, src)))
		return 0;
	return copy((void *)dst, src, n) ? -EFAULT : 0;
}

int clear_user(u64 dst, size_t n)
{
	size_t left;

	if (!may_write(dst, n))
		return -EFAULT;
	left = user_zero((void *)dst, n);
	for (int tries = FAULT_TRIES; left && tries && fault_mended(); ) {
		size_t before = left;

		left = user_zero((void *)(dst + n - left), left);
		tries = left < before ? FAULT_TRIES : tries - 1;
	}
	return left ? -EFAULT : 0;
}

size_t copy_from_user_partial(void *dst, u64 src, size_t n)
{
	return may_read(src, n) ? n - copy(dst, (void *)src, n) : 0;
}

size_t copy_to_user_partial(u64 dst, const void *src, size_t n)
{
	return may_write(dst, n) ? n - copy((void *)dst, src, n) : 0;
}

/* How much of a string that starts at @addr and may be @n long lies in the program window. */
static size_t string_room(u64 addr, size_t n)
{
	return addr >= LBX_PROGRAM_END || pkey_denies(false) ? 0 : min_t(u64, n, LBX_PROGRAM_END - addr);
}

ssize_t strncpy_from_user(char *dst, u64 src, size_t n)
{
	size_t room = string_room(src, n);
	ssize_t len;

	do {
		len = user_strncpy(dst, (char *)src, room);
	} while (len < 0 && fault_mended());
	/* a string that runs out of the window ends in memory that is not the program's */
	if (len < 0 || ((size_t)len == room && room < n))
		return -EFAULT;
	return len;
}

ssize_t strnlen_user(u64 src, size_t n)
{
	size_t room = string_room(src, n);
	ssize_t len;

	do {
		len = user_strnlen((char *)src, room);
	} while (len < 0 && fault_mended());
	if (len < 0 || ((size_t)len == room && room < n))
		return -EFAULT;
	return len;
}

static u32 *word_at(u64 addr, bool write)
{
	return addr % 4 || !(write ? may_write(addr, 4) : may_read(addr, 4)) ? NULL : (u32 *)addr;
}

/* One try more when the fault could be mended; a word that stays bad is EFAULT. */
#define WORD_OP(addr, write, p, op) ({						\
	u32 *p = word_at(addr, write);							\
										\
	p && (!(op) || (fault_mended() && !(op))) ? 0 : -EFAULT;		\
})

int user_load32(u64 addr, u32 *val)
{
	return WORD_OP(addr, false, p, user_copy4(val, p));
}

int user_cmpxchg32(u64 addr, u32 expect, u32 new, u32 *old)
{
	return WORD_OP(addr, true, p, user_cmpxchg(p, expect, new, old));
}

int user_xchg32(u64 addr, u32 new, u32 *old)
{
	return WORD_OP(addr, true, p, user_xchg(p, new, old));
}

int user_add32(u64 addr, u32 val, u32 *old)
{
	return WORD_OP(addr, true, p, user_xadd(p, val, old));
}

#define USER_LOOP(name, expr)						\
int user_##name##32(u64 addr, u32 val, u32 *old)			\
{									\
	u32 cur, seen;							\
									\
	if (user_load32(addr, &cur))					\
		return -EFAULT;						\
	for (;;) {							\
		if (user_cmpxchg32(addr, cur, expr, &seen))		\
			return -EFAULT;					\
		if (seen == cur)					\
			break;						\
		cur = seen;						\
	}								\
	*old = cur;							\
	return 0;							\
}
USER_LOOP(or, cur | val)
USER_LOOP(and, cur & val)
USER_LOOP(xor, cur ^ val)
