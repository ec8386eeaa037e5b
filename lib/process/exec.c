// SPDX-License-Identifier: MIT
#include "process/exec.h"

#include "base/errno.h"
#include "base/printf.h"
#include "base/random.h"
#include "base/string.h"
#include "fs/fdtable.h"
#include "fs/namei.h"
#include "mm/kmalloc.h"
#include "mm/mm.h"
#include "process/cred.h"
#include "process/fork.h"
#include "process/futex.h"
#include "process/limits.h"
#include "process/rseq.h"
#include "process/signal.h"
#include "south/south.h"

/* Auxiliary vector, getauxval(3) */
#define AT_NULL			0
#define AT_PHDR			3
#define AT_PHENT		4
#define AT_PHNUM		5
#define AT_PAGESZ		6
#define AT_BASE			7
#define AT_FLAGS		8
#define AT_ENTRY		9
#define AT_UID			11
#define AT_EUID			12
#define AT_GID			13
#define AT_EGID			14
#define AT_PLATFORM		15
#define AT_HWCAP		16
#define AT_CLKTCK		17
#define AT_SECURE		23
#define AT_RANDOM		25
#define AT_HWCAP2		26
#define AT_RSEQ_FEATURE_SIZE	27
#define AT_RSEQ_ALIGN		28
#define AT_EXECFN		31
#define AT_SYSINFO_EHDR		33
#define AT_MINSIGSTKSZ		51

#define HWCAP2_FSGSBASE		2	/* GS is the library kernel's: not offered */

/* Where position-independent programs begin, give or take 2^28 pages: two thirds below the stack, as Linux has it */
#define PIE_BASE		0x2aaaaaaaa000ull
#define PIE_RANDOM_PAGES	(1ull << 28)

struct exec_state {
	struct elf_image image, interp;		/* interp.file NULL: none */
	struct string_list args, envs;
	char *path;				/* AT_EXECFN */
	struct cred *cred;
	struct mm *mm;
	bool secure;
	bool by_fd;				/* path is /dev/fd/N or below it */
	char comm[TASK_COMM_LEN];
};

/* Room for @more bytes. Doubling keeps a long argument list from being copied over and over. */
static int string_list_reserve(struct string_list *l, size_t more)
{
	size_t cap = l->cap ? l->cap : 512;
	char *buf;

	if (l->cap - l->len >= more)
		return 0;
	while (cap - l->len < more)
		cap *= 2;
	if (cap > KMALLOC_MAX)
		return -E2BIG;
	buf = krealloc(l->buf, l->cap, cap);
	if (!buf)
		return -ENOMEM;
	l->buf = buf;
	l->cap = cap;
	return 0;
}

int string_list_add(struct string_list *l, const char *s, size_t len)
{
	int ret = string_list_reserve(l, len + 1);

	if (ret)
		return ret;
	memcpy(l->buf + l->len, s, len);
	l->buf[l->len + len] = 0;
	l->len += len + 1;
	l->nr++;
	return 0;
}

int string_list_add_user(struct string_list *l, u64 addr, size_t limit)
{
	ssize_t len = strnlen_user(addr, EXEC_STRING_MAX);
	int ret;

	if (len < 0)
		return (int)len;
	if (len == EXEC_STRING_MAX || l->len + (size_t)len + 1 > limit)
		return -E2BIG;
	ret = string_list_reserve(l, (size_t)len + 1);
	if (ret)
		return ret;
	/* the program may change it meanwhile: what counts is the copy, which ends where we say */
	if (copy_from_user(l->buf + l->len, addr, (size_t)len))
		return -EFAULT;
	for (ssize_t i = 0; i < len; i++) {
		if (!l->buf[l->len + (size_t)i]) {
			len = i;
			break;
		}
	}
	l->buf[l->len + (size_t)len] = 0;
	l->len += (size_t)len + 1;
	l->nr++;
	return 0;
}

static void exec_state_free(struct exec_state *x)
{
	if (!x)
		return;
	if (x->image.file) {
		vfs_allow_write(x->image.file);
		file_put(x->image.file);
	}
	if (x->interp.file) {
		vfs_allow_write(x->interp.file);
		file_put(x->interp.file);
	}
	if (x->cred)
		cred_put(x->cred);
	if (x->mm)
		mm_put(x->mm);
	kfree(x->args.buf);
	kfree(x->envs.buf);
	kfree(x->path);
	kfree(x);
}

