// SPDX-License-Identifier: MIT
/*
 * The server as a whole: made from exports, given channels, stopped, freed when the last of its
 * threads has left. A thread that hangs in the host's file system keeps the server alive behind the
 * caller's back, so that b9p_destroy() never waits for it.
 */
#define _GNU_SOURCE
#include "server.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define STACK_BYTES	(512u * 1024)	/* untouched pages cost nothing; sanitizers need the room */
#define CAP(n)		(1ull << (n))

static void limits_fill(struct b9p_limits *l)
{
	struct rlimit rl;
	uint32_t files = 65536;

	if (!getrlimit(RLIMIT_NOFILE, &rl) && rl.rlim_cur < files + 128)
		files = rl.rlim_cur > 192 ? (uint32_t)rl.rlim_cur - 128 : 64;
	if (!l->max_channels)
		l->max_channels = 64;
	if (!l->max_fids)
		l->max_fids = 16384;
	if (!l->max_files)
		l->max_files = files;
	if (!l->max_xattr)
		l->max_xattr = 262144;
	if (!l->max_log)
		l->max_log = 10000;
	if (!l->msize || l->msize > B9P_MSIZE_MAX)
		l->msize = B9P_MSIZE_MAX;
	if (l->msize < B9P_MSIZE_MIN)
		l->msize = B9P_MSIZE_MIN;
}

static int export_init(struct export *ex, const struct b9p_export *from)
{
	size_t len = from->name ? strlen(from->name) : 0;
	struct stat st;
	int ret;

	if (!len || len >= B9P_NAME_CAP ||
	    from->flags & ~(B9P_EXPORT_RW | B9P_EXPORT_ROOT_RIGHTS | B9P_EXPORT_GUARD) ||
	    (from->flags & B9P_EXPORT_RW && from->flags & B9P_EXPORT_GUARD))
		return -EINVAL;
	if (fstat(from->fd, &st))
		return -errno;
	if (!S_ISDIR(st.st_mode) && !S_ISREG(st.st_mode))
		return -EINVAL;
	ret = fs_check(from->fd);
	if (ret)
		return ret;
	ex->writable = from->flags & B9P_EXPORT_RW;
	ex->guard = from->flags & B9P_EXPORT_GUARD;
	ex->dev = st.st_dev;
	ex->type = st.st_mode & S_IFMT;
	if (from->flags & B9P_EXPORT_ROOT_RIGHTS && geteuid() == 0)
		ex->caps = CAP(CAP_DAC_READ_SEARCH) |
			   (ex->writable ? CAP(CAP_DAC_OVERRIDE) | CAP(CAP_FOWNER) : 0);
	ex->name = strdup(from->name);
	if (!ex->name)
		return -ENOMEM;
	ex->fd = fcntl(from->fd, F_DUPFD_CLOEXEC, 0);
	return ex->fd < 0 ? -errno : 0;
}

static void server_free(struct b9p *b)
{
	for (size_t i = 0; b->exports && i < b->nr_exports; i++) {
		free(b->exports[i].name);
		free(b->exports[i].guards);
		if (b->exports[i].fd >= 0)
			close(b->exports[i].fd);
	}
	free(b->exports);
	if (b->procfd >= 0)
		close(b->procfd);
	if (b->stopfd >= 0)
		close(b->stopfd);
	pthread_cond_destroy(&b->ended);
	pthread_mutex_destroy(&b->lock);
	free(b);
}

static int exports_init(struct b9p *b, const struct b9p_config *config)
{
	int ret;

	b->exports = calloc(config->nr_exports ? config->nr_exports : 1, sizeof(*b->exports));
	if (!b->exports)
		return -ENOMEM;
	for (size_t i = 0; i < config->nr_exports; i++) {
		b->exports[i].fd = -1;
		b->nr_exports = i + 1;
		ret = export_init(&b->exports[i], &config->exports[i]);
		if (ret)
			return ret;
		for (size_t j = 0; j < i; j++) {
			if (!strcmp(b->exports[j].name, b->exports[i].name))
				return -EINVAL;
		}
	}
	return 0;
}

int b9p_create(const struct b9p_config *config, struct b9p **out)
{
	struct b9p *b = calloc(1, sizeof(*b));
	pthread_condattr_t attr;
	int ret;

	if (!b)
		return -ENOMEM;
	b->procfd = -1;
	b->stopfd = -1;
	b->refs = 1;
	atomic_init(&b->log, config->log);
	b->log_arg = config->log_arg;
	b->limits = config->limits;
	limits_fill(&b->limits);
	pthread_mutex_init(&b->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&b->ended, &attr);
	pthread_condattr_destroy(&attr);
	b->stopfd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	b->procfd = open("/proc/self/fd", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (b->stopfd < 0 || b->procfd < 0) {
		ret = -errno;
		goto err_free;
	}
	ret = exports_init(b, config);
	if (!ret)
		ret = guards_init(b);
	if (ret)
		goto err_free;
	umask(0);
	*out = b;
	return 0;

err_free:
	server_free(b);
	return ret;
}

/* Every signal that can be kept away: SIGPIPE, SIGXFSZ and the like become errnos. */
static int thread_start(struct channel *ch)
{
	sigset_t all, old;
	pthread_attr_t attr;
	pthread_t thread;
	int ret;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, STACK_BYTES);
	pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	ret = pthread_create(&thread, &attr, channel_thread, ch);
	pthread_attr_destroy(&attr);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	return -ret;
}

