# SPDX-License-Identifier: MIT
# The same tests on other hosts: see README.md. A mode is one machine, booted once.

matrix-bin := $(O)/selftests/matrix
matrix-conform = $(patsubst %,$(O)/selftests/conform/%.t,$(1))

# In every mode: what the host's kernel has most to do with.
MATRIX_CORE := selftests/matrix/premise $(call matrix-conform,process_life process_exec signals_basic signals_wait threads \
	futex.static memory_map.static memory_efault io_pipe tty abi.static)
MATRIX_ENEMY := selftests/enemy/enemy.t@600
MATRIX_PKEYS := $(call matrix-conform,pkru)
# Where the filter stands alone: all of them, but for those that are built twice.
MATRIX_ALL := $(MATRIX_CORE) $(MATRIX_ENEMY) $(MATRIX_PKEYS) $(call matrix-conform,files_open files_name files_meta files_dir \
	files_lock files_copy files_inotify files_fd files_rw process_ids signals_timer memory_share io_poll io_socket proc system) \
	selftests/exec/status.t selftests/exec/view.t selftests/programs/shells.t

# MODE: the tests it runs. user: drops root's rights in the machine. What a mode is stands in the script `mode`.
matrix_forbidden := $(addprefix user:,$(MATRIX_CORE) $(MATRIX_ENEMY) $(MATRIX_PKEYS) selftests/exec/status.t)
matrix_container := $(MATRIX_ALL)
matrix_container-root := $(MATRIX_CORE) $(MATRIX_ENEMY) $(MATRIX_PKEYS)
matrix_no-fsgsbase := $(addprefix user:,$(MATRIX_CORE) $(MATRIX_PKEYS) selftests/patch/patch.t@600)
# Without pkru: see lib/south/hosted/pkey.c.
# Without futex.static: its calls of Linux 6.7 are not there to compare with.
matrix_linux-6.1 := $(addprefix user:,$(filter-out %/futex.static.t,$(MATRIX_CORE)) $(MATRIX_ENEMY))
# As root in a machine where nothing is forbidden; VM_TESTS are other folders'.
matrix_root = $(MATRIX_CORE) $(MATRIX_PKEYS) $(VM_TESTS)
matrix-modes := root forbidden container container-root no-fsgsbase linux-6.1

$(matrix-bin)/profile: $(matrix-bin)/profile.o
	$(link)
matrix-tests := $(patsubst %,$(matrix-bin)/%.t,$(matrix-modes))
$(matrix-tests): $(matrix-bin)/%.t: $$(wildcard */build.mk */*/build.mk */*/*/build.mk)
	@mkdir -p $(@D) && printf '#!/bin/sh\nexec selftests/matrix/mode %s %s\n' '$*' '$(matrix_$*)' >$@ && chmod 755 $@

ALL += $(matrix-tests) $(matrix-bin)/profile
MATRIX := $(addsuffix @1500,$(matrix-tests))
