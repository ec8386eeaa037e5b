// SPDX-License-Identifier: MIT
/*
 * The client of the file server, against a scripted one: what an honest server's tree looks like, and then every fault at every
 * message of every operation. The caller gets an errno, a connection that can no longer be understood is never used again, handles
 * are given back, nothing is left.
 */
#include "fs_env.h"

#include "boot_config.h"
#include "fs/9p/9p.h"
#include "fs/9p/wire.h"
#include "fs/fdtable.h"
#include "mm/kmalloc.h"
#include "south/south.h"

#define CHANNEL		50u		/* and the next one */
#define HANDLE		1000u
#define REPLY_MAX	70000u
#define QUEUE		64u

enum fault {
	NONE, CUT, EMPTY, LONGER, WRONG_TAG, WRONG_TYPE, WRONG_SIZE, NO_SEND, NO_ANSWER, ERROR_ZERO, ERROR_HUGE, ERROR_SHORT, ERROR_EXDEV,
	COUNT_ZERO, COUNT_HUGE, ZEROS, ONES, EXTRA_HANDLE, NR_FAULTS,
};

static struct {
	/* the script: message number @at gets @fault; @sent counts */
	int at, sent;
	enum fault fault;
	const char *version;
	u32 msize;
	bool stand_still, endless, dirs_grant, bad_name;
	u64 ino_shift;			/* every file is another one now */
	/* what is known */
	u8 reply[2][REPLY_MAX];		/* in the making */
	u32 len[2], granted[2];
	struct {
		u8 *bytes;
		u32 len, granted;
	} queue[2][QUEUE];		/* that nobody took yet */
	u32 head[2], tail[2];
	int handles;			/* granted and not given back */
	bool closed[2];
	u32 hang;			/* channel that does not answer until hang_word changes */
	u32 hang_word;
} server;

static struct machine_ops ops;

/* ---- an honest server ---- */

static u32 mode_of(const char *name, u32 len)
{
	if (!len || name[0] == 'd')
		return S_IFDIR | 0777;
	return name[0] == 'l' ? S_IFLNK | 0777 : S_IFREG | 0666;
}

static void put_attr(struct p9_out *o, const char *name, u32 len)
{
	u64 ino = 1;

	for (u32 i = 0; i < len; i++)
		ino = ino * 131 + (u8)name[i];
	p9_put(o, 0x3fff, 8);
	p9_put(o, 0, 1);
	p9_put(o, 0, 4);
	p9_put(o, ino, 8);
	p9_put(o, mode_of(name, len), 4);
	p9_put(o, FS_UID, 4);
	p9_put(o, FS_UID, 4);
	p9_put(o, 2, 8);
	p9_put(o, 0, 8);
	p9_put(o, len && name[0] == 'f' ? 5 : 4096, 8);
	p9_put(o, 4096, 8);
	p9_put(o, 8, 8);
	for (u32 i = 0; i < 8; i++)
		p9_put(o, 1700000000 * !(i & 1), 8);
	p9_put(o, 0, 8);
	p9_put(o, 0, 8);
	p9_put(o, 3, 8);
	p9_put(o, ino + (len ? server.ino_shift : 0), 8);
}

/* status flags count, the last attr, target; names with n are not there */
static void put_walked(struct p9_out *o, struct p9_in *in, u32 flags)
{
	u32 nr = (u32)p9_get(in, 2), len = 0, last_len = 0, got = 0;
	const char *name, *last = "";
	bool absent = false;

	for (u32 i = 0; i < nr && !absent; i++) {
		name = p9_get_str(in, &len);
		absent = !name || name[0] == 'n';
		if (absent)
			break;
		last = name;
		last_len = len;
		got++;
	}
	p9_put(o, absent ? ENOENT : 0, 4);
	p9_put(o, flags, 4);
	p9_put(o, nr ? got : 1, 4);
	if (!nr || got)
		put_attr(o, last, last_len);
	p9_put_str(o, "f1", 2);
}

