// SPDX-License-Identifier: MIT
/* Pipes and FIFOs: bytes, sizes, errors, threads against each other, random operations against a model. */
#include "ipc_env.h"

#include "ipc/pipe.h"

static char big[200000], back[200000];

static void fill(void)
{
	for (u32 i = 0; i < sizeof(big); i++)
		big[i] = (char)(i * 7 + i / 251);
}

static struct file *get(int fd)
{
	struct file *f = fd_get(fd);

	file_put(f);	/* the table still has it */
	return f;
}

static void bytes_come_out_as_they_went_in(void)
{
	int p[2];

	EXPECT_EQ(CALL(pipe2, p, 0), 0);
	EXPECT_EQ(env_write(p[1], big, 5000), 5000);
	EXPECT_EQ(env_write(p[1], big + 5000, 3), 3);
	EXPECT_EQ(env_write(p[1], big + 5003, 60), 60);
	EXPECT_EQ(env_read(p[0], back, 1), 1);
	EXPECT_EQ(env_read(p[0], back + 1, sizeof(back) - 1), 5062);
	EXPECT(!memcmp(big, back, 5063));
	EXPECT_EQ(env_write(p[1], big, 0), 0);
	EXPECT_EQ(env_read(p[0], back, 0), 0);
	EXPECT_EQ(env_read(p[1], back, 1), -EBADF);
	EXPECT_EQ(env_write(p[0], big, 1), -EBADF);
	fd_close(p[1]);
	EXPECT_EQ(env_read(p[0], back, 1), 0);
	fd_close(p[0]);
}

static void flags_and_addresses_are_checked(void)
{
	int p[2];

	EXPECT_EQ(CALL(pipe2, p, O_APPEND), -EINVAL);
	EXPECT_EQ(CALL(pipe2, 8, 0), -EFAULT);
	EXPECT_EQ(CALL(pipe, 0), -EFAULT);
	EXPECT_EQ(CALL(pipe2, p, O_CLOEXEC | O_NONBLOCK), 0);
	EXPECT_EQ(p[0], 0);
	EXPECT_EQ(p[1], 1);
	EXPECT_EQ(env_write(p[1], (void *)8, 10), -EFAULT);
	EXPECT_EQ(env_read(p[0], back, 10), -EAGAIN);
	EXPECT_EQ(env_write(p[1], big, 10), 10);
	EXPECT_EQ(env_read(p[0], (void *)8, 10), -EFAULT);
	EXPECT_EQ(env_read(p[0], back, 20), 10);
	fd_close(p[0]);
	fd_close(p[1]);
}

static void full_and_empty(void)
{
	int p[2];

	EXPECT_EQ(CALL(pipe2, p, O_NONBLOCK), 0);
	EXPECT_EQ(env_poll(p[0]), 0);
	EXPECT_EQ(env_poll(p[1]), POLLOUT | POLLWRNORM);
	EXPECT_EQ(env_write(p[1], big, 70000), 65536);
	EXPECT_EQ(env_write(p[1], big, 1), -EAGAIN);
	EXPECT_EQ(env_poll(p[0]), POLLIN | POLLRDNORM);
	EXPECT_EQ(env_poll(p[1]), 0);
	EXPECT_EQ(env_read(p[0], back, 4095), 4095);
	EXPECT_EQ(env_write(p[1], big, 4096), -EAGAIN);	/* PIPE_BUF bytes go whole or not */
	EXPECT_EQ(env_read(p[0], back, 1), 1);
	EXPECT_EQ(env_write(p[1], big, 4096), 4096);
	fd_close(p[1]);
	EXPECT_EQ(env_poll(p[0]), POLLIN | POLLRDNORM | POLLHUP);
	EXPECT_EQ(env_read(p[0], back, sizeof(back)), 65536);
	EXPECT_EQ(env_read(p[0], back, 1), 0);
	EXPECT_EQ(env_poll(p[0]), POLLHUP);
	fd_close(p[0]);
}

static void nobody_reads(void)
{
	int p[2];

	EXPECT_EQ(CALL(pipe2, p, 0), 0);
	EXPECT_EQ(env_write(p[1], big, 3), 3);
	fd_close(p[0]);
	EXPECT(!env_took_signal(SIGPIPE));
	EXPECT_EQ(env_write(p[1], big, 3), -EPIPE);
	EXPECT(env_took_signal(SIGPIPE));
	EXPECT_EQ(env_poll(p[1]), POLLOUT | POLLWRNORM | POLLERR);
	fd_close(p[1]);
}

