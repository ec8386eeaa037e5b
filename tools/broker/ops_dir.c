// SPDX-License-Identifier: MIT
/*
 * Directories: reading them, and changing what is in them. Names and files of one export stay in it:
 * a rename or a hard link into another export (perhaps a writable one) is EXDEV.
 */
#define _GNU_SOURCE
#include "server.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

struct kernel_dirent {
	uint64_t d_ino;
	uint64_t d_off;
	uint16_t d_reclen;
	uint8_t d_type;
	char d_name[];
};

static uint8_t qid_type_of(uint8_t d_type)
{
	return d_type == DT_DIR ? P9_QT_DIR : d_type == DT_LNK ? P9_QT_SYMLINK : P9_QT_FILE;
}

static bool is_dotdot(const char *name)
{
	return name[0] == '.' && name[1] == '.' && !name[2];
}

static bool is_root(const struct node *n)
{
	struct stat st;

	return !fstat(n->ex->fd, &st) && st.st_ino == n->ino && st.st_dev == n->dev;
}

static void put_entry(struct channel *ch, const struct fid *fid, const struct kernel_dirent *d,
		      struct wire_out *o)
{
	/* The root's parent is none of the client's business. */
	uint64_t ino = is_dotdot(d->d_name) && is_root(fid->node) ? fid->node->ino : d->d_ino;
	struct p9_qid qid = qid_make(ch->b, fid->node->dev, ino, qid_type_of(d->d_type), 0);

	wire_put_qid(o, &qid);
	wire_put_u64(o, d->d_off);
	wire_put_u8(o, d->d_type);
	wire_put_str(o, d->d_name, strlen(d->d_name));
}

/* A name that vanished since, and "..", come without attributes (valid 0). */
static void put_entry_plus(struct channel *ch, const struct fid *fid, const struct kernel_dirent *d,
			   struct wire_out *o)
{
	struct p9_attr attr = { 0 };

	if (is_dotdot(d->d_name) || attr_at(ch->b, fid->fd, d->d_name, 0, &attr))
		attr = (struct p9_attr){ 0 };
	wire_put_u64(o, d->d_off);
	wire_put_u8(o, d->d_type);
	wire_put_attr_lbx(o, &attr);
	wire_put_str(o, d->d_name, strlen(d->d_name));
}

/*
 * Both forms of readdir. The request has been decoded and holds no strings, so ch->in serves as the
 * buffer for the kernel's entries. Entries that do not fit in the reply are read again next time.
 */
static int read_entries(struct channel *ch, uint32_t id, uint64_t offset, uint32_t count, bool plus,
			struct wire_out *o)
{
	struct fid *fid = fid_find(ch, id);
	uint32_t fixed = plus ? B9P_DIRENT_BYTES : P9_DIRENT_BYTES, start, want;
	long n;

	if (!fid || fid->kind != FID_OPEN)
		return -EBADF;
	if (!node_is_dir(fid->node))
		return -ENOTDIR;
	if (offset > INT64_MAX)
		return -EINVAL;
	if (count > wire_room(o) - 4)
		count = wire_room(o) - 4;
	if (offset != fid->dirpos && lseek(fid->fd, (off_t)offset, SEEK_SET) < 0)
		return -errno;
	fid->dirpos = ~0ull;
	want = plus ? count / 4 : count;
	want = want < 512 ? 512 : want > ch->msize_max ? ch->msize_max : want;
	start = o->len;
	wire_put_u32(o, 0);
	/* until it is full: what is not is the end */
	do {
		n = syscall(SYS_getdents64, fid->fd, ch->in, want);
		if (n < 0)
			return -errno;
		for (long at = 0; at < n;) {
			const struct kernel_dirent *d = (const void *)(ch->in + at);

			if (o->len - start - 4 + fixed + strlen(d->d_name) > count) {
				if (o->len == start + 4)
					return -EINVAL;	/* not even one: 0 bytes would mean the end */
				wire_patch_u32(o, start, o->len - start - 4);
				return 0;
			}
			if (plus)
				put_entry_plus(ch, fid, d, o);
			else
				put_entry(ch, fid, d, o);
			offset = d->d_off;
			at += d->d_reclen;
		}
	} while (n);
	fid->dirpos = offset;
	wire_patch_u32(o, start, o->len - start - 4);
	return 0;
}

