// SPDX-License-Identifier: MIT
/*
 * libFuzzer's target: a session of messages on the whole server (parser, fids, operations) over a
 * small tree, in one thread. The input is read as a program: each message is either raw bytes, or
 * built from the list of messages with fields chosen to be likely (small fids, names that exist).
 *
 * Beyond what the sanitizers see: every reply must be well-formed, a granted descriptor must lie in
 * an export, nothing may be held after the session, and what lies outside the exports never changes.
 */
#define _GNU_SOURCE
#include "tools/broker/server.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char base[64];
static struct b9p *server;
static int sv[2];
static unsigned long runs;

#define CHECK(cond) do { \
		if (!(cond)) { \
			fprintf(stderr, "fuzz: %s:%d: %s does not hold\n", __FILE__, __LINE__, #cond); \
			abort(); \
		} \
	} while (0)

static const char *path(const char *rel)
{
	static char buf[4][128];
	static unsigned int i;
	char *p = buf[i++ % 4];

	snprintf(p, sizeof(buf[0]), "%s/%s", base, rel);
	return p;
}

static void put_file(const char *rel, size_t size)
{
	int fd = open(path(rel), O_CREAT | O_WRONLY | O_TRUNC | O_CLOEXEC, 0644);

	CHECK(fd >= 0 && !ftruncate(fd, (off_t)size));
	close(fd);
}

static int remove_one(const char *p, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	if (ftw->level && remove(p))
		(void)(chmod(p, 0700) || remove(p));
	return 0;
}

/* What clients may have changed is made anew from time to time. */
static void make_tree(const char *which)
{
	char rel[64];

	nftw(path(which), remove_one, 16, FTW_DEPTH | FTW_PHYS);
	(void)!mkdir(path(which), 0755);
	(void)!chmod(path(which), 0755);
#define IN(name) (snprintf(rel, sizeof(rel), "%s/%s", which, name), rel)
	put_file(IN("a"), 100);
	put_file(IN("b"), 40000);
	CHECK(!mkdir(path(IN("d")), 0755) && !mkdir(path(IN("d/e")), 0755));
	put_file(IN("d/a"), 5);
	CHECK(!symlink("../outside", path(IN("l"))) && !symlink("a", path(IN("m"))));
	CHECK(!mkfifo(path(IN("f")), 0666));
}

static void check_outside(void)
{
	struct dirent *d;
	struct stat st;
	int n = 0;
	DIR *dir = opendir(path("outside"));

	CHECK(dir);
	while ((d = readdir(dir)))
		n++;
	closedir(dir);
	CHECK(n == 3 && !stat(path("outside/secret"), &st) && st.st_size == 7 &&
	      st.st_mode == (S_IFREG | 0644) && st.st_nlink == 1);
}

static void clean(void)
{
	if (getpid() == (pid_t)atoi(strrchr(base, '.') + 1))
		nftw(base, remove_one, 16, FTW_DEPTH | FTW_PHYS);
	rmdir(base);
}

static void log_fn(void *arg, enum b9p_log_kind kind, const char *line)
{
	(void)arg;
	(void)kind;
	for (; *line; line++)
		CHECK(*line >= 0x20 && *line < 0x7f);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	struct b9p_export ex[3];
	struct b9p_config config = { .exports = ex, .nr_exports = 3, .log = log_fn,
				     .limits = { .max_fids = 40, .max_files = 60, .max_log = ~0u - 1 } };
	struct rlimit rl = { .rlim_cur = 1 << 20, .rlim_max = 1 << 20 };
	const char *dir = access("/dev/shm", W_OK) ? "/tmp" : "/dev/shm";

	sigset_t xfsz;

	(void)argc;
	(void)argv;
	snprintf(base, sizeof(base), "%s/b9pfuzz.%d", dir, (int)getpid());
	CHECK(!mkdir(base, 0755) && !mkdir(path("outside"), 0755));
	atexit(clean);
	sigemptyset(&xfsz);
	sigaddset(&xfsz, SIGXFSZ);
	sigprocmask(SIG_BLOCK, &xfsz, NULL);	/* as in the server's threads */
	setrlimit(RLIMIT_FSIZE, &rl);	/* no write fills the memory */
	put_file("outside/secret", 7);
	put_file("one", 10);
	make_tree("ro");
	make_tree("rw");
	ex[0] = (struct b9p_export){ open(path("ro"), O_PATH | O_CLOEXEC), "0", 0 };
	ex[1] = (struct b9p_export){ open(path("rw"), O_PATH | O_CLOEXEC), "1", B9P_EXPORT_RW };
	ex[2] = (struct b9p_export){ open(path("one"), O_PATH | O_CLOEXEC), "2", 0 };
	CHECK(!b9p_create(&config, &server));
	for (int i = 0; i < 3; i++)
		close(ex[i].fd);
	CHECK(!socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sv));
	return 0;
}

struct input {
	const uint8_t *p;
	size_t left;
};

static uint8_t take(struct input *in)
{
	if (!in->left)
		return 0;
	in->left--;
	return *in->p++;
}

static void put(struct wire_out *o, struct input *in, unsigned int bytes)
{
	static const uint64_t odd[] = { ~0ull, 1ull << 31, 1ull << 32, 1ull << 63, (1ull << 63) - 1,
					0777, 01000, 04755, 0100644, 040755, 65536, 0x200 };
	uint8_t b = take(in);
	uint64_t v = b;

	if (b >= 240)
		v = odd[(b - 240) % (sizeof(odd) / sizeof(odd[0]))];
	else if (b >= 200)
		v = (uint64_t)take(in) << (b - 200);
	for (unsigned int i = 0; i < bytes; i++)
		wire_put_u8(o, (uint8_t)(v >> (8 * i)));
}

