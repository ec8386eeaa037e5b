// SPDX-License-Identifier: MIT
/*
 * Terminals, with processes: signals from keys, job control, reads that wait, hangups, packets. What the line discipline makes of each
 * byte is compared with Linux in tty_script_test.
 */
#include "tasks.c"
#include "unit.h"

#undef RENAME_NOREPLACE	/* libc's, of the same value */
#undef RENAME_EXCHANGE
#undef RENAME_WHITEOUT
#include "fs/file.h"
#include "fs/fs_state.h"
#include "fs/namei.h"
#include "fs/vfs.h"
#include "ipc/poll.h"
#include "process/internal.h"
#include "sched/time.h"
#include "tty/tty.h"

#define NR_READ		0
#define NR_WRITE	1
#define NR_IOCTL	16

static int m, s;
static char name[32];

static long rd(int fd, void *buf, u64 n) { return call(NR_READ, read, (u64)fd, (u64)buf, n); }
static long wr(int fd, const char *text) { return call(NR_WRITE, write, (u64)fd, (u64)text, strlen(text)); }
static long ctl(int fd, u32 cmd, u64 arg) { return call(NR_IOCTL, ioctl, (u64)fd, cmd, arg); }
static long open_at(const char *path, int flags) { return call(2, open, (u64)path, (u64)flags, 0); }
static long wait_for(long pid, u32 *status, u32 options) { return call(61, wait4, (u64)pid, (u64)status, options, 0); }

static void open_pair(int flags)
{
	int n, unlock = 0;

	m = (int)open_at("/dev/ptmx", O_RDWR | O_NOCTTY | O_NONBLOCK);
	EXPECT_EQ(ctl(m, TIOCGPTN, (u64)&n), 0);
	snprintf(name, sizeof(name), "/dev/pts/%d", n);
	EXPECT_EQ(open_at(name, O_RDWR | O_NOCTTY), -EIO);	/* still locked */
	EXPECT_EQ(ctl(m, TIOCSPTLCK, (u64)&unlock), 0);
	s = (int)open_at(name, O_RDWR | O_NOCTTY | flags);
	EXPECT(s >= 0);
}

static void close_pair(void)
{
	call(3, close, (u64)s);
	call(3, close, (u64)m);
}

static void set_raw(u32 min, u32 time)
{
	struct termios2 t;

	EXPECT_EQ(ctl(s, TCGETS2, (u64)&t), 0);
	t.lflag &= ~(ICANON | ECHO);
	t.cc[VMIN] = (u8)min;
	t.cc[VTIME] = (u8)time;
	EXPECT_EQ(ctl(s, TCSETS2, (u64)&t), 0);
}

static int sleeps_in_kernel(long pid)
{
	struct process *p = NULL;
	int yes;

	mutex_lock(&tasklist_lock);
	list_for_each(p, &process_list, pid_node)
		if (p->tgid == pid)
			break;
	yes = &p->pid_node != &process_list && !p->zombie && (READ_ONCE(p->leader->state) & TASK_STATE_MASK) == TASK_INTERRUPTIBLE;
	mutex_unlock(&tasklist_lock);
	return yes;
}

/* ---- keys and signals ---- */

/* A session of its own on the terminal, and then @arg. */
static int leader(void *arg)
{
	int (*fn)(void) = (int (*)(void))arg;
	long fd;

	EXPECT_EQ(call(112, setsid, 0), (long)current->tid);
	fd = open_at(name, O_RDWR);
	EXPECT(fd >= 0);
	return fn();
}

static int pauses(void) { return (int)call(34, pause, 0); }

static void a_key_sends_its_signal(void)
{
	static const struct { const char *key; u32 status; } keys[] = { { "\003", SIGINT }, { "\034", SIGQUIT } };

	for (u32 i = 0; i < ARRAY_SIZE(keys); i++) {
		u32 status = 0;
		long pid;

		open_pair(0);
		pid = fork_to(leader, pauses);
		EXPECT(eventually(sleeps_in_kernel(pid)));
		EXPECT_EQ(wr(m, "left over"), 9);
		EXPECT_EQ(wr(m, keys[i].key), 1);
		EXPECT_EQ(wait_for(pid, &status, 0), pid);
		EXPECT_EQ(status & 0x7f, keys[i].status);
		close_pair();
	}
}

static int in_job(void *arg)
{
	int (*fn)(void) = (int (*)(void))arg;

	EXPECT_EQ(call(109, setpgid, 0, 0), 0);
	return fn();
}

static u32 job_status[4];