int op_readdir(struct channel *ch, const struct p9_treaddir *t, struct wire_out *o)
{
	return read_entries(ch, t->fid, t->offset, t->count, false, o);
}

int op_readdirplus(struct channel *ch, const struct p9_treaddirplus *t, struct wire_out *o)
{
	return read_entries(ch, t->fid, t->offset, t->count, true, o);
}

/* A directory that may be changed, by its fid; and the name in it. */
static int changed_dir(struct channel *ch, uint32_t id, struct p9_str s, struct node **dir,
		       char *name)
{
	struct fid *fid = fid_find(ch, id);
	int ret;

	if (!fid || (fid->kind != FID_PATH && fid->kind != FID_OPEN))
		return -EBADF;
	ret = wire_name_check(s, name);
	if (ret)
		return ret;
	if (!node_is_dir(fid->node))
		return -ENOTDIR;
	*dir = fid->node;
	return need_writable(ch, fid->node);
}

static int put_made(struct channel *ch, const struct node *dir, const char *name, struct wire_out *o)
{
	struct p9_attr attr;
	int ret = attr_at(ch->b, dir->fd, name, 0, &attr);

	if (!ret)
		wire_put_qid(o, &attr.qid);
	return ret;
}

int op_mkdir(struct channel *ch, const struct p9_tmkdir *t, struct wire_out *o)
{
	char name[B9P_NAME_CAP];
	struct node *dir;
	struct stat st;
	int ret = changed_dir(ch, t->dfid, t->name, &dir, name);

	if (ret)
		return ret;
	if (t->mode & S_IFMT && (t->mode & S_IFMT) != S_IFDIR)
		return -EINVAL;
	/* Clients repeat the set-group-id bit that a directory hands down by itself. */
	if (t->mode & S_ISUID ||
	    (t->mode & S_ISGID && !(fstat(dir->fd, &st) == 0 && st.st_mode & S_ISGID)))
		return log_refused(ch, dir, name, "set-id bits are not set", -EPERM);
	if (mkdirat(dir->fd, name, t->mode & 01777))
		return -errno;
	return put_made(ch, dir, name, o);
}

int op_symlink(struct channel *ch, const struct p9_tsymlink *t, struct wire_out *o)
{
	char name[B9P_NAME_CAP], target[B9P_PATH_CAP];
	struct node *dir;
	int ret = changed_dir(ch, t->dfid, t->name, &dir, name);

	if (!ret)
		ret = wire_text_check(t->target, target, sizeof(target));
	if (ret)
		return ret;
	if (symlinkat(target, dir->fd, name))	/* "" is the kernel's ENOENT */
		return -errno;
	return put_made(ch, dir, name, o);
}

int op_mknod(struct channel *ch, const struct p9_tmknod *t, struct wire_out *o)
{
	char name[B9P_NAME_CAP];
	struct node *dir;
	int ret = changed_dir(ch, t->dfid, t->name, &dir, name);

	(void)o;
	return ret ? ret : log_refused(ch, dir, name, "devices, FIFOs and sockets are not made",
				       -EPERM);
}

int op_link(struct channel *ch, const struct p9_tlink *t, struct wire_out *o)
{
	char name[B9P_NAME_CAP];
	struct node *dir;
	struct fid *fid;
	int ret = changed_dir(ch, t->dfid, t->name, &dir, name);

	(void)o;
	if (ret)
		return ret;
	fid = fid_find(ch, t->fid);
	if (!fid || (fid->kind != FID_PATH && fid->kind != FID_OPEN))
		return -EBADF;
	if (fid->node->ex != dir->ex)
		return -EXDEV;
	if (!node_is_reg(fid->node) && !S_ISLNK(fid->node->type))
		return -EPERM;
	/* The number in /proc/self/fd leads to the very inode, a symlink too. */
	if (linkat(ch->b->procfd, proc_name(fid->node->fd).s, dir->fd, name, AT_SYMLINK_FOLLOW))
		return -errno;
	return 0;
}

static int rename_names(struct channel *ch, uint32_t oldid, struct p9_str olds, uint32_t newid,
			struct p9_str news, uint32_t flags)
{
	char oldname[B9P_NAME_CAP], newname[B9P_NAME_CAP];
	struct node *from, *to;
	int ret = changed_dir(ch, oldid, olds, &from, oldname);

