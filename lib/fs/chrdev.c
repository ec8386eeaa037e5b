// SPDX-License-Identifier: MIT
/* Character devices: the table of drivers, and the memory devices (null(4), full(4), random(4)). */
#include "fs/chrdev.h"

#include "base/random.h"
#include "base/string.h"
#include "fs/namei.h"
#include "fs/seq_buf.h"
#include "mm/mm.h"
#include "mm/pagecache.h"
#include "sched/wait.h"

static struct spinlock chrdev_lock = SPINLOCK_INIT;
static struct chrdev *chrdevs;	/* never taken back: read without the lock */

void chrdev_register(struct chrdev *dev)
{
	spin_lock(&chrdev_lock);
	dev->next = chrdevs;
	store_release(&chrdevs, dev);
	spin_unlock(&chrdev_lock);
}

int chrdev_open(struct inode *inode, struct file *f)
{
	u32 major = dev_major(inode->rdev), minor = dev_minor(inode->rdev);
	struct chrdev *dev;

	for (dev = load_acquire(&chrdevs); dev; dev = dev->next)
		if (dev->major == major && minor >= dev->minor && minor - dev->minor < dev->nr)
			break;
	if (!dev)
		return -ENXIO;
	f->ops = dev->fops;
	if (dev->open)
		return dev->open(inode, f);
	f->mode |= FMODE_SEEK | FMODE_PREAD;
	return 0;
}

void chrdev_show(struct seq_buf *s)
{
	struct chrdev *dev;
	u32 last = ~0u;

	for (dev = load_acquire(&chrdevs); dev; dev = dev->next) {
		if (dev->major != last)
			seq_printf(s, "%3u %s\n", dev->major, dev->name);
		last = dev->major;
	}
}

/* ---- memory devices ---- */

static ssize_t null_read(struct file *f __unused, struct uio *to __unused, pos_t *pos __unused)
{
	return 0;
}

static ssize_t null_write(struct file *f __unused, struct uio *from, pos_t *pos)
{
	size_t n = from->left;

	uio_advance(from, n);
	*pos += n;
	return n;
}

static ssize_t zero_read(struct file *f __unused, struct uio *to, pos_t *pos)
{
	size_t done = 0;

	/* In pieces, so that a signal ends even a read of 2 GiB. */
	while (to->left) {
		ssize_t n = uio_zero(to, min(to->left, (size_t)1 << 20));

		if (n < 0)
			return done ? (ssize_t)done : n;
		done += n;
		if (!n || (to->left && signal_pending()))
			break;
	}
	*pos += done;
	return done;
}

static ssize_t full_write(struct file *f __unused, struct uio *from __unused, pos_t *pos __unused)
{
	return -ENOSPC;
}

static ssize_t random_read(struct file *f __unused, struct uio *to, pos_t *pos __unused)
{
	u8 buf[256];
	size_t done = 0;
	ssize_t n = 0;

	while (to->left) {
		size_t part = min(to->left, sizeof(buf));

		random_bytes(buf, part);
		n = uio_put(to, buf, part);
		if (n <= 0)
			break;
		done += n;
		if (done >= 65536 && signal_pending())
			break;
	}
	memset(buf, 0, sizeof(buf));
	return done ? (ssize_t)done : n;
}

/* What is written to random(4) is mixed in. It adds nothing to be trusted, and takes nothing away. */
static ssize_t random_write(struct file *f __unused, struct uio *from, pos_t *pos __unused)
{
	u8 buf[256];
	size_t done = 0;
	ssize_t n = 0;

	while (from->left) {
		n = uio_get(from, buf, min(from->left, sizeof(buf)));
		if (n <= 0)
			break;
		random_seed(buf, n);
		done += n;
		if (done >= 65536 && signal_pending())
			break;
	}
	return done ? (ssize_t)done : n;
}

#define RNDGETENTCNT	0x80045200u

static long random_ioctl(struct file *f __unused, u32 cmd, u64 arg)
{
	return cmd == RNDGETENTCNT ? put_user((s32)256, arg) : -EINVAL;
}

static pos_t null_seek(struct file *f, pos_t off __unused, int whence __unused)
{
	f->pos = 0;
	return 0;
}

/* Mapping /dev/zero is the old way to anonymous memory; shared ones need pages of their own. */
static struct vm_object *zero_mmap(struct file *f __unused, bool shared_write __unused)
{
	struct pagecache *pc = pagecache_create();
	struct vm_object *obj;

	if (!pc)
		return ERR_PTR(-ENOMEM);
	pagecache_set_size(pc, INT64_MAX & ~(s64)(PAGE_SIZE - 1));
	obj = pagecache_object(pc);
	pagecache_put(pc);
	return obj;
}

static const struct file_ops null_ops = { .name = "null", .read = null_read, .write = null_write, .seek = null_seek };
static const struct file_ops zero_ops = {
	.name = "zero", .read = zero_read, .write = null_write, .seek = null_seek, .mmap = zero_mmap,
};
static const struct file_ops full_ops = { .name = "full", .read = zero_read, .write = full_write, .seek = null_seek };
static const struct file_ops random_ops = {
	.name = "random", .read = random_read, .write = random_write, .seek = null_seek, .ioctl = random_ioctl,
};

static struct chrdev mem_devices[] = {
	{ .major = 1, .minor = 3, .nr = 1, .name = "mem", .fops = &null_ops },
	{ .major = 1, .minor = 5, .nr = 1, .name = "mem", .fops = &zero_ops },
	{ .major = 1, .minor = 7, .nr = 1, .name = "mem", .fops = &full_ops },
	{ .major = 1, .minor = 8, .nr = 2, .name = "mem", .fops = &random_ops },
};

void dev_init(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(mem_devices); i++)
		chrdev_register(&mem_devices[i]);
}

/* ---- /dev ---- */

static const struct {
	const char *name;
	u32 mode;
	u32 major, minor;
	const char *target;
} dev_nodes[] = {
	{ "/dev/null", S_IFCHR | 0666, 1, 3, NULL },
	{ "/dev/zero", S_IFCHR | 0666, 1, 5, NULL },
	{ "/dev/full", S_IFCHR | 0666, 1, 7, NULL },
	{ "/dev/random", S_IFCHR | 0666, 1, 8, NULL },
	{ "/dev/urandom", S_IFCHR | 0666, 1, 9, NULL },
	{ "/dev/tty", S_IFCHR | 0666, 5, 0, NULL },
	{ "/dev/fd", S_IFLNK | 0777, 0, 0, "/proc/self/fd" },
	{ "/dev/stdin", S_IFLNK | 0777, 0, 0, "/proc/self/fd/0" },
	{ "/dev/stdout", S_IFLNK | 0777, 0, 0, "/proc/self/fd/1" },
	{ "/dev/stderr", S_IFLNK | 0777, 0, 0, "/proc/self/fd/2" },
	{ "/dev/shm", S_IFDIR | S_ISVTX | 0777, 0, 0, NULL },
};

int dev_populate(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(dev_nodes); i++) {
		int ret = vfs_create_node(AT_FDCWD, dev_nodes[i].name, dev_nodes[i].mode,
					  dev_make(dev_nodes[i].major, dev_nodes[i].minor), dev_nodes[i].target, NULL);

		if (ret && ret != -EEXIST)
			return ret;
	}
	return 0;
}
