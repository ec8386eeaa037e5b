# SPDX-License-Identifier: MIT
# Process 1 of lbx-vm's machine: static, since it runs before there is a root.
ALL += $(O)/tools/vm/init
$(O)/tools/vm/%.o: CPPFLAGS += -D_GNU_SOURCE
$(O)/tools/vm/init: LDFLAGS = -static
$(O)/tools/vm/init: $(patsubst %,$(O)/tools/vm/%.o,init conf boot relay command)
	$(link)
