// SPDX-License-Identifier: MIT
/* getsockopt(2) and setsockopt(2) at level SOL_SOCKET: socket(7), unix(7). */
#include "base/errno.h"
#include "base/string.h"
#include "ipc/socket.h"

#define OPT_DEBUG	1
#define OPT_REUSEADDR	2
#define OPT_TYPE	3
#define OPT_ERROR	4
#define OPT_DONTROUTE	5
#define OPT_BROADCAST	6
#define OPT_SNDBUF	7
#define OPT_RCVBUF	8
#define OPT_KEEPALIVE	9
#define OPT_OOBINLINE	10
#define OPT_NO_CHECK	11
#define OPT_PRIORITY	12
#define OPT_LINGER	13
#define OPT_BSDCOMPAT	14
#define OPT_REUSEPORT	15
#define OPT_RCVLOWAT	18
#define OPT_SNDLOWAT	19
#define OPT_RCVTIMEO	20
#define OPT_SNDTIMEO	21
#define OPT_TIMESTAMP	29
#define OPT_SNDBUFFORCE	32
#define OPT_RCVBUFFORCE	33
#define OPT_PASSSEC	34
#define OPT_TIMESTAMPNS	35
#define OPT_MARK	36
#define OPT_PROTOCOL	38
#define OPT_DOMAIN	39
#define OPT_RXQ_OVFL	40
#define OPT_RCVTIMEO_NEW 66
#define OPT_SNDTIMEO_NEW 67

/* Yes or no, kept in socket.options. */
#define BOOL_OPTIONS	(BIT(OPT_REUSEADDR) | BIT(OPT_DONTROUTE) | BIT(OPT_BROADCAST) | BIT(OPT_KEEPALIVE) | BIT(OPT_OOBINLINE) | \
			 BIT(OPT_NO_CHECK) | BIT(OPT_REUSEPORT) | BIT(LINUX_SO_PASSCRED) | BIT(OPT_TIMESTAMP) | BIT(OPT_PASSSEC) | \
			 BIT(OPT_TIMESTAMPNS) | BIT(OPT_RXQ_OVFL))

struct timeval_abi {
	s64 sec, usec;
};

static bool is_bool_option(u32 name)
{
	return name < 64 && (BOOL_OPTIONS & BIT(name));
}

static ssize_t give(void *buf, size_t size, const void *val, size_t len)
{
	len = min(len, size);
	memcpy(buf, val, len);
	return len;
}

static ssize_t give_time(void *buf, size_t size, s64 timeo)
{
	struct timeval_abi tv = { 0, 0 };

	if (timeo != FOREVER) {
		tv.sec = timeo / NSEC_PER_SEC;
		tv.usec = timeo % NSEC_PER_SEC / NSEC_PER_USEC;
	}
	return give(buf, size, &tv, sizeof(tv));
}

ssize_t socket_getopt(struct socket *s, u32 name, void *buf, size_t size)
{
	s32 linger[2] = { s->linger_on, s->linger_time };
	s32 val;

	switch (name) {
	case OPT_TYPE:
		val = s->type;
		break;
	case OPT_ERROR:
		val = -socket_error(s);
		break;
	case OPT_SNDBUF:
		val = s->sndbuf;
		break;
	case OPT_RCVBUF:
		val = s->rcvbuf;
		break;
	case OPT_PRIORITY:
		val = s->priority;
		break;
	case OPT_MARK:
		val = s->mark;
		break;
	case OPT_RCVLOWAT:
		val = s->rcvlowat;
		break;
	case OPT_SNDLOWAT:
		val = 1;
		break;
	case OPT_PROTOCOL:
		val = s->protocol;
		break;
	case OPT_DOMAIN:
		val = s->ops->family;
		break;
	case OPT_DEBUG:
	case OPT_BSDCOMPAT:
		val = 0;
		break;
	case OPT_LINGER:
		return give(buf, size, linger, sizeof(linger));
	case OPT_RCVTIMEO:
	case OPT_RCVTIMEO_NEW:
		return give_time(buf, size, s->rcvtimeo);
	case OPT_SNDTIMEO:
	case OPT_SNDTIMEO_NEW:
		return give_time(buf, size, s->sndtimeo);
	default:
		if (!is_bool_option(name))
			return s->ops->getopt ? s->ops->getopt(s, name, buf, size) : -ENOPROTOOPT;
		val = socket_option(s, name);
	}
	return give(buf, size, &val, sizeof(val));
}

