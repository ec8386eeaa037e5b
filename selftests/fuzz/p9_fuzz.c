// SPDX-License-Identifier: MIT
/*
 * A hostile file server: processes work on files of the host while the input decides what the server answers, from a plausible tree
 * over wrong tags and lengths to bytes without sense. The sandbox may lose its files by it and nothing else: no call hangs, each
 * handle that was granted is given back once, and nothing is left.
 */
#include "box.h"

#include "boot_config.h"
#include "fs/9p/9p.h"
#include "fs/9p/wire.h"
#include "fs/namei.h"
#include "fs/vfs.h"
#include "south/south.h"

#define CHANNELS	2u
#define FIRST_CHANNEL	100u
#define FIRST_HANDLE	1000u
#define MAX_HANDLES	4096u
#define REPLY_MAX	70000u

#define QUEUE		32u		/* answers that nobody took yet */

static struct channel {
	u8 reply[REPLY_MAX];		/* in the making */
	u32 len;
	u32 granted;
	struct {
		u8 *bytes;
		u32 len, granted;
	} queue[QUEUE];
	u32 head, tail;
} channels[CHANNELS];
static bool granted[MAX_HANDLES];
static u32 next_handle;
static bool deaf;	/* at the sandbox's end */

/* ---- answers ---- */

static void put_attr(struct p9_out *o, const char *name, u32 len)
{
	static const u32 types[] = { S_IFREG, S_IFDIR, S_IFLNK, S_IFREG };
	u32 hash = len ? 7 : 1, mode = S_IFDIR | 0755;

	for (u32 i = 0; i < len; i++)
		hash = hash * 31 + (u8)name[i];
	if (len)
		mode = types[(u8)name[0] % 4] | 0666;
	if (fuzz_byte(&fuzz_input) > 220)
		mode = (u32)fuzz_bytes(&fuzz_input, 2);
	p9_put(o, 0x3fff, 8);
	p9_put(o, S_ISDIR(mode) ? 0x80 : 0, 1);
	p9_put(o, 0, 4);
	p9_put(o, hash, 8);
	p9_put(o, mode, 4);
	p9_put(o, 1000, 4);
	p9_put(o, 1000, 4);
	p9_put(o, fuzz_byte(&fuzz_input) % 4, 8);
	p9_put(o, 0, 8);
	p9_put(o, fuzz_byte(&fuzz_input) > 240 ? fuzz_bytes(&fuzz_input, 8) : fuzz_bytes(&fuzz_input, 1) * 100, 8);
	p9_put(o, 4096, 8);
	p9_put(o, 8, 8);
	for (u32 i = 0; i < 8; i++)
		p9_put(o, i & 1 ? 999999999 : 1700000000, 8);
	p9_put(o, 0, 8);
	p9_put(o, 0, 8);
	p9_put(o, 3, 8);
	p9_put(o, hash, 8);
}

/* A walk's answer: how many names, the last one's attributes, and where it leads. */
static void put_walked(struct p9_out *o, struct p9_in *in, u32 flags)
{
	u32 nr = (u32)p9_get(in, 2), len = 0;
	const char *name = "";

	for (u32 i = 0; i < nr; i++)
		name = p9_get_str(in, &len);
	p9_put(o, 0, 4);
	p9_put(o, flags, 4);
	p9_put(o, nr ? nr : 1, 4);
	put_attr(o, name, name ? len : 0);
	p9_put_str(o, "../x", 4);
}

static void grant(struct channel *c)
{
	if (next_handle == MAX_HANDLES || c->granted != SOUTH_NO_HANDLE)
		return;
	c->granted = FIRST_HANDLE + next_handle;
	granted[next_handle++] = true;
}

static void open_grant(struct channel *c, struct p9_out *o, struct p9_in *in)
{
	u32 flags = (u32)p9_get(in, 4), answer = 0, n;

	p9_get(in, 4);
	if ((flags & P9_OPEN_INLINE) && fuzz_byte(&fuzz_input) & 1)
		answer = P9_OPENED_INLINE;
	else if (flags & P9_OPEN_GRANT)
		answer = P9_OPENED_GRANT;
	put_walked(o, in, answer);
	if (answer == P9_OPENED_GRANT)
		grant(c);
	n = fuzz_byte(&fuzz_input);
	p9_put(o, answer == P9_OPENED_INLINE ? n : 0, 4);
	for (u32 i = 0; answer == P9_OPENED_INLINE && i < n; i++)
		p9_put(o, i, 1);
}