static void packets_keep_their_borders(void)
{
	int p[2];

	EXPECT_EQ(CALL(pipe2, p, O_DIRECT | O_NONBLOCK), 0);
	EXPECT_EQ(env_write(p[1], "abcdef", 6), 6);
	EXPECT_EQ(env_write(p[1], "gh", 2), 2);
	EXPECT_EQ(env_write(p[1], big, 5000), 5000);
	EXPECT_EQ(env_read(p[0], back, 4), 4);	/* the rest of the packet is lost */
	EXPECT_EQ(env_read(p[0], back, 100), 2);
	EXPECT(!memcmp(back, "gh", 2));
	EXPECT_EQ(env_read(p[0], back, 9000), 4096);
	EXPECT_EQ(env_read(p[0], back, 9000), 904);
	EXPECT_EQ(env_read(p[0], back, 9000), -EAGAIN);
	fd_close(p[0]);
	fd_close(p[1]);
}

static void size_can_be_changed(void)
{
	struct file *f;
	int p[2], n = 0;

	EXPECT_EQ(CALL(pipe2, p, O_NONBLOCK), 0);
	f = get(p[0]);
	EXPECT_EQ(pipe_get_size(f), 65536);
	EXPECT_EQ(pipe_set_size(f, 0), 4096);
	EXPECT_EQ(env_write(p[1], big, 5000), 4096);
	EXPECT_EQ(pipe_set_size(f, 4097), 8192);
	EXPECT_EQ(env_write(p[1], big + 4096, 904), 904);
	EXPECT_EQ(pipe_set_size(f, 4096), -EBUSY);
	EXPECT_EQ(pipe_set_size(f, 1 << 20), 1 << 20);
	EXPECT_EQ(pipe_set_size(f, (1 << 20) + 1), -EPERM);
	EXPECT_EQ(pipe_set_size(f, 1ull << 40), -EINVAL);
	EXPECT_EQ(env_write(p[1], big + 5000, 100000), 100000);
	EXPECT_EQ(env_read(p[0], back, sizeof(back)), 105000);
	EXPECT(!memcmp(back, big, 105000));
	f->ops->ioctl(f, 0x541b, (u64)&n);
	EXPECT_EQ(n, 0);
	EXPECT_EQ(env_write(p[1], big, 777), 777);
	EXPECT_EQ(f->ops->ioctl(f, 0x541b, (u64)&n), 0);
	EXPECT_EQ(n, 777);
	EXPECT_EQ(f->ops->ioctl(f, 0x1234, (u64)&n), -ENOTTY);
	fd_close(p[0]);
	fd_close(p[1]);
}

static void too_many_pages_are_not_promised(void)
{
	static int p[70][2];
	int first_refused = -1;

	for (int i = 0; i < 70; i++) {
		EXPECT_EQ(CALL(pipe2, p[i], 0), 0);
		if (pipe_set_size(get(p[i][0]), 1 << 20) == -EPERM && first_refused < 0)
			first_refused = i;
	}
	EXPECT_EQ(first_refused, PIPE_TOTAL_PAGES / 256);
	EXPECT_EQ(pipe_get_size(get(p[69][0])), PIPE_MIN_SLOTS * 4096);
	for (int i = 0; i < 70; i++) {
		fd_close(p[i][0]);
		fd_close(p[i][1]);
	}
	EXPECT_EQ(CALL(pipe2, p[0], 0), 0);
	EXPECT_EQ(pipe_set_size(get(p[0][0]), 1 << 20), 1 << 20);
	fd_close(p[0][0]);
	fd_close(p[0][1]);
}

static void peek_claims_and_consume_takes(void)
{
	struct file *f;
	int p[2];

	EXPECT_EQ(CALL(pipe2, p, O_NONBLOCK), 0);
	f = get(p[0]);
	EXPECT_EQ(pipe_peek(f, back, 10, true), -EAGAIN);
	EXPECT_EQ(pipe_peek(get(p[1]), back, 10, true), -EBADF);
	EXPECT_EQ(env_write(p[1], big, 10000), 10000);
	EXPECT_EQ(pipe_peek(f, back, 9000, true), 9000);
	EXPECT(!memcmp(back, big, 9000));
	EXPECT_EQ(env_read(p[0], back, 1), -EAGAIN);	/* somebody else has his eye on them */
	pipe_consume(f, 5000);
	EXPECT_EQ(env_read(p[0], back, sizeof(back)), 5000);
	EXPECT(!memcmp(back, big + 5000, 5000));
	fd_close(p[1]);
	EXPECT_EQ(pipe_peek(f, back, 10, false), 0);
	fd_close(p[0]);
}