/* socket(7): 0 is for ever; a negative time is no waiting at all. */
static int set_time(s64 *timeo, const void *val, size_t len)
{
	struct timeval_abi tv;

	if (len < sizeof(tv))
		return -EINVAL;
	memcpy(&tv, val, sizeof(tv));
	if (tv.usec < 0 || tv.usec >= 1000000)
		return -EDOM;
	if (tv.sec < 0)
		WRITE_ONCE(*timeo, 0);
	else if ((!tv.sec && !tv.usec) || tv.sec >= INT64_MAX / NSEC_PER_SEC - 1)
		WRITE_ONCE(*timeo, FOREVER);
	else
		WRITE_ONCE(*timeo, tv.sec * NSEC_PER_SEC + tv.usec * NSEC_PER_USEC);
	return 0;
}

/* The doubling leaves room for bookkeeping, as on Linux: programs see it in getsockopt(2). */
static u32 buffer_size(u32 asked, u32 least)
{
	return max(min(asked, SOCKBUF_DEFAULT) * 2, least);
}

static int set_linger(struct socket *s, const void *val, size_t len)
{
	s32 linger[2];

	if (len < sizeof(linger))
		return -EINVAL;
	memcpy(linger, val, sizeof(linger));
	s->linger_on = linger[0] != 0;
	if (s->linger_on)
		s->linger_time = linger[1];
	return 0;
}

int socket_setopt(struct socket *s, u32 name, const void *val, size_t len)
{
	s32 n;

	if (len < sizeof(n))
		return -EINVAL;
	memcpy(&n, val, sizeof(n));
	switch (name) {
	case OPT_TYPE:
	case OPT_ERROR:
	case OPT_PROTOCOL:
	case OPT_DOMAIN:
	case OPT_SNDLOWAT:
		return -ENOPROTOOPT;
	case OPT_SNDBUF:
		WRITE_ONCE(s->sndbuf, buffer_size(n, SOCKBUF_MIN_SEND));
		wake_up_poll(&s->wait, POLLOUT | POLLWRNORM | POLLWRBAND);
		return 0;
	case OPT_RCVBUF:
		WRITE_ONCE(s->rcvbuf, buffer_size(n, SOCKBUF_MIN_RECV));
		return 0;
	case OPT_SNDBUFFORCE:
	case OPT_RCVBUFFORCE:
		return -EPERM;
	case OPT_DEBUG:
		return n ? -EACCES : 0;
	case OPT_BSDCOMPAT:
		return 0;
	case OPT_PRIORITY:
		if (n < 0 || n > 6)
			return -EPERM;
		s->priority = n;
		return 0;
	case OPT_MARK:
		return -EPERM;
	case OPT_LINGER:
		return set_linger(s, val, len);
	case OPT_RCVLOWAT:
		if (n < 0)
			n = INT32_MAX;
		WRITE_ONCE(s->rcvlowat, n ? (u32)n : 1);
		return 0;
	case OPT_RCVTIMEO:
	case OPT_RCVTIMEO_NEW:
		return set_time(&s->rcvtimeo, val, len);
	case OPT_SNDTIMEO:
	case OPT_SNDTIMEO_NEW:
		return set_time(&s->sndtimeo, val, len);
	}
	if (!is_bool_option(name))
		return -ENOPROTOOPT;
	if (n)
		atomic_or(&s->options, BIT(name));
	else
		atomic_and(&s->options, ~BIT(name));
	return 0;
}
