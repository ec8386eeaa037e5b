// SPDX-License-Identifier: MIT
/*
 * Names of AF_UNIX sockets: a socket inode in the file system, or an abstract name (a leading NUL) in a table of the sandbox.
 * A name leads to its socket until that is closed, whether the inode was renamed or unlinked meanwhile.
 */
#include "ipc/unix.h"

#include "base/errno.h"
#include "base/printf.h"
#include "base/random.h"
#include "base/string.h"
#include "fs/namei.h"
#include "mm/kmalloc.h"

#define BUCKETS		64u
#define AUTOBIND_NAMES	0x100000u	/* five hexadecimal digits */

static struct mutex names_lock = MUTEX_INIT;	/* guards the table, inode.socket of socket inodes, unix.inode */
static struct list names[BUCKETS];		/* by unix.name_node; next == NULL: not used yet */

void unix_addr_put(struct unix_addr *a)
{
	if (a && ref_put(&a->ref))
		kfree(a);
}

int unix_check_addr(const struct sockaddr_any *addr)
{
	if (addr->len <= UNIX_ADDR_BASE || addr->len > UNIX_ADDR_BASE + UNIX_PATH_MAX || addr->family != LINUX_AF_UNIX)
		return -EINVAL;
	return 0;
}

/* A checked address as we keep it. NULL: no memory */
static struct unix_addr *addr_create(const struct sockaddr_any *addr)
{
	struct unix_addr *a = kzalloc(sizeof(*a));

	if (!a)
		return NULL;
	ref_init(&a->ref);
	a->family = LINUX_AF_UNIX;
	a->len = addr->len;
	memcpy(a->path, addr->data + UNIX_ADDR_BASE, addr->len - UNIX_ADDR_BASE);
	if (a->path[0])
		a->len = UNIX_ADDR_BASE + strlen(a->path) + 1;
	return a;
}

static struct list *bucket_of(const void *path, u32 len)
{
	const u8 *p = path;
	u32 hash = 2166136261u;
	struct list *b;

	for (u32 i = 0; i < len; i++)
		hash = (hash ^ p[i]) * 16777619u;
	b = &names[hash % BUCKETS];
	if (!b->next)
		list_init(b);
	return b;
}

/* names_lock held. Sockets of different types may have the same abstract name. */
static struct unix_sock *abstract_find(const void *path, u32 len, u32 type)
{
	struct list *b = bucket_of(path, len);
	struct unix_sock *u;

	list_for_each(u, b, name_node)
		if (u->addr->len == len + UNIX_ADDR_BASE && u->sock.type == type && !memcmp(u->addr->path, path, len))
			return u;
	return NULL;
}

/* names_lock held; takes over @a. */
static int abstract_insert(struct unix_sock *u, struct unix_addr *a)
{
	u32 len = a->len - UNIX_ADDR_BASE;

	if (abstract_find(a->path, len, u->sock.type))
		return -EADDRINUSE;
	store_release(&u->addr, a);
	list_add(&u->name_node, bucket_of(a->path, len));
	return 0;
}

static int bind_abstract(struct unix_sock *u, struct unix_addr *a)
{
	int ret;

	mutex_lock(&names_lock);
	ret = abstract_insert(u, a);
	mutex_unlock(&names_lock);
	return ret;
}

static int bind_path(struct unix_sock *u, struct unix_addr *a)
{
	struct path path;
	int ret = vfs_create_node(AT_FDCWD, a->path, S_IFSOCK | 0777, 0, NULL, &path);

	if (ret)
		return ret == -EEXIST ? -EADDRINUSE : ret;
	mutex_lock(&names_lock);
	u->inode = path.dentry->inode;
	inode_get(u->inode);
	u->inode->socket = u;
	store_release(&u->addr, a);
	mutex_unlock(&names_lock);
	path_put(&path);
	return 0;
}

int unix_bind(struct socket *s, const struct sockaddr_any *addr)
{
	struct unix_sock *u = unix_of(s);
	struct unix_addr *a;
	int ret;

	if (addr->len == UNIX_ADDR_BASE && addr->family == LINUX_AF_UNIX)
		return unix_autobind(u);
	ret = unix_check_addr(addr);
	if (ret)
		return ret;
	a = addr_create(addr);
	if (!a)
		return -ENOMEM;
	mutex_lock(&u->bind_mutex);
	if (u->addr)
		ret = -EINVAL;
	else
		ret = a->path[0] ? bind_path(u, a) : bind_abstract(u, a);
	mutex_unlock(&u->bind_mutex);
	if (ret)
		unix_addr_put(a);
	return ret;
}

