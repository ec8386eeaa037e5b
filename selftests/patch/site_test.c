// SPDX-License-Identifier: MIT
/*
 * The pure half of patching. Three uses:
 *	site_test			properties of windows, jumps and stubs
 *	site_test lengths <DISASSEMBLY	each instruction is as long as objdump -d -w says
 *	site_test windows FILE <ADDRS	how many of the SYSCALLs at these addresses of an ELF file have a window: five numbers
 */
#include <elf.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "south/hosted/insn.h"
#include "south/hosted/patch_site.h"

static int count, failed;

static void check(bool good, const char *name)
{
	printf("%sok %d - %s\n", good ? "" : "not ", ++count, name);
	failed |= !good;
}

/* ---- windows of given bytes ---- */

#define AT	200u		/* where the bytes begin; NOPs before, INT3 behind */

static bool window(const void *bytes, size_t n, size_t call, u64 nr, struct patch_window *w)
{
	static u8 page[PAGE_SIZE];

	memset(page, 0x90, AT);
	memset(page + AT, 0xcc, PAGE_SIZE - AT);
	memcpy(page + AT, bytes, n);
	return patch_window_find(page, AT + (u32)call, nr, w);
}

static void windows(void)
{
	static const u8 number[] = "\xc3\xb8\x27\0\0\0\x0f\x05\xc3", cmp[] = "\x75\x05\x31\xc0\x0f\x05\x48\x3d\x00\xf0\xff\xff",
		store[] = "\xc3\xc7\x44\x24\xb8\x27\0\0\0\x0f\x05\xc3", rip[] = "\xc3\x48\x8d\x3d\0\0\0\0\x0f\x05\xc3",
		push[] = "\xc3\x53\x89\xd8\x90\x90\x0f\x05\xc3", r11[] = "\xeb\0\x0f\x05\x4d\x89\xdb\x48\x89\xc2",
		two[] = "\xeb\0\x0f\x05\x48\x89\xc7\x0f\x05\xc3", odd[] = "\xc3\xb8\x00\x0f\x05\x00\x90\xc3";
	struct patch_window w;

	check(window(number, 9, 6, 39, &w) && w.at == AT + 1 && w.pre == 5 && !w.post && w.begins == 0x20, "mov $number, %eax");
	check(!window(number, 9, 6, 40, &w) || w.at != AT + 1, "another number was called: no such instruction");
	check(window(cmp, 12, 4, 0, &w) && w.at == AT + 4 && !w.pre && w.post == 6 && w.begins == 4, "what follows, behind a branch");
	check(!window(store, 12, 9, 39, &w) || w.at != AT + 4, "the end of a store is no mov $number, %eax");
	check(!window(rip, 11, 8, 0, &w), "relative to RIP: stays");
	check(!window(r11, 10, 2, 0, &w), "r11 behind the call: stays");
	check(!window(two, 10, 2, 0, &w), "another SYSCALL: stays");
	check(!window(push, 9, 6, 0, &w) || !(w.begins & 2), "nothing begins at the jump's second byte");
	check(!window(odd, 8, 3, 0, &w), "a SYSCALL inside another instruction: stays");
}

/* Every byte where an instruction began traps, and the ways into a stub and out of it agree. */
static void stubs(void)
{
	static const u8 traps[] = { 0x06, 0x07, 0x0e, 0x16, 0x17, 0x1e, 0x1f, 0x27, 0x2f, 0x37, 0x3f, 0x60, 0x61, 0x82, 0x9a, 0xce, 0xd4,
		0xd6, 0xea };
	bool trap = true, ways = true, size = true;
	u8 jump[PATCH_JUMP], code[PATCH_STUB_SIZE], insns[64];
	long cells = 0;

	memset(insns, 0x90, sizeof(insns));
	for (u32 begins = 0; begins < 0x80; begins += 4) {
		for (u32 cell = 16; cell < 0x10000 - 8; cell++) {
			struct patch_stub stub = { .cell = (u16)cell, .begins = (u8)begins };

			if (!patch_cell_fits((u16)cell, (u8)begins))
				continue;
			cells++;
			patch_jump(&stub, jump);
			for (u32 i = 2; i < PATCH_JUMP; i++)
				if (begins >> i & 1)
					trap &= jump[i] == 0xe5 || memchr(traps, jump[i], sizeof(traps));
		}
	}
	check(cells > 100000, "there are cells for every window");
	check(trap, "a jump traps wherever an instruction began");
	for (u32 pre = 0; pre <= 24; pre++) {
		for (u32 post = 0; post <= 18; post++) {
			struct patch_stub stub = { .off = 0x1000, .pre = (u8)pre, .post = (u8)post, .begins = 0x7c };

			if (post && pre + post > 18)
				continue;
			memset(code, 0, sizeof(code));
			patch_stub_build(&stub, 5, insns, code);
			size &= code[0] == (pre ? 0x90 : 0x48);
			for (u32 in = 2; in < PATCH_JUMP; in++) {
				u32 entry = patch_stub_entry(&stub, in);

				if (in == pre + 1 || (in > pre && (!post || in > pre + 2 + post)))
					continue;	/* inside the SYSCALL or behind all that moves: nothing begins there */
				ways &= entry && patch_stub_origin(&stub, entry) == in;
			}
			ways &= !patch_stub_entry(&stub, 0) && !patch_stub_entry(&stub, 1);
			for (u32 in = 0; in < PATCH_STUB_SIZE; in++)
				ways &= patch_stub_origin(&stub, in) <= pre + 2u + post;
		}
	}
	check(size, "stubs begin with what moved");
	check(ways, "into a stub and out of it is the same place");
}

