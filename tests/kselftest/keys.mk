# SPDX-License-Identifier: GPL-2.0-or-later
# Programs of the kernel tests about keys and control, into build/test/bin.

KEYS_SRC := tests/kselftest/dm-svcenc
KEYS_OBJ := $(B)/test/kselftest-keys
KEYS_BIN := $(B)/test/bin
KEYS_PROGRAMS := svcenc-load svcenc-key-end svcenc-key-race svcenc-keycall \
	svcenc-genl svcenc-remove-race svcenc-open-race svcenc-tables \
	svcenc-key-matrix

.PHONY: kselftest-keys
kselftest-keys: $(KEYS_PROGRAMS:%=$(KEYS_BIN)/%)

$(KEYS_OBJ)/%.o: $(KEYS_SRC)/%.c
	@mkdir -p $(@D)
	$(call say,CC,$<)
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) -MMD -MP -pthread -c $< -o $@

$(KEYS_OBJ)/names.o: kernel/dm-svcenc/core/names.c
	@mkdir -p $(@D)
	$(call say,CC,$<)
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) -c $< -o $@

$(KEYS_BIN)/svcenc-load: $(KEYS_OBJ)/load.o $(KEYS_OBJ)/control.o
$(KEYS_BIN)/svcenc-key-end: $(KEYS_OBJ)/load.o $(KEYS_OBJ)/control.o \
	$(KEYS_OBJ)/stall.o
$(KEYS_BIN)/svcenc-key-race: $(KEYS_OBJ)/load.o $(KEYS_OBJ)/control.o \
	$(KEYS_OBJ)/lease.o \
	$(KEYS_OBJ)/dmcall.o
$(KEYS_BIN)/svcenc-remove-race $(KEYS_BIN)/svcenc-open-race: \
	$(KEYS_OBJ)/control.o $(KEYS_OBJ)/dmcall.o
$(KEYS_BIN)/svcenc-key-matrix: $(KEYS_OBJ)/matrix.o $(KEYS_OBJ)/situations.o \
	$(KEYS_OBJ)/load.o $(KEYS_OBJ)/control.o $(KEYS_OBJ)/lease.o \
	$(KEYS_OBJ)/dmcall.o
$(KEYS_BIN)/svcenc-tables: $(KEYS_OBJ)/dmcall.o
$(KEYS_BIN)/svcenc-keycall: $(KEYS_OBJ)/control.o
$(KEYS_BIN)/svcenc-genl: $(KEYS_OBJ)/names.o

$(KEYS_PROGRAMS:%=$(KEYS_BIN)/%): $(KEYS_BIN)/%: $(KEYS_OBJ)/%.o
	@mkdir -p $(@D)
	$(call say,LD,$@)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -pthread $^ -o $@

-include $(wildcard $(KEYS_OBJ)/*.d)