/* The first argument of a script makes way for interpreter, option and script. */
static int script_args(struct string_list *args, const char *interp, const char *arg, const char *script)
{
	struct string_list new = { 0 };
	size_t skip = args->nr ? strlen(args->buf) + 1 : 0;
	int ret = string_list_add(&new, interp, strlen(interp));

	if (!ret && arg)
		ret = string_list_add(&new, arg, strlen(arg));
	if (!ret)
		ret = string_list_add(&new, script, strlen(script));
	if (!ret)
		ret = string_list_reserve(&new, args->len - skip);
	if (ret) {
		kfree(new.buf);
		return ret;
	}
	if (args->len > skip)
		memcpy(new.buf + new.len, args->buf + skip, args->len - skip);
	new.len += args->len - skip;
	new.nr += args->nr ? args->nr - 1 : 0;
	kfree(args->buf);
	*args = new;
	return 0;
}

/* Follow "#!" lines until there is an ELF image. */
static int open_image(struct exec_state *x, int dirfd, const char *path, u32 flags)
{
	struct file *file = vfs_open_exec(dirfd, path, flags);
	char *script = x->path;

	for (int depth = 0; ; depth++) {
		char line[257], *interp, *arg;
		ssize_t n;
		int ret;

		if (IS_ERR(file))
			return (int)PTR_ERR(file);
		x->image.file = file;
		n = file_read_at(file, line, sizeof(line) - 1, 0);
		if (n < 0)
			return (int)n;
		if (n < 2 || line[0] != '#' || line[1] != '!') {
			ret = elf_open(file, &x->image);
			x->image.file = file;
			return ret;
		}
		if (depth == EXEC_MAX_SCRIPTS)
			return -ELOOP;
		/* the interpreter would look for a descriptor that is closed by then */
		if (!depth && x->by_fd && fd_get_cloexec(dirfd) > 0)
			return -ENOENT;
		ret = script_parse(line, (size_t)n, n < (ssize_t)sizeof(line) - 1, &interp, &arg);
		if (!ret)
			ret = script_args(&x->args, interp, arg, script);
		if (ret)
			return ret;
		/* the interpreter is the second to last string's owner: it lies in args, which lives on */
		script = x->args.buf;
		vfs_allow_write(file);
		file_put(file);
		x->image.file = NULL;
		file = vfs_open_exec(AT_FDCWD, x->args.buf, 0);
	}
}

static int open_interp(struct exec_state *x)
{
	struct file *file;
	int ret;

	if (!x->image.interp[0])
		return 0;
	file = vfs_open_exec(AT_FDCWD, x->image.interp, 0);
	if (IS_ERR(file))
		return (int)PTR_ERR(file);
	ret = elf_open(file, &x->interp);
	x->interp.file = file;
	/* a bad interpreter: ELIBBAD on Linux */
	return ret == -ENOEXEC ? -80 : ret;
}

/* The last part of a path is what ps shows. */
static void set_comm(struct exec_state *x, const char *path)
{
	const char *slash = strrchr(path, '/');

	strscpy(x->comm, slash ? slash + 1 : path, sizeof(x->comm));
}

static int set_cred(struct exec_state *x)
{
	struct inode *inode = x->image.file->inode;
	struct mount *mnt = x->image.file->mount;
	bool ids = inode && mnt && !(mnt->flags & MNT_NOSUID);
	u32 mode = ids ? inode->mode : 0;

	x->cred = cred_exec(mode & 04000, inode ? inode->uid : 0, (mode & 02010) == 02010, inode ? inode->gid : 0,
			    &x->secure);
	if (IS_ERR(x->cred)) {
		int ret = (int)PTR_ERR(x->cred);

		x->cred = NULL;
		return ret;
	}
	return 0;
}

struct stack_writer {
	u64 sp;
	bool failed;
};

static u64 stack_push(struct stack_writer *w, const void *data, size_t len)
{
	w->sp -= len;
	if (copy_to_user(w->sp, data, len))
		w->failed = true;
	return w->sp;
}

static void push_aux(struct mm *mm, u64 type, u64 val)
{
	if (mm->nr_auxv + 2 <= ARRAY_SIZE(mm->auxv)) {
		mm->auxv[mm->nr_auxv++] = type;
		mm->auxv[mm->nr_auxv++] = val;
	}
}

/* argv or envp: addresses of the strings of @l, which stand at @base; and a NULL. Return: where the array goes on */
static u64 write_pointers(struct stack_writer *w, u64 at, const struct string_list *l, u64 base)
{
	u64 chunk[64];
	u32 n = 0;
	size_t off = 0;

	for (u32 i = 0; i <= l->nr; i++) {
		chunk[n++] = i < l->nr ? base + off : 0;
		if (i < l->nr)
			off += strlen(l->buf + off) + 1;
		if (n == ARRAY_SIZE(chunk) || i == l->nr) {
			if (copy_to_user(at, chunk, n * sizeof(u64)))
				w->failed = true;
			at += n * sizeof(u64);
			n = 0;
		}
	}
	return at;
}

