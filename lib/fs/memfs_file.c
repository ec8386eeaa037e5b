// SPDX-License-Identifier: MIT
/* Regular files in memory: their bytes lie in a page cache, which address spaces map as well. memfd_create(2) and seals. */
#include "base/printf.h"
#include "base/string.h"
#include "fs/memfs.h"
#include "fs/namei.h"
#include "fs/rw.h"
#include "fs/walk.h"
#include "mm/pagecache.h"
#include "process/cred.h"
#include "process/limits.h"
#include "process/signal.h"
#include "process/task.h"

#define FALLOC_FL_KEEP_SIZE	1
#define FALLOC_FL_PUNCH_HOLE	2
#define FALLOC_FL_ZERO_RANGE	16

struct pagecache *memfs_pages(struct inode *inode)
{
	struct pagecache *pc = load_acquire(&inode->pagecache);

	if (pc)
		return pc;
	pc = pagecache_create();
	if (!pc)
		return NULL;
	if (!atomic_cmpxchg(&inode->pagecache, NULL, pc))
		pagecache_put(pc);
	pc = load_acquire(&inode->pagecache);
	/* After it can be found: a change of the size before that point told nobody. */
	pagecache_set_size(pc, READ_ONCE(inode->size));
	return pc;
}

static void set_size(struct inode *inode, pos_t size)
{
	struct pagecache *pc;

	WRITE_ONCE(inode->size, size);
	smp_mb();
	pc = load_acquire(&inode->pagecache);
	if (pc)
		pagecache_set_size(pc, size);
}

int memfs_resize(struct inode *inode, pos_t size)
{
	if (size > MEMFS_MAX_SIZE)
		return -EFBIG;
	if ((size < inode->size && (inode->seals & F_SEAL_SHRINK)) ||
	    (size > inode->size && (inode->seals & F_SEAL_GROW)))
		return -EPERM;
	if (size < inode->size && inode->pagecache) {
		WRITE_ONCE(inode->size, size);
		pagecache_truncate(inode->pagecache, size);
		memfs_account(inode);
	}
	set_size(inode, size);
	return 0;
}

static ssize_t memfs_read(struct file *f, struct uio *to, pos_t *pos)
{
	struct inode *inode = f->inode;
	struct pagecache *pc = load_acquire(&inode->pagecache);
	pos_t size = READ_ONCE(inode->size);
	ssize_t n;

	if (*pos >= size || !to->left)
		return 0;
	n = min_t(u64, to->left, (u64)(size - *pos));
	n = pc ? pagecache_read(pc, to, *pos, n) : uio_zero(to, n);
	if (n > 0)
		*pos += n;
	inode_accessed(inode, f->mount, f->flags);
	return n;
}

/* Where may a write at @pos go on to? Return: bytes, or -EFBIG (with SIGXFSZ), -EPERM */
static ssize_t write_room(struct inode *inode, pos_t pos, ssize_t len)
{
	len = file_write_limit(pos, len, MEMFS_MAX_SIZE);
	if (len < 0)
		return len;
	if (inode->seals & (F_SEAL_WRITE | F_SEAL_FUTURE_WRITE))
		return -EPERM;
	if ((inode->seals & F_SEAL_GROW) && pos + len > inode->size) {
		if (pos >= inode->size)
			return -EPERM;
		len = inode->size - pos;
	}
	return len;
}

/* Writing takes the set-id bits away from who might have gained something by them. */
static void drop_setid(struct inode *inode)
{
	u32 kill = S_ISUID;

	if (!(inode->mode & (S_ISUID | S_ISGID)))
		return;
	if (current && current->cred && cred_has_cap(current->cred, CAP_FSETID))
		return;
	if (inode->mode & S_IXGRP)
		kill |= S_ISGID;
	inode->mode &= ~kill;
}

static ssize_t memfs_write(struct file *f, struct uio *from, pos_t *pos)
{
	struct inode *inode = f->inode;
	struct pagecache *pc;
	size_t cut;
	ssize_t n;

	if (!from->left)
		return 0;
	pc = memfs_pages(inode);
	if (!pc)
		return -ENOSPC;
	mutex_lock(&inode->lock);
	if ((f->flags & O_APPEND) || (from->flags & UIO_APPEND))
		*pos = inode->size;
	n = write_room(inode, *pos, from->left);
	if (n > 0)
		n = memfs_limit_len(inode, *pos, n);
	if (n < 0)
		goto out;
	cut = from->left - n;
	from->left = n;
	n = pagecache_write(pc, from, *pos, n);
	from->left += cut;
	memfs_account(inode);
	if (n <= 0)
		goto out;
	*pos += n;
	if (*pos > inode->size)
		set_size(inode, *pos);
	drop_setid(inode);
	inode_touch(inode);
out:
	mutex_unlock(&inode->lock);
	return n == -ENOMEM ? -ENOSPC : n;
}