	if (!ret)
		ret = changed_dir(ch, newid, news, &to, newname);
	if (ret)
		return ret;
	if (flags & ~(B9P_RENAME_NOREPLACE | B9P_RENAME_EXCHANGE) ||
	    flags == (B9P_RENAME_NOREPLACE | B9P_RENAME_EXCHANGE))
		return -EINVAL;
	if (from->ex != to->ex)
		return -EXDEV;
	ret = guard_check(ch, from, oldname);
	if (!ret)
		ret = guard_check(ch, to, newname);
	if (ret)
		return ret;
	if (renameat2(from->fd, oldname, to->fd, newname, flags))
		return -errno;
	return 0;
}

int op_renameat(struct channel *ch, const struct p9_trenameat *t, struct wire_out *o)
{
	(void)o;
	return rename_names(ch, t->olddfid, t->oldname, t->newdfid, t->newname, 0);
}

int op_renameat2(struct channel *ch, const struct p9_trenameat2 *t, struct wire_out *o)
{
	(void)o;
	return rename_names(ch, t->olddfid, t->oldname, t->newdfid, t->newname, t->flags);
}

int op_unlinkat(struct channel *ch, const struct p9_tunlinkat *t, struct wire_out *o)
{
	char name[B9P_NAME_CAP];
	struct node *dir;
	int ret = changed_dir(ch, t->dfid, t->name, &dir, name);

	(void)o;
	if (ret)
		return ret;
	if (t->flags & ~P9_AT_REMOVEDIR)
		return -EINVAL;
	ret = guard_check(ch, dir, name);
	if (ret)
		return ret;
	if (unlinkat(dir->fd, name, t->flags & P9_AT_REMOVEDIR ? AT_REMOVEDIR : 0))
		return -errno;
	return 0;
}

/*
 * The two old messages that name a file by its fid alone. Its directory is found again by the path it
 * has now, and what stands there must still be that file.
 */
static int own_entry(struct channel *ch, const struct node *node, struct node **dir, char *name)
{
	struct p9_attr attr;
	int ret = need_writable(ch, node);

	if (!ret)
		ret = node_parent(ch, node, dir, name);
	if (ret)
		return ret;
	ret = name[0] ? attr_at(ch->b, (*dir)->fd, name, 0, &attr) : -EBUSY;
	if (!ret && (attr.ino != node->ino || attr.dev != node->dev))
		ret = -ENOENT;
	if (!ret)
		ret = guard_check(ch, *dir, name);
	if (ret)
		node_put(ch, *dir);
	return ret;
}

int op_rename(struct channel *ch, const struct p9_trename *t, struct wire_out *o)
{
	char oldname[B9P_NAME_CAP], newname[B9P_NAME_CAP];
	struct node *from, *to;
	struct fid *fid;
	int ret = changed_dir(ch, t->dfid, t->name, &to, newname);

	(void)o;
	if (ret)
		return ret;
	fid = fid_find(ch, t->fid);
	if (!fid || (fid->kind != FID_PATH && fid->kind != FID_OPEN))
		return -EBADF;
	if (fid->node->ex != to->ex)
		return -EXDEV;
	ret = guard_check(ch, to, newname);
	if (!ret)
		ret = own_entry(ch, fid->node, &from, oldname);
	if (ret)
		return ret;
	if (renameat(from->fd, oldname, to->fd, newname))
		ret = -errno;
	node_put(ch, from);
	return ret;
}

int op_remove(struct channel *ch, const struct p9_tremove *t, struct wire_out *o)
{
	struct fid *fid = fid_find(ch, t->fid);
	char name[B9P_NAME_CAP];
	struct node *dir;
	int ret;

	(void)o;
	if (!fid)
		return -EBADF;
	ret = own_entry(ch, fid->node, &dir, name);
	if (!ret) {
		if (unlinkat(dir->fd, name, node_is_dir(fid->node) ? AT_REMOVEDIR : 0))
			ret = -errno;
		node_put(ch, dir);
	}
	fid_free(ch, fid);	/* gone in any case, as a clunk would have it */
	return ret;
}