struct sleeper {
	int fd;
	ssize_t ret;
	size_t len;
};

static void read_once(void *arg)
{
	struct sleeper *s = arg;

	s->ret = env_read(s->fd, back, s->len);
}

static void write_once(void *arg)
{
	struct sleeper *s = arg;

	s->ret = env_write(s->fd, big, s->len);
}

static void signals_end_a_wait(void)
{
	struct sleeper s = { .len = 100 };
	struct task *t;
	int p[2];

	EXPECT_EQ(CALL(pipe2, p, 0), 0);
	s.fd = p[0];
	t = env_thread(read_once, &s);
	task_set_work(t, WORK_SIGNAL);
	env_join(t);
	EXPECT_EQ(s.ret, -ERESTARTSYS);

	s.fd = p[1];
	s.len = 100000;
	t = env_thread(write_once, &s);
	while (env_poll(p[1]))
		env_sleep_ms(1);
	task_set_work(t, WORK_SIGNAL);
	env_join(t);
	EXPECT_EQ(s.ret, 65536);	/* some went: a count */

	s.len = 1;
	t = env_thread(write_once, &s);
	task_set_work(t, WORK_SIGNAL);
	env_join(t);
	EXPECT_EQ(s.ret, -ERESTARTSYS);
	fd_close(p[0]);
	fd_close(p[1]);
}

static void closing_wakes_sleepers(void)
{
	struct sleeper s = { .len = 10 };
	struct task *t;
	int p[2];

	EXPECT_EQ(CALL(pipe2, p, 0), 0);
	s.fd = p[0];
	t = env_thread(read_once, &s);
	env_sleep_ms(2);
	fd_close(p[1]);
	env_join(t);
	EXPECT_EQ(s.ret, 0);
	fd_close(p[0]);

	EXPECT_EQ(CALL(pipe2, p, 0), 0);
	s.fd = p[1];
	s.len = 70000;
	t = env_thread(write_once, &s);
	while (env_poll(p[1]))
		env_sleep_ms(1);
	fd_close(p[0]);
	env_join(t);
	EXPECT_EQ(s.ret, 65536);
	fd_close(p[1]);
}

/* ---- many writers of whole records, many readers of bytes ---- */

#define RECORDS		4000
#define WRITERS		3

struct record {
	u16 len;		/* of all */
	u16 writer;
	u32 seq, sum;
	u8 data[];
};

static u32 record_sum(const struct record *r)
{
	u32 sum = r->seq * 31 + r->writer;

	for (u32 i = 0; i < r->len - sizeof(*r); i++)
		sum = sum * 33 + r->data[i];
	return sum;
}

static int stress[2];

static void record_writer(void *arg)
{
	u64 seed = 0x9e3779b97f4a7c15ull + (u64)arg;
	union { struct record r; u8 bytes[4096]; } u;

	for (u32 i = 0; i < RECORDS; i++) {
		u.r.len = sizeof(u.r) + env_random(&seed) % (i % 8 ? 100 : 4096 - sizeof(u.r));
		u.r.writer = (u16)(u64)arg;
		u.r.seq = i;
		for (u32 j = sizeof(u.r); j < u.r.len; j++)
			u.bytes[j] = (u8)env_random(&seed);
		u.r.sum = record_sum(&u.r);
		if (env_write(stress[1], &u, u.r.len) != u.r.len)
			__atomic_add_fetch(&unit_bad, 1, __ATOMIC_SEQ_CST);
	}
}

