/* SPDX-License-Identifier: MIT */
/*
 * System V shared memory. A segment is a vm_object: each attached VMA has a reference, and the segment itself has one until
 * IPC_RMID. So the number of attaches is the number of references, and the last of all frees it.
 *
 * The table is guarded by shm_mutex; references to objects are put without it, and nothing but kmalloc and page caches nests inside.
 */
#include "mm/shm.h"

#include "base/errno.h"
#include "base/printf.h"
#include "mm/pagecache.h"
#include "mm/vma.h"
#include "process/cred.h"
#include "sched/time.h"

#define ID_SHIFT	15

struct segment {
	struct vm_object obj;
	struct shm_status st;	/* nattch is counted from obj.ref */
	bool removed;
	char name[28];		/* of its mappings */
};

static struct mutex shm_mutex = MUTEX_INIT;
static struct segment **table;		/* of SHM_MNI */
static u32 table_end;			/* nothing at or above */
static u16 next_seq;
static u64 shm_pages;

static u64 nattch(const struct segment *s) { return ref_read(&s->obj.ref) - !s->removed; }
static s64 now(void) { return clock_realtime() / NSEC_PER_SEC; }
static u32 index_of(const struct segment *s) { return (u32)s->st.id & (BIT(ID_SHIFT) - 1); }

static void release(struct vm_object *obj)
{
	struct segment *s = container_of(obj, struct segment, obj);

	mutex_lock(&shm_mutex);
	table[index_of(s)] = NULL;
	while (table_end && !table[table_end - 1])
		table_end--;
	shm_pages -= PAGE_ALIGN(s->st.size) >> PAGE_SHIFT;
	mutex_unlock(&shm_mutex);
	pagecache_put(obj->pc);
	kfree(s);
}

static struct segment *find_id(s32 id)
{
	u32 i = (u32)id & (BIT(ID_SHIFT) - 1);
	struct segment *s = id >= 0 && i < table_end ? table[i] : NULL;

	return s && s->st.id == id ? s : NULL;
}

/* @want: permissions wanted, as bits of "others" */
static int permitted(const struct segment *s, u32 want)
{
	const struct cred *c = current->cred;
	u32 mode = s->st.mode;

	if (c->euid == s->st.uid || c->euid == s->st.cuid)
		mode >>= 6;
	else if (in_group_p(s->st.gid) || in_group_p(s->st.cgid))
		mode >>= 3;
	return !(want & ~mode & 7) || capable(CAP_IPC_OWNER) ? 0 : -EACCES;
}

static int owned(const struct segment *s)
{
	u32 euid = current->cred->euid;

	return euid == s->st.uid || euid == s->st.cuid || capable(CAP_SYS_ADMIN) ? 0 : -EPERM;
}

static long create(s32 key, u64 size, u32 flags)
{
	const struct cred *c = current->cred;
	u64 pages = PAGE_ALIGN(size) >> PAGE_SHIFT;
	struct segment *s;
	u32 i;

	if (!size || size > SHM_MAX)
		return -EINVAL;
	if (flags & SHM_HUGETLB)
		return -ENOMEM;
	if (!table)
		table = kcalloc(SHM_MNI, sizeof(*table));
	if (!table)
		return -ENOMEM;
	for (i = 0; i < table_end && table[i]; i++)
		;
	if (i == SHM_MNI || shm_pages + pages > SHM_ALL)
		return -ENOSPC;
	s = kzalloc(sizeof(*s));
	if (!s)
		return -ENOMEM;
	ref_init(&s->obj.ref);
	s->obj.kind = VM_PAGECACHE;
	s->obj.release = release;
	s->obj.pc = pagecache_create();
	if (!s->obj.pc)
		goto err_free;
	pagecache_set_size(s->obj.pc, (pos_t)(pages << PAGE_SHIFT));
	if (!(flags & SHM_NORESERVE) && pagecache_fill(s->obj.pc, 0, (pos_t)size))
		goto err_put;
	pagecache_trim(s->obj.pc);
	s->st = (struct shm_status){
		.key = key, .size = size, .mode = flags & 0777, .uid = c->euid, .cuid = c->euid, .gid = c->egid,
		.cgid = c->egid, .ctime = now(), .cpid = current->process->tgid, .seq = next_seq,
		.id = (s32)((u32)(next_seq << ID_SHIFT) | i),
	};
	next_seq = (next_seq + 1) & 0x7fff;
	snprintf(s->name, sizeof(s->name), "/SYSV%08x (deleted)", (u32)key);
	table[i] = s;
	table_end = max(table_end, i + 1);
	shm_pages += pages;
	return s->st.id;

err_put:
	pagecache_put(s->obj.pc);
err_free:
	kfree(s);
	return -ENOMEM;
}

static long get_locked(s32 key, u64 size, u32 flags)
{
	struct segment *s = NULL;
	u32 i;
	int ret;

	for (i = 0; key != IPC_PRIVATE && i < table_end && !s; i++)
		if (table[i] && table[i]->st.key == key && !table[i]->removed)
			s = table[i];
	if (!s)
		return key == IPC_PRIVATE || (flags & IPC_CREAT) ? create(key, size, flags) : -ENOENT;
	if ((flags & IPC_CREAT) && (flags & IPC_EXCL))
		return -EEXIST;
	if (size > s->st.size)
		return -EINVAL;
	ret = permitted(s, ((flags >> 6) | (flags >> 3) | flags) & 7);
	return ret ? ret : s->st.id;
}

long shm_get(s32 key, u64 size, u32 flags)
{
	long ret;

	mutex_lock(&shm_mutex);
	ret = get_locked(key, size, flags);
	mutex_unlock(&shm_mutex);
	return ret;
}

