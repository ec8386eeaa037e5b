// SPDX-License-Identifier: MIT
/*
 * The program's vector registers. The library kernel never uses them, so they are live whenever it runs: they are written to
 * signal frames and read from them directly. Layout: Intel SDM vol. 1 ch. 13, <asm/sigcontext.h> struct _fpx_sw_bytes.
 *
 * Left out is AMX (bits 17 and 18; a program has to ask the kernel for it, and we refuse). PKRU (bit 9) is in frames as well, but
 * the register is not always the program's: pkey.c.
 */
#include "base/errno.h"
#include "base/string.h"
#include "mm/uaccess.h"
#include "south/hosted/cpu.h"

#define FX_SIZE			512
#define FX_SW_RESERVED		464
#define XSTATE_HEADER_SIZE	64
#define FP_XSTATE_MAGIC1	0x46505853u
#define FP_XSTATE_MAGIC2	0x46505845u
#define XFEATURES_LEFT_OUT	(BIT(17) | BIT(18))
#define XFEATURE_PKRU		BIT(9)

struct fpx_sw_bytes {
	u32 magic1, extended_size;
	u64 xfeatures;
	u32 xstate_size, padding[7];
};
_Static_assert(sizeof(struct fpx_sw_bytes) == 48, "<asm/sigcontext.h>");

int user_xsave(void *area, u64 mask);
int user_xrstor(const void *area, u64 mask);
int user_fxsave(void *area, u64 mask);
int user_fxrstor(const void *area, u64 mask);

static u64 xfeatures;		/* in frames; 0: no XSAVE */
static u64 xvector;		/* of these, what XSAVE and XRSTOR are for */
static u32 pkru_offset;		/* 0: no PKRU */
static u32 xstate_size = FX_SIZE;
static struct {
	u8 bytes[FX_SIZE + XSTATE_HEADER_SIZE];
} initial __aligned(64);

static void cpuid(u32 leaf, u32 sub, u32 r[4])
{
	__asm__("cpuid" : "=a"(r[0]), "=b"(r[1]), "=c"(r[2]), "=d"(r[3]) : "a"(leaf), "c"(sub));
}

void fpu_init(void)
{
	u32 r[4], lo, hi;
	u16 fcw = 0x37f;
	u32 mxcsr = 0x1f80;

	memcpy(initial.bytes, &fcw, sizeof(fcw));
	memcpy(initial.bytes + 24, &mxcsr, sizeof(mxcsr));
	cpuid(1, 0, r);
	if (!(r[2] & BIT(27)))		/* OSXSAVE */
		return;
	__asm__("xgetbv" : "=a"(lo), "=d"(hi) : "c"(0));
	xfeatures = ((u64)hi << 32 | lo) & ~XFEATURES_LEFT_OUT;
	xstate_size = FX_SIZE + XSTATE_HEADER_SIZE;
	for (u32 i = 2; i < 63; i++) {
		if (!(xfeatures & BIT(i)))
			continue;
		cpuid(0xd, i, r);
		xstate_size = max(xstate_size, r[0] + r[1]);
		if (BIT(i) == XFEATURE_PKRU)
			pkru_offset = r[1];
	}
	xvector = xfeatures & ~XFEATURE_PKRU;
	pkey_init();
}

u32 fpu_frame_size(void)
{
	return xfeatures ? xstate_size + (u32)sizeof(u32) : FX_SIZE;
}

/* A feature whose bit is not set in an area's header is in its initial state there, which for PKRU is 0. */
static u64 *xstate_bv(void *area)
{
	return (u64 *)((u8 *)area + FX_SIZE);
}

u32 *fpu_frame_pkru(void *fpstate)
{
	const struct fpx_sw_bytes *sw = (void *)((u8 *)fpstate + FX_SW_RESERVED);
	u32 *pkru = (u32 *)((u8 *)fpstate + pkru_offset);

	if (!fpstate || !pkru_offset || sw->magic1 != FP_XSTATE_MAGIC1 || !(sw->xfeatures & XFEATURE_PKRU))
		return NULL;
	if (!(*xstate_bv(fpstate) & XFEATURE_PKRU)) {
		*xstate_bv(fpstate) |= XFEATURE_PKRU;
		*pkru = 0;
	}
	return pkru;
}