/* Whatever the bytes are, what is found is a window. */
static void random_bytes(void)
{
	static u8 page[PAGE_SIZE];
	bool good = true;
	long found = 0;

	srand(1);
	for (int turn = 0; turn < 200000; turn++) {
		u32 s = 90 + (u32)rand() % 100;
		struct patch_window w;
		struct insn in;

		/* of the bytes that are frequent before calls, so that something is found */
		static const u8 often[] = { 0x48, 0x89, 0x31, 0xc0, 0xff, 0xd7, 0xb8, 0x00, 0x0f, 0x05, 0x90, 0x3d, 0xbe, 0x44, 0x24, 0x8b };

		for (u32 i = 0; i < 200; i++)
			page[i] = rand() % 4 ? often[(u32)rand() % sizeof(often)] : (u8)rand();
		page[s] = 0x0f;
		page[s + 1] = 0x05;
		if (!patch_window_find(page, s, 0, &w))
			continue;
		found++;
		good &= w.at + w.pre == s && w.pre + 2 + w.post >= PATCH_JUMP && !(w.begins & 0x83);
		for (u32 at = w.at; at < s + 2u + w.post; at += in.len) {
			if (at == s) {
				in.len = 2;
				continue;
			}
			if (!insn_decode(page + at, PAGE_SIZE - at, &in) || !insn_movable(&in) || (at < s && at + in.len > s)) {
				good = false;
				break;
			}
			good &= at == w.at || at - w.at >= PATCH_JUMP || w.begins >> (at - w.at) & 1;
		}
	}
	check(found > 1000, "random bytes: windows are found");
	check(good, "random bytes: they are whole instructions that may move");
}

/* ---- against objdump ---- */

static int lengths(void)
{
	static char line[8192];
	long n = 0, wrong = 0;

	while (fgets(line, sizeof(line), stdin)) {
		char *p = strchr(line, '\t');
		struct insn in;
		u8 bytes[32];
		unsigned v;
		int len = 0;

		/* no instruction to objdump either, or a prefix alone: data; and FSTCW with the FWAIT before it, which are two */
		if (!p || strstr(line, "(bad)") || strstr(line, ".byte") || strstr(line, "\trex") || strstr(line, "\tdata16\n") ||
		    !strncmp(p + 1, "9b ", 3))
			continue;
		for (p++; len < 16 && p[0] != ' ' && p[0] != '\t' && p[2] == ' ' && sscanf(p, "%2x", &v) == 1; p += 3)
			bytes[len++] = (u8)v;
		if (!len)
			continue;
		n++;
		if (insn_decode(bytes, (size_t)len, &in) && in.len == len)
			continue;
		wrong++;
		fprintf(stderr, "%s", line);
	}
	printf("%ld %ld\n", n, wrong);
	return 0;
}

static int coverage(const char *file)
{
	int fd = open(file, O_RDONLY), sites = 0, before = 0, after = 0, both = 0, none = 0;
	unsigned long addr;
	const Elf64_Ehdr *eh;
	const Elf64_Phdr *ph;
	struct stat st;
	const u8 *map;

	if (fd < 0 || fstat(fd, &st))
		return 2;
	map = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	eh = (const void *)map;
	ph = (const void *)(map + eh->e_phoff);
	while (scanf("%lx", &addr) == 1) {
		u64 off = 0, page, nr = ~0ull;
		struct patch_window w;

		for (int i = 0; i < eh->e_phnum; i++)
			if (ph[i].p_type == PT_LOAD && addr >= ph[i].p_vaddr && addr < ph[i].p_vaddr + ph[i].p_filesz)
				off = addr - ph[i].p_vaddr + ph[i].p_offset;
		if (off < 8)
			continue;
		page = (off - 1) & PAGE_MASK;
		if (map[off - 5] == 0xb8)
			nr = (u64)map[off - 4] | (u64)map[off - 3] << 8 | (u64)map[off - 2] << 16 | (u64)map[off - 1] << 24;
		sites++;
		if (!patch_window_find(map + page, (u32)(off - page), nr, &w))
			none++;
		else if (!w.post)
			before++;
		else if (!w.pre)
			after++;
		else
			both++;
	}
	printf("%d %d %d %d %d\n", sites, before, after, both, none);
	return 0;
}

int main(int argc, char **argv)
{
	if (argc > 1 && !strcmp(argv[1], "lengths"))
		return lengths();
	if (argc > 2 && !strcmp(argv[1], "windows"))
		return coverage(argv[2]);
	windows();
	stubs();
	random_bytes();
	printf("1..%d\n", count);
	return failed;
}
