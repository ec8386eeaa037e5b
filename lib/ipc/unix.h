/* SPDX-License-Identifier: MIT */
/*
 * AF_UNIX sockets (unix(7)).
 *
 * Life: one reference by the file (a socket that waits to be accepted: by the listener's queue), one by each peer that is connected
 * to it, one by each message it has sent that is not read yet (which also counts against its send buffer).
 *
 * Locks, outer to inner: bind_mutex > names_lock; receive_mutex (serialises receivers, held over copies to the program) > gc_lock
 * (all files in flight, unix_gc.c) > unix.lock (a spinlock; two at a time by unix_lock_two(), or a listener before what is in its queue) >
 * wait queues.
 */
#ifndef LIB_IPC_UNIX_H
#define LIB_IPC_UNIX_H

#include "ipc/scm.h"
#include "ipc/socket.h"
#include "sched/lock.h"

#define UNIX_PATH_MAX		108u
#define UNIX_ADDR_BASE		2u	/* sun_family */
#define UNIX_DGRAM_BACKLOG	10u	/* /proc/sys/net/unix/max_dgram_qlen */
#define UNIX_CHUNK		32768u	/* a stream is queued in pieces of this size, bookkeeping included */

/* A bound name; never changed, shared by the listener's children. */
struct unix_addr {
	ref_t ref;
	u32 len;		/* with the family; pathnames: with their NUL */
	u16 family;
	char path[UNIX_PATH_MAX + 1];
};

enum unix_state { UNIX_CLOSED, UNIX_LISTENING, UNIX_CONNECTED };

struct unix_sock {
	struct socket sock;	/* first */
	ref_t ref;
	struct spinlock lock;	/* guards state … accept_queue */
	enum unix_state state;
	bool dead;		/* released: nobody will read what is queued */
	u8 shut;		/* SHUT_* of this end */
	struct unix_sock *peer;	/* a reference */
	struct ucred_abi peercred;	/* SO_PEERCRED */
	struct list queue;	/* of unix_msg: what was received */
	u32 queue_len;
	u64 queue_bytes;	/* unread, for SIOCINQ */
	u32 backlog;
	struct list accept_queue;	/* listener: of unix_sock.accept_node; each entry is a reference */
	u32 nr_pending;
	struct list accept_node;
	struct unix_sock *listener;	/* while in its queue */

	struct mutex receive_mutex;
	struct mutex bind_mutex;
	struct unix_addr *addr;		/* set once, under bind_mutex and names_lock; read with load_acquire() */
	struct inode *inode;		/* bound to a pathname: its inode.socket points here; a reference; guarded by names_lock */
	struct list name_node;		/* bound to an abstract name: in the table */

	u32 wmem;			/* bytes sent and not read yet, with overhead; atomic */
	struct wait_queue peer_wait;	/* who wants to connect or send to us and found us full */
	struct wait_entry relay;	/* datagrams: on the peer's peer_wait, passes its wake-ups on to our pollers; guarded by lock */

	/* guarded by gc_lock */
	u32 inflight;			/* references by messages to our file */
	struct list inflight_node;
	u32 gc_refs;
	bool gc_candidate, gc_live;
	struct list gc_node;
};

struct unix_msg {
	struct list node;
	struct unix_sock *sender;	/* a reference */
	struct scm_files *files;	/* changed under gc_lock and the lock of the queue's socket */
	struct ucred_abi cred;
	u32 len, off;			/* bytes in all, bytes that are read */
	u32 charge;
	u8 data[];
};

static inline struct unix_sock *unix_of(struct socket *s) { return container_of(s, struct unix_sock, sock); }

/* unix.c: life, options, poll */
__must_check struct socket *unix_create(u32 type, u32 protocol);
__must_check struct unix_sock *unix_alloc(u32 type);
static inline void unix_get(struct unix_sock *u) { ref_get(&u->ref); }
void unix_put(struct unix_sock *u);
void unix_lock_two(struct unix_sock *a, struct unix_sock *b);
void unix_unlock_two(struct unix_sock *a, struct unix_sock *b);
/* unix_set_peercred() - @u's other end will see the current task's */
void unix_set_peercred(struct unix_sock *u);
/* unix_relay_stop() - u->lock held: pass no wake-ups of the peer on any more */
void unix_relay_stop(struct unix_sock *u);
bool unix_queue_full(const struct unix_sock *u);
bool unix_writable(const struct unix_sock *u);
/* unix_peer_get() - with a reference, or NULL */
struct unix_sock *unix_peer_get(struct unix_sock *u);