static void grant(u32 c)
{
	if (server.granted[c] == SOUTH_NO_HANDLE) {
		server.granted[c] = HANDLE + c;
		server.handles++;
	}
}

/* As many as fit (@room), when there is to be no end: an answer with room for one more is the last. */
static void put_entries(struct p9_out *o, u64 offset, u32 room)
{
	static const char *const names[] = { ".", "..", "f1", "d1", "l1" };
	bool full = server.endless || server.stand_still;
	u32 start = o->len, nr = full ? 100000 : ARRAY_SIZE(names);

	p9_put(o, 0, 4);
	for (u32 i = 0; i < nr; i++) {
		const char *name = full ? "." : server.bad_name ? "a/b" : names[i];

		if (o->len - start - 4 + 8 + 1 + 169 + 2 + strlen(name) > room)
			break;
		p9_put(o, server.stand_still ? 0 : offset + i + 1, 8);
		p9_put(o, 0, 1);
		put_attr(o, name, (u32)strlen(name));
		p9_put_str(o, name, (u32)strlen(name));
	}
	memcpy(o->buf + start, &(u32){ o->len - start - 4 }, 4);
}

static void answer(u32 c, const u8 *msg, u32 size)
{
	struct p9_in in = { msg + 7, size - 7, false };
	struct p9_out o;
	u8 type = msg[4];
	u32 flags;
	u64 offset;

	p9_begin(&o, server.reply[c], REPLY_MAX, (u8)(type + 1), 0);
	switch (type) {
	case P9_TVERSION:
		p9_put(&o, server.msize, 4);
		p9_put_str(&o, server.version, (u32)strlen(server.version));
		break;
	case P9_TWALKSTAT:
		p9_get_bytes(&in, 12);
		put_walked(&o, &in, 0);
		break;
	case P9_TOPENGRANT:
		p9_get_bytes(&in, 8);
		flags = (u32)p9_get(&in, 4);
		p9_get(&in, 4);
		put_walked(&o, &in, flags & P9_OPEN_INLINE ? P9_OPENED_INLINE : flags & P9_OPEN_GRANT ? P9_OPENED_GRANT : 0);
		if (flags & P9_OPEN_INLINE) {
			p9_put(&o, 5, 4);
			p9_put_bytes(&o, "hello", 5);
		} else {
			p9_put(&o, 0, 4);
		}
		if ((flags & P9_OPEN_GRANT && !(flags & P9_OPEN_INLINE)) || server.dirs_grant)
			grant(c);
		break;
	case P9_TGRANT:
		grant(c);
		break;
	case P9_TREADDIRPLUS:
		p9_get(&in, 4);
		offset = p9_get(&in, 8);
		put_entries(&o, offset, (u32)p9_get(&in, 4));
		break;
	case P9_TSTATFS:
		for (u32 i = 0; i < 60; i++)
			p9_put(&o, 1, 1);
		break;
	case P9_TATTACH:
	case P9_TMKDIR:
	case P9_TSYMLINK:
	case P9_TLCREATE:
		p9_put(&o, 0, 8);
		p9_put(&o, 0, 8);
		p9_put(&o, 0, 1);
		break;
	}
	server.len[c] = p9_end(&o);
}

/* ---- what goes wrong ---- */

static void rlerror(u32 c, u32 err, u32 bytes)
{
	struct p9_out o;

	p9_begin(&o, server.reply[c], REPLY_MAX, P9_RLERROR, 0);
	p9_put(&o, err, bytes);
	server.len[c] = p9_end(&o);
}