static int save_pkru(u64 dst, u32 pkru)
{
	u64 bv;

	if (!pkru_offset)
		return 0;
	if (get_user(bv, dst + FX_SIZE) || put_user(bv | XFEATURE_PKRU, dst + FX_SIZE) || put_user(pkru, dst + pkru_offset))
		return -EFAULT;
	return 0;
}

static int restore_pkru(u64 src)
{
	u64 bv, features;
	u32 pkru = 0;

	if (!pkru_offset || get_user(features, src + FX_SW_RESERVED + offsetof(struct fpx_sw_bytes, xfeatures)) ||
	    !(features & XFEATURE_PKRU))
		return 0;
	if (get_user(bv, src + FX_SIZE) || ((bv & XFEATURE_PKRU) && get_user(pkru, src + pkru_offset)))
		return -EFAULT;
	pkey_set(pkru);
	return 0;
}

/* For a signal's handler, which starts with PKRU as a program does: whatever was denied, its frame can be written. */
int fpu_save(u64 dst)
{
	u32 pkru = pkey_get();
	struct fpx_sw_bytes sw = {
		.magic1 = FP_XSTATE_MAGIC1, .extended_size = xstate_size + (u32)sizeof(u32),
		.xfeatures = xfeatures, .xstate_size = xstate_size,
	};
	u32 magic2 = FP_XSTATE_MAGIC2;

	pkey_set(PKRU_INITIAL);
	/* XSAVE leaves parts of the header as they are, so they have to be zero; this also brings the memory in */
	if (dst % 64 || clear_user(dst, fpu_frame_size()))
		return -EFAULT;
	if (!xfeatures)
		return user_fxsave((void *)dst, 0) ? -EFAULT : 0;
	if (user_xsave((void *)dst, xvector) || save_pkru(dst, pkru) ||
	    copy_to_user(dst + FX_SW_RESERVED, &sw, sizeof(sw)) ||
	    copy_to_user(dst + xstate_size, &magic2, sizeof(magic2)))
		return -EFAULT;
	return 0;
}

/* Is this a frame with extended state, as long as ours? Else it is taken as FXSAVE's 512 bytes, as Linux does. */
static bool frame_is_extended(u64 src)
{
	struct fpx_sw_bytes sw;
	u32 magic2;

	if (!xfeatures || copy_from_user(&sw, src + FX_SW_RESERVED, sizeof(sw)))
		return false;
	if (sw.magic1 != FP_XSTATE_MAGIC1 || sw.xstate_size < FX_SIZE + XSTATE_HEADER_SIZE ||
	    sw.xstate_size > xstate_size || sw.xstate_size > sw.extended_size)
		return false;
	return !get_user(magic2, src + sw.xstate_size) && magic2 == FP_XSTATE_MAGIC2;
}

int fpu_restore(u64 src)
{
	u8 probe;

	if (!src) {
		fpu_reset();
		pkey_set(PKRU_INITIAL);
		return 0;
	}
	if (!access_ok(src, fpu_frame_size()) || src % 64 || get_user(probe, src))
		return -EFAULT;
	if (frame_is_extended(src))
		return user_xrstor((void *)src, xvector) ? -EFAULT : restore_pkru(src);
	return user_fxrstor((void *)src, 0) ? -EFAULT : 0;
}

void fpu_reset(void)
{
	pkey_reset();
	if (xfeatures)
		(void)user_xrstor(initial.bytes, xvector);
	else
		(void)user_fxrstor(initial.bytes, 0);
}

void fpu_save_kernel(void *area)
{
	memset((u8 *)area + FX_SIZE, 0, XSTATE_HEADER_SIZE);
	if (xfeatures && xstate_size <= 4096)
		(void)user_xsave(area, xvector);
	else
		(void)user_fxsave(area, 0);
}

void fpu_restore_kernel(void *area)
{
	if (xfeatures && xstate_size <= 4096)
		(void)user_xrstor(area, xvector);
	else
		(void)user_fxrstor(area, 0);
}