static int channel_link(struct channel *ch)
{
	struct b9p *b = ch->b;
	int ret = 0;

	pthread_mutex_lock(&b->lock);
	if (b->stopping) {
		ret = -ESHUTDOWN;
	} else if (b->nr_channels >= b->limits.max_channels) {
		ret = -ENFILE;
	} else {
		ch->nr = b->next_nr++;
		ch->next = b->channels;
		ch->link = &b->channels;
		if (ch->next)
			ch->next->link = &ch->next;
		b->channels = ch;
		b->nr_channels++;
		b->refs++;
		ret = (int)(ch->nr & 0x7fffffff);
	}
	pthread_mutex_unlock(&b->lock);
	return ret;
}

/* True when that was the last reference. */
static bool channel_unlink(struct channel *ch)
{
	struct b9p *b = ch->b;
	bool last;

	pthread_mutex_lock(&b->lock);
	*ch->link = ch->next;
	if (ch->next)
		ch->next->link = ch->link;
	b->nr_channels--;
	last = --b->refs == 0;
	pthread_cond_broadcast(&b->ended);
	pthread_mutex_unlock(&b->lock);
	return last;
}

void b9p_channel_ended(struct channel *ch)
{
	struct b9p *b = ch->b;

	pthread_mutex_lock(&b->lock);	/* b9p_stop() shuts down ch->rfd under it */
	if (ch->rfd != ch->wfd)
		close(ch->wfd);
	close(ch->rfd);
	ch->rfd = -1;
	ch->wfd = -1;
	pthread_mutex_unlock(&b->lock);
	channel_exit(ch);
	if (channel_unlink(ch))
		server_free(b);
	free(ch);
}

int b9p_add_channel(struct b9p *b, int rfd, int wfd, uint32_t flags)
{
	struct channel *ch = NULL;
	int ret = -EINVAL, nr;

	if (flags & ~B9P_CHANNEL_STREAM)
		goto err_close;
	ret = -ENOMEM;
	ch = calloc(1, sizeof(*ch));
	if (!ch)
		goto err_close;
	ret = channel_init(ch, b, rfd, wfd, flags);
	if (ret)
		goto err_exit;
	ret = nr = channel_link(ch);
	if (ret < 0)
		goto err_exit;
	ret = thread_start(ch);
	if (ret)
		goto err_unlink;
	return nr;

err_unlink:
	(void)channel_unlink(ch);	/* never the last: the caller holds the server */
err_exit:
	channel_exit(ch);
err_close:
	if (rfd != wfd)
		close(wfd);
	close(rfd);
	free(ch);
	return ret;
}

int b9p_stop(struct b9p *b, int timeout_ms)
{
	struct timespec until;
	uint64_t one = 1;
	int ret = 0, left;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += timeout_ms / 1000;
	until.tv_nsec += (long)(timeout_ms % 1000) * 1000000;
	if (until.tv_nsec >= 1000000000) {
		until.tv_nsec -= 1000000000;
		until.tv_sec++;
	}
	pthread_mutex_lock(&b->lock);
	b->stopping = true;
	if (write(b->stopfd, &one, sizeof(one)) < 0 && errno != EAGAIN)
		ret = -errno;	/* cannot be: the counter is far from full */
	for (struct channel *ch = b->channels; ch; ch = ch->next) {
		if (ch->rfd >= 0) {
			(void)shutdown(ch->rfd, SHUT_RDWR);
			(void)shutdown(ch->wfd, SHUT_RDWR);
		}
	}
	while (b->nr_channels && !ret) {
		if (timeout_ms < 0)
			pthread_cond_wait(&b->ended, &b->lock);
		else if (pthread_cond_timedwait(&b->ended, &b->lock, &until))
			break;
	}
	left = (int)b->nr_channels;
	pthread_mutex_unlock(&b->lock);
	return ret ? ret : left;
}

void b9p_destroy(struct b9p *b)
{
	bool last;

	if (!b)
		return;
	(void)b9p_stop(b, 200);
	pthread_mutex_lock(&b->lock);
	last = --b->refs == 0;
	atomic_store(&b->log, NULL);	/* whoever is stuck must not call into a caller that moved on */
	pthread_mutex_unlock(&b->lock);
	if (last)
		server_free(b);
}

void b9p_counters(struct b9p *b, struct b9p_counters *out)
{
	*out = (struct b9p_counters){
		.requests = atomic_load(&b->requests),
		.errors = atomic_load(&b->errors),
		.malformed = atomic_load(&b->malformed),
		.refused = atomic_load(&b->refused),
		.bytes_read = atomic_load(&b->bytes_read),
		.bytes_written = atomic_load(&b->bytes_written),
		.grants = atomic_load(&b->grants),
		.fids = atomic_load(&b->fids),
		.files = atomic_load(&b->files),
		.files_peak = atomic_load(&b->files_peak),
	};
	pthread_mutex_lock(&b->lock);
	out->channels = b->nr_channels;
	pthread_mutex_unlock(&b->lock);
}