static void spoil(u32 c, enum fault fault)
{
	u8 *r = server.reply[c];

	switch (fault) {
	case CUT: server.len[c] -= server.len[c] > 7 ? 1 : 0; break;
	case LONGER: server.len[c] += 3; break;
	case WRONG_TAG: r[5] = 1; break;
	case WRONG_TYPE: r[4] += 2; break;
	case WRONG_SIZE: r[0]++; break;
	case EMPTY: server.len[c] = 7; memcpy(r, &server.len[c], 4); break;
	case ERROR_ZERO: rlerror(c, 0, 4); break;
	case ERROR_HUGE: rlerror(c, 5000, 4); break;
	case ERROR_SHORT: rlerror(c, 1, 2); break;
	case ERROR_EXDEV: rlerror(c, EXDEV, 4); break;
	case COUNT_ZERO: if (server.len[c] > 19) memset(r + 15, 0, 4); break;
	case COUNT_HUGE: if (server.len[c] > 19) memset(r + 15, 0x7f, 4); break;
	case ZEROS: memset(r + 7, 0, server.len[c] - 7); break;
	case ONES: memset(r + 7, 0xff, server.len[c] - 7); break;
	case EXTRA_HANDLE: grant(c); break;
	default: break;
	}
}

static ssize_t t_send(u32 handle, const void *buf, size_t len)
{
	u32 c = handle - CHANNEL, at;
	bool now = server.sent++ == server.at;

	if (now && server.fault == NO_SEND)
		return -EPIPE;
	server.granted[c] = SOUTH_NO_HANDLE;
	answer(c, buf, (u32)len);
	if (now)
		spoil(c, server.fault);
	if (now && server.fault == NO_ANSWER)
		server.len[c] = 0;
	EXPECT(server.head[c] - server.tail[c] < QUEUE);
	at = server.head[c]++ % QUEUE;
	server.queue[c][at].bytes = malloc(server.len[c] + 1);
	memcpy(server.queue[c][at].bytes, server.reply[c], server.len[c]);
	server.queue[c][at].len = server.len[c];
	server.queue[c][at].granted = server.granted[c];
	return (ssize_t)len;
}

static ssize_t t_recv(u32 handle, void *buf, size_t len, u32 *granted)
{
	u32 c = handle - CHANNEL, at;

	while (READ_ONCE(server.hang) == handle)
		env_sleep_ms(1);
	EXPECT(server.tail[c] != server.head[c]);
	at = server.tail[c]++ % QUEUE;
	*granted = server.queue[c][at].granted;
	len = min_t(size_t, len, server.queue[c][at].len);
	memcpy(buf, server.queue[c][at].bytes, len);
	free(server.queue[c][at].bytes);
	return (ssize_t)len;
}

/* What lies in a socket when it is closed goes with it. */
static void drop_answers(u32 c)
{
	for (; server.tail[c] != server.head[c]; server.tail[c]++) {
		server.handles -= server.queue[c][server.tail[c] % QUEUE].granted != SOUTH_NO_HANDLE;
		free(server.queue[c][server.tail[c] % QUEUE].bytes);
	}
}

static void t_close(u32 handle)
{
	if (handle - CHANNEL < 2) {
		EXPECT(!server.closed[handle - CHANNEL]);
		server.closed[handle - CHANNEL] = true;
		drop_answers(handle - CHANNEL);
	} else {
		server.handles--;
	}
}

static ssize_t t_read(u32 handle, u64 off, void *buf, size_t len)
{
	EXPECT(handle == HANDLE || handle == HANDLE + 1);
	if (off >= 5)
		return 0;
	len = min_t(size_t, len, 5 - off);
	memcpy(buf, "HELLO" + off, len);
	return (ssize_t)len;
}

/* ---- a mount of it ---- */

static long allocs;
static u64 ram;

static void mount_it(u32 channels)
{
	static const struct boot_attr root = { .mode = S_IFDIR | 0777, .uid = FS_UID, .gid = FS_UID, .nlink = 2, .dev = 3, .ino = 1 };
	struct super *sb;
	struct path p;

	while (dcache_prune(10000))
		;
	allocs = fake_allocs;
	ram = ram_used();
	memset(&server, 0, sizeof(server));
	server.at = -1;
	server.version = "9P2000.L.lbx";
	server.msize = 65536 + 24;
	for (u32 i = 0; i < channels; i++)
		EXPECT_EQ(p9_channel_add(CHANNEL + i), 0);
	sb = p9_super_create(0, true, &root);
	if (IS_ERR(sb) || path_lookup(AT_FDCWD, "/w/h", 0, &p) || vfs_mount(sb, &p, 0, "host", NULL))
		abort();
	super_put(sb);
	path_put(&p);
}

