// SPDX-License-Identifier: MIT
/* Who may do what with an inode: mode bits, groups, capabilities (path_resolution(7), capabilities(7)). */
#include "fs/vfs.h"

#include "process/cred.h"
#include "process/task.h"

int generic_permission(struct inode *inode, u32 mask, const struct cred *cred)
{
	u32 mode = READ_ONCE(inode->mode);
	u32 want = mask & (MAY_READ | MAY_WRITE | MAY_EXEC);
	u32 bits = mode;

	/* The ordinary case of path walking: everybody may search it. */
	if (want == MAY_EXEC && (mode & S_IXUGO) == S_IXUGO)
		return 0;
	if (cred->fsuid == READ_ONCE(inode->uid))
		bits >>= 6;
	else if (cred->fsgid == READ_ONCE(inode->gid) || cred_in_group(cred, READ_ONCE(inode->gid)))
		bits >>= 3;
	if (!(want & ~bits & 7))
		return 0;

	if (S_ISDIR(mode)) {
		if (!(want & MAY_WRITE) && cred_has_cap(cred, CAP_DAC_READ_SEARCH))
			return 0;
		if (cred_has_cap(cred, CAP_DAC_OVERRIDE))
			return 0;
		return -EACCES;
	}
	if (want == MAY_READ && cred_has_cap(cred, CAP_DAC_READ_SEARCH))
		return 0;
	/* Nobody executes what nobody may. */
	if ((!(want & MAY_EXEC) || (mode & S_IXUGO)) && cred_has_cap(cred, CAP_DAC_OVERRIDE))
		return 0;
	return -EACCES;
}

int inode_permission_cred(struct inode *inode, u32 mask, const struct cred *cred)
{
	if (mask & MAY_WRITE) {
		u32 type = inode->mode & S_IFMT;

		if ((inode->sb->flags & SB_RDONLY) && (type == S_IFREG || type == S_IFDIR || type == S_IFLNK))
			return -EROFS;
	}
	if (inode->ops && inode->ops->permission)
		return inode->ops->permission(inode, mask, cred);
	return generic_permission(inode, mask, cred);
}

/* Boot code and kernel threads act with all rights. */
static const struct cred *acting_cred(void)
{
	return current && current->cred ? current->cred : &kernel_cred;
}

int inode_permission(struct inode *inode, u32 mask)
{
	return inode_permission_cred(inode, mask, acting_cred());
}

bool inode_owner_or_capable(struct inode *inode)
{
	const struct cred *cred = acting_cred();

	return cred->fsuid == inode->uid || cred_has_cap(cred, CAP_FOWNER);
}
