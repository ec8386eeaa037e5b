// SPDX-License-Identifier: MIT
/*
 * Descriptor tables: an array of files and two bitmaps, under one spinlock. A set bit in `open` with no file is a number that was
 * reserved and waits for its file. Allocation happens before the lock is taken; closing after it is let go.
 */
#include "fs/fdtable.h"

#include "base/string.h"
#include "fs/inotify.h"
#include "fs/locks.h"
#include "fs/vfs.h"
#include "mm/kmalloc.h"
#include "process/limits.h"
#include "process/task.h"

#define FDS_INLINE	64u
#define WORD(fd)	((fd) / 64)
#define MASK(fd)	(1ull << ((fd) % 64))

struct files {
	ref_t ref;
	struct spinlock lock;	/* guards all below */
	u32 max;		/* numbers that the arrays have room for; a multiple of 64 */
	u32 next;		/* no number below is free */
	struct file **fd;
	u64 *open, *cloexec;
	struct file *inline_fd[FDS_INLINE];
	u64 inline_bits[2];
};

static struct files *files_new(void)
{
	struct files *files = kzalloc(sizeof(*files));

	if (!files)
		return NULL;
	ref_init(&files->ref);
	files->max = FDS_INLINE;
	files->fd = files->inline_fd;
	files->open = &files->inline_bits[0];
	files->cloexec = &files->inline_bits[1];
	return files;
}

struct files *files_alloc(void)
{
	return files_new();
}

void files_get(struct files *files)
{
	ref_get(&files->ref);
}

struct room {
	struct file **fd;
	u64 *bits;
	u32 max;
};

static int room_alloc(struct room *r, u32 max)
{
	r->max = max;
	r->fd = kcalloc(max, sizeof(*r->fd));
	r->bits = kcalloc(2 * max / 64, sizeof(u64));
	if (r->fd && r->bits)
		return 0;
	kfree(r->fd);
	kfree(r->bits);
	return -ENOMEM;
}

/* files->lock held (or nobody else knows it). *r gets the old arrays, to be freed. */
static void room_install(struct files *files, struct room *r)
{
	struct room old = { files->fd, files->open, files->max };

	memcpy(r->fd, files->fd, files->max * sizeof(*r->fd));
	memcpy(r->bits, files->open, files->max / 8);
	memcpy(r->bits + r->max / 64, files->cloexec, files->max / 8);
	files->fd = r->fd;
	files->open = r->bits;
	files->cloexec = r->bits + r->max / 64;
	files->max = r->max;
	*r = old;
}

static void room_free(struct files *files, struct room *r)
{
	if (r->fd == files->inline_fd)
		return;
	kfree(r->fd);
	kfree(r->bits);
}

/* Make room for number @fd. Called without the lock. */
static int files_grow(struct files *files, u32 fd)
{
	struct room r;
	u32 max = FDS_INLINE;

	if (fd >= NR_OPEN_MAX)
		return -EMFILE;
	while (max <= fd)
		max *= 2;
	if (room_alloc(&r, max))
		return -ENOMEM;
	spin_lock(&files->lock);
	if (files->max < r.max)
		room_install(files, &r);
	spin_unlock(&files->lock);
	room_free(files, &r);
	return 0;
}

struct files *files_dup(struct files *old)
{
	struct files *files = files_new();
	struct room r;

	if (!files)
		return NULL;
	for (;;) {
		u32 max = READ_ONCE(old->max);

		if (files->max < max) {
			if (room_alloc(&r, max)) {
				files_put(files);
				return NULL;
			}
			room_install(files, &r);
			room_free(files, &r);
		}
		spin_lock(&old->lock);
		if (old->max <= files->max)
			break;
		spin_unlock(&old->lock);
	}
	for (u32 w = 0; w < old->max / 64; w++) {
		u64 bits = old->open[w];

		for (; bits; bits &= bits - 1) {
			u32 fd = w * 64 + __builtin_ctzll(bits);
			struct file *f = old->fd[fd];

			if (!f)
				continue;	/* being opened by another thread of the parent */
			file_get(f);
			files->fd[fd] = f;
			files->open[w] |= MASK(fd);
		}
		files->cloexec[w] = old->cloexec[w] & files->open[w];
	}
	spin_unlock(&old->lock);
	return files;
}

/* One descriptor is gone from @files; takes the table's reference. */
static int close_file(struct files *files, struct file *f)
{
	int ret = 0;

	if (!(f->mode & FMODE_PATH)) {
		if (f->ops->flush)
			ret = f->ops->flush(f);
		if (f->inode && f->inode->locks)
			locks_close(f, files);
	}
	file_put(f);
	return ret;
}

