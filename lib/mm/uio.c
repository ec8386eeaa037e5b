// SPDX-License-Identifier: MIT
#include "mm/uaccess.h"

#include "base/errno.h"
#include "base/string.h"

void uio_init_kernel(struct uio *u, struct iov *iov, void *buf, size_t len)
{
	*iov = (struct iov){ (u64)(uintptr_t)buf, len };
	*u = (struct uio){ .iov = iov, .nr = 1, .left = len };
}

int uio_init_user(struct uio *u, struct iov *iov, u64 buf, size_t len)
{
	if (len > MAX_RW_COUNT)
		len = MAX_RW_COUNT;
	if (!access_ok(buf, len))
		return -EFAULT;
	*iov = (struct iov){ buf, len };
	*u = (struct uio){ .iov = iov, .nr = 1, .user = true, .left = len };
	return 0;
}

void uio_advance(struct uio *u, size_t n)
{
	n = min(n, u->left);
	u->left -= n;
	while (n) {
		size_t part = min_t(size_t, n, u->iov->len);

		u->iov->base += part;
		u->iov->len -= part;
		n -= part;
		if (!u->iov->len && u->nr > 1) {
			u->iov++;
			u->nr--;
		}
	}
}

enum uio_op { UIO_PUT, UIO_GET, UIO_ZERO };

static size_t copy_part(const struct uio *u, u64 addr, char *mem, size_t n, enum uio_op op)
{
	if (u->user) {
		if (op == UIO_GET)
			return copy_from_user_partial(mem, addr, n);
		if (op == UIO_PUT)
			return copy_to_user_partial(addr, mem, n);
		return clear_user(addr, n) ? 0 : n;
	}
	if (op == UIO_GET)
		memcpy(mem, (void *)(uintptr_t)addr, n);
	else if (op == UIO_PUT)
		memcpy((void *)(uintptr_t)addr, mem, n);
	else
		memset((void *)(uintptr_t)addr, 0, n);
	return n;
}

static ssize_t uio_copy(struct uio *u, char *mem, size_t n, enum uio_op op)
{
	size_t done = 0;

	n = min(n, u->left);
	while (done < n) {
		size_t part, copied;

		while (!u->iov->len && u->nr > 1) {
			u->iov++;
			u->nr--;
		}
		part = min_t(size_t, n - done, u->iov->len);
		if (!part)
			break;
		copied = copy_part(u, u->iov->base, mem ? mem + done : NULL, part, op);
		uio_advance(u, copied);
		done += copied;
		if (copied < part)
			return done ? (ssize_t)done : -EFAULT;
	}
	return done;
}

ssize_t uio_put(struct uio *u, const void *src, size_t n) { return uio_copy(u, (char *)src, n, UIO_PUT); }
ssize_t uio_get(struct uio *u, void *dst, size_t n) { return uio_copy(u, dst, n, UIO_GET); }
ssize_t uio_zero(struct uio *u, size_t n) { return uio_copy(u, NULL, n, UIO_ZERO); }
