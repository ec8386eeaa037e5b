/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * Fixed-width types of our own.
 *
 * The kernel, libc, vmlinux.h (BPF) and Frama-C each have a u64 that quarrels
 * with the others' (long or long long). Everything in uapi/ uses these and
 * includes nothing, so that one text serves all of them.
 */
#ifndef LBX_UAPI_TYPES_H
#define LBX_UAPI_TYPES_H

#ifdef __ASSEMBLER__

#define LBX_U32_C(x)	x
#define LBX_U64_C(x)	x

#else

#define LBX_U32_C(x)	x##U
#define LBX_U64_C(x)	x##ULL

typedef unsigned char lbx_u8;
typedef unsigned short lbx_u16;
typedef unsigned int lbx_u32;
typedef unsigned long long lbx_u64;
typedef signed int lbx_s32;
typedef signed long long lbx_s64;

#if defined(__cplusplus)
#define LBX_STATIC_ASSERT(cond, why)	static_assert(cond, why)
#elif defined(__STDC_VERSION__) && __STDC_VERSION__ >= 201112L
#define LBX_STATIC_ASSERT(cond, why)	_Static_assert(cond, why)
#else
#define LBX_STATIC_ASSERT(cond, why)	__extension__ _Static_assert(cond, why)
#endif

/*
 * Written behind each record: its size on every machine. A record has no holes
 * when the sizes of its fields add up to this; selftests/uapi checks that.
 */
#define LBX_ASSERT_SIZE(type, size) \
	LBX_STATIC_ASSERT(sizeof(type) == (size), #type " has a fixed size")

#define LBX_MUST_CHECK	__attribute__((__warn_unused_result__))

LBX_ASSERT_SIZE(lbx_u8, 1);
LBX_ASSERT_SIZE(lbx_u16, 2);
LBX_ASSERT_SIZE(lbx_u32, 4);
LBX_ASSERT_SIZE(lbx_u64, 8);
LBX_ASSERT_SIZE(lbx_s32, 4);
LBX_ASSERT_SIZE(lbx_s64, 8);

#endif /* __ASSEMBLER__ */
#endif /* LBX_UAPI_TYPES_H */
