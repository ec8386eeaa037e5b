// SPDX-License-Identifier: MIT
/* What this run is to do: "key=value" strings, written by tools/vm/machine.py. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tools/vm/vm.h"

const char *conf_next(const struct conf *conf, const char *key, const char *prev)
{
	const char *end = conf->items + conf->size;
	const char *s = prev ? prev + strlen(prev) + 1 : conf->items;
	size_t len = strlen(key);

	for (; s < end; s += strlen(s) + 1)
		if (!strncmp(s, key, len) && s[len] == '=')
			return s + len + 1;
	return NULL;
}

static char **conf_list(const struct conf *conf, const char *key)
{
	const char *s = NULL;
	size_t n = 0;
	char **list;

	while ((s = conf_next(conf, key, s)))
		n++;
	list = calloc(n + 1, sizeof(*list));
	if (!list)
		fail("no memory for '%s'", key);
	for (n = 0; (s = conf_next(conf, key, s)); n++)
		list[n] = (char *)s;
	return list;
}

static unsigned long conf_number(const struct conf *conf, const char *key)
{
	const char *s = conf_next(conf, key, NULL);

	return s ? strtoul(s, NULL, 10) : 0;
}

static void conf_read(struct conf *conf, const char *path)
{
	struct stat st;
	size_t got = 0;
	ssize_t n = 1;
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0 || fstat(fd, &st))
		fail("%s", path);
	conf->size = (size_t)st.st_size;
	conf->items = malloc(conf->size + 1);
	if (!conf->items)
		fail("no memory for %s", path);
	while (got < conf->size && n > 0) {
		n = read(fd, conf->items + got, conf->size - got);
		if (n > 0)
			got += (size_t)n;
	}
	close(fd);
	if (got != conf->size)
		fail("%s is cut short", path);
	/* Each string ends inside, whatever the file holds. */
	conf->items[conf->size] = 0;
}

void conf_load(struct conf *conf, const char *path)
{
	const char *s = NULL;

	memset(conf, 0, sizeof(*conf));
	conf_read(conf, path);
	conf->argv = conf_list(conf, "arg");
	conf->envp = conf_list(conf, "env");
	conf->cwd = conf_next(conf, "cwd", NULL);
	conf->release = conf_next(conf, "release", NULL);
	conf->modules = conf_next(conf, "modules", NULL);
	conf->uid = (uid_t)conf_number(conf, "uid");
	conf->gid = (gid_t)conf_number(conf, "gid");
	conf->tty = conf_number(conf, "tty");
	conf->rows = (unsigned short)conf_number(conf, "rows");
	conf->cols = (unsigned short)conf_number(conf, "cols");
	while ((s = conf_next(conf, "group", s)) && conf->nr_groups < CONF_MAX_GROUPS)
		conf->groups[conf->nr_groups++] = (gid_t)strtoul(s, NULL, 10);
	errno = 0;
	if (!conf->argv[0] || !conf->cwd)
		fail("%s names no command", path);
}
