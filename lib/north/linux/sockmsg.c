// SPDX-License-Identifier: MIT
#include "north/linux/sockmsg.h"

#include "base/errno.h"
#include "base/string.h"
#include "mm/kmalloc.h"
#include "process/cred.h"
#include "process/task.h"

#define SOL_SOCKET_ABI		1
#define SCM_RIGHTS_ABI		1
#define SCM_CREDENTIALS_ABI	2
#define CONTROL_MAX		131072u		/* /proc/sys/net/core/optmem_max */

struct cmsghdr_abi {
	u64 len;
	s32 level, type;
};
#define CMSG_ALIGN_UP(n)	ALIGN_UP((u64)(n), 8ul)

int socket_get(int fd, struct file **f, struct socket **s)
{
	*f = fd_get(fd);
	if (!*f)
		return -EBADF;
	*s = file_socket(*f);
	if (*s)
		return 0;
	file_put(*f);
	return -ENOTSOCK;
}

int iov_list_get(struct iov_list *l, u64 user, u64 nr)
{
	u64 sum = 0;

	l->iov = l->small;
	if (nr > UIO_MAX_IOV)
		return -EMSGSIZE;
	if (nr > IOV_INLINE) {
		l->iov = kmalloc(nr * sizeof(l->iov[0]));
		if (!l->iov)
			return -ENOMEM;
	}
	if (copy_from_user(l->iov, user, nr * sizeof(l->iov[0]))) {
		iov_list_put(l);
		return -EFAULT;
	}
	for (u64 i = 0; i < nr; i++) {
		struct iov *v = &l->iov[i];
		int ret = (s64)v->len < 0 ? -EINVAL : !access_ok(v->base, v->len) ? -EFAULT : 0;

		if (ret) {
			iov_list_put(l);
			return ret;
		}
		v->len = min(v->len, MAX_RW_COUNT - sum);
		sum += v->len;
	}
	if (!nr)
		l->small[0] = (struct iov){ 0, 0 };
	l->uio = (struct uio){ .iov = l->iov, .nr = nr ? (u32)nr : 1, .user = true, .left = sum };
	return 0;
}

void iov_list_put(struct iov_list *l)
{
	if (l->iov != l->small)
		kfree(l->iov);
	l->iov = l->small;
}

int sockaddr_from_user(struct sockaddr_any *addr, u64 user, u32 len)
{
	if (len > sizeof(addr->data))
		return -EINVAL;
	addr->len = len;
	addr->family = 0;
	return len && copy_from_user(addr->data, user, len) ? -EFAULT : 0;
}

int sockaddr_to_user(const struct sockaddr_any *addr, u64 user, u64 ulen)
{
	u32 len = addr->len;
	s32 room;

	if (get_user(room, ulen))
		return -EFAULT;
	if (room < 0)
		return -EINVAL;
	if (copy_to_user(user, addr->data, min_t(u32, room, len)))
		return -EFAULT;
	return put_user(len, ulen);
}

static int cred_from_control(struct sock_msg *m, const void *data, size_t len)
{
	const struct cred *c = current->cred;
	struct ucred_abi u;

	if (len != sizeof(u))
		return -EINVAL;
	memcpy(&u, data, sizeof(u));
	if (u.pid != current->process->tgid && !capable(CAP_SYS_ADMIN))
		return -EPERM;
	if (u.uid != c->uid && u.uid != c->euid && u.uid != c->suid && !capable(CAP_SETUID))
		return -EPERM;
	if (u.gid != c->gid && u.gid != c->egid && u.gid != c->sgid && !capable(CAP_SETGID))
		return -EPERM;
	m->cred = u;
	m->has_cred = true;
	return 0;
}

static int files_from_control(struct sock_msg *m, const u8 *data, size_t len)
{
	u32 nr = len / sizeof(s32), old = m->files ? m->files->nr : 0;
	struct scm_files *fp;
	s32 fd;

	if (!nr)
		return 0;
	if (nr > SCM_MAX_FILES - old)
		return -EINVAL;
	fp = scm_files_alloc(old + nr);
	if (!fp)
		return -ENOMEM;
	/* what is not filled yet is NULL, so whoever finds an error can just put the lot */
	for (u32 i = 0; i < old; i++) {
		fp->file[i] = m->files->file[i];
		file_get(fp->file[i]);
	}
	scm_files_put(m->files);
	m->files = fp;
	for (u32 i = 0; i < nr; i++) {
		memcpy(&fd, data + i * sizeof(fd), sizeof(fd));
		fp->file[old + i] = fd_get_path(fd);
		if (!fp->file[old + i])
			return -EBADF;
	}
	return 0;
}