static void umount_it(u32 channels)
{
	static struct kstatfs st;
	struct path p;

	/* no connection outlives a test */
	server.fault = NO_SEND;
	for (u32 i = 0; i < channels; i++) {
		server.at = server.sent;
		(void)CALL(statfs, "/w/h", &st);
	}
	if (path_lookup(AT_FDCWD, "/w/h", 0, &p) || vfs_umount(&p, true))
		abort();
	path_put(&p);
	while (dcache_prune(10000))
		;
	for (u32 i = 0; i < channels; i++)
		EXPECT(server.closed[i]);
	EXPECT_EQ(server.handles, 0);
	EXPECT_EQ(fake_allocs, allocs);
	EXPECT_EQ(ram_used(), ram);
}

/* ---- what a program does ---- */

static long o_stat(void) { static u64 st[40]; return CALL(stat, "/w/h/d1/f1", st); }
static long o_absent(void) { static u64 st[40]; return CALL(stat, "/w/h/n", st); }
static long o_mkdir(void) { return CALL(mkdir, "/w/h/n1", 0777); }
static long o_symlink(void) { return CALL(symlink, "x", "/w/h/n2"); }
static long o_unlink(void) { return CALL(unlink, "/w/h/f1"); }
static long o_rmdir(void) { return CALL(rmdir, "/w/h/d1"); }
static long o_link(void) { return CALL(link, "/w/h/f1", "/w/h/n3"); }
static long o_rename(void) { return CALL(rename, "/w/h/d1/f1", "/w/h/n4"); }
static long o_exchange(void) { return CALL(renameat2, AT_FDCWD, "/w/h/f1", AT_FDCWD, "/w/h/f2", RENAME_EXCHANGE); }
static long o_chmod(void) { return CALL(chmod, "/w/h/f1", 0600); }
static long o_truncate(void) { return CALL(truncate, "/w/h/f1", 3); }
static long o_statfs(void) { static struct kstatfs st; return CALL(statfs, "/w/h", &st); }
static long o_readlink(void) { static char buf[10]; return CALL(readlink, "/w/h/l1", buf, 10); }
static long o_follow(void) { static u64 st[40]; return CALL(stat, "/w/h/l1", st); }
static long o_fifo(void) { return CALL(mknod, "/w/h/n5", S_IFIFO | 0600, 0); }

static long with_fd(const char *name, int flags, int mode, long (*fn)(int fd))
{
	int fd = fs_open(name, flags, mode);
	long ret = fd;

	if (fd >= 0) {
		ret = fn(fd);
		CALL(close, fd);
	}
	return ret;
}

static char text[4096];
static long read_fd(int fd) { return CALL(read, fd, text, 100); }
static long list_fd(int fd) { return CALL(getdents64, fd, text, sizeof(text)); }
static long o_read(void) { return with_fd("/w/h/f1", O_RDONLY, 0, read_fd); }
static long o_read_write(void) { return with_fd("/w/h/f2", O_RDWR, 0, read_fd); }
static long o_create(void) { return with_fd("/w/h/n6", O_RDWR | O_CREAT, 0666, read_fd); }
static long o_create_ro(void) { return with_fd("/w/h/n7", O_RDONLY | O_CREAT, 0444, read_fd); }
static long o_list(void) { return with_fd("/w/h/d1", O_RDONLY | O_DIRECTORY, 0, list_fd); }

static const struct {
	const char *name;
	long (*fn)(void);
	long honest;			/* what an honest server's client says; 1: any number that is not an error */
} operations[] = {
	{ "stat", o_stat, 0 }, { "absent", o_absent, -ENOENT }, { "mkdir", o_mkdir, 1 }, { "symlink", o_symlink, 1 },
	{ "unlink", o_unlink, 0 }, { "rmdir", o_rmdir, 0 }, { "link", o_link, 0 }, { "rename", o_rename, 0 }, { "exchange", o_exchange, 0 },
	{ "chmod", o_chmod, 0 }, { "truncate", o_truncate, 0 }, { "statfs", o_statfs, 0 }, { "readlink", o_readlink, 2 },
	{ "follow", o_follow, 0 }, { "fifo", o_fifo, 0 }, { "read", o_read, 5 }, { "read_write", o_read_write, 5 }, { "list", o_list, 1 },
	{ "create", o_create, -ENOENT }, { "create_ro", o_create_ro, -ENOENT },
};

