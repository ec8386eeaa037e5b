// SPDX-License-Identifier: MIT
/* Symbols of the host's vDSO: an ELF image that the kernel itself put there. */
#include "south/host/vdso.h"

#include "base/string.h"

struct elf_header {
	u8 ident[16];
	u16 type, machine;
	u32 version;
	u64 entry, phoff, shoff;
	u32 flags;
	u16 ehsize, phentsize, phnum, shentsize, shnum, shstrndx;
};

struct elf_phdr {
	u32 type, flags;
	u64 offset, vaddr, paddr, filesz, memsz, align;
};

struct elf_dyn {
	u64 tag, val;
};

struct elf_sym {
	u32 name;
	u8 info, other;
	u16 shndx;
	u64 value, size;
};

#define PT_LOAD		1
#define PT_DYNAMIC	2
#define DT_STRTAB	5
#define DT_SYMTAB	6
#define DT_HASH		4
#define DT_GNU_HASH	0x6ffffef5

/* The number of symbols: DT_HASH says it; DT_GNU_HASH's longest chain ends with the last. */
static u32 count_symbols(const u32 *hash, const u32 *gnu)
{
	u32 last = 0;
	const u32 *buckets, *chain;

	if (hash)
		return hash[1];
	if (!gnu)
		return 0;
	buckets = gnu + 4 + gnu[2] * 2;
	chain = buckets + gnu[0];
	for (u32 i = 0; i < gnu[0]; i++)
		last = max(last, buckets[i]);
	if (last < gnu[1])
		return 0;
	while (!(chain[last - gnu[1]] & 1))
		last++;
	return last + 1;
}

void *vdso_find(u64 base, const char *name)
{
	const struct elf_header *eh = (const struct elf_header *)base;
	const struct elf_phdr *ph;
	const struct elf_dyn *dyn = NULL;
	const struct elf_sym *syms = NULL;
	const char *strings = NULL;
	const u32 *hash = NULL, *gnu = NULL;
	u64 slide = base;
	u32 nr;

	if (!base)
		return NULL;
	ph = (const struct elf_phdr *)(base + eh->phoff);
	for (u32 i = 0; i < eh->phnum; i++) {
		if (ph[i].type == PT_LOAD && slide == base)
			slide = base + ph[i].offset - ph[i].vaddr;
		else if (ph[i].type == PT_DYNAMIC)
			dyn = (const struct elf_dyn *)(base + ph[i].offset);
	}
	for (; dyn && dyn->tag; dyn++) {
		void *p = (void *)(slide + dyn->val);

		if (dyn->tag == DT_STRTAB)
			strings = p;
		else if (dyn->tag == DT_SYMTAB)
			syms = p;
		else if (dyn->tag == DT_HASH)
			hash = p;
		else if (dyn->tag == DT_GNU_HASH)
			gnu = p;
	}
	if (!strings || !syms)
		return NULL;
	nr = count_symbols(hash, gnu);
	for (u32 i = 0; i < nr; i++)
		if (syms[i].shndx && streq(strings + syms[i].name, name))
			return (void *)(slide + syms[i].value);
	return NULL;
}