/* As a shell does: a job in the foreground, until it stops or ends; then in the foreground again. */
static int shell(int (*job)(void), bool foreground, const char *keys)
{
	u32 *status = job_status;
	long pid = fork_to(in_job, job);
	s32 pgid = (s32)pid, mine = current->tid;

	call(109, setpgid, (u64)pid, (u64)pid);
	EXPECT_EQ(call(13, rt_sigaction, SIGTTOU, (u64)&(struct ksigaction){ .handler = SIGACTION_IGN }, 0, 8), 0);
	if (foreground)
		EXPECT_EQ(ctl(s, TIOCSPGRP, (u64)&pgid), 0);
	if (keys) {
		EXPECT(eventually(sleeps_in_kernel(pid)));
		EXPECT_EQ(wr(m, keys), (long)strlen(keys));
	}
	EXPECT_EQ(wait_for(pid, &status[0], WAIT_UNTRACED), pid);
	if ((status[0] & 0xff) == 0x7f) {
		EXPECT_EQ(ctl(s, TIOCSPGRP, (u64)&pgid), 0);
		EXPECT_EQ(call(62, kill, (u64)-pid, SIGCONT), 0);
		EXPECT_EQ(wait_for(pid, &status[1], WAIT_CONTINUED), pid);
		EXPECT_EQ(status[1], 0xffff);
		if (foreground)
			EXPECT_EQ(call(62, kill, (u64)-pid, SIGTERM), 0);
		else
			EXPECT_EQ(wr(m, "line\n"), 5);
		EXPECT_EQ(wait_for(pid, &status[2], 0), pid);
	}
	EXPECT_EQ(ctl(s, TIOCSPGRP, (u64)&mine), 0);
	return 0;
}

static int reads_line(void)
{
	char buf[16];

	return (int)rd(s, buf, sizeof(buf));
}

static int writes_line(void) { return (int)wr(s, "text"); }
static int shell_stops_job(void) { return shell(pauses, true, "\032"); }
static int shell_reads_behind(void) { return shell(reads_line, false, NULL); }

static int shell_writes_behind(void)
{
	struct termios2 t;

	ctl(s, TCGETS2, (u64)&t);
	t.lflag |= TOSTOP;
	EXPECT_EQ(ctl(s, TCSETS2, (u64)&t), 0);
	return shell(writes_line, false, NULL);
}

static void run_shell(int (*fn)(void))
{
	u32 status = 1;
	long pid;

	memset(job_status, 0, sizeof(job_status));
	open_pair(0);
	pid = fork_to(leader, fn);
	EXPECT_EQ(wait_for(pid, &status, 0), pid);
	EXPECT_EQ(status, 0);
	close_pair();
}

static void a_job_is_stopped_and_continued(void)
{
	run_shell(shell_stops_job);
	EXPECT_EQ(job_status[0], 0x7f | SIGTSTP << 8);
	EXPECT_EQ(job_status[2], SIGTERM);
}

static void who_reads_in_the_background_stops(void)
{
	run_shell(shell_reads_behind);
	EXPECT_EQ(job_status[0], 0x7f | SIGTTIN << 8);
	EXPECT_EQ(job_status[2], 5 << 8);		/* "line\n", once it may */
}

static void who_writes_in_the_background_stops(void)
{
	run_shell(shell_writes_behind);
	EXPECT_EQ(job_status[0], 0x7f | SIGTTOU << 8);
	EXPECT_EQ(job_status[2], 4 << 8);
}

static int ignores_and_reads(void)
{
	EXPECT_EQ(call(13, rt_sigaction, SIGTTIN, (u64)&(struct ksigaction){ .handler = SIGACTION_IGN }, 0, 8), 0);
	return reads_line() == -EIO ? 0 : 1;
}

static int shell_of_one_who_ignores(void) { return shell(ignores_and_reads, false, NULL); }

static void who_ignores_SIGTTIN_reads_nothing(void)
{
	run_shell(shell_of_one_who_ignores);
	EXPECT_EQ(job_status[0], 0);
}