/* unix_name.c */
int unix_bind(struct socket *s, const struct sockaddr_any *addr);
int unix_autobind(struct unix_sock *u);
void unix_unbind(struct unix_sock *u);
void unix_addr_put(struct unix_addr *a);
/* unix_find() - who is bound to @addr. Return: a reference, or ERR_PTR(-ECONNREFUSED, -EPROTOTYPE, -EACCES, -ENOENT, …) */
__must_check struct unix_sock *unix_find(const struct sockaddr_any *addr, u32 type);
int unix_getname(struct socket *s, struct sockaddr_any *addr, bool peer);
/* unix_addr_copy() - the name of @u, or just the family; unix_sender_copy(): for recvfrom(2), where one without a name has no address */
void unix_addr_copy(struct sockaddr_any *to, const struct unix_sock *u);
void unix_sender_copy(struct sockaddr_any *to, const struct unix_sock *u);
int unix_check_addr(const struct sockaddr_any *addr);

/* unix_connect.c */
int unix_stream_connect(struct socket *s, const struct sockaddr_any *addr, bool nonblock);
int unix_dgram_connect(struct socket *s, const struct sockaddr_any *addr, bool nonblock);
int unix_listen(struct socket *s, u32 backlog);
struct socket *unix_accept(struct socket *s, bool nonblock);
int unix_pair(struct socket *a, struct socket *b);
/* unix_dgram_disconnected() - @u's link to @old is no more: what is queued is from a stranger now */
void unix_dgram_disconnected(struct unix_sock *u, struct unix_sock *old);
/* unix_wait_for_peer() - until @other is not full. Return: 0 (look again), -EAGAIN at the deadline, or interrupted */
int unix_wait_for_peer(struct unix_sock *other, s64 deadline);

/* unix_msg.c: queues and buffers */
/* unix_msg_alloc() - waits for room in the send buffer. Return: a message, or ERR_PTR(-EAGAIN, -EPIPE, -ENOMEM, …) */
__must_check struct unix_msg *unix_msg_alloc(struct unix_sock *u, size_t len, const struct sock_msg *m, s64 deadline);
void unix_msg_free(struct unix_msg *msg);
/*
 * unix_queue_lock() - @to->lock, and gc_lock around it when files travel
 * Return: what unix_queue_unlock() wants to know: the message may be read and gone by the time of the unlock.
 */
__must_check bool unix_queue_lock(struct unix_sock *to, const struct unix_msg *msg);
void unix_queue_unlock(struct unix_sock *to, bool files);
/* unix_queue_add() - locked: append. Return: 0 or -ETOOMANYREFS */
__must_check int unix_queue_add(struct unix_sock *to, struct unix_msg *msg);
/* unix_queue_purge() - drop all that is queued */
void unix_queue_purge(struct unix_sock *u);
/* unix_queue_tell() - after unlocking: @to has something to read */
void unix_queue_tell(struct unix_sock *to);
/* unix_wait_readable() - until @u's queue has something, is shut, has an error; nothing locked. Return: 0, -EAGAIN, interrupted */
int unix_wait_readable(struct unix_sock *u, s64 deadline);

ssize_t unix_stream_send(struct socket *s, struct sock_msg *m);
ssize_t unix_stream_receive(struct socket *s, struct sock_msg *m);
ssize_t unix_dgram_send(struct socket *s, struct sock_msg *m);
ssize_t unix_dgram_receive(struct socket *s, struct sock_msg *m);

/* unix_gc.c: files in flight */
extern struct mutex unix_gc_lock;
/* unix_inflight_add() - gc_lock held. Return: 0 or -ETOOMANYREFS. _sub: they leave the queue */
__must_check int unix_inflight_add(struct scm_files *fp);
void unix_inflight_sub(struct scm_files *fp);
/* unix_inflight_added() - gc_lock held and no other: what unix_inflight_add() could not do under a spinlock */
void unix_inflight_added(void);
/* unix_gc() - find sockets that only messages in their own circle refer to, and let go of those. No locks held. */
void unix_gc(void);
/* unix_gc_if_needed() - after a socket ended; unix_gc_soon(): when the descriptor that is being closed now is gone */
void unix_gc_if_needed(void);
void unix_gc_soon(struct unix_sock *u);

#endif
