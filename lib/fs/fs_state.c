// SPDX-License-Identifier: MIT
#include "fs/fs_state.h"

#include "mm/kmalloc.h"

static struct fs_state *fs_state_alloc(void)
{
	struct fs_state *fs = kzalloc(sizeof(*fs));

	if (!fs)
		return NULL;
	ref_init(&fs->ref);
	spin_init(&fs->lock);
	fs->umask = 022;
	return fs;
}

struct fs_state *fs_state_create(void)
{
	struct fs_state *fs = fs_state_alloc();

	if (!fs)
		return NULL;
	root_path(&fs->root);
	fs->cwd = fs->root;
	path_get(&fs->cwd);
	return fs;
}

struct fs_state *fs_state_dup(struct fs_state *old)
{
	struct fs_state *fs = fs_state_alloc();

	if (!fs)
		return NULL;
	spin_lock(&old->lock);
	fs->root = old->root;
	fs->cwd = old->cwd;
	fs->umask = old->umask;
	path_get(&fs->root);
	path_get(&fs->cwd);
	spin_unlock(&old->lock);
	return fs;
}

void fs_state_put(struct fs_state *fs)
{
	if (!fs || !ref_put(&fs->ref))
		return;
	path_put(&fs->root);
	path_put(&fs->cwd);
	kfree(fs);
}

void fs_state_root(struct fs_state *fs, struct path *out)
{
	spin_lock(&fs->lock);
	*out = fs->root;
	path_get(out);
	spin_unlock(&fs->lock);
}

void fs_state_cwd(struct fs_state *fs, struct path *out)
{
	spin_lock(&fs->lock);
	*out = fs->cwd;
	path_get(out);
	spin_unlock(&fs->lock);
}

static void fs_state_swap(struct fs_state *fs, struct path *where, struct path *p)
{
	struct path old;

	spin_lock(&fs->lock);
	old = *where;
	*where = *p;
	spin_unlock(&fs->lock);
	path_put(&old);
}

void fs_state_set_root(struct fs_state *fs, struct path *p) { fs_state_swap(fs, &fs->root, p); }
void fs_state_set_cwd(struct fs_state *fs, struct path *p) { fs_state_swap(fs, &fs->cwd, p); }
u32 fs_state_umask(struct fs_state *fs) { return READ_ONCE(fs->umask); }
