// SPDX-License-Identifier: MIT
/* Channels to the file server: who has one makes requests and waits for each answer; a channel whose protocol broke is not used again. */
#include "fs/9p/9p.h"
#include "fs/9p/p9.h"

#include "base/errno.h"
#include "base/string.h"
#include "mm/kmalloc.h"
#include "process/task.h"

static struct {
	struct spinlock lock;		/* guards free and nr */
	struct list free;
	u32 nr;				/* that work */
	struct wait_queue wait;
	bool started;
} session;

static struct p9_channel *free_channel(void)
{
	struct p9_channel *c;

	for (;;) {
		spin_lock(&session.lock);
		c = session.nr ? list_first_or_null(&session.free, struct p9_channel, node) : NULL;
		if (c)
			list_del(&c->node);
		spin_unlock(&session.lock);
		if (c || !READ_ONCE(session.nr))
			return c;
		/* a server that hangs holds its channels: what waits for one can be killed */
		if (wait_event_killable(&session.wait, !list_empty(&session.free) || !READ_ONCE(session.nr)))
			return NULL;
	}
}

static void channel_free(struct p9_channel *c)
{
	if (c->buf)
		page_free(c->buf, DIV_ROUND_UP(P9_MSIZE, PAGE_SIZE));
	kfree(c);
}

void p9_channel_put(struct p9_channel *c)
{
	bool broken = c->broken;

	spin_lock(&session.lock);
	if (broken)
		session.nr--;
	else
		list_add(&c->node, &session.free);
	spin_unlock(&session.lock);
	/* with the last one gone, all that wait are to find that out */
	if (broken)
		wake_up_all(&session.wait);
	else
		wake_up(&session.wait);
	if (broken) {
		machine->close_handle(c->handle);
		channel_free(c);
	}
}

void p9_request(struct p9_channel *c, u8 type)
{
	p9_begin(&c->out, c->buf, P9_MSIZE, type, 0);
}

/* The answer to what was sent last. */
static ssize_t receive(struct p9_channel *c, u32 *granted)
{
	struct p9_in in;
	ssize_t n;
	int ret;

	for (u32 i = 0; i < c->nr_owed; i++) {
		n = machine->recv(c->handle, c->buf, P9_MSIZE, granted);
		if (*granted != SOUTH_NO_HANDLE)
			machine->close_handle(*granted);
		*granted = SOUTH_NO_HANDLE;
		ret = n > 0 ? p9_reply(&in, c->buf, (u32)n, c->owed[i].type, 0) : -EIO;
		if (ret == -EIO)
			return ret;
		/* without it the request that we wait for is refused, and the next one tries again */
		if (ret && c->owed[i].type == P9_TATTACH)
			c->attached[c->owed[i].export] = false;
	}
	c->nr_owed = 0;
	return machine->recv(c->handle, c->buf, P9_MSIZE, granted);
}

/* Nobody waits for the answer to what is in c->out: it is taken when the next one is waited for, unless there are too many already. */
static int p9_send(struct p9_channel *c, u32 export)
{
	u8 type = c->buf[4];
	struct p9_in in;
	u32 len;

	if (c->nr_owed == P9_OWED_MAX)
		return p9_transact(c, &in, NULL);
	len = p9_end(&c->out);
	if (!len)
		return -ENAMETOOLONG;
	if (c->broken || machine->send(c->handle, c->buf, len) != (ssize_t)len) {
		c->broken = true;
		return -EIO;
	}
	c->owed[c->nr_owed].type = type;
	c->owed[c->nr_owed++].export = export;
	return 0;
}

int p9_transact(struct p9_channel *c, struct p9_in *in, u32 *granted)
{
	u8 type = c->buf[4];
	u32 len = p9_end(&c->out), got = SOUTH_NO_HANDLE;
	ssize_t n;
	int ret;

	if (!len)
		return -ENAMETOOLONG;
	if (c->broken)
		return -EIO;
	n = machine->send(c->handle, c->buf, len);
	if (n == (ssize_t)len)
		n = receive(c, &got);
	else
		n = -EIO;
	if (n <= 0)
		c->broken = true;
	/* even a message without bytes can bring a handle */
	ret = n <= 0 ? -EIO : p9_reply(in, c->buf, (u32)n, type, 0);
	if (got != SOUTH_NO_HANDLE && (ret || !granted)) {
		machine->close_handle(got);
		got = SOUTH_NO_HANDLE;
	}
	if (granted)
		*granted = got;
	return ret;
}

void p9_clunk(struct p9_channel *c, u32 fid)
{
	p9_request(c, P9_TCLUNK);
	p9_put(&c->out, fid, 4);
	(void)p9_send(c, 0);
}

int p9_attach(struct p9_channel *c, struct p9_super *sb)
{
	int ret;

	if (c->attached[sb->export])
		return 0;
	p9_request(c, P9_TATTACH);
	p9_put(&c->out, sb->export, 4);
	p9_put(&c->out, P9_NOFID, 4);
	p9_put_str(&c->out, "", 0);
	p9_put_str(&c->out, sb->aname, (u32)strlen(sb->aname));
	p9_put(&c->out, ~0u, 4);
	c->attached[sb->export] = true;
	ret = p9_send(c, sb->export);
	if (ret)
		c->attached[sb->export] = false;
	return ret;
}

static int negotiate(struct p9_channel *c)
{
	static const char version[] = "9P2000.L.lbx";
	struct p9_in in;
	const char *got;
	u32 len;
	int ret;

	p9_begin(&c->out, c->buf, P9_MSIZE, P9_TVERSION, 0);
	p9_put(&c->out, P9_MSIZE, 4);
	p9_put_str(&c->out, version, sizeof(version) - 1);
	ret = p9_transact(c, &in, NULL);
	if (ret)
		return ret;
	c->msize = (u32)p9_get(&in, 4);
	if (c->msize < 32768 || c->msize > P9_MSIZE)
		return -EPROTO;
	got = p9_get_str(&in, &len);
	if (!got || len != sizeof(version) - 1 || memcmp(got, version, len))
		return -EPROTO;
	return 0;
}

struct p9_channel *p9_channel_get(void)
{
	struct p9_channel *c;

	while ((c = free_channel()) && !c->ready) {
		c->ready = !negotiate(c);
		if (c->ready)
			break;
		c->broken = true;
		p9_channel_put(c);
	}
	return c;
}

int p9_channel_add(u32 handle)
{
	struct p9_channel *c = kzalloc(sizeof(*c));

	if (!c)
		return -ENOMEM;
	if (!session.started) {
		list_init(&session.free);
		session.started = true;
	}
	c->handle = handle;
	c->buf = page_alloc(DIV_ROUND_UP(P9_MSIZE, PAGE_SIZE));
	if (!c->buf) {
		channel_free(c);
		return -ENOMEM;
	}
	spin_lock(&session.lock);
	session.nr++;
	list_add_tail(&c->node, &session.free);
	spin_unlock(&session.lock);
	return 0;
}
