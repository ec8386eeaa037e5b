// SPDX-License-Identifier: MIT
/* --list-souths: which kinds of host work here, and if not, why. */
#include "exec.h"

#include <errno.h>
#include <linux/seccomp.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "lib/south/host/calls.h"
#include "sandbox.h"

/* The kernel under us is a library kernel. It says so to anybody: nothing to rely on but for a message. */
static bool inside_litebox(void)
{
	static const char mark[] = "-litebox";
	struct utsname u;
	size_t len;

	if (uname(&u))
		return false;
	len = strlen(u.release);
	return len >= strlen(mark) && !strcmp(u.release + len - strlen(mark), mark);
}

bool south_host_works(char *why, size_t size)
{
	uint32_t action = SECCOMP_RET_TRAP;

	if (inside_litebox()) {
		snprintf(why, size, "this is inside a sandbox of litebox already, where no second one can be made: "
			 "run the program without lbx-exec");
		return false;
	}
	if (syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &action)) {
		snprintf(why, size, "no seccomp filters here (%s): CONFIG_SECCOMP_FILTER", strerror(errno));
		return false;
	}
	return true;
}

void souths_print_calls(bool json)
{
	unsigned int calls = 0;
	int last = -1;

	for (uint32_t i = 0; i < host_nr_rules; i++) {
		if (host_rules[i].nr != last)
			calls++;
		last = host_rules[i].nr;
	}
	if (!json)
		printf("  %u host system calls stay open to a sealed sandbox:\n", calls);
	for (uint32_t i = 0; i < host_nr_rules; i++)
		if (json)
			printf("%s{\"nr\":%u,\"call\":\"%s\",\"rule\":\"%s\"}", i ? "," : "", host_rules[i].nr, host_rules[i].name,
			       host_rules[i].text);
		else
			printf("  %5u %-16s %s\n", host_rules[i].nr, host_rules[i].name, host_rules[i].text);
}

int souths_list(const struct options *o)
{
	static const char *const others[] = { "kmod", "kvm", "lvbs", "snp", "windows" };
	char why[256] = "";
	bool works = south_host_works(why, sizeof(why));

	if (o->json) {
		printf("{\"souths\":[{\"name\":\"host\",\"works\":%s,\"why\":\"%s\",\"calls\":[", works ? "true" : "false", why);
		souths_print_calls(true);
		printf("]}");
		for (size_t i = 0; i < sizeof(others) / sizeof(*others); i++)
			printf(",{\"name\":\"%s\",\"works\":false,\"why\":\"not built yet\"}", others[i]);
		printf("]}\n");
		return 0;
	}
	printf("host     %s\n", works ? "works: a seccomp filter between the sandbox and this kernel" : why);
	if (o->verbose) {
		souths_print_calls(false);
		isolate_print();
		(void)cgroup_state(o, why, sizeof(why));
		printf("  control group with limits (cgroup v2; set with --mem, --cpus or --procs): %s\n", why);
	}
	for (size_t i = 0; i < sizeof(others) / sizeof(*others); i++)
		printf("%-8s not built yet\n", others[i]);
	return 0;
}
