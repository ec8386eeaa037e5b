/* SPDX-License-Identifier: MIT */
/*
 * execve(2): another program in the current process.
 *
 * Everything that may fail for a reason the caller should hear of is done first (exec_prepare(): files opened and checked, strings
 * copied, memory for the new address space). Then the other threads go, the address space is exchanged, and the new program is
 * loaded (exec_commit()); what fails there kills the process, as Linux does.
 */
#ifndef LIB_PROCESS_EXEC_H
#define LIB_PROCESS_EXEC_H

#include "base/types.h"

struct file;
struct mm;
struct task;

/* Strings one after the other, each with its NUL. */
struct string_list {
	char *buf;
	size_t len, cap;
	u32 nr;
};
__must_check int string_list_add(struct string_list *l, const char *s, size_t len);
__must_check int string_list_add_user(struct string_list *l, u64 addr, size_t limit);

#define EXEC_MAX_SEGMENTS	32
#define EXEC_STRING_MAX		131072		/* MAX_ARG_STRLEN */
#define EXEC_MAX_SCRIPTS	5

struct elf_segment {
	u64 vaddr, offset, filesz, memsz;
	u32 prot;
};

/* A checked ELF header: every sum of it fits, segments ascend and lie below 2^47. elf.c makes it. */
struct elf_image {
	struct file *file;
	bool dynamic;			/* ET_DYN: may be put anywhere */
	bool exec_stack;
	u64 entry, phdr_vaddr;		/* phdr_vaddr 0: not in a segment */
	u32 phnum;
	u64 start, end;			/* page aligned range that the segments span */
	u64 align;
	u32 nr_segments;
	struct elf_segment segments[EXEC_MAX_SEGMENTS];
	char interp[256];		/* "" none */
};

#define ELF_HEADER_SIZE		64
#define ELF_PHDR_SIZE		56
#define ELF_MAX_PHDRS		256

/*
 * elf_parse() - pure: from the bytes of the header and the program headers
 * @phdrs: e_phnum * ELF_PHDR_SIZE bytes, or NULL to learn how many there are (@phnum, @phoff)
 * Return: 0, -ENOEXEC.
 */
int elf_parse_header(const u8 *header, size_t len, u64 *phoff, u32 *phnum);
int elf_parse(const u8 *header, const u8 *phdrs, u32 phnum, struct elf_image *img, u64 *interp_off, u32 *interp_len);
/* elf_open() - read and check @file's headers. Return: 0, -ENOEXEC, -EIO, -ENOMEM; @img->file is @file, not counted */
__must_check int elf_open(struct file *file, struct elf_image *img);
/* elf_map() - map the segments into the current, empty enough address space. Return: 0 with the load bias, or -errno */
__must_check int elf_map(const struct elf_image *img, u64 hint, u64 *bias);
/*
 * script_parse() - pure: "#!" line. @interp and @arg point into @line, which is cut and has room for a NUL at @len
 * @whole: the file ends there. Return: 0, -ENOEXEC
 */
int script_parse(char *line, size_t len, bool whole, char **interp, char **arg);

/*
 * exec_file() - execve of the current task
 * @path: kmalloc()ed; it and both lists are consumed in any case
 * Return: -errno, or does not return.
 */
long exec_file(int dirfd, char *path, u32 flags, struct string_list *args, struct string_list *envs);

#endif