static void an_honest_server(void)
{
	for (u32 i = 0; i < ARRAY_SIZE(operations); i++) {
		long ret;

		mount_it(2);
		ret = operations[i].fn();
		/* what this server makes is never there when it is looked for: names with n are not */
		if (operations[i].honest == 1)
			EXPECT(ret >= 0 || ret == -ENOENT);
		else
			EXPECT_EQ(ret, operations[i].honest);
		umount_it(2);
	}
}

static void what_files_hold(void)
{
	mount_it(2);
	EXPECT_EQ(o_read(), 5);
	EXPECT(!memcmp(text, "hello", 5));	/* came with the open */
	EXPECT_EQ(o_read_write(), 5);
	EXPECT(!memcmp(text, "HELLO", 5));	/* by the handle */
	EXPECT_EQ(server.handles, 1);		/* as long as the inode is known */
	EXPECT_EQ(o_list(), 24 * 5);		/* ., .., f1, d1, l1 */
	umount_it(2);
}

/* The one list of faults against the one list of operations, at each message that the operation takes. */
static void every_fault_at_every_message(void)
{
	for (u32 i = 0; i < ARRAY_SIZE(operations); i++) {
		int messages = 1000;

		for (int at = 0; at < messages; at++) {
			for (int fault = NONE; fault < NR_FAULTS; fault++) {
				int bad = unit_bad;
				long ret;

				mount_it(2);
				server.at = at;
				server.fault = (enum fault)fault;
				ret = operations[i].fn();
				if (fault == NONE)
					messages = server.sent;
				EXPECT(ret < 4096 && ret > -4096);
				/* a bad answer to Tclunk is seen by who comes next; then the other connection serves */
				server.at = -1;
				if (o_statfs())
					EXPECT_EQ(o_statfs(), 0);
				umount_it(2);
				if (unit_bad > bad)
					printf("# %s, fault %d at message %d: %ld\n", operations[i].name, fault, at, ret);
			}
		}
	}
}

static void errors_come_through(void)
{
	mount_it(2);
	EXPECT_EQ(o_statfs(), 0);
	server.at = server.sent;
	server.fault = ERROR_EXDEV;
	EXPECT_EQ(o_statfs(), -EXDEV);
	EXPECT(!server.closed[0] && !server.closed[1]);
	umount_it(2);
}

static void another_version(void)
{
	static const char *const versions[] = { "9P2000.L", "9P2000", "unknown", "", "9P2000.L.lbx2" };

	for (u32 i = 0; i < ARRAY_SIZE(versions); i++) {
		mount_it(2);
		server.version = versions[i];
		EXPECT_EQ(o_stat(), -EIO);
		EXPECT(server.closed[0] && server.closed[1]);
		umount_it(2);
	}
	mount_it(1);
	server.msize = 4096;
	EXPECT_EQ(o_stat(), -EIO);
	umount_it(1);
}

static void the_last_connection_goes(void)
{
	mount_it(2);
	for (int i = 0; i < 2; i++) {
		EXPECT_EQ(o_statfs(), 0);
		server.at = server.sent;
		server.fault = NO_ANSWER;
		EXPECT_EQ(o_statfs(), -EIO);
	}
	EXPECT_EQ(o_statfs(), -EIO);
	EXPECT_EQ(o_absent(), -EIO);
	EXPECT_EQ(o_fifo(), -EIO);
	umount_it(2);
}