static void read_dir(struct p9_out *o, u64 offset)
{
	u32 nr = offset ? 0 : fuzz_byte(&fuzz_input) % 40;
	u32 at = o->len;

	if (fuzz_byte(&fuzz_input) > 200)
		nr = fuzz_byte(&fuzz_input);	/* there may be no end */
	p9_put(o, 0, 4);
	for (u32 i = 0; i < nr; i++) {
		char name[8];

		snprintf(name, sizeof(name), i ? "%c%u" : ".", 'a' + i % 26, i);
		p9_put(o, i % 8 ? offset + i + 1 : fuzz_byte(&fuzz_input), 8);
		p9_put(o, 8, 1);
		put_attr(o, name, (u32)strlen(name));
		p9_put_str(o, name, (u32)strlen(name));
	}
	memcpy(o->buf + at, &(u32){ o->len - at - 4 }, 4);
}

static void answer(struct channel *c, const u8 *msg, size_t len)
{
	u8 type = msg[4];
	struct p9_in in = { msg + 7, (u32)len - 7, false };
	struct p9_out o;
	u64 offset;

	p9_begin(&o, c->reply, REPLY_MAX, (u8)(type + 1), (u16)(msg[5] | msg[6] << 8));
	switch (type) {
	case P9_TVERSION:
		p9_put(&o, 65536 + 24, 4);
		p9_put_str(&o, "9P2000.L.lbx", 12);
		break;
	case P9_TWALKSTAT:
		p9_get_bytes(&in, 12);
		put_walked(&o, &in, 0);
		break;
	case P9_TOPENGRANT:
		p9_get_bytes(&in, 8);
		open_grant(c, &o, &in);
		break;
	case P9_TGRANT:
		grant(c);
		break;
	case P9_TREADDIRPLUS:
		p9_get(&in, 4);
		offset = p9_get(&in, 8);
		read_dir(&o, offset);
		break;
	case P9_TSTATFS:
		for (u32 i = 0; i < 60; i++)
			p9_put(&o, i, 1);
		break;
	case P9_TATTACH:
	case P9_TMKDIR:
	case P9_TSYMLINK:
		p9_put(&o, 0, 8);
		p9_put(&o, 1, 5);
		break;
	case P9_TLCREATE:
		p9_put(&o, 0, 8);
		p9_put(&o, 1, 5);
		p9_put(&o, 0, 4);
		break;
	}
	c->len = p9_end(&o);
}

/* What a server that means harm makes of it. */
static void spoil(struct channel *c)
{
	u32 how = fuzz_byte(&fuzz_input), n, at;

	if (how < 150)
		return;
	if (how < 185) {
		struct p9_out o;

		p9_begin(&o, c->reply, REPLY_MAX, P9_RLERROR, 0);
		p9_put(&o, how & 1 ? 2 : fuzz_bytes(&fuzz_input, 2), 4);
		c->len = p9_end(&o);
	} else if (how < 210) {
		for (n = how & 7; n; n--) {
			at = (u32)fuzz_bytes(&fuzz_input, 2) % c->len;
			c->reply[at] = (u8)fuzz_byte(&fuzz_input);
		}
	} else if (how < 220) {
		c->len = fuzz_byte(&fuzz_input) % c->len;
	} else if (how < 230) {
		c->len = min_t(u32, REPLY_MAX, c->len + (u32)fuzz_bytes(&fuzz_input, 2));
	} else if (how < 234) {
		c->reply[5]++;
	} else if (how < 238) {
		c->reply[4] ^= 2;
	} else if (how < 243) {
		grant(c);	/* nobody asked */
	} else {
		n = c->len;
		for (u32 i = 7; i < n; i++)
			c->reply[i] = (u8)fuzz_byte(&fuzz_input);
	}
	/* a length that is true, so that what follows is looked at */
	if (how & 1)
		memcpy(c->reply, &c->len, 4);
}

static ssize_t host_send(u32 handle, const void *buf, size_t len)
{
	struct channel *c = &channels[handle - FIRST_CHANNEL];

	sim_yield();
	if (deaf || c->head - c->tail == QUEUE)
		return -EPIPE;
	c->granted = SOUTH_NO_HANDLE;
	answer(c, buf, len);
	spoil(c);
	c->queue[c->head % QUEUE].bytes = malloc(c->len + 1);
	memcpy(c->queue[c->head % QUEUE].bytes, c->reply, c->len);
	c->queue[c->head % QUEUE].len = c->len;
	c->queue[c->head % QUEUE].granted = c->granted;
	c->head++;
	return (ssize_t)len;
}

static ssize_t host_recv(u32 handle, void *buf, size_t len, u32 *g)
{
	struct channel *c = &channels[handle - FIRST_CHANNEL];
	size_t n;

	sim_yield();
	*g = SOUTH_NO_HANDLE;
	if (c->head == c->tail)
		FATAL("an answer is waited for that nobody asked for");
	n = min_t(size_t, len, c->queue[c->tail % QUEUE].len);
	memcpy(buf, c->queue[c->tail % QUEUE].bytes, n);
	*g = c->queue[c->tail % QUEUE].granted;
	free(c->queue[c->tail % QUEUE].bytes);
	c->tail++;
	return (ssize_t)n;
}

