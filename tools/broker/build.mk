# SPDX-License-Identifier: MIT
# The broker's file server, a library for lbx-exec: link libbroker9p.a and -pthread.

broker-objs := $(addprefix $(O)/tools/broker/,server.o channel.o fid.o node.o guard.o log.o priv.o seccomp.o wire.o wire_read.o \
	ops_walk.o ops_lbx.o ops_file.o ops_dir.o ops_attr.o ops_xattr.o)

$(broker-objs): CFLAGS = $(CFLAGS_BASE) -pthread -fPIE

$(O)/tools/broker/libbroker9p.a: $(broker-objs)
	$(archive)

ALL += $(O)/tools/broker/libbroker9p.a
