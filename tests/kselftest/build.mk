# SPDX-License-Identifier: GPL-2.0-or-later
# Programs of the kernel tests, into build/test/bin.

KTEST_SRC := tests/kselftest/dm-svcenc
KTEST_BIN := $(B)/test/bin
KTEST_PROGRAMS := svcenc-io svcenc-fsx svcenc-rounds svcenc-addkey svcenc-all \
	svcenc-slices

.PHONY: kselftest
kselftest: $(KTEST_PROGRAMS:%=$(KTEST_BIN)/%) $(KTEST_BIN)/insns.so \
	kselftest-keys bench-module

$(KTEST_PROGRAMS:%=$(KTEST_BIN)/%): $(KTEST_BIN)/%: $(KTEST_SRC)/%.c
	@mkdir -p $(@D)
	$(call say,CC,$<)
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) $(LDFLAGS) -pthread $< -o $@

$(KTEST_BIN)/insns.so: tests/vm/insns.c
	@mkdir -p $(@D)
	$(call say,CC,$<)
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) -fPIC -shared $< -o $@

include tests/kselftest/keys.mk