static pos_t memfs_seek(struct file *f, pos_t off, int whence)
{
	struct inode *inode = f->inode;
	struct pagecache *pc;
	pos_t size;

	if (whence != SEEK_DATA && whence != SEEK_HOLE)
		return generic_seek(f, off, whence);
	mutex_lock(&inode->lock);
	size = inode->size;
	pc = inode->pagecache;
	if (off < 0 || off >= size)
		off = -ENXIO;
	else if (whence == SEEK_DATA)
		off = pc ? pagecache_seek_data(pc, off, size) : size;
	else if (pc)
		off = pagecache_seek_hole(pc, off, size);
	if (whence == SEEK_DATA && off >= size)
		off = -ENXIO;
	if (off >= 0)
		f->pos = off;
	mutex_unlock(&inode->lock);
	return off;
}

static struct vm_object *memfs_mmap(struct file *f, bool shared_write)
{
	struct pagecache *pc = memfs_pages(f->inode);

	return pc ? pagecache_object(pc) : ERR_PTR(-ENOMEM);
}

static long fallocate_locked(struct inode *inode, int mode, pos_t off, pos_t len)
{
	struct pagecache *pc = inode->pagecache;
	pos_t end = off + len;
	int ret;

	if (mode & (FALLOC_FL_PUNCH_HOLE | FALLOC_FL_ZERO_RANGE)) {
		if (inode->seals & (F_SEAL_WRITE | F_SEAL_FUTURE_WRITE))
			return -EPERM;
		if ((mode & FALLOC_FL_PUNCH_HOLE) || (mode & FALLOC_FL_KEEP_SIZE))
			end = min(end, inode->size);
	}
	if (!(mode & FALLOC_FL_KEEP_SIZE) && end > inode->size) {
		if (inode->seals & F_SEAL_GROW)
			return -EPERM;
		if (current && (u64)end > rlimit(RLIM_FSIZE)) {
			signal_self(SIGXFSZ);
			return -EFBIG;
		}
	}
	if (mode & (FALLOC_FL_PUNCH_HOLE | FALLOC_FL_ZERO_RANGE)) {
		if (end > off)
			pagecache_punch(pc, off, end - off);
		ret = 0;
		if (mode & FALLOC_FL_ZERO_RANGE && end > off)
			ret = pagecache_fill(pc, off, end - off);
	} else {
		ret = memfs_limit_len(inode, off, len) < len ? -ENOSPC : pagecache_fill(pc, off, len);
	}
	memfs_account(inode);
	if (ret)
		return -ENOSPC;
	if (!(mode & FALLOC_FL_KEEP_SIZE) && end > inode->size)
		set_size(inode, end);
	inode_touch(inode);
	return 0;
}

static long memfs_fallocate(struct file *f, int mode, pos_t off, pos_t len)
{
	struct inode *inode = f->inode;
	long ret;

	if (mode & ~(FALLOC_FL_KEEP_SIZE | FALLOC_FL_PUNCH_HOLE | FALLOC_FL_ZERO_RANGE))
		return -EOPNOTSUPP;
	if ((mode & FALLOC_FL_PUNCH_HOLE) && !(mode & FALLOC_FL_KEEP_SIZE))
		return -EOPNOTSUPP;
	if (off > MEMFS_MAX_SIZE || len > MEMFS_MAX_SIZE - off)
		return -EFBIG;
	if (!memfs_pages(inode))
		return -ENOSPC;
	mutex_lock(&inode->lock);
	ret = fallocate_locked(inode, mode, off, len);
	mutex_unlock(&inode->lock);
	return ret;
}

static int memfs_fsync(struct file *f __unused, bool datasync __unused)
{
	return 0;
}

/* What a writer was given ahead goes back when the last one is done. */
static void memfs_release(struct file *f)
{
	struct inode *inode = f->inode;

	if ((f->mode & FMODE_WRITE) && inode->pagecache && load_relaxed(&inode->writers) <= !!(f->mode & FMODE_WRITER))
		pagecache_trim(inode->pagecache);
}