static void writes_of_pipe_buf_are_atomic(void)
{
	struct task *t[WRITERS];
	static union { struct record r; u8 bytes[4096]; } whole;
	static u8 buf[65536];
	u32 next[WRITERS] = { 0 };
	u64 seed = 88172645463325252ull;
	size_t have = 0;
	ssize_t n;

	EXPECT_EQ(CALL(pipe2, stress, 0), 0);
	for (u64 i = 0; i < WRITERS; i++)
		t[i] = env_thread(record_writer, (void *)i);
	for (u32 left = WRITERS * RECORDS; left && !unit_bad;) {
		size_t off = 0;

		n = env_read(stress[0], buf + have, min_t(size_t, sizeof(buf) - have, 1 + env_random(&seed) % 9000));
		if (n <= 0) {
			EXPECT_EQ(n, 1);
			break;
		}
		have += n;
		while (have - off >= sizeof(struct record)) {
			struct record r;

			memcpy(&r, buf + off, sizeof(r));
			if (r.len < sizeof(r) || r.len > 4096 || r.writer >= WRITERS || r.seq != next[r.writer]) {
				EXPECT_EQ(r.seq, -1);
				left = 1;
				break;
			}
			if (have - off < r.len)
				break;
			memcpy(whole.bytes, buf + off, r.len);
			EXPECT_EQ(record_sum(&whole.r), r.sum);
			next[r.writer]++;
			off += r.len;
			left--;
		}
		memmove(buf, buf + off, have - off);
		have -= off;
	}
	if (unit_bad)
		fd_close(stress[0]);
	for (int i = 0; i < WRITERS; i++)
		env_join(t[i]);
	EXPECT_EQ(have, 0);
	fd_close(stress[0]);
	fd_close(stress[1]);
}

static u64 sum_in, sum_out;

static void sum_reader(void *arg)
{
	u8 buf[3000];
	u64 seed = 7 + (u64)arg, sum = 0;
	ssize_t n;

	while ((n = env_read(stress[0], buf, 1 + env_random(&seed) % sizeof(buf))) > 0)
		for (ssize_t i = 0; i < n; i++)
			sum += buf[i] + 1;
	__atomic_add_fetch(&sum_out, sum, __ATOMIC_SEQ_CST);
}

static void sum_writer(void *arg)
{
	u8 buf[9000];
	u64 seed = 99 + (u64)arg, sum = 0;

	for (int i = 0; i < 3000; i++) {
		u32 n = 1 + env_random(&seed) % (i % 10 ? 50 : sizeof(buf));

		for (u32 j = 0; j < n; j++)
			sum += (buf[j] = (u8)env_random(&seed)) + 1;
		if (env_write(stress[1], buf, n) != (ssize_t)n)
			__atomic_add_fetch(&unit_bad, 1, __ATOMIC_SEQ_CST);
	}
	__atomic_add_fetch(&sum_in, sum, __ATOMIC_SEQ_CST);
}

static void nothing_is_lost_or_doubled(void)
{
	struct task *w[3], *r[3];

	EXPECT_EQ(CALL(pipe2, stress, 0), 0);
	EXPECT_EQ(pipe_set_size(get(stress[0]), 8192), 8192);
	for (u64 i = 0; i < 3; i++) {
		w[i] = env_thread(sum_writer, (void *)i);
		r[i] = env_thread(sum_reader, (void *)i);
	}
	for (int i = 0; i < 3; i++)
		env_join(w[i]);
	fd_close(stress[1]);
	for (int i = 0; i < 3; i++)
		env_join(r[i]);
	EXPECT_EQ(sum_in, sum_out);
	EXPECT(sum_in > 0);
	fd_close(stress[0]);
}

/* ---- random operations against a plain array ---- */

static void random_operations_match_a_model(void)
{
	static u8 model[1 << 21], buf[70000];
	u64 seed = 0x2545f4914f6cdd1dull;
	size_t head = 0, tail = 0;
	struct file *f;
	int p[2];

	EXPECT_EQ(CALL(pipe2, p, O_NONBLOCK), 0);
	f = get(p[0]);
	for (int step = 0; step < 30000 && !unit_bad; step++) {
		u32 len = 1 + env_random(&seed) % (step % 7 ? 300 : 60000);
		u32 op = env_random(&seed) % 16;
		ssize_t n;

		if (tail == head)
			head = tail = 0;
		if (op < 7) {
			for (u32 i = 0; i < len; i++)
				buf[i] = (u8)env_random(&seed);
			n = env_write(p[1], buf, len);
			if (n > 0) {
				EXPECT(n <= (ssize_t)len && (len > 4096 || n == (ssize_t)len));
				memcpy(model + head, buf, n);
				head += n;
			} else {
				EXPECT_EQ(n, -EAGAIN);
				EXPECT(head != tail);	/* there is always room in an empty pipe */
			}
		} else if (op < 14) {
			n = env_read(p[0], buf, len);
			if (head == tail) {
				EXPECT_EQ(n, -EAGAIN);
			} else {
				EXPECT_EQ(n, min_t(size_t, len, head - tail));
				EXPECT(!memcmp(buf, model + tail, n));
				tail += n;
			}
		} else if (op == 14) {
			n = pipe_peek(f, buf, len, true);
			if (head != tail) {
				EXPECT_EQ(n, min_t(size_t, len, head - tail));
				EXPECT(!memcmp(buf, model + tail, n));
				n = env_random(&seed) % (n + 1);
				pipe_consume(f, n);
				tail += n;
			}
		} else {
			n = pipe_set_size(f, 4096u << env_random(&seed) % 6);
			EXPECT(n == -EBUSY || n >= (ssize_t)(head - tail));
		}
		n = 0;
		f->ops->ioctl(f, 0x541b, (u64)&n);
		EXPECT_EQ(n, head - tail);
	}
	fd_close(p[0]);
	fd_close(p[1]);
}

