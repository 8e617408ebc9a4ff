# SPDX-License-Identifier: GPL-2.0-or-later
# svcenc-dump and svcenc-recover. Included by the top Makefile.

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

-include $(sort $(DUMP_OBJ:.o=.d) $(RECOVER_OBJ:.o=.d))