static int rules_of_tcsetpgrp(void)
{
	s32 pgid, other;

	EXPECT_EQ(ctl(s, TIOCGPGRP, (u64)&pgid), 0);
	EXPECT_EQ(pgid, current->tid);
	EXPECT_EQ(ctl(s, TIOCGSID, (u64)&pgid), 0);
	EXPECT_EQ(pgid, current->tid);
	other = -1;
	EXPECT_EQ(ctl(s, TIOCSPGRP, (u64)&other), -EINVAL);
	other = 1;		/* of another session */
	EXPECT_EQ(ctl(s, TIOCSPGRP, (u64)&other), -EPERM);
	other = 30000;
	EXPECT_EQ(ctl(s, TIOCSPGRP, (u64)&other), -ESRCH);
	EXPECT_EQ(ctl(s, TIOCSPGRP, 8), -EFAULT);
	EXPECT_EQ(ctl(s, TIOCSTI, (u64)"x"), -EIO);	/* typing for others is refused */
	EXPECT_EQ(ctl(s, TIOCNOTTY, 0), 0);
	EXPECT_EQ(ctl(s, TIOCGPGRP, (u64)&pgid), -ENOTTY);
	EXPECT_EQ(open_at("/dev/tty", O_RDWR), -ENXIO);
	EXPECT_EQ(ctl(s, TIOCSCTTY, 0), 0);
	EXPECT_EQ(ctl(s, TIOCSCTTY, 0), 0);
	EXPECT(open_at("/dev/tty", O_RDWR) >= 0);
	return 0;
}

static int leader_who_survives(void *arg)
{
	/* giving the terminal up hangs it up for its group */
	EXPECT_EQ(call(13, rt_sigaction, SIGHUP, (u64)&(struct ksigaction){ .handler = SIGACTION_IGN }, 0, 8), 0);
	return leader(arg);
}

static void a_controlling_terminal(void)
{
	u32 status = 1;
	s32 pgid;
	long pid;

	open_pair(0);
	EXPECT_EQ(ctl(s, TIOCGPGRP, (u64)&pgid), -ENOTTY);
	EXPECT_EQ(ctl(s, TIOCSTI, (u64)"x"), -EIO);
	pid = fork_to(leader_who_survives, rules_of_tcsetpgrp);
	EXPECT_EQ(wait_for(pid, &status, 0), pid);
	EXPECT_EQ(status, 0);
	close_pair();
}

static void a_new_size_is_told(void)
{
	struct winsize ws = { 30, 90, 0, 0 }, got;
	u32 status = 0;
	long pid;

	open_pair(0);
	pid = fork_to(leader, pauses);
	EXPECT(eventually(sleeps_in_kernel(pid)));
	EXPECT_EQ(ctl(m, TIOCSWINSZ, (u64)&ws), 0);
	EXPECT_EQ(ctl(s, TIOCGWINSZ, (u64)&got), 0);
	EXPECT(!memcmp(&ws, &got, sizeof(ws)));
	/* SIGWINCH is ignored by default: it sleeps on */
	pause_ms(20);
	EXPECT(sleeps_in_kernel(pid));
	EXPECT_EQ(wr(m, "\003"), 1);
	EXPECT_EQ(wait_for(pid, &status, 0), pid);
	close_pair();
}

/* ---- hangups ---- */

static void the_master_goes(void)
{
	struct termios2 t;
	u32 status = 0;
	char buf[8];
	long pid;

	open_pair(0);
	pid = fork_to(leader, pauses);
	EXPECT(eventually(sleeps_in_kernel(pid)));
	EXPECT_EQ(call(3, close, (u64)m), 0);
	/* the child has the master too: it is one address space but another table */
	EXPECT_EQ(call(62, kill, (u64)pid, SIGKILL), 0);
	EXPECT_EQ(wait_for(pid, &status, 0), pid);
	EXPECT_EQ(rd(s, buf, 8), 0);
	EXPECT_EQ(wr(s, "x"), -EIO);
	EXPECT_EQ(ctl(s, TCGETS2, (u64)&t), -EIO);
	EXPECT_EQ(open_at(name, O_RDWR | O_NOCTTY), -ENOENT);
	call(3, close, (u64)s);
}

static int closes_master_and_pauses(void)
{
	call(3, close, (u64)m);
	return pauses();
}

static void a_hangup_ends_the_session(void)
{
	u32 status = 0;
	long pid;

	open_pair(0);
	pid = fork_to(leader, closes_master_and_pauses);
	EXPECT(eventually(sleeps_in_kernel(pid)));
	call(3, close, (u64)m);
	EXPECT_EQ(wait_for(pid, &status, 0), pid);
	EXPECT_EQ(status, SIGHUP);
	call(3, close, (u64)s);
}

static void the_slave_goes(void)
{
	char buf[8];

	open_pair(0);
	EXPECT_EQ(rd(m, buf, 8), -EAGAIN);
	EXPECT_EQ(wr(s, "end"), 3);
	call(3, close, (u64)s);
	EXPECT_EQ(rd(m, buf, 8), 3);		/* what was written comes first */
	EXPECT_EQ(rd(m, buf, 8), -EIO);
	s = (int)open_at(name, O_RDWR | O_NOCTTY);
	EXPECT_EQ(rd(m, buf, 8), -EAGAIN);	/* somebody is there again */
	close_pair();
}