int unix_autobind(struct unix_sock *u)
{
	struct unix_addr *a;
	int ret = 0;

	if (load_acquire(&u->addr))
		return 0;
	a = kzalloc(sizeof(*a));
	if (!a)
		return -ENOMEM;
	ref_init(&a->ref);
	a->family = LINUX_AF_UNIX;
	a->len = UNIX_ADDR_BASE + 6;
	mutex_lock(&u->bind_mutex);
	if (!u->addr) {
		u32 first = random_below(AUTOBIND_NAMES);

		ret = -ENOSPC;
		for (u32 i = 0; i < AUTOBIND_NAMES && ret; i++) {
			snprintf(a->path + 1, sizeof(a->path) - 1, "%05x", (first + i) % AUTOBIND_NAMES);
			ret = bind_abstract(u, a) ? -ENOSPC : 0;
		}
		if (!ret)
			a = NULL;
	}
	mutex_unlock(&u->bind_mutex);
	unix_addr_put(a);
	return ret;
}

void unix_unbind(struct unix_sock *u)
{
	struct inode *inode;

	if (!load_acquire(&u->addr))
		return;
	mutex_lock(&names_lock);
	list_del(&u->name_node);
	inode = u->inode;
	u->inode = NULL;
	if (inode && inode->socket == u)
		inode->socket = NULL;
	mutex_unlock(&names_lock);
	if (inode)
		inode_put(inode);
}

static struct unix_sock *find_abstract(const struct sockaddr_any *addr, u32 type)
{
	struct unix_sock *u;

	mutex_lock(&names_lock);
	u = abstract_find(addr->data + UNIX_ADDR_BASE, addr->len - UNIX_ADDR_BASE, type);
	if (u && !ref_tryget(&u->ref))
		u = NULL;
	mutex_unlock(&names_lock);
	return u ? u : ERR_PTR(-ECONNREFUSED);
}

static struct unix_sock *find_path(const struct sockaddr_any *addr, u32 type)
{
	char name[UNIX_PATH_MAX + 1] = { 0 };
	struct unix_sock *u = NULL;
	struct inode *inode;
	struct path path;
	int ret;

	memcpy(name, addr->data + UNIX_ADDR_BASE, addr->len - UNIX_ADDR_BASE);
	ret = path_lookup(AT_FDCWD, name, LOOKUP_FOLLOW, &path);
	if (ret)
		return ERR_PTR(ret);
	inode = path.dentry->inode;
	ret = inode_permission(inode, MAY_WRITE);
	if (!ret) {
		ret = -ECONNREFUSED;
		mutex_lock(&names_lock);
		if (S_ISSOCK(inode->mode) && inode->socket) {
			u = inode->socket;
			ret = u->sock.type == type ? 0 : -EPROTOTYPE;
			if (!ret && !ref_tryget(&u->ref))
				ret = -ECONNREFUSED;
		}
		mutex_unlock(&names_lock);
	}
	path_put(&path);
	return ret ? ERR_PTR(ret) : u;
}

struct unix_sock *unix_find(const struct sockaddr_any *addr, u32 type)
{
	return addr->data[UNIX_ADDR_BASE] ? find_path(addr, type) : find_abstract(addr, type);
}

void unix_addr_copy(struct sockaddr_any *to, const struct unix_sock *u)
{
	const struct unix_addr *a = load_acquire(&u->addr);

	to->family = LINUX_AF_UNIX;
	to->len = UNIX_ADDR_BASE;
	if (a) {
		to->len = a->len;
		memcpy(to->data + UNIX_ADDR_BASE, a->path, a->len - UNIX_ADDR_BASE);
	}
}

void unix_sender_copy(struct sockaddr_any *to, const struct unix_sock *u)
{
	to->len = 0;
	if (load_acquire(&u->addr))
		unix_addr_copy(to, u);
}

int unix_getname(struct socket *s, struct sockaddr_any *addr, bool peer)
{
	struct unix_sock *u = unix_of(s);

	if (!peer) {
		unix_addr_copy(addr, u);
		return 0;
	}
	u = unix_peer_get(u);
	if (!u)
		return -ENOTCONN;
	unix_addr_copy(addr, u);
	unix_put(u);
	return 0;
}
