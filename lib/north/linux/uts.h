/* SPDX-License-Identifier: MIT */
/* What uname(2) and /proc/sys/kernel say of the system. */
#ifndef LIB_NORTH_LINUX_UTS_H
#define LIB_NORTH_LINUX_UTS_H

#define UTS_LEN		65
/* The interface that programs find: features are those of this Linux. */
#define UTS_RELEASE	"6.12.0-litebox"
#define UTS_VERSION	"#1 SMP litebox"

extern char uts_domainname[UTS_LEN];	/* setdomainname(2) may change it */

#endif
