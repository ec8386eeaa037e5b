// SPDX-License-Identifier: MIT
#include "north/linux/trace.h"

#include "base/printf.h"
#include "base/string.h"
#include "mm/kmalloc.h"
#include "mm/uaccess.h"
#include "north/linux/syscall.h"
#include "process/task.h"
#include "south/south.h"

#define NR_execve	59
#define NR_exit		60
#define NR_exit_group	231
#define NR_execveat	322

/* The longest text of a string argument. */
#define TRACE_STRING	48

bool trace_before(u64 nr)
{
	return nr == NR_execve || nr == NR_exit || nr == NR_exit_group || nr == NR_execveat;
}

static int put_string(char *buf, size_t size, u64 addr)
{
	char text[TRACE_STRING + 1];
	size_t n = 0, got;
	int len = 0;

	if (!addr)
		return scnprintf(buf, size, "NULL");
	got = copy_from_user_partial(text, addr, TRACE_STRING);
	if (!got)
		return scnprintf(buf, size, "%#llx", (unsigned long long)addr);
	len += scnprintf(buf, size, "\"");
	for (; n < got && text[n]; n++) {
		u8 c = (u8)text[n];

		if (c == '"' || c == '\\')
			len += scnprintf(buf + len, size - len, "\\%c", c);
		else if (c == '\n')
			len += scnprintf(buf + len, size - len, "\\n");
		else if (c < 32 || c > 126)	/* a terminal must not see what a program chose */
			len += scnprintf(buf + len, size - len, "\\%o", c);
		else
			len += scnprintf(buf + len, size - len, "%c", c);
	}
	return len + scnprintf(buf + len, size - len, n == TRACE_STRING ? "\"..." : "\"");
}

static int put_arg(char *buf, size_t size, char kind, u64 v)
{
	switch (kind) {
	case 'f':
		if ((s32)v == -100)
			return scnprintf(buf, size, "AT_FDCWD");
		fallthrough;
	case 'd':
	case 'S':
		return scnprintf(buf, size, "%d", (s32)v);
	case 'u':
		return scnprintf(buf, size, "%llu", (unsigned long long)v);
	case 'l':
		return scnprintf(buf, size, "%lld", (long long)v);
	case 'o':
		return scnprintf(buf, size, "%#llo", (unsigned long long)v);
	case 's':
		return put_string(buf, size, v);
	case 'p':
		if (!v)
			return scnprintf(buf, size, "NULL");
		fallthrough;
	default:
		return scnprintf(buf, size, "%#llx", (unsigned long long)v);
	}
}

void trace_call(const struct syscall_def *def, u64 nr, const u64 *args, const long *ret)
{
	char line[480];
	const char *kinds = def ? def->args : "xxxxxx";
	int n = scnprintf(line, sizeof(line), "[%d] ", current->tid);

	if (def)
		n += scnprintf(line + n, sizeof(line) - n, "%s(", def->name);
	else
		n += scnprintf(line + n, sizeof(line) - n, "syscall_%llu(", (unsigned long long)nr);
	for (u32 i = 0; i < 6 && kinds[i]; i++) {
		if (kinds[i] == '-')
			continue;
		if (i)
			n += scnprintf(line + n, sizeof(line) - n, ", ");
		n += put_arg(line + n, sizeof(line) - n, kinds[i], args[i]);
	}
	if (!ret)
		n += scnprintf(line + n, sizeof(line) - n, ") ...");
	else if (*ret < 0 && *ret >= -MAX_ERRNO)
		n += scnprintf(line + n, sizeof(line) - n, ") = -1 (errno %ld)", -*ret);
	else if (*ret > 0xffff || *ret < 0)
		n += scnprintf(line + n, sizeof(line) - n, ") = %#lx", *ret);
	else
		n += scnprintf(line + n, sizeof(line) - n, ") = %ld", *ret);
	kprint("%s", line);
}

int stats_init(void)
{
	syscall_counts = kcalloc(SYSCALL_TABLE_SIZE, sizeof(*syscall_counts));
	return syscall_counts ? 0 : -ENOMEM;
}

static void stats_line(bool json, const char *name, u64 calls, u64 errors)
{
	if (json)
		kprint("{\"call\":\"%s\",\"calls\":%llu,\"errors\":%llu}", name, (unsigned long long)calls,
		       (unsigned long long)errors);
	else
		kprint("%10llu %8llu %s", (unsigned long long)calls, (unsigned long long)errors, name);
}

static void stats_of_machine(void *json, const char *name, u64 n)
{
	if (*(bool *)json)
		kprint("{\"machine\":\"%s\",\"count\":%llu}", name, (unsigned long long)n);
	else
		kprint("%10llu %8s %s", (unsigned long long)n, "", name);
}

void stats_print(bool json)
{
	if (!syscall_counts)
		return;
	if (!json)
		kprint("%10s %8s %s", "calls", "errors", "system call");
	for (u32 nr = 0; nr < SYSCALL_TABLE_SIZE; nr++) {
		char name[24];

		if (!syscall_counts[nr].calls)
			continue;
		scnprintf(name, sizeof(name), "syscall_%u", nr);
		stats_line(json, syscall_defs[nr].name ? syscall_defs[nr].name : name, syscall_counts[nr].calls,
			   syscall_defs[nr].fn ? syscall_counts[nr].errors : syscall_counts[nr].calls);
	}
	stats_line(json, "(not there: ENOSYS)", syscall_unknown_count(), syscall_unknown_count());
	if (machine->stats)
		machine->stats(stats_of_machine, &json);
}
