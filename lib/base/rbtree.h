/* SPDX-License-Identifier: MIT */
/*
 * Red-black trees, intrusive. The caller walks down itself, links the new node and rebalances:
 *
 *	struct rb_node **link = &root->node, *parent = NULL;
 *	while (*link) { parent = *link; link = less ? &parent->left : &parent->right; }
 *	rb_insert(root, &new->rb, parent, link);
 */
#ifndef LIB_BASE_RBTREE_H
#define LIB_BASE_RBTREE_H

#include "base/types.h"

struct rb_node {
	struct rb_node *parent, *left, *right;
	bool red;
};

struct rb_root {
	struct rb_node *node;
};

#define RB_ROOT			{ NULL }
#define rb_entry(ptr, type, member)	container_of(ptr, type, member)

void rb_insert(struct rb_root *root, struct rb_node *n, struct rb_node *parent, struct rb_node **link);
void rb_erase(struct rb_root *root, struct rb_node *n);
struct rb_node *rb_first(const struct rb_root *root);
struct rb_node *rb_last(const struct rb_root *root);
struct rb_node *rb_next(const struct rb_node *n);
struct rb_node *rb_prev(const struct rb_node *n);

#endif
