// SPDX-License-Identifier: MIT
/* ELF for x86-64: elf(5). The parsers take bytes and give a checked struct; they touch nothing else. */
#include "base/errno.h"
#include "base/string.h"
#include "fs/file.h"
#include "mm/kmalloc.h"
#include "mm/mm.h"
#include "process/exec.h"

#define ET_EXEC		2
#define ET_DYN		3
#define EM_X86_64	62

#define PT_LOAD		1
#define PT_INTERP	3
#define PT_PHDR		6
#define PT_GNU_STACK	0x6474e551u

#define PF_X		1
#define PF_W		2
#define PF_R		4

#define ADDRESS_END	(1ull << 47)

static u16 get16(const u8 *p) { u16 v; memcpy(&v, p, 2); return v; }
static u32 get32(const u8 *p) { u32 v; memcpy(&v, p, 4); return v; }
static u64 get64(const u8 *p) { u64 v; memcpy(&v, p, 8); return v; }

int elf_parse_header(const u8 *h, size_t len, u64 *phoff, u32 *phnum)
{
	/* 64-bit, little endian, version 1 */
	static const u8 ident[] = { 0x7f, 'E', 'L', 'F', 2, 1, 1 };
	u16 type;

	if (len < ELF_HEADER_SIZE || memcmp(h, ident, sizeof(ident)))
		return -ENOEXEC;
	type = get16(h + 16);
	if ((type != ET_EXEC && type != ET_DYN) || get16(h + 18) != EM_X86_64)
		return -ENOEXEC;
	if (get16(h + 54) != ELF_PHDR_SIZE)
		return -ENOEXEC;
	*phoff = get64(h + 32);
	*phnum = get16(h + 56);
	if (!*phnum || *phnum > ELF_MAX_PHDRS || *phoff > INT64_MAX - ELF_MAX_PHDRS * ELF_PHDR_SIZE)
		return -ENOEXEC;
	return 0;
}

static int add_segment(struct elf_image *img, const u8 *ph, u64 phoff)
{
	struct elf_segment s = {
		.offset = get64(ph + 8), .vaddr = get64(ph + 16), .filesz = get64(ph + 32), .memsz = get64(ph + 40),
	};
	u32 flags = get32(ph + 4);

	if (!s.memsz)
		return 0;
	if (img->nr_segments == EXEC_MAX_SEGMENTS)
		return -ENOEXEC;
	if (s.filesz > s.memsz || s.memsz > ADDRESS_END || s.vaddr > ADDRESS_END - s.memsz ||
	    s.offset > INT64_MAX - s.filesz || s.offset % PAGE_SIZE != s.vaddr % PAGE_SIZE)
		return -ENOEXEC;
	/* ascending, and no two in one page: what one maps must not be unmapped by the next */
	if (img->nr_segments && ALIGN_DOWN(s.vaddr, PAGE_SIZE) < img->end)
		return -ENOEXEC;
	s.prot = (flags & PF_R ? PROT_READ : 0) | (flags & PF_W ? PROT_WRITE : 0) | (flags & PF_X ? PROT_EXEC : 0);
	if (!img->nr_segments)
		img->start = ALIGN_DOWN(s.vaddr, PAGE_SIZE);
	img->end = PAGE_ALIGN(s.vaddr + s.memsz);
	if (phoff >= s.offset && phoff - s.offset < s.filesz)
		img->phdr_vaddr = s.vaddr + (phoff - s.offset);
	img->segments[img->nr_segments++] = s;
	return 0;
}

int elf_parse(const u8 *h, const u8 *phdrs, u32 phnum, struct elf_image *img, u64 *interp_off, u32 *interp_len)
{
	u64 phoff = get64(h + 32);

	memset(img, 0, sizeof(*img));
	img->dynamic = get16(h + 16) == ET_DYN;
	img->entry = get64(h + 24);
	img->phnum = phnum;
	img->align = PAGE_SIZE;
	img->exec_stack = true;		/* as Linux without PT_GNU_STACK */
	*interp_len = 0;
	for (u32 i = 0; i < phnum; i++) {
		const u8 *ph = phdrs + (size_t)i * ELF_PHDR_SIZE;
		u64 align = get64(ph + 48), filesz = get64(ph + 32);
		int ret;

		switch (get32(ph)) {
		case PT_LOAD:
			if (align & (align - 1))
				return -ENOEXEC;
			if (align > img->align && align <= (1ull << 30))
				img->align = align;
			ret = add_segment(img, ph, phoff);
			if (ret)
				return ret;
			break;
		case PT_INTERP:
			if (*interp_len)
				break;
			if (filesz < 2 || filesz > sizeof(img->interp) || get64(ph + 8) > INT64_MAX - filesz)
				return -ENOEXEC;
			*interp_off = get64(ph + 8);
			*interp_len = (u32)filesz;
			break;
		case PT_GNU_STACK:
			img->exec_stack = get32(ph + 4) & PF_X;
			break;
		}
	}
	if (!img->nr_segments || img->entry > ADDRESS_END)
		return -ENOEXEC;
	return 0;
}

