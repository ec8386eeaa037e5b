// SPDX-License-Identifier: MIT
/* The tree of a tar image: memfs's, filled entry by entry. No name is followed through a link, and none leads up. */
#include "fs/tar_internal.h"

#include "base/printf.h"
#include "base/string.h"
#include "mm/kmalloc.h"
#include "south/south.h"

#define TARFS_MAGIC	0x74617266u
/* Lines about entries that are left out, of one image. */
#define LEFT_OUT_LINES	10u

void tar_left_out(struct tar_image *img, const char *name, const char *why)
{
	char shown[80];
	u32 n = 0;

	if (img->left_out++ >= LEFT_OUT_LINES)
		return;
	/* the line may go to a terminal */
	for (; name[n] && n < sizeof(shown) - 1; n++)
		shown[n] = name[n] >= ' ' && name[n] <= '~' ? name[n] : '?';
	shown[n] = '\0';
	kprint("%s: %s: left out: %s%s", img->name, shown, why,
	       img->left_out == LEFT_OUT_LINES ? " (and so may be others)" : "");
}

/* ---- names ---- */

/* The next component of *@at: no empty ones, no ".". Return: false: none is left */
static bool next_component(const char **at, struct qstr *q)
{
	const char *s = *at;
	size_t len;

	for (;;) {
		while (*s == '/')
			s++;
		for (len = 0; s[len] && s[len] != '/'; len++)
			;
		if (len != 1 || *s != '.')
			break;
		s++;
	}
	if (!len)
		return false;
	*q = (struct qstr){ s, (u32)len, qstr_hash(s, (u32)len) };
	*at = s + len;
	return true;
}

/* "..", or longer than names are; NULL: it is one of a name's components */
static const char *bad_component(const struct qstr *q)
{
	if (q->len == 2 && q->name[0] == '.' && q->name[1] == '.')
		return "its name leads up";
	return q->len > NAME_MAX ? "its name is too long" : NULL;
}

static struct inode *make_dir(struct inode *parent, const struct qstr *q)
{
	const struct new_inode n = { .mode = S_IFDIR | 0755 };
	struct inode *dir = memfs_create(parent, q, &n);

	if (IS_ERR(dir))
		return NULL;
	inode_put(dir);		/* its entry holds it */
	return dir;
}

/* Where an entry goes: its directory, and its name there; no name: the root. Borrowed, since nobody else has the tree yet. */
struct place {
	struct inode *dir;
	struct qstr name;
	struct memfs_dirent *there;	/* what has the name already, or NULL */
	const char *why;		/* it cannot be */
};

/* @make: directories that are missing on the way. Return: 0, -ENOMEM */
static int find_place(struct super *sb, const char *path, bool make, struct place *p)
{
	struct qstr q;

	*p = (struct place){ .dir = sb->root };
	while (next_component(&path, &q)) {
		p->why = bad_component(&q);
		if (p->why)
			return 0;
		if (p->name.len) {
			struct inode *dir = p->there ? p->there->inode : make ? make_dir(p->dir, &p->name) : NULL;

			if (!dir && make)
				return -ENOMEM;
			if (!dir || !S_ISDIR(dir->mode)) {
				p->why = "what should be its directory is none";
				return 0;
			}
			p->dir = dir;
		}
		p->name = q;
		p->there = memfs_find(p->dir, &q);
	}
	return 0;
}

/* ---- entries ---- */

static void set_attrs(struct inode *inode, const struct tar_entry *e)
{
	inode->mode = (inode->mode & S_IFMT) | (e->mode & 07777);
	inode->uid = e->uid;
	inode->gid = e->gid;
	inode->atime = inode->mtime = inode->ctime = inode->btime = e->mtime;
}

static u32 type_bits(char type)
{
	switch (type) {
	case TAR_SYMLINK: return S_IFLNK;
	case TAR_CHAR: return S_IFCHR;
	case TAR_BLOCKDEV: return S_IFBLK;
	case TAR_FIFO: return S_IFIFO;
	}
	return S_IFREG;
}

static struct inode *make_inode(struct super *sb, struct tar_entry *e)
{
	const struct new_inode n = { .mode = type_bits(e->type) | (e->mode & 07777), .rdev = e->rdev, .target = e->link };
	struct inode *inode;

