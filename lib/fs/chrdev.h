/* SPDX-License-Identifier: MIT */
/* Character devices: which operations stand behind a device number. Drivers register at boot; nodes with other numbers answer ENXIO. */
#ifndef LIB_FS_CHRDEV_H
#define LIB_FS_CHRDEV_H

#include "fs/vfs.h"

struct chrdev {
	u32 major, minor, nr;	/* numbers [minor, minor + nr) */
	const char *name;	/* /proc/devices */
	const struct file_ops *fops;
	/* NULL: f->ops = fops. Else sets f->ops, f->priv, f->mode. May sleep */
	int (*open)(struct inode *inode, struct file *f);
	struct chrdev *next;
};

void chrdev_register(struct chrdev *dev);
int chrdev_open(struct inode *inode, struct file *f);
void chrdev_show(struct seq_buf *s);

/* dev_init() - null, zero, full, random, urandom, kmsg in the table; dev_populate(): their nodes and the links below /dev */
void dev_init(void);
int dev_populate(void);

#endif