/* ---- reads that wait ---- */

static s64 read_time(u64 n, long want)
{
	s64 start = clock_monotonic();
	char buf[300];

	EXPECT_EQ(rd(s, buf, n), want);
	return (clock_monotonic() - start) / NSEC_PER_MSEC;
}

static int types_slowly(void *arg)
{
	for (const char *p = arg; *p; p++) {
		pause_ms(30);
		call(NR_WRITE, write, (u64)m, (u64)p, 1);
	}
	return 0;
}

static void VMIN_and_VTIME(void)
{
	long pid;
	s64 ms;

	open_pair(0);
	set_raw(0, 0);
	EXPECT(read_time(10, 0) < 1000);
	set_raw(0, 1);
	ms = read_time(10, 0);
	EXPECT(ms >= 99);
	wr(m, "ab");
	EXPECT_EQ(read_time(10, 2), 0);
	set_raw(3, 0);
	pid = fork_to(types_slowly, "abc");
	EXPECT(read_time(10, 3) >= 60);
	wait_for(pid, NULL, 0);
	/* fewer than VMIN, and then nothing for a tenth of a second */
	set_raw(100, 1);
	pid = fork_to(types_slowly, "xy");
	ms = read_time(200, 2);
	EXPECT(ms >= 99 + 30);
	wait_for(pid, NULL, 0);
	/* asked for fewer than VMIN: those are enough */
	set_raw(100, 0);
	wr(m, "12345");
	EXPECT(read_time(5, 5) < 1000);
	close_pair();
}

static int is_killed_reading(void *arg)
{
	char buf[8];

	(void)arg;
	return (int)rd(s, buf, sizeof(buf));
}

static void a_reader_can_be_killed(void)
{
	u32 status = 0;
	long pid;

	open_pair(0);
	pid = fork_to(is_killed_reading, NULL);
	EXPECT(eventually(sleeps_in_kernel(pid)));
	EXPECT_EQ(call(62, kill, (u64)pid, SIGTERM), 0);
	EXPECT_EQ(wait_for(pid, &status, 0), pid);
	EXPECT_EQ(status, SIGTERM);
	close_pair();
}

/* ---- much, and too much ---- */

static int writes_much(void *arg)
{
	static char block[3000];
	long left = (long)arg;

	memset(block, 'w', sizeof(block));
	while (left > 0) {
		long n = call(NR_WRITE, write, (u64)s, (u64)block, min(left, 3000l));

		if (n <= 0)
			return 1;
		left -= n;
	}
	return 0;
}

static void a_megabyte_comes_through(void)
{
	long sum = 0, n, pid;
	char buf[2000];
	u32 status = 1;

	open_pair(0);
	pid = fork_to(writes_much, (void *)(1l << 20));
	while (sum < 1l << 20) {
		n = rd(m, buf, sizeof(buf));
		if (n == -EAGAIN) {
			pause_ms(1);
			continue;
		}
		EXPECT(n > 0);
		if (n <= 0)
			break;
		for (long i = 0; i < n; i++)
			if (buf[i] != 'w')
				EXPECT(!"a byte is another");
		sum += n;
	}
	EXPECT_EQ(sum, 1l << 20);
	EXPECT_EQ(wait_for(pid, &status, 0), pid);
	EXPECT_EQ(status, 0);
	close_pair();
}

static void a_line_longer_than_there_is_room_for(void)
{
	static char in[6000], out[6000];
	long n;

	open_pair(O_NONBLOCK);
	memset(in, 'x', sizeof(in));
	/* nobody reads: what does not fit is taken and lost, with a bell each */
	n = call(NR_WRITE, write, (u64)m, (u64)in, 5000);
	EXPECT_EQ(n, 5000);
	EXPECT_EQ(rd(s, out, sizeof(out)), -EAGAIN);
	EXPECT_EQ(wr(m, "\n"), 1);
	n = rd(s, out, sizeof(out));
	EXPECT_EQ(n, 4096);
	EXPECT_EQ(out[4094], 'x');
	EXPECT_EQ(out[4095], '\n');
	close_pair();
}