/* What lies in a socket when the last one closes it goes back with it. */
static void drop_answers(struct channel *c)
{
	for (; c->tail != c->head; c->tail++) {
		u32 g = c->queue[c->tail % QUEUE].granted;

		free(c->queue[c->tail % QUEUE].bytes);
		if (g != SOUTH_NO_HANDLE)
			granted[g - FIRST_HANDLE] = false;
	}
}

/* ---- granted handles ---- */

static void host_close(u32 handle)
{
	if (handle - FIRST_CHANNEL < CHANNELS) {
		drop_answers(&channels[handle - FIRST_CHANNEL]);
		return;
	}
	if (handle < FIRST_HANDLE || handle - FIRST_HANDLE >= next_handle || !granted[handle - FIRST_HANDLE])
		FATAL("handle %u is given back and was not granted", handle);
	granted[handle - FIRST_HANDLE] = false;
}

static ssize_t host_io(u32 handle, size_t len)
{
	u32 how = fuzz_byte(&fuzz_input);

	if (handle < FIRST_HANDLE || !granted[handle - FIRST_HANDLE])
		FATAL("handle %u is used and was not granted", handle);
	return how < 100 ? (ssize_t)len : how < 160 ? 0 : how < 200 ? (ssize_t)(how % (len + 1)) : how < 220 ? -EIO : -EINTR;
}

static ssize_t host_read(u32 handle, u64 off __unused, void *buf, size_t len)
{
	ssize_t n = host_io(handle, len);

	if (n > 0)
		memset(buf, 'x', (size_t)n);
	return n;
}

static ssize_t host_write(u32 handle, u64 off __unused, const void *buf __unused, size_t len) { return host_io(handle, len); }

/* ---- the sandbox ---- */

static void setup(void)
{
	static const struct boot_attr root = { .mode = S_IFDIR | 0777, .uid = 1000, .gid = 1000, .nlink = 2, .dev = 3, .ino = 1 };
	struct super *sb;

	sim_host = (struct sim_host){ host_read, host_write, host_send, host_recv, host_close };
	memset(granted, 0, sizeof(granted));
	next_handle = 0;
	deaf = false;
	for (u32 i = 0; i < CHANNELS; i++)
		if (p9_channel_add(FIRST_CHANNEL + i))
			FATAL("no channel");
	if (vfs_mkdirs("/w/h", 0777))
		FATAL("mkdir");
	sb = p9_super_create(3, true, &root);
	if (IS_ERR(sb))
		FATAL("a tree that nobody was asked for is not there");
	box_put_mount(sb, "/w/h");
}

static void clean_up(void)
{
	struct kstatfs st;
	struct path p;

	/* channels that work would be there for the next input: end them */
	deaf = true;
	if (path_lookup(AT_FDCWD, "/w/h", 0, &p))
		FATAL("the mount is gone");
	for (u32 i = 0; i < CHANNELS; i++)
		if (!p.mnt->sb->ops->statfs(p.mnt->sb, &st))
			FATAL("a deaf server answers");
	path_put(&p);
	box_take_mount("/w/h");
	while (dcache_prune(100000))
		;
	for (u32 i = 0; i < next_handle; i++)
		if (granted[i])
			FATAL("handle %u was granted and is not given back", FIRST_HANDLE + i);
}

static void program(void)
{
	static const char at[] = "/w/h";

	if (!copy_to_user(ARENA, at, sizeof(at)))
		box_call(80, (const u64[6]){ ARENA });
	while (fuzz_input.at < fuzz_input.end)
		box_random_call(&fuzz_input);
}

int LLVMFuzzerInitialize(int *argc __unused, char ***argv __unused)
{
	static const char *const names[] = {
		"a", "b", "c", "d", "e", "f", "a/", "e/", "q", "/", "..", "/w/h/", "/tmp/", "i/i/i/i/i/", "m", "n",
	};
	static const u16 calls[] = {
		0, 1, 2, 3, 4, 6, 8, 9, 11, 17, 18, 20, 28, 32, 40, 57, 73, 74, 76, 77, 80, 82, 83, 84, 86, 87, 88, 89, 90, 92, 132, 133, 137,
		187, 188, 191, 217, 254, 257, 260, 262, 263, 264, 265, 266, 267, 269, 275, 280, 285, 316, 326, 332, 437, 59, 230,
	};

	args_names(names, ARRAY_SIZE(names));
	args_only(calls, ARRAY_SIZE(calls));
	box_init();
	return 0;
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	struct fuzz_input in = { data, data + size };
	u32 how = fuzz_byte(&in);
	struct box box = {
		.seed = how, .preempt = how & 1 ? 5 : 0, .tasks = 1 + (how >> 1 & 1), .setup = setup, .clean_up = clean_up, .program = program,
	};

	box_run(&box, in.at, (size_t)(in.end - in.at));
	return 0;
}