	if (!S_ISREG(n.mode))
		return memfs_new_inode(sb, &n);
	inode = inode_alloc(sb, n.mode, 0);
	if (inode && tar_file_init(inode, &e->map)) {
		inode_put(inode);
		return NULL;
	}
	if (inode)
		inode->size = (pos_t)e->size;
	return inode;
}

static int add_dir(struct super *sb, const struct place *p, const struct tar_entry *e)
{
	struct inode *dir = sb->root;

	if (p->there && !S_ISDIR(p->there->inode->mode))
		(void)memfs_unlink(p->dir, &p->name, p->there->inode);
	else if (p->there)
		dir = p->there->inode;
	if (p->name.len && dir == sb->root)
		dir = make_dir(p->dir, &p->name);
	if (!dir)
		return -ENOMEM;
	set_attrs(dir, e);
	return 0;
}

/* Return: what the link leads to, or NULL after a line */
static struct inode *link_target(struct super *sb, const struct tar_entry *e)
{
	struct place to;

	if (find_place(sb, e->link, false, &to) || to.why || !to.there || S_ISDIR(to.there->inode->mode)) {
		tar_left_out(tar_image(sb), e->name, "a link to what is not there");
		return NULL;
	}
	return to.there->inode;
}

int tar_add(struct super *sb, struct tar_entry *e)
{
	struct tar_image *img = tar_image(sb);
	struct inode *inode, *target = NULL;
	struct place p;
	int ret = find_place(sb, e->name, true, &p);

	if (ret)
		return ret;
	if (!p.why && e->type == TAR_DIR)
		return add_dir(sb, &p, e);
	if (!p.why && (!p.name.len || (p.there && S_ISDIR(p.there->inode->mode))))
		p.why = "a directory has its name";
	if (!p.why && e->type == TAR_SYMLINK && (!*e->link || strlen(e->link) >= PATH_MAX))
		p.why = "a symbolic link needs 1 to 4095 bytes";
	if (p.why) {
		tar_left_out(img, e->name, p.why);
		return 0;
	}
	if (e->type == TAR_HARDLINK) {
		target = link_target(sb, e);
		/* to itself: it is there */
		if (!target || (p.there && p.there->inode == target))
			return 0;
		inode_get(target);
	}
	inode = target ? target : make_inode(sb, e);
	if (!inode)
		return -ENOMEM;
	if (p.there)
		(void)memfs_unlink(p.dir, &p.name, p.there->inode);	/* the last one of a name counts */
	if (!memfs_add(p.dir, &p.name, inode)) {
		inode_put(inode);
		return -ENOMEM;
	}
	if (target)
		inode->nlink++;
	else
		set_attrs(inode, e);
	return 0;
}

/* ---- the whole ---- */

static void tar_evict(struct inode *inode)
{
	if (S_ISREG(inode->mode))
		tar_file_evict(inode);
	else
		memfs_evict(inode);
}

static int tar_statfs(struct super *sb, struct kstatfs *st)
{
	st->blocks = DIV_ROUND_UP(tar_image(sb)->src.size, PAGE_SIZE);
	st->files = sb->nr_inodes;
	return 0;
}

static void tar_put(struct super *sb)
{
	kfree(sb->priv);
}

static const struct super_ops tar_super_ops = { .evict = tar_evict, .statfs = tar_statfs, .put = tar_put };

static ssize_t handle_read(const struct tar_source *s, u64 off, void *buf, size_t len)
{
	const struct iov iov = { (u64)(uintptr_t)buf, len };

	return south_read(s->handle, off, &iov, 1);
}

struct tar_source tar_source_handle(u32 handle, u64 size)
{
	return (struct tar_source){ .read = handle_read, .size = size, .handle = handle };
}

struct super *tar_super_create(const struct tar_source *src, const char *name)
{
	struct super *sb = super_alloc("tar", &tar_super_ops, SB_RDONLY | SB_NOATIME, TARFS_MAGIC);
	struct tar_image *img = sb ? kzalloc(sizeof(*img)) : NULL;
	const struct new_inode root = { .mode = S_IFDIR | 0755 };
	int ret = -ENOMEM;

	if (!sb)
		return ERR_PTR(-ENOMEM);
	sb->priv = img;
	if (img) {
		img->src = *src;
		img->name = name;
		sb->root = memfs_new_inode(sb, &root);
	}
	if (sb->root)
		ret = tar_index(sb);
	if (!ret) {
		img->name = NULL;
		return sb;
	}
	super_kill(sb);
	super_put(sb);
	return ERR_PTR(ret);
}
