// SPDX-License-Identifier: MIT
/* Red-black trees after Cormen, Leiserson, Rivest, Stein: Introduction to Algorithms, chapter 13, with NULL leaves. */
#include "base/rbtree.h"

static void replace_child(struct rb_root *root, struct rb_node *old, struct rb_node *new)
{
	if (!old->parent)
		root->node = new;
	else if (old->parent->left == old)
		old->parent->left = new;
	else
		old->parent->right = new;
	if (new)
		new->parent = old->parent;
}

static void rotate_left(struct rb_root *root, struct rb_node *x)
{
	struct rb_node *y = x->right;

	x->right = y->left;
	if (y->left)
		y->left->parent = x;
	replace_child(root, x, y);
	y->left = x;
	x->parent = y;
}

static void rotate_right(struct rb_root *root, struct rb_node *x)
{
	struct rb_node *y = x->left;

	x->left = y->right;
	if (y->right)
		y->right->parent = x;
	replace_child(root, x, y);
	y->right = x;
	x->parent = y;
}

void rb_insert(struct rb_root *root, struct rb_node *n, struct rb_node *parent, struct rb_node **link)
{
	n->parent = parent;
	n->left = n->right = NULL;
	n->red = true;
	*link = n;

	while ((parent = n->parent) && parent->red) {
		struct rb_node *grand = parent->parent;
		struct rb_node *uncle = parent == grand->left ? grand->right : grand->left;

		if (uncle && uncle->red) {
			parent->red = uncle->red = false;
			grand->red = true;
			n = grand;
			continue;
		}
		if (parent == grand->left) {
			if (n == parent->right) {
				rotate_left(root, parent);
				swap(n, parent);
			}
			rotate_right(root, grand);
		} else {
			if (n == parent->left) {
				rotate_right(root, parent);
				swap(n, parent);
			}
			rotate_left(root, grand);
		}
		parent->red = false;
		grand->red = true;
		break;
	}
	root->node->red = false;
}

/* @x (maybe NULL) below @parent lacks one black node */
static void erase_fixup(struct rb_root *root, struct rb_node *x, struct rb_node *parent)
{
	while (x != root->node && (!x || !x->red)) {
		bool left = x == parent->left;
		struct rb_node *w = left ? parent->right : parent->left;
		struct rb_node *near, *far;

		if (w->red) {
			w->red = false;
			parent->red = true;
			if (left)
				rotate_left(root, parent);
			else
				rotate_right(root, parent);
			w = left ? parent->right : parent->left;
		}
		near = left ? w->left : w->right;
		far = left ? w->right : w->left;
		if ((!near || !near->red) && (!far || !far->red)) {
			w->red = true;
			x = parent;
			parent = x->parent;
			continue;
		}
		if (!far || !far->red) {
			near->red = false;
			w->red = true;
			if (left)
				rotate_right(root, w);
			else
				rotate_left(root, w);
			w = left ? parent->right : parent->left;
			far = left ? w->right : w->left;
		}
		w->red = parent->red;
		parent->red = false;
		far->red = false;
		if (left)
			rotate_left(root, parent);
		else
			rotate_right(root, parent);
		x = root->node;
	}
	if (x)
		x->red = false;
}

void rb_erase(struct rb_root *root, struct rb_node *n)
{
	struct rb_node *child, *parent;
	bool was_red = n->red;

	if (!n->left || !n->right) {
		child = n->left ? n->left : n->right;
		parent = n->parent;
		replace_child(root, n, child);
	} else {
		struct rb_node *next = n->right;

		while (next->left)
			next = next->left;
		was_red = next->red;
		child = next->right;
		if (next->parent == n) {
			parent = next;
		} else {
			parent = next->parent;
			replace_child(root, next, child);
			next->right = n->right;
			next->right->parent = next;
		}
		replace_child(root, n, next);
		next->left = n->left;
		next->left->parent = next;
		next->red = n->red;
	}
	if (!was_red)
		erase_fixup(root, child, parent);
}

struct rb_node *rb_first(const struct rb_root *root)
{
	struct rb_node *n = root->node;

	while (n && n->left)
		n = n->left;
	return n;
}

struct rb_node *rb_last(const struct rb_root *root)
{
	struct rb_node *n = root->node;

	while (n && n->right)
		n = n->right;
	return n;
}

struct rb_node *rb_next(const struct rb_node *n)
{
	if (n->right) {
		n = n->right;
		while (n->left)
			n = n->left;
		return (struct rb_node *)n;
	}
	while (n->parent && n == n->parent->right)
		n = n->parent;
	return n->parent;
}

struct rb_node *rb_prev(const struct rb_node *n)
{
	if (n->left) {
		n = n->left;
		while (n->right)
			n = n->right;
		return (struct rb_node *)n;
	}
	while (n->parent && n == n->parent->left)
		n = n->parent;
	return n->parent;
}
