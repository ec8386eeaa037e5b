# SPDX-License-Identifier: MIT
kmod-tests := upcall device calls members
kmod-bin := $(addprefix $(O)/selftests/kmod/,$(kmod-tests))

$(kmod-bin): %: %.o $(O)/selftests/kmod/box.o
	$(link)

ALL += $(kmod-bin)
VM_TESTS += selftests/kmod/kmod.t