void files_put(struct files *files)
{
	if (!files || !ref_put(&files->ref))
		return;
	for (u32 w = 0; w < files->max / 64; w++) {
		for (u64 bits = files->open[w]; bits; bits &= bits - 1) {
			struct file *f = files->fd[w * 64 + __builtin_ctzll(bits)];

			if (f)
				close_file(files, f);
		}
	}
	if (files->fd != files->inline_fd) {
		kfree(files->fd);
		kfree(files->open);
	}
	kfree(files);
}

static struct files *my_files(void)
{
	return current->files;
}

/* lock held */
static void clear_fd(struct files *files, u32 fd)
{
	files->fd[fd] = NULL;
	files->open[WORD(fd)] &= ~MASK(fd);
	files->cloexec[WORD(fd)] &= ~MASK(fd);
	files->next = min(files->next, fd);
}

static void set_cloexec(struct files *files, u32 fd, bool on)
{
	if (on)
		files->cloexec[WORD(fd)] |= MASK(fd);
	else
		files->cloexec[WORD(fd)] &= ~MASK(fd);
}

/* ---- look-up ---- */

struct file *fd_get_path(int fd)
{
	struct files *files = my_files();
	struct file *f = NULL;

	spin_lock(&files->lock);
	if (likely((u32)fd < files->max)) {
		f = files->fd[fd];
		if (f)
			file_get(f);
	}
	spin_unlock(&files->lock);
	return f;
}

struct file *fd_get(int fd)
{
	struct file *f = fd_get_path(fd);

	if (unlikely(f && (f->mode & FMODE_PATH))) {
		file_put(f);
		return NULL;
	}
	return f;
}

struct file *files_get_file(struct files *files, int fd, bool *cloexec)
{
	struct file *f = NULL;

	spin_lock(&files->lock);
	if ((u32)fd < files->max) {
		f = files->fd[fd];
		if (f)
			file_get(f);
		if (cloexec)
			*cloexec = files->cloexec[WORD(fd)] & MASK(fd);
	}
	spin_unlock(&files->lock);
	return f;
}

int files_next(struct files *files, int fd)
{
	int found = -1;

	spin_lock(&files->lock);
	for (u32 i = fd < 0 ? 0 : (u32)fd; i < files->max; i++) {
		if (!(i % 64) && !files->open[WORD(i)]) {
			i += 63;
			continue;
		}
		if (files->fd[i]) {
			found = (int)i;
			break;
		}
	}
	spin_unlock(&files->lock);
	return found;
}

/* ---- numbers ---- */

static u64 fd_limit(void)
{
	return min(rlimit(RLIM_NOFILE), (u64)NR_OPEN_MAX);
}

/* lock held. Return: a free number >= @min, or one that the arrays have no room for */
static u32 find_free(struct files *files, u32 min)
{
	u32 fd = max(min, files->next);

	while (fd < files->max) {
		u64 free = ~files->open[WORD(fd)] & ~(MASK(fd) - 1);

		if (free)
			return (fd & ~63u) + __builtin_ctzll(free);
		fd = (fd & ~63u) + 64;
	}
	return fd;
}

int fd_reserve(u32 flags, int min)
{
	struct files *files = my_files();
	u64 limit = fd_limit();
	u32 fd;

	for (;;) {
		int ret;

		spin_lock(&files->lock);
		fd = find_free(files, (u32)min);
		if (fd >= limit) {
			spin_unlock(&files->lock);
			return -EMFILE;
		}
		if (fd < files->max)
			break;
		spin_unlock(&files->lock);
		ret = files_grow(files, fd);
		if (ret)
			return ret;
	}
	files->open[WORD(fd)] |= MASK(fd);
	set_cloexec(files, fd, flags & O_CLOEXEC);
	if ((u32)min <= files->next)
		files->next = fd + 1;
	spin_unlock(&files->lock);
	return (int)fd;
}

void fd_install(int fd, struct file *f)
{
	struct files *files = my_files();

	spin_lock(&files->lock);
	files->fd[fd] = f;
	spin_unlock(&files->lock);
}

void fd_unreserve(int fd)
{
	struct files *files = my_files();

	spin_lock(&files->lock);
	clear_fd(files, (u32)fd);
	spin_unlock(&files->lock);
}

int fd_add(struct file *f, u32 flags)
{
	int fd = fd_reserve(flags, 0);

	if (fd < 0)
		file_put(f);
	else
		fd_install(fd, f);
	return fd;
}