static void output_that_nobody_takes(void)
{
	static char block[4096];
	long n, sum = 0;

	open_pair(O_NONBLOCK);
	while ((n = call(NR_WRITE, write, (u64)s, (u64)block, sizeof(block))) > 0)
		sum += n;
	EXPECT_EQ(n, -EAGAIN);
	EXPECT(sum >= 4096 && sum <= 1 << 17);
	while ((n = rd(m, block, sizeof(block))) > 0)
		sum -= n;
	EXPECT_EQ(sum, 0);
	EXPECT_EQ(wr(m, "\023"), 1);		/* ^S */
	EXPECT_EQ(wr(s, "held"), -EAGAIN);
	EXPECT_EQ(wr(m, "\021"), 1);		/* ^Q */
	EXPECT_EQ(wr(s, "free"), 4);
	EXPECT_EQ(rd(m, block, 100), 4);
	close_pair();
}

/* ---- packets, and who may open ---- */

static void packets(void)
{
	char buf[100];
	int on = 1;

	open_pair(O_NONBLOCK);
	EXPECT_EQ(ctl(s, TIOCPKT, (u64)&on), -ENOTTY);
	EXPECT_EQ(ctl(m, TIOCPKT, (u64)&on), 0);
	EXPECT_EQ(wr(s, "data"), 4);
	EXPECT_EQ(rd(m, buf, sizeof(buf)), 5);
	EXPECT(!memcmp(buf, "\0data", 5));
	EXPECT_EQ(ctl(s, TCFLSH, 2), 0);
	EXPECT_EQ(rd(m, buf, sizeof(buf)), 1);
	EXPECT_EQ(buf[0], TIOCPKT_FLUSHREAD | TIOCPKT_FLUSHWRITE);
	EXPECT_EQ(ctl(s, TCXONC, 0), 0);
	EXPECT_EQ(rd(m, buf, sizeof(buf)), 1);
	EXPECT_EQ(buf[0], TIOCPKT_STOP);
	EXPECT_EQ(ctl(s, TCXONC, 1), 0);
	EXPECT_EQ(rd(m, buf, sizeof(buf)), 1);
	EXPECT_EQ(buf[0], TIOCPKT_START);
	set_raw(1, 0);
	EXPECT_EQ(rd(m, buf, sizeof(buf)), -EAGAIN);
	close_pair();
}

static void numbers_and_exclusion(void)
{
	int m1, s1, n, unlock = 0;

	open_pair(0);
	m1 = m;
	s1 = s;
	open_pair(0);
	EXPECT_EQ(ctl(s, TIOCEXCL, 0), 0);
	EXPECT_EQ(open_at(name, O_RDWR | O_NOCTTY), -EBUSY);
	EXPECT_EQ(ctl(s, TIOCNXCL, 0), 0);
	n = (int)open_at(name, O_RDWR | O_NOCTTY);
	EXPECT(n >= 0);
	call(3, close, (u64)n);
	close_pair();
	EXPECT_EQ(open_at(name, O_RDWR | O_NOCTTY), -ENOENT);
	m = m1;
	s = s1;
	close_pair();
	/* numbers are given out again, from the lowest */
	m = (int)open_at("/dev/ptmx", O_RDWR | O_NOCTTY);
	EXPECT_EQ(ctl(m, TIOCGPTN, (u64)&n), 0);
	EXPECT_EQ(n, 0);
	EXPECT_EQ(ctl(m, TIOCSPTLCK, (u64)&unlock), 0);
	s = (int)ctl(m, TIOCGPTPEER, O_RDWR | O_NOCTTY);
	EXPECT(s >= 0);
	close_pair();
}

static void boot(void)
{
	struct task *first;

	tasks_boot(0);
	first = fake_current;
	/* the tree is made by the library kernel itself */
	fake_current = boot_task;
	if (vfs_init() || tty_init())
		abort();
	first->fs = fs_state_create();
	fake_current = first;
	first->files = files_alloc();
}

int main(void)
{
	boot();
	RUN(a_key_sends_its_signal);
	RUN(a_job_is_stopped_and_continued);
	RUN(who_reads_in_the_background_stops);
	RUN(who_writes_in_the_background_stops);
	RUN(who_ignores_SIGTTIN_reads_nothing);
	RUN(a_controlling_terminal);
	RUN(a_new_size_is_told);
	RUN(the_master_goes);
	RUN(a_hangup_ends_the_session);
	RUN(the_slave_goes);
	RUN(VMIN_and_VTIME);
	RUN(a_reader_can_be_killed);
	RUN(a_megabyte_comes_through);
	RUN(a_line_longer_than_there_is_room_for);
	RUN(output_that_nobody_takes);
	RUN(packets);
	RUN(numbers_and_exclusion);
	EXPECT(tasks_settle());
	return unit_done();
}