static void directories_without_end(void)
{
	mount_it(2);
	server.stand_still = true;
	EXPECT_EQ(o_list(), -EIO);
	server.stand_still = false;
	EXPECT_EQ(o_list(), 24 * 5);
	server.bad_name = true;
	EXPECT_EQ(o_list(), -EIO);
	server.bad_name = false;
	/* who is killed leaves; nobody else is to */
	server.endless = true;
	atomic_or(&current->work, WORK_EXIT);
	EXPECT_EQ(o_list(), -EINTR);
	atomic_and(&current->work, ~(u32)WORK_EXIT);
	server.endless = false;
	server.dirs_grant = true;	/* nobody asked for it */
	EXPECT_EQ(o_list(), 24 * 5);
	EXPECT_EQ(server.handles, 0);
	umount_it(2);
}

static void a_name_leads_somewhere_else(void)
{
	int fd;

	mount_it(2);
	fd = fs_open("/w/h/f1", O_RDONLY, 0);
	EXPECT(fd >= 0);
	server.ino_shift = 1000;
	EXPECT_EQ(CALL(truncate, "/w/h/f2", 1), 0);
	/* the open file is what it was; what is asked by name of the old one is stale */
	EXPECT_EQ(CALL(fchmod, fd, 0600), -ESTALE);
	EXPECT_EQ(CALL(read, fd, text, 10), 5);
	CALL(close, fd);
	umount_it(2);
}

static struct task *waiter;
static long waiter_ret;

static void wait_for_channel(void *arg)
{
	(void)arg;
	waiter_ret = o_statfs();
}

static void hang_on_channel(void *arg)
{
	(void)arg;
	(void)o_statfs();
}

/* A server that hangs holds the connection; who waits for one can be killed, and who hangs comes back with the answer. */
static void a_hanging_server(void)
{
	struct task *hangs;

	mount_it(1);
	EXPECT_EQ(o_statfs(), 0);
	WRITE_ONCE(server.hang, CHANNEL);
	hangs = env_thread(hang_on_channel, NULL);
	env_sleep_ms(30);
	waiter_ret = 1;
	waiter = env_thread(wait_for_channel, NULL);
	env_sleep_ms(30);
	EXPECT_EQ(READ_ONCE(waiter_ret), 1);
	task_set_work(waiter, WORK_EXIT);
	env_join(waiter);
	EXPECT_EQ(waiter_ret, -EIO);
	WRITE_ONCE(server.hang, 0);
	env_join(hangs);
	EXPECT_EQ(o_statfs(), 0);
	umount_it(1);
}

/* Nodes that exist in the sandbox only do not outlive the mount. */
static void fifos_in_host_directories(void)
{
	static u64 st[40];

	mount_it(2);
	for (int i = 0; i < 10; i++) {
		char name[32];

		snprintf(name, sizeof(name), "/w/h/d%d/nfifo%d", i % 3, i);
		EXPECT_EQ(CALL(mknod, name, S_IFIFO | 0600, 0), 0);
		EXPECT_EQ(CALL(mknod, name, S_IFIFO | 0600, 0), -EEXIST);
		EXPECT_EQ(CALL(stat, name, st), 0);
	}
	EXPECT_EQ(CALL(unlink, "/w/h/d0/nfifo0"), 0);
	EXPECT_EQ(CALL(stat, "/w/h/d0/nfifo0", st), -ENOENT);
	umount_it(2);
}

int main(void)
{
	fs_boot();
	ops = *machine;
	ops.send = t_send;
	ops.recv = t_recv;
	ops.close_handle = t_close;
	machine = &ops;
	fake_read = t_read;
	if (fs_mkdir("h"))
		abort();
	page_free(page_alloc(64), 64);	/* what is made once is made */
	mount_it(1);
	umount_it(1);
	RUN(an_honest_server);
	RUN(what_files_hold);
	RUN(errors_come_through);
	RUN(another_version);
	RUN(the_last_connection_goes);
	RUN(directories_without_end);
	RUN(a_name_leads_somewhere_else);
	RUN(a_hanging_server);
	RUN(fifos_in_host_directories);
	RUN(every_fault_at_every_message);
	return unit_done();
}
