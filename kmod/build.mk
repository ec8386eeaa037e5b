# SPDX-License-Identifier: MIT
# litebox.ko for the kernel that lbx-vm boots. Kbuild writes beside its sources, so these are linked into $(O)/kmod.

KMOD_KERNEL ?= $(or $(LBX_CACHE),/var/cache/litebox)/kernel/build
KMOD_SRCS := $(wildcard kmod/*.[chS] kmod/*.def) kmod/Kbuild
KMOD_UAPI := $(wildcard uapi/*.[ch] uapi/*.def)

$(O)/kmod/litebox.ko: $(KMOD_SRCS) $(KMOD_UAPI) kmod/build.mk
	@echo "  KBUILD  $@"; mkdir -p $(@D)/include && \
	ln -sfn $(abspath uapi) $(@D)/include/uapi && \
	ln -sf $(abspath $(KMOD_SRCS) $(wildcard uapi/check_*.c)) $(@D)/ && \
	if ! env -u MAKEFLAGS -u MFLAGS -u O make -C $(KMOD_KERNEL) M=$(abspath $(@D)) modules >$(@D)/log 2>&1; then cat $(@D)/log >&2; exit 1; fi; touch $@

# Kbuild is not told of our own O=, which means something else to it.
# Without the kernel's headers, which `make setup` brings, there is no module; all else is built.
ifneq ($(wildcard $(KMOD_KERNEL)/Makefile),)
ALL += $(O)/kmod/litebox.ko
endif