/* ---- FIFOs ---- */

static const struct file_ops no_ops = { .name = "none" };

struct opener {
	struct inode *inode;
	u32 flags, mode;
	struct file *f;
	int ret;
};

static void open_fifo(void *arg)
{
	struct opener *o = arg;

	o->f = file_alloc(&no_ops, o->flags, o->mode, NULL);
	inode_get(o->inode);
	o->f->inode = o->inode;
	o->ret = fifo_open(o->inode, o->f);
	if (o->ret) {
		file_put(o->f);
		o->f = NULL;
	}
}

static int open_fifo_now(struct inode *inode, u32 flags, u32 mode, struct file **f)
{
	struct opener o = { inode, flags, mode, NULL, 0 };

	open_fifo(&o);
	*f = o.f;
	return o.ret;
}

/* The inode of a FIFO that is unlinked already. */
static struct inode *new_fifo(void)
{
	struct inode *inode;
	struct path path;

	if (vfs_create_node(AT_FDCWD, "/tmp/fifo", S_IFIFO | 0600, 0, NULL, &path))
		abort();
	inode = path.dentry->inode;
	inode_get(inode);
	EXPECT_EQ(vfs_unlink(AT_FDCWD, "/tmp/fifo"), 0);
	path_put(&path);
	return inode;
}

/* /proc/self/fd/N of a pipe leads to its inode: opened again, nobody waits, even when the other end is gone. */
static void pipes_can_be_opened_again(void)
{
	struct file *r, *w;
	int p[2];

	EXPECT_EQ(CALL(pipe2, p, 0), 0);
	EXPECT_EQ(open_fifo_now(get(p[0])->inode, O_WRONLY, FMODE_WRITE, &w), 0);
	fd_close(p[1]);
	EXPECT_EQ(file_write_at(w, "abc", 3, 0), 3);
	file_put(w);
	EXPECT_EQ(open_fifo_now(get(p[0])->inode, O_RDONLY, FMODE_READ, &r), 0);
	EXPECT_EQ(env_read_file(r, back, 2), 2);
	EXPECT_EQ(env_read(p[0], back, 2), 1);
	EXPECT_EQ(env_read_file(r, back, 2), 0);
	EXPECT_EQ(file_poll(r, NULL), POLLHUP);
	file_put(r);
	fd_close(p[0]);
}