int fd_close(int fd)
{
	struct files *files = my_files();
	struct file *f = NULL;

	spin_lock(&files->lock);
	if ((u32)fd < files->max) {
		f = files->fd[fd];
		if (f)
			clear_fd(files, (u32)fd);
	}
	spin_unlock(&files->lock);
	return f ? close_file(files, f) : -EBADF;
}

int fd_dup_to(struct file *f, int newfd, u32 flags)
{
	struct files *files = my_files();
	struct file *old;
	u32 fd = (u32)newfd;

	if (newfd < 0 || fd >= fd_limit())
		return -EBADF;
	if (fd >= READ_ONCE(files->max)) {
		int ret = files_grow(files, fd);

		if (ret)
			return ret;
	}
	spin_lock(&files->lock);
	old = files->fd[fd];
	if (!old && (files->open[WORD(fd)] & MASK(fd))) {
		spin_unlock(&files->lock);
		return -EBUSY;
	}
	file_get(f);
	files->fd[fd] = f;
	files->open[WORD(fd)] |= MASK(fd);
	set_cloexec(files, fd, flags & O_CLOEXEC);
	spin_unlock(&files->lock);
	if (old)
		close_file(files, old);
	return newfd;
}

int fd_dup_from(struct file *f, int min, u32 flags)
{
	int fd;

	if (min < 0 || (u32)min >= fd_limit())
		return -EINVAL;
	fd = fd_reserve(flags, min);
	if (fd >= 0) {
		file_get(f);
		fd_install(fd, f);
	}
	return fd;
}

int fd_get_cloexec(int fd)
{
	struct files *files = my_files();
	int ret = -EBADF;

	spin_lock(&files->lock);
	if ((u32)fd < files->max && files->fd[fd])
		ret = files->cloexec[WORD(fd)] & MASK(fd) ? O_CLOEXEC : 0;
	spin_unlock(&files->lock);
	return ret;
}

int fd_set_cloexec(int fd, bool on)
{
	struct files *files = my_files();
	int ret = -EBADF;

	spin_lock(&files->lock);
	if ((u32)fd < files->max && files->fd[fd]) {
		set_cloexec(files, (u32)fd, on);
		ret = 0;
	}
	spin_unlock(&files->lock);
	return ret;
}

/* ---- many at once ---- */

/* lock held: the first open number in [*fd, last] */
static bool next_open(struct files *files, u32 *fd, u32 last)
{
	for (u32 i = *fd; i < files->max && i <= last; i++) {
		if (!(i % 64) && !files->open[WORD(i)]) {
			i += 63;
			continue;
		}
		if (files->fd[i]) {
			*fd = i;
			return true;
		}
	}
	return false;
}

void fd_close_range(u32 first, u32 last, bool cloexec)
{
	struct files *files = my_files();
	u32 fd = first;

	for (;;) {
		struct file *f;

		spin_lock(&files->lock);
		if (!next_open(files, &fd, last)) {
			spin_unlock(&files->lock);
			return;
		}
		if (cloexec) {
			do
				set_cloexec(files, fd++, true);
			while (next_open(files, &fd, last));
			spin_unlock(&files->lock);
			return;
		}
		f = files->fd[fd];
		clear_fd(files, fd);
		spin_unlock(&files->lock);
		close_file(files, f);
		if (fd++ == last)
			return;
	}
}

bool files_shared(const struct files *files)
{
	return ref_read(&files->ref) > 1;
}

void files_close_on_exec(struct files *files)
{
	for (u32 fd = 0;; fd++) {
		struct file *f = NULL;

		spin_lock(&files->lock);
		for (; fd < files->max; fd++) {
			if (!(fd % 64) && !files->cloexec[WORD(fd)]) {
				fd += 63;
				continue;
			}
			if (files->fd[fd] && (files->cloexec[WORD(fd)] & MASK(fd))) {
				f = files->fd[fd];
				clear_fd(files, fd);
				break;
			}
		}
		spin_unlock(&files->lock);
		if (!f)
			return;
		close_file(files, f);
	}
}

int fd_unshare(void)
{
	struct files *old = my_files(), *new;

	if (ref_read(&old->ref) == 1)
		return 0;
	new = files_dup(old);
	if (!new)
		return -ENOMEM;
	current->files = new;
	files_put(old);
	return 0;
}

u32 fd_table_size(void)
{
	return files_table_size(current->files);
}

u32 files_table_size(const struct files *files)
{
	return READ_ONCE(files->max);
}