const struct file_ops memfs_file_ops = {
	.name = "file",
	.read = memfs_read,
	.write = memfs_write,
	.seek = memfs_seek,
	.mmap = memfs_mmap,
	.fsync = memfs_fsync,
	.fallocate = memfs_fallocate,
	.release = memfs_release,
};

const struct inode_ops memfs_file_inode_ops = {
	.setattr = memfs_setattr,
};

/* ---- memfd ---- */

static struct mutex memfd_lock = MUTEX_INIT;
static struct mount *memfd_mount;	/* made once, in no tree */

static struct mount *memfd_where(void)
{
	struct mount *m = load_acquire(&memfd_mount);

	if (m)
		return m;
	mutex_lock(&memfd_lock);
	if (!memfd_mount) {
		struct super *sb = memfs_super("tmpfs", 01777);

		if (sb && !mount_detached(sb->root, &m))
			store_release(&memfd_mount, m);
		if (sb && !m)
			super_kill(sb);
		super_put(sb);
	}
	m = memfd_mount;
	mutex_unlock(&memfd_lock);
	return m;
}

struct file *memfd_open(const char *name, u32 flags)
{
	struct new_inode n = { .mode = S_IFREG | (flags & MFD_NOEXEC_SEAL ? 0666 : 0777) };
	struct path p = { memfd_where(), NULL };
	struct inode *inode;
	struct file *f;
	char text[NAME_MAX + 1];

	if (!p.mnt)
		return ERR_PTR(-ENOMEM);
	if (current && current->cred) {
		n.uid = current->cred->fsuid;
		n.gid = current->cred->fsgid;
	}
	inode = memfs_tmpfile(p.mnt->root->inode, &n);
	if (IS_ERR(inode))
		return (void *)inode;
	atomic_or(&inode->flags, (u32)INODE_SEALABLE);
	inode->seals = flags & (MFD_ALLOW_SEALING | MFD_NOEXEC_SEAL) ? 0 : F_SEAL_SEAL;
	if (flags & MFD_NOEXEC_SEAL)
		inode->seals |= F_SEAL_EXEC;
	snprintf(text, sizeof(text), "memfd:%s", name);
	p.dentry = dentry_alloc(p.mnt->root, &(struct qstr){ text, (u32)strlen(text), 0 });
	if (!p.dentry) {
		inode_put(inode);
		return ERR_PTR(-ENOMEM);
	}
	p.dentry->flags |= DENTRY_DELETED;
	p.dentry->inode = inode;
	f = open_inode(&p, O_RDWR | O_LARGEFILE);
	dentry_put(p.dentry);
	/* fexecve() of a memfd that is still open from its making is no ETXTBSY on Linux: only later opens count as writers */
	if (!IS_ERR(f) && (f->mode & FMODE_WRITER)) {
		f->mode &= ~FMODE_WRITER;
		inode_put_write(inode);
	}
	return f;
}

static bool sealable(struct file *f)
{
	return f->inode && (f->inode->flags & INODE_SEALABLE);
}

/* The page cache refuses mappings that would break the seal, and knows whether one is there. */
static int seal_mappings(struct inode *inode, u32 seals)
{
	struct pagecache *pc;

	if (!(seals & ~inode->seals & (F_SEAL_WRITE | F_SEAL_FUTURE_WRITE)))
		return 0;
	pc = memfs_pages(inode);
	return pc ? pagecache_seal_writable(pc, seals & F_SEAL_WRITE) : -ENOMEM;
}

long memfd_add_seals(struct file *f, u32 seals)
{
	struct inode *inode = f->inode;
	long ret = 0;

	if (!sealable(f) ||
	    (seals & ~(F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_FUTURE_WRITE | F_SEAL_EXEC)))
		return -EINVAL;
	if (!(f->mode & FMODE_WRITE))
		return -EPERM;
	mutex_lock(&inode->lock);
	if (inode->seals & F_SEAL_SEAL) {
		ret = -EPERM;
	} else if (seal_mappings(inode, seals)) {
		ret = -EBUSY;
	} else {
		/* A sealed file that can be executed can be executed for good: nobody may write it either. */
		if ((seals & F_SEAL_EXEC) && (inode->mode & S_IXUGO))
			seals |= F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_FUTURE_WRITE;
		inode->seals |= seals;
	}
	mutex_unlock(&inode->lock);
	return ret;
}

long memfd_get_seals(struct file *f)
{
	return sealable(f) ? (long)READ_ONCE(f->inode->seals) : -EINVAL;
}
