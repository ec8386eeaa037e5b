// SPDX-License-Identifier: MIT OR GPL-2.0-only
/* litebox.ko: the eight calls, for sandboxes whose system calls this kernel answers to nobody else. */
#include <linux/miscdevice.h>
#include <linux/module.h>

#include "litebox.h"

static struct miscdevice litebox_device = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "litebox",
	.fops = &litebox_fops,
	.mode = 0660,
};

struct workqueue_struct *litebox_wq;

static int __init litebox_init(void)
{
	int ret = -ENOMEM;

	litebox_wq = alloc_workqueue("litebox", WQ_UNBOUND, 0);
	if (!litebox_wq)
		return ret;
	ret = litebox_members_init();
	if (ret)
		goto err_wq;
	ret = litebox_hook_init();
	if (ret)
		goto err_members;
	litebox_counters_init();
	ret = misc_register(&litebox_device);
	if (ret)
		goto err_hook;
	return 0;

err_hook:
	litebox_counters_exit();
	litebox_hook_exit();
err_members:
	litebox_members_exit();
err_wq:
	destroy_workqueue(litebox_wq);
	return ret;
}

static void __exit litebox_exit(void)
{
	misc_deregister(&litebox_device);
	litebox_counters_exit();
	litebox_hook_exit();
	litebox_members_exit();
	/* objects that RCU frees, and sandboxes that a worker frees */
	rcu_barrier();
	destroy_workqueue(litebox_wq);
}

module_init(litebox_init);
module_exit(litebox_exit);

MODULE_DESCRIPTION("litebox: sandboxes with eight calls");
MODULE_AUTHOR("The litebox authors");
MODULE_LICENSE("Dual MIT/GPL");
