# SPDX-License-Identifier: GPL-2.0-or-later
# svcenc-dump and svcenc-recover, and the load that tools/bench counts (a
# module of its own, never part of "all"). Included by the top Makefile.

TOOLS_OBJ := $(B)/obj/tools
TOOLS_CPPFLAGS := -Itools -Iagent/lib

TOOLS_CORE := $(addprefix $(TOOLS_OBJ)/core/,crc32c.o ident.o keyfmt.o \
	names.o ondisk.o policyrec.o rotation.o)
DUMP_OBJ := $(addprefix $(TOOLS_OBJ)/,svcenc-dump.o header.o) $(TOOLS_CORE)
RECOVER_OBJ := $(addprefix $(TOOLS_OBJ)/,svcenc-recover.o recover_vault.o \
	recover_volume.o recover_data.o header.o lib/secret.o lib/hierarchy.o \
	lib/proto.o) $(TOOLS_CORE)

tools: $(B)/bin/svcenc-dump $(B)/bin/svcenc-recover

$(TOOLS_OBJ)/%.o: tools/%.c
	$(call say,CC,$<)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(CPPFLAGS) $(TOOLS_CPPFLAGS) $(CFLAGS) -MMD -MP -c -o $@ $<

$(TOOLS_OBJ)/core/%.o: kernel/dm-svcenc/core/%.c
	$(call say,CC,$<)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) -MMD -MP -c -o $@ $<

$(TOOLS_OBJ)/lib/%.o: agent/lib/%.c
	$(call say,CC,$<)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(CPPFLAGS) $(TOOLS_CPPFLAGS) $(CFLAGS) -MMD -MP -c -o $@ $<

$(B)/bin/svcenc-dump: $(DUMP_OBJ)
	$(call say,LD,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(LDFLAGS) -o $@ $^ -ljansson

$(B)/bin/svcenc-recover: $(RECOVER_OBJ)
	$(call say,LD,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(LDFLAGS) -o $@ $^ -ljansson -lcrypto

# Built from a copy: Kbuild leaves its products where the sources are.
BENCH_DIR := $(CURDIR)/$(B)/bench/module

.PHONY: bench-module
bench-module:
	$(call say,MODULE,svcenc-bench)
	$(Q)mkdir -p $(BENCH_DIR)
	$(Q)cp -u tools/bench.d/module/*.[ch] tools/bench.d/module/Kbuild \
		$(BENCH_DIR)
	$(Q)$(MAKE) $(if $(Q),-s) -C $(KDIR) M=$(BENCH_DIR) modules \
		>$(BENCH_DIR)/log 2>&1; status=$$?; \
		grep -v 'Skipping BTF generation' $(BENCH_DIR)/log; exit $$status

-include $(sort $(DUMP_OBJ:.o=.d) $(RECOVER_OBJ:.o=.d))