/* What the System V ABI for x86-64 puts on a new program's stack (section 3.4.1). Return: rsp, or 0 when it did not fit */
static u64 build_stack(struct exec_state *x, u64 top, u64 bias, u64 interp_base)
{
	struct mm *mm = current->mm;
	struct stack_writer w = { top, false };
	u64 random_at, platform_at, execfn_at, words, argc = x->args.nr, at;
	u8 seed[16];

	w.sp -= 8;			/* a NULL word ends the stack */
	execfn_at = stack_push(&w, x->path, strlen(x->path) + 1);
	mm->env_end = execfn_at;
	mm->env_start = stack_push(&w, x->envs.buf, x->envs.len);
	mm->arg_end = mm->env_start;
	mm->arg_start = stack_push(&w, x->args.buf, x->args.len);
	platform_at = stack_push(&w, "x86_64", 7);
	random_bytes(seed, sizeof(seed));
	random_at = stack_push(&w, seed, sizeof(seed));
	memset(seed, 0, sizeof(seed));

	mm->nr_auxv = 0;
	if (machine->vdso && machine->vdso())
		push_aux(mm, AT_SYSINFO_EHDR, machine->vdso());
	push_aux(mm, AT_HWCAP, machine->auxv(AT_HWCAP));
	push_aux(mm, AT_PAGESZ, PAGE_SIZE);
	push_aux(mm, AT_CLKTCK, USER_HZ);
	push_aux(mm, AT_PHDR, x->image.phdr_vaddr ? x->image.phdr_vaddr + bias : 0);
	push_aux(mm, AT_PHENT, ELF_PHDR_SIZE);
	push_aux(mm, AT_PHNUM, x->image.phnum);
	push_aux(mm, AT_BASE, interp_base);
	push_aux(mm, AT_FLAGS, 0);
	push_aux(mm, AT_ENTRY, x->image.entry + bias);
	push_aux(mm, AT_UID, current->cred->uid);
	push_aux(mm, AT_EUID, current->cred->euid);
	push_aux(mm, AT_GID, current->cred->gid);
	push_aux(mm, AT_EGID, current->cred->egid);
	push_aux(mm, AT_SECURE, x->secure);
	push_aux(mm, AT_RANDOM, random_at);
	push_aux(mm, AT_HWCAP2, machine->auxv(AT_HWCAP2) & ~(u64)HWCAP2_FSGSBASE);
	push_aux(mm, AT_EXECFN, execfn_at);
	push_aux(mm, AT_PLATFORM, platform_at);
	if (machine->rseq && machine->auxv(AT_RSEQ_FEATURE_SIZE)) {
		push_aux(mm, AT_RSEQ_FEATURE_SIZE, machine->auxv(AT_RSEQ_FEATURE_SIZE));
		push_aux(mm, AT_RSEQ_ALIGN, machine->auxv(AT_RSEQ_ALIGN));
	}
	push_aux(mm, AT_MINSIGSTKSZ, max_t(u64, 2048, 1024 + machine->fpu_frame_size()));
	push_aux(mm, AT_NULL, 0);

	words = 1 + argc + 1 + x->envs.nr + 1;
	w.sp = ALIGN_DOWN(w.sp - words * 8 - mm->nr_auxv * 8, 16);
	if (put_user(argc, w.sp))
		w.failed = true;
	at = write_pointers(&w, w.sp + 8, &x->args, mm->arg_start);
	at = write_pointers(&w, at, &x->envs, mm->env_start);
	if (copy_to_user(at, mm->auxv, mm->nr_auxv * 8))
		w.failed = true;
	mm->start_stack = w.sp;
	return w.failed ? 0 : w.sp;
}

static int load(struct exec_state *x)
{
	struct mm *mm = current->mm;
	struct regs *r = current->regs;
	const struct elf_segment *last = &x->image.segments[x->image.nr_segments - 1];
	u64 bias, interp_bias = 0, interp_base = 0, sp, need;
	long top;
	int ret;

	ret = elf_map(&x->image, x->image.dynamic ? PIE_BASE + random_below(PIE_RANDOM_PAGES) * PAGE_SIZE : 0, &bias);
	if (ret)
		return ret;
	mm->start_code = x->image.segments[0].vaddr + bias;
	for (u32 i = 0; i < x->image.nr_segments; i++) {
		const struct elf_segment *s = &x->image.segments[i];

		if (s->prot & PROT_EXEC)
			mm->end_code = s->vaddr + s->filesz + bias;
	}
	mm->start_data = last->vaddr + bias;
	mm->end_data = last->vaddr + last->filesz + bias;
	mm_set_brk(x->image.end + bias);
	if (x->interp.file) {
		ret = elf_map(&x->interp, 0, &interp_bias);
		if (ret)
			return ret;
		interp_base = x->interp.dynamic ? x->interp.start + interp_bias : 0;
	}
	need = x->args.len + x->envs.len + (x->args.nr + x->envs.nr) * 8ull + 8192;
	top = mm_map_stack(need, x->image.exec_stack);
	if (IS_ERR_VALUE(top))
		return (int)top;
	sp = build_stack(x, (u64)top, bias, interp_base);
	if (!sp)
		return -EFAULT;
	*r = (struct regs){
		.orig_rax = (u64)-1,
		.rip = x->interp.file ? x->interp.entry + interp_bias : x->image.entry + bias,
		.rsp = sp, .rflags = 0x202, .cs = 0x33, .ss = 0x2b,
	};
	return 0;
}