static int parse_control(struct sock_msg *m, const u8 *buf, u64 len)
{
	struct cmsghdr_abi h;
	int ret = 0;

	for (u64 off = 0; !ret && len - off >= sizeof(h); off += min(CMSG_ALIGN_UP(h.len), len - off)) {
		memcpy(&h, buf + off, sizeof(h));
		if (h.len < sizeof(h) || h.len > len - off)
			return -EINVAL;
		if (h.level != SOL_SOCKET_ABI)
			continue;
		if (h.type == SCM_RIGHTS_ABI)
			ret = files_from_control(m, buf + off + sizeof(h), h.len - sizeof(h));
		else if (h.type == SCM_CREDENTIALS_ABI)
			ret = cred_from_control(m, buf + off + sizeof(h), h.len - sizeof(h));
		else
			ret = -EINVAL;
	}
	return ret;
}

int control_from_user(struct sock_msg *m, u64 control, u64 len)
{
	u8 small[128] __aligned(8), *buf = small;
	int ret;

	if (len > CONTROL_MAX)
		return -ENOBUFS;
	if (len > sizeof(small)) {
		buf = kmalloc(len);
		if (!buf)
			return -ENOBUFS;
	}
	ret = copy_from_user(buf, control, len);
	if (!ret)
		ret = parse_control(m, buf, len);
	if (buf != small)
		kfree(buf);
	return ret;
}

/* A control message of @len bytes begins at hdr->control: advance past it. */
static void control_advance(struct msghdr_abi *hdr, u64 len)
{
	len = min(CMSG_ALIGN_UP(len), hdr->controllen);
	hdr->control += len;
	hdr->controllen -= len;
}

static void cred_to_control(const struct ucred_abi *cred, struct msghdr_abi *hdr, u32 *flags)
{
	struct { struct cmsghdr_abi h; struct ucred_abi cred; } c = {
		{ sizeof(struct cmsghdr_abi) + sizeof(*cred), SOL_SOCKET_ABI, SCM_CREDENTIALS_ABI }, *cred
	};

	if (hdr->controllen < sizeof(c.h)) {
		*flags |= LINUX_MSG_CTRUNC;
		return;
	}
	if (hdr->controllen < c.h.len) {
		*flags |= LINUX_MSG_CTRUNC;
		c.h.len = hdr->controllen;
	}
	if (copy_to_user(hdr->control, &c, c.h.len))
		*flags |= LINUX_MSG_CTRUNC;
	else
		control_advance(hdr, c.h.len);
}

/* Return: 0, or why this file has no number now: the rest is dropped */
static int file_to_user(struct file *f, u64 addr, u32 fd_flags)
{
	s32 fd = fd_reserve(fd_flags, 0);

	if (fd < 0)
		return fd;
	if (put_user(fd, addr)) {
		fd_unreserve(fd);
		return -EFAULT;
	}
	file_get(f);
	fd_install(fd, f);
	return 0;
}

static void files_to_control(struct sock_msg *m, struct msghdr_abi *hdr, u32 *flags)
{
	struct cmsghdr_abi h = { sizeof(h), SOL_SOCKET_ABI, SCM_RIGHTS_ABI };
	u32 fd_flags = m->flags & LINUX_MSG_CMSG_CLOEXEC ? O_CLOEXEC : 0, done = 0;
	u64 room = hdr->controllen > sizeof(h) ? (hdr->controllen - sizeof(h)) / sizeof(s32) : 0;

	while (done < m->files->nr && done < room) {
		if (file_to_user(m->files->file[done], hdr->control + sizeof(h) + done * sizeof(s32), fd_flags))
			break;
		done++;
	}
	if (done) {
		h.len += done * sizeof(s32);
		if (copy_to_user(hdr->control, &h, sizeof(h)))
			*flags |= LINUX_MSG_CTRUNC;
		else
			control_advance(hdr, h.len);
	}
	if (done < m->files->nr)
		*flags |= LINUX_MSG_CTRUNC;
}

void control_to_user(struct sock_msg *m, struct msghdr_abi *hdr, bool want_cred, u32 *flags)
{
	u64 room = hdr->controllen;

	if (want_cred && m->has_cred)
		cred_to_control(&m->cred, hdr, flags);
	if (m->files)
		files_to_control(m, hdr, flags);
	scm_files_put(m->files);
	m->files = NULL;
	hdr->controllen = room - hdr->controllen;
}
