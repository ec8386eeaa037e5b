/* SPDX-License-Identifier: MIT */
/* Circular doubly linked lists, intrusive. A head is a node of its own. */
#ifndef LIB_BASE_LIST_H
#define LIB_BASE_LIST_H

#include "base/types.h"

struct list {
	struct list *next, *prev;
};

#define LIST_INIT(name)		{ &(name), &(name) }
#define LIST_HEAD(name)		struct list name = LIST_INIT(name)

static inline void list_init(struct list *l) { l->next = l->prev = l; }
static inline bool list_empty(const struct list *l) { return READ_ONCE(l->next) == l; }

static inline void list_insert_between(struct list *n, struct list *prev, struct list *next)
{
	n->prev = prev;
	n->next = next;
	prev->next = n;
	next->prev = n;
}

/* list_add() - put @n first; list_add_tail() - put @n last (or just before node @l) */
static inline void list_add(struct list *n, struct list *l) { list_insert_between(n, l, l->next); }
static inline void list_add_tail(struct list *n, struct list *l) { list_insert_between(n, l->prev, l); }

/* list_del() - take @n out; @n is an empty list afterwards, so a second list_del() does nothing */
static inline void list_del(struct list *n)
{
	n->prev->next = n->next;
	n->next->prev = n->prev;
	list_init(n);
}

static inline void list_move_tail(struct list *n, struct list *l)
{
	list_del(n);
	list_add_tail(n, l);
}

/* list_splice_tail() - append all of @from to @to; @from is empty afterwards */
static inline void list_splice_tail(struct list *from, struct list *to)
{
	if (list_empty(from))
		return;
	from->next->prev = to->prev;
	to->prev->next = from->next;
	from->prev->next = to;
	to->prev = from->prev;
	list_init(from);
}

#define list_entry(ptr, type, member)	container_of(ptr, type, member)
#define list_first(l, type, member)	list_entry((l)->next, type, member)
#define list_last(l, type, member)	list_entry((l)->prev, type, member)
#define list_first_or_null(l, type, member) \
	(list_empty(l) ? NULL : list_first(l, type, member))
#define list_next(pos, member)		list_entry((pos)->member.next, typeof(*(pos)), member)

#define list_for_each(pos, l, member) \
	for (pos = list_first(l, typeof(*pos), member); &pos->member != (l); pos = list_next(pos, member))
#define list_for_each_safe(pos, tmp, l, member) \
	for (pos = list_first(l, typeof(*pos), member), tmp = list_next(pos, member); \
	     &pos->member != (l); pos = tmp, tmp = list_next(tmp, member))
#define list_for_each_reverse(pos, l, member) \
	for (pos = list_last(l, typeof(*pos), member); &pos->member != (l); \
	     pos = list_entry(pos->member.prev, typeof(*pos), member))

#endif