static void put_str(struct wire_out *o, struct input *in)
{
	static const char *const words[] = {
		"a", "b", "d", "e", "l", "m", "f", "..", "new", "n2", "user.x", "user.y", "secret",
		"outside", "", ".", "0", "1", "2", "../outside", "/etc/passwd", "9P2000.L",
		"9P2000.L.lbx", "security.x",
	};
	char raw[32];
	uint8_t b = take(in), n;

	if (b < 200) {
		const char *w = words[b % (sizeof(words) / sizeof(words[0]))];

		wire_put_str(o, w, strlen(w));
		return;
	}
	n = b % sizeof(raw);
	for (uint8_t i = 0; i < n; i++)
		raw[i] = (char)take(in);
	wire_put_str(o, raw, n);
}

static void put_names(struct wire_out *o, struct input *in)
{
	uint8_t n = take(in) % 18;

	wire_put_u16(o, n);
	for (uint8_t i = 0; i < n; i++)
		put_str(o, in);
}

static void put_data(struct wire_out *o, struct input *in)
{
	uint8_t n = take(in);

	wire_put_u32(o, n);
	for (uint8_t i = 0; i < n; i++)
		wire_put_u8(o, take(in));
}

#define U8(f)		put(o, in, 1);
#define U16(f)		put(o, in, 2);
#define U32(f)		put(o, in, 4);
#define U64(f)		put(o, in, 8);
#define STR(f)		put_str(o, in);
#define NAMES(f)	put_names(o, in);
#define DATA(f)		put_data(o, in);
#define B9P_T(name, nr, state, fields) \
	static void build_##name(struct wire_out *o, struct input *in) { fields }
#include "tools/broker/messages.def"

static const struct {
	uint8_t type;
	void (*build)(struct wire_out *o, struct input *in);
} messages[] = {
#define B9P_T(name, nr, state, fields) { nr, build_##name },
#include "tools/broker/messages.def"
};

/* A whole message into ch->in: its length. */
static uint32_t next_message(struct channel *ch, struct input *in)
{
	uint8_t kind = take(in);
	struct wire_out o;
	uint32_t len;

	if (kind < 240) {
		unsigned int i = kind % (sizeof(messages) / sizeof(messages[0]));

		wire_out_begin(&o, ch->in, ch->msize, messages[i].type, 1);
		messages[i].build(&o, in);
		wire_out_end(&o);
		return o.len;
	}
	len = P9_HDR_BYTES + take(in);
	for (uint32_t i = 0; i < len; i++)
		ch->in[i] = take(in);
	if (kind < 254) {
		ch->in[0] = (uint8_t)len;
		ch->in[1] = (uint8_t)(len >> 8);
		ch->in[2] = 0;
		ch->in[3] = 0;
	}
	return len;
}

/* The descriptor that goes with a reply: a regular file below an export, opened as that allows. */
static void check_grant(struct channel *ch)
{
	char target[256];
	struct stat st;
	ssize_t n;
	int acc = fcntl(ch->send_fd, F_GETFL) & O_ACCMODE;

	CHECK(!fstat(ch->send_fd, &st) && S_ISREG(st.st_mode));
	n = readlinkat(server->procfd, proc_name(ch->send_fd).s, target, sizeof(target) - 1);
	CHECK(n > 0);
	target[n] = 0;
	CHECK(!strncmp(target, path("r"), strlen(path("r"))) || !strcmp(target, path("one")));
	CHECK(acc == O_RDONLY || !strncmp(target, path("rw/"), strlen(path("rw/"))));
	if (ch->send_fd_close)
		fd_close(server, ch->send_fd);
	ch->send_fd = -1;
}

static void check_reply(struct channel *ch, uint32_t len, uint8_t type)
{
	struct p9_request r;
	uint32_t size;

	CHECK(len >= P9_HDR_BYTES && len <= server->limits.msize);
	CHECK(wire_decode_header(ch->out, len, &size, &r) && size == len);
	CHECK(r.type == P9_RLERROR || r.type == (uint8_t)(type + 1));
	CHECK(r.type != P9_RLERROR || (len == 11 && ch->send_fd < 0));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	/* a session that is ready to go: version, and the three exports as fids 0, 1 and 2 */
	static const uint8_t start[] = { 0, 250, 22, 2, 0, 240, 0, 16, 240, 2, 1, 240, 0, 17, 240,
					 2, 2, 240, 0, 18, 240 };
	struct input ins[2] = { { start, sizeof(start) }, { data, size } };
	struct channel ch = { 0 };

	CHECK(!channel_init(&ch, server, sv[0], sv[0], 0));
	for (int i = 0; i < 2; i++) {
		while (ins[i].left) {
			uint32_t len = next_message(&ch, &ins[i]);
			uint8_t type = ch.in[4];

			len = channel_serve(&ch, len);
			check_reply(&ch, len, type);
			if (ch.send_fd >= 0)
				check_grant(&ch);
		}
		CHECK(i || (ch.state == P9_LBX && ch.nr_fids == 3));
	}
	channel_exit(&ch);
	CHECK(server->files == 0 && server->fids == 0 && ch.xattr_bytes == 0);
	if (++runs % 500 == 0) {
		check_outside();
		make_tree("rw");
	}
	return 0;
}