long shm_attach(s32 id, u64 addr, u32 flags)
{
	u32 prot = PROT_READ, may = VMA_MAYREAD | VMA_MAYEXEC, map = MAP_SHARED;
	struct segment *s;
	long ret;

	if (addr & ~PAGE_MASK) {
		if (!(flags & SHM_RND))
			return -EINVAL;
		addr &= PAGE_MASK;
		if (!addr && (flags & SHM_REMAP))
			return -EINVAL;
	} else if (!addr && (flags & SHM_REMAP)) {
		return -EINVAL;
	}
	if (addr)
		map |= flags & SHM_REMAP ? MAP_FIXED : MAP_FIXED_NOREPLACE;
	if (!(flags & SHM_RDONLY)) {
		prot |= PROT_WRITE;
		may |= VMA_MAYWRITE;
	}
	if (flags & SHM_EXEC)
		prot |= PROT_EXEC;
	mutex_lock(&shm_mutex);
	s = find_id(id);
	/* permissions are r 4, w 2, x 1; PROT_* are 1, 2, 4 */
	ret = s ? permitted(s, 4 | (prot & PROT_WRITE) | (prot & PROT_EXEC ? 1 : 0)) : -EINVAL;
	if (!ret && !ref_tryget(&s->obj.ref))
		ret = -EIDRM;
	if (!ret) {
		s->st.atime = now();
		s->st.lpid = current->process->tgid;
	}
	mutex_unlock(&shm_mutex);
	if (ret)
		return ret;
	ret = mm_map_object(addr, s->st.size, prot, map, &s->obj, 0, may, NULL, s->name);
	return ret == -EEXIST ? -EINVAL : ret;
}

static struct segment *segment_of(const struct vma *v)
{
	return v->obj && v->obj->release == release ? container_of(v->obj, struct segment, obj) : NULL;
}

/* All parts of the segment that was attached at @addr; others may be mapped in between by now. */
long shm_detach(u64 addr)
{
	struct mm *mm = current->mm;
	struct segment *s = NULL;
	struct vma *v, *next;
	LIST_HEAD(trash);
	long ret = -EINVAL;

	if (addr & ~PAGE_MASK)
		return -EINVAL;
	mutex_lock(&mm->lock);
	for (v = vma_find(mm, addr); v && (!s || v->start < addr + PAGE_ALIGN(s->st.size)); v = next) {
		next = vma_next(v);
		if (!segment_of(v) || v->start - v->off != addr || (s && s != segment_of(v)))
			continue;
		s = segment_of(v);
		ret = unmap_range(mm, v->start, v->end, &trash);
		if (ret)
			break;
	}
	mutex_unlock(&mm->lock);
	if (s) {
		mutex_lock(&shm_mutex);
		s->st.dtime = now();
		s->st.lpid = current->process->tgid;
		mutex_unlock(&shm_mutex);
	}
	trash_free(&trash);
	return ret;
}

long shm_stat(s32 id, bool by_index, bool any, struct shm_status *st)
{
	struct segment *s;
	long ret;

	mutex_lock(&shm_mutex);
	s = !by_index ? find_id(id) : (u32)id < table_end ? table[id] : NULL;
	ret = !s ? -EINVAL : any ? 0 : permitted(s, 4);
	if (!ret) {
		*st = s->st;
		st->nattch = nattch(s);
		ret = by_index ? s->st.id : 0;
	}
	mutex_unlock(&shm_mutex);
	return ret;
}

long shm_set(s32 id, u32 uid, u32 gid, u32 mode)
{
	struct segment *s;
	long ret;

	mutex_lock(&shm_mutex);
	s = find_id(id);
	ret = s ? owned(s) : -EINVAL;
	if (!ret) {
		s->st.uid = uid;
		s->st.gid = gid;
		s->st.mode = (s->st.mode & ~0777u) | (mode & 0777);
		s->st.ctime = now();
	}
	mutex_unlock(&shm_mutex);
	return ret;
}

long shm_remove(s32 id)
{
	struct segment *s;
	bool put = false;
	long ret;

	mutex_lock(&shm_mutex);
	s = find_id(id);
	ret = s ? owned(s) : -EINVAL;
	if (!ret && !s->removed) {
		s->removed = put = true;
		s->st.key = IPC_PRIVATE;
		s->st.mode |= SHM_DEST;
	}
	mutex_unlock(&shm_mutex);
	if (put)
		vm_object_put(&s->obj);
	return ret;
}

long shm_lock(s32 id, bool lock)
{
	struct segment *s;
	long ret;

	mutex_lock(&shm_mutex);
	s = find_id(id);
	ret = !s ? -EINVAL : capable(CAP_IPC_LOCK) ? 0 : owned(s);
	if (!ret && lock && !rlimit(RLIM_MEMLOCK) && !capable(CAP_IPC_LOCK))
		ret = -EPERM;
	if (!ret)
		s->st.mode = lock ? s->st.mode | SHM_LOCKED : s->st.mode & ~(u32)SHM_LOCKED;
	mutex_unlock(&shm_mutex);
	return ret;
}

long shm_usage(u32 *used, u64 *pages, u64 *resident)
{
	long last;
	u32 i;

	*used = 0;
	*resident = 0;
	mutex_lock(&shm_mutex);
	for (i = 0; i < table_end; i++) {
		if (table[i]) {
			++*used;
			*resident += pagecache_pages(table[i]->obj.pc);
		}
	}
	*pages = shm_pages;
	last = table_end ? (long)table_end - 1 : 0;
	mutex_unlock(&shm_mutex);
	return last;
}
