#!/bin/bash
# SPDX-License-Identifier: MIT
# busybox (Debian's dynamic or static one), and a static program with musl.
. "$(dirname "$0")/lib.sh"

if need busybox "busybox or busybox-static" busybox; then
	cat >"$tmp/bb.sh" <<'END'
B=$(command -v busybox)
for a in sh ls cat; do $B $a --help 2>&1 | grep -c Usage; done
$B seq 1000 | $B sort -rn | $B head -3; $B seq 100 | $B awk '{ s += $1 } END { print s }'; echo hello | $B sed s/l/L/g | $B tr a-z A-Z; $B printf '%05d\n' 42; $B expr 6 \* 7
$B mkdir -p d/e; for i in 1 2 3; do echo $i >d/e/$i; done; $B ln -s e d/l; $B find d | $B sort
$B tar -cf t.tar d; $B tar -tf t.tar | $B wc -l; $B gzip -c t.tar | $B gunzip | $B cmp - t.tar && echo same; $B rm t.tar
$B stat -c '%a %s %F' d/e/1 d/l; $B md5sum d/e/1; $B sha256sum d/e/2; $B dd if=/dev/zero bs=1000 count=7 2>/dev/null | $B wc -c
(sleep 0.1; exit 4) & wait $!; echo $?; f() { local x=1; return 3; }; f; echo $?; x=abcdef; echo ${x#abc} ${#x}
$B cat <<H
here $((2 * 21))
H
trap 'echo trapped' USR1; kill -USR1 $$; $B timeout 1 $B sleep 5 2>/dev/null; echo "timeout $?"
$B seq 5 | $B xargs -n 2 echo; $B grep -n 2 d/e/*; $B cp -r d copy; $B diff -r d copy && echo copied; $B mv copy moved; $B ls moved
$B cut -d: -f1 /etc/passwd | $B head -1; $B date -u -d @0 +%F; $B uname -s; $B od -c d/e/1; $B tail -c 2 d/e/3; $B test -x $B && echo x
$B env -i A=b $B env; $B yes | $B head -n 100000 | $B md5sum; $B mkfifo p; $B echo through >p & $B cat p; wait; exit 9
END
	setup() { cp "$tmp/bb.sh" .; }
	want=9 same "busybox" 60 sh 'exec busybox sh bb.sh'
fi

if ! command -v musl-gcc >/dev/null; then
	skip "static musl program" "package musl-tools"
	finish
fi
cat >"$tmp/m.c" <<'END'
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
extern char **environ;
static pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t c = PTHREAD_COND_INITIALIZER;
static int n, p[2];
static __thread int tls = 5;
static void *work(void *a) { for (int i = 0; i < 10000; i++) { pthread_mutex_lock(&m); n++; pthread_mutex_unlock(&m); } tls = 6; return a; }
static void *blocked(void *a) { char b; pthread_cleanup_push((void (*)(void *))puts, "cleanup"); read(p[0], &b, 1); pthread_cleanup_pop(0); return a; }
static void *waits(void *a) { pthread_mutex_lock(&m); while (n) pthread_cond_wait(&c, &m); pthread_mutex_unlock(&m); return a; }
static void handler(int s) { write(1, s == SIGUSR1 ? "usr1\n" : "?\n", s == SIGUSR1 ? 5 : 2); }
int main(int argc, char **argv)
{
	pthread_t t[8]; void *r; pid_t pid; int st; char buf[64], *av[] = { "sh", "-c", "echo spawned; exit 3", 0 }, *bad[] = { "x", 0 };
	setvbuf(stdout, 0, _IONBF, 0); printf("%d args, %s\n", argc, argv[1]); pipe(p);
	for (int i = 0; i < 8; i++) pthread_create(&t[i], 0, work, 0);
	for (int i = 0; i < 8; i++) pthread_join(t[i], 0);
	printf("%d %d\n", n, tls);
	pthread_create(&t[0], 0, waits, 0); usleep(10000); pthread_mutex_lock(&m); n = 0; pthread_cond_broadcast(&c); pthread_mutex_unlock(&m); pthread_join(t[0], 0);
	for (int i = 0; i < 20; i++) { pthread_create(&t[0], 0, blocked, 0); usleep(i * 500); pthread_cancel(t[0]); pthread_join(t[0], &r); if (r != PTHREAD_CANCELED) puts("not canceled"); }
	signal(SIGUSR1, handler); raise(SIGUSR1);
	if (!(pid = fork())) { puts("child"); _exit(7); } waitpid(pid, &st, 0); printf("%d\n", WEXITSTATUS(st));
	st = posix_spawn(&pid, "/bin/sh", 0, 0, av, environ); n = st; waitpid(pid, &st, 0); printf("%s %d\n", strerror(n), WEXITSTATUS(st));
	printf("%s\n", strerror(posix_spawn(&pid, "/nonexistent", 0, 0, bad, environ))); printf("%d\n", system("exit 4") >> 8);
	FILE *f = popen("tr a-z A-Z <<X\npopen\nX", "r"); fgets(buf, 64, f); printf("%s%d\n", buf, pclose(f));
	f = fopen("file", "w+"); for (int i = 0; i < 1000; i++) fprintf(f, "%d\n", i); rewind(f); long s = 0; int x; while (fscanf(f, "%d", &x) == 1) s += x; fclose(f); printf("%ld\n", s);
	char *big[200]; for (int i = 0; i < 200; i++) { big[i] = malloc(i * 3000 + 1); memset(big[i], i, i * 3000 + 1); } for (int i = 0; i < 200; i += 2) free(big[i]); for (int i = 0; i < 200; i += 2) big[i] = calloc(1, 5000); printf("%d %d\n", big[199][5], big[10][4999]);
	struct timespec ts; printf("%d\n", clock_gettime(CLOCK_MONOTONIC, &ts)); errno = 0; printf("%d %s\n", open("nope", O_RDONLY), strerror(errno)); if (!(pid = fork())) { execlp("sh", "sh", "-c", "kill -SEGV $$", (char *)0); } waitpid(pid, &st, 0); printf("%d\n", WTERMSIG(st)); return 11;
}
END
musl-gcc -static -O1 -w -o "$tmp/m" "$tmp/m.c" >"$tmp/log" 2>&1 || { echo "Bail out! $(tail -1 "$tmp/log")"; exit 1; }
setup() { cp "$tmp/m" .; }
want=11 same "static musl program" 30 sh 'exec ./m argument'
finish