/* All of [off, off + len), or -ENOEXEC when the file is shorter. */
static int read_all(struct file *file, void *buf, size_t len, u64 off)
{
	size_t done = 0;

	while (done < len) {
		ssize_t n = file_read_at(file, (char *)buf + done, len - done, (pos_t)(off + done));

		if (n < 0)
			return (int)n;
		if (!n)
			return -ENOEXEC;
		done += (size_t)n;
	}
	return 0;
}

int elf_open(struct file *file, struct elf_image *img)
{
	u8 header[ELF_HEADER_SIZE], *phdrs;
	u64 phoff, interp_off = 0;
	u32 phnum, interp_len = 0;
	int ret;

	ret = read_all(file, header, sizeof(header), 0);
	if (!ret)
		ret = elf_parse_header(header, sizeof(header), &phoff, &phnum);
	if (ret)
		return ret;
	phdrs = kmalloc((size_t)phnum * ELF_PHDR_SIZE);
	if (!phdrs)
		return -ENOMEM;
	ret = read_all(file, phdrs, (size_t)phnum * ELF_PHDR_SIZE, phoff);
	if (!ret)
		ret = elf_parse(header, phdrs, phnum, img, &interp_off, &interp_len);
	kfree(phdrs);
	if (!ret && interp_len) {
		ret = read_all(file, img->interp, interp_len, interp_off);
		if (!ret && img->interp[interp_len - 1])
			ret = -ENOEXEC;
	}
	img->file = file;
	return ret;
}

static int map_segment(const struct elf_image *img, const struct elf_segment *s, u64 bias)
{
	u64 start = ALIGN_DOWN(s->vaddr, PAGE_SIZE) + bias;
	u64 file_end = s->vaddr + s->filesz + bias, end = PAGE_ALIGN(s->vaddr + s->memsz) + bias;
	u64 mapped = s->filesz ? PAGE_ALIGN(file_end) : start;
	long ret;

	if (s->filesz) {
		ret = mm_map(start, mapped - start, s->prot, MAP_PRIVATE | MAP_FIXED | MAP_DENYWRITE, img->file,
			     ALIGN_DOWN(s->offset, PAGE_SIZE), NULL);
		if (IS_ERR_VALUE(ret))
			return (int)ret;
		/* what the file has behind the segment is not the program's; a read-only page keeps it, as on Linux */
		if (s->memsz > s->filesz && mapped > file_end && (s->prot & PROT_WRITE) &&
		    clear_user(file_end, mapped - file_end))
			return -EFAULT;
	}
	if (end > mapped) {
		ret = mm_map(mapped, end - mapped, s->prot, MAP_PRIVATE | MAP_FIXED | MAP_ANONYMOUS, NULL, 0, NULL);
		if (IS_ERR_VALUE(ret))
			return (int)ret;
	}
	return 0;
}

int elf_map(const struct elf_image *img, u64 hint, u64 *bias)
{
	u64 len = img->end - img->start, room = len + (img->align > PAGE_SIZE ? img->align : 0);
	long at;

	*bias = 0;
	if (img->dynamic) {
		/* hold the whole range first, so that the segments keep their distances */
		at = mm_map(hint, room, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, NULL, 0, NULL);
		if (IS_ERR_VALUE(at))
			return (int)at;
		*bias = ALIGN_UP((u64)at, img->align) - ALIGN_DOWN(img->start, img->align);
		if (*bias + img->start > (u64)at)
			(void)mm_unmap((u64)at, *bias + img->start - (u64)at);
		if ((u64)at + room > *bias + img->end)
			(void)mm_unmap(*bias + img->end, (u64)at + room - *bias - img->end);
	}
	for (u32 i = 0; i < img->nr_segments; i++) {
		int ret = map_segment(img, &img->segments[i], *bias);

		if (ret)
			return ret;
	}
	return 0;
}

int script_parse(char *line, size_t len, bool whole, char **interp, char **arg)
{
	char *p, *end = memchr(line, '\n', len);

	if (len < 2 || line[0] != '#' || line[1] != '!')
		return -ENOEXEC;
	if (!end && whole) {
		end = line + len;
	} else if (!end) {
		/* a line longer than what was read: the interpreter's name at least must be whole */
		end = line + len - 1;
		for (p = line + 2; p < end && (*p == ' ' || *p == '\t'); p++)
			;
		while (p < end && *p != ' ' && *p != '\t' && *p)
			p++;
		if (p == end)
			return -ENOEXEC;
	}
	while (end > line + 2 && (end[-1] == ' ' || end[-1] == '\t'))
		end--;
	*end = 0;
	for (p = line + 2; *p == ' ' || *p == '\t'; p++)
		;
	if (!*p)
		return -ENOEXEC;
	*interp = p;
	*arg = NULL;
	while (*p && *p != ' ' && *p != '\t')
		p++;
	if (*p) {
		*p++ = 0;
		while (*p == ' ' || *p == '\t')
			p++;
		if (*p)
			*arg = p;
	}
	return 0;
}