static void fifos_wait_for_the_other_end(void)
{
	struct inode *inode = new_fifo();
	struct opener o = { inode, O_RDONLY, FMODE_READ, NULL, 0 };
	struct file *r, *w, *rw;
	struct task *t;

	EXPECT_EQ(open_fifo_now(inode, O_WRONLY | O_NONBLOCK, FMODE_WRITE, &w), -ENXIO);
	t = env_thread(open_fifo, &o);
	env_sleep_ms(2);
	EXPECT_EQ(open_fifo_now(inode, O_WRONLY, FMODE_WRITE, &w), 0);
	env_join(t);
	EXPECT_EQ(o.ret, 0);
	EXPECT_EQ(file_write_at(w, "hello", 5, 0), 5);
	EXPECT_EQ(env_read_file(o.f, back, 10), 5);
	EXPECT_EQ(file_poll(o.f, NULL), 0);
	file_put(w);
	EXPECT_EQ(file_poll(o.f, NULL), POLLHUP);
	file_put(o.f);

	/* a reader who does not wait sees no end of file before the first writer */
	EXPECT_EQ(open_fifo_now(inode, O_RDONLY | O_NONBLOCK, FMODE_READ, &r), 0);
	EXPECT_EQ(file_poll(r, NULL), 0);
	EXPECT_EQ(env_read_file(r, back, 1), 0);
	EXPECT_EQ(open_fifo_now(inode, O_WRONLY | O_NONBLOCK, FMODE_WRITE, &w), 0);
	EXPECT_EQ(env_read_file(r, back, 1), -EAGAIN);
	file_put(w);
	EXPECT_EQ(file_poll(r, NULL), POLLHUP);
	file_put(r);

	EXPECT_EQ(open_fifo_now(inode, O_RDWR, FMODE_READ | FMODE_WRITE, &rw), 0);
	EXPECT_EQ(file_write_at(rw, "x", 1, 0), 1);
	file_put(rw);
	/* what was not read went with the last end */
	EXPECT_EQ(open_fifo_now(inode, O_RDWR | O_NONBLOCK, FMODE_READ | FMODE_WRITE, &rw), 0);
	EXPECT_EQ(env_read_file(rw, back, 1), -EAGAIN);
	file_put(rw);

	o = (struct opener){ inode, O_WRONLY, FMODE_WRITE, NULL, 0 };
	t = env_thread(open_fifo, &o);
	task_set_work(t, WORK_SIGNAL);
	env_join(t);
	EXPECT_EQ(o.ret, -ERESTARTSYS);
	EXPECT(!inode->socket);
	inode_put(inode);
}

#define OPENINGS 2000
static int reader_done;

static void fifo_reader(void *arg)
{
	struct file *f;

	for (int i = 0; i < OPENINGS; i++) {
		char c;

		if (open_fifo_now(arg, O_RDONLY, FMODE_READ, &f)) {
			__atomic_add_fetch(&unit_bad, 1, __ATOMIC_SEQ_CST);
			break;
		}
		while (env_read_file(f, &c, 1) > 0)
			;
		file_put(f);
	}
	__atomic_store_n(&reader_done, 1, __ATOMIC_SEQ_CST);
}

/* A writer that opens and closes at once is still seen by the reader who waits for it: the test ends. */
static void openers_never_miss_each_other(void)
{
	struct inode *inode = new_fifo();
	struct task *t = env_thread(fifo_reader, inode);
	struct file *f;

	while (!__atomic_load_n(&reader_done, __ATOMIC_SEQ_CST)) {
		int ret = open_fifo_now(inode, O_WRONLY | O_NONBLOCK, FMODE_WRITE, &f);

		if (!ret)
			file_put(f);
		else
			EXPECT_EQ(ret, -ENXIO);
	}
	env_join(t);
	EXPECT(!inode->socket);
	inode_put(inode);
}

static void failing_allocations_leave_nothing_behind(void)
{
	long before = fake_allocs;
	int p[2], done = 0;

	for (int nth = 1; nth < 50 && !done; nth++) {
		fake_fail_alloc = nth;
		if (!CALL(pipe2, p, 0)) {
			fake_fail_alloc = 0;
			done = nth;
			fd_close(p[0]);
			fd_close(p[1]);
		}
		fake_fail_alloc = 0;
		EXPECT_EQ(fake_allocs, before);
	}
	EXPECT(done > 3);
}

int main(void)
{
	long before;

	env_boot();
	env_tree();
	fill();
	RUN(bytes_come_out_as_they_went_in);
	dcache_prune(1000);
	before = fake_allocs;
	RUN(flags_and_addresses_are_checked);
	RUN(full_and_empty);
	RUN(nobody_reads);
	RUN(packets_keep_their_borders);
	RUN(size_can_be_changed);
	RUN(peek_claims_and_consume_takes);
	RUN(signals_end_a_wait);
	RUN(closing_wakes_sleepers);
	RUN(writes_of_pipe_buf_are_atomic);
	RUN(nothing_is_lost_or_doubled);
	RUN(random_operations_match_a_model);
	RUN(pipes_can_be_opened_again);
	RUN(fifos_wait_for_the_other_end);
	RUN(openers_never_miss_each_other);
	RUN(failing_allocations_leave_nothing_behind);
	unit_bad = 0;
	dcache_prune(1000);
	EXPECT(fake_allocs <= before);
	printf("%s %d - nothing is leaked\n", unit_bad ? "not ok" : "ok", ++unit_nr);
	unit_failed += unit_bad != 0;
	RUN(too_many_pages_are_not_promised);
	return unit_done();
}