static void clear_child_tid(void)
{
	struct task *t = current;
	u32 zero = 0;

	if (t->clear_child_tid && READ_ONCE(t->mm->users) > 1 && !copy_to_user(t->clear_child_tid, &zero, sizeof(zero)))
		futex_wake_user(t->clear_child_tid, 1);
	t->clear_child_tid = 0;
}

/* In the new, empty address space, on a fresh kernel stack: there is no way back. */
static void __noreturn exec_commit(void *arg)
{
	struct exec_state *x = arg;
	struct task *t = current;
	int ret;

	/* before the files are closed: a parent that waits for that may call setpgid() next */
	t->process->did_exec = true;
	files_close_on_exec(t->files);
	signal_exec();
	cred_commit(x->cred);
	x->cred = NULL;
	memcpy(t->comm, x->comm, sizeof(t->comm));
	t->rseq_addr = 0;
	t->mm->dumpable = !x->secure;
	t->mm->exe = x->image.file;	/* with its reference and its hold on writers, which mm gives back */
	ret = load(x);
	x->image.file = NULL;
	mm_set_strings(t->mm, x->args.buf, x->args.len, x->envs.buf, x->envs.len);
	x->args = x->envs = (struct string_list){ 0 };
	vfork_complete(t);
	exec_state_free(x);
	if (ret)
		task_exit_group(SIGKILL);
	machine->enter();
}

/* What is closed on exec stays open for those who shared the table: execve(2), "Effect on process attributes". */
static int unshare_files(void)
{
	struct files *own;

	if (!files_shared(current->files))
		return 0;
	own = files_dup(current->files);
	if (!own)
		return -ENOMEM;
	task_set_files(own);
	return 0;
}

static char *fd_path(int fd, const char *below)
{
	size_t size = strlen(below) + 32;
	char *s = kmalloc(size);

	if (s)
		scnprintf(s, size, *below ? "/dev/fd/%d/%s" : "/dev/fd/%d", fd, below);
	return s;
}

long exec_file(int dirfd, char *path, u32 flags, struct string_list *args, struct string_list *envs)
{
	struct exec_state *x = kzalloc(sizeof(*x));
	struct task *t = current;
	struct mm *mm;
	int ret;

	if (!x) {
		kfree(path);
		kfree(args->buf);
		kfree(envs->buf);
		return -ENOMEM;
	}
	x->args = *args;
	x->envs = *envs;
	*args = *envs = (struct string_list){ 0 };
	x->path = path;
	ret = 0;
	/* execveat(2): how the program is known when its name means something beside a descriptor only */
	if (dirfd != AT_FDCWD && path[0] != '/') {
		x->by_fd = true;
		x->path = fd_path(dirfd, path);
		if (!x->path)
			ret = -ENOMEM;
	}
	/* a program without a name gets an empty one: Linux since 5.18 */
	if (!ret && !x->args.nr)
		ret = string_list_add(&x->args, "", 0);
	if (!ret)
		ret = open_image(x, dirfd, path, flags);
	if (!ret)
		ret = open_interp(x);
	if (!ret)
		ret = set_cred(x);
	if (!ret)
		ret = unshare_files();
	if (!ret)
		ret = signal_prepare_exec();
	if (!ret) {
		mm = x->mm = mm_create();
		if (!mm)
			ret = -ENOMEM;
	}
	if (ret)
		goto err;
	set_comm(x, path[0] ? path : x->path);
	if (x->path != path) {
		kfree(path);
		path = x->path;
	}
	ret = process_de_thread();
	if (ret)
		goto err;
	/* what dies with the old address space: held robust mutexes, and a word that somebody sharing it may wait on */
	futex_exit_robust(t);
	clear_child_tid();
	(void)rseq_suspend();
	x->mm = NULL;			/* exec_fresh() takes it */
	ret = machine->exec_fresh(mm, exec_commit, x);	/* counts who runs where, by task_set_mm() */
	x->mm = mm;
	/* only without memory or processes of the host, when the threads are gone already */
	if (t->process->nr_threads == 1) {
		rseq_resume();
		goto err;
	}
	task_exit_group(SIGKILL);
err:
	if (x->path != path)
		kfree(path);
	exec_state_free(x);
	return ret;
}
