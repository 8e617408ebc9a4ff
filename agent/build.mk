# SPDX-License-Identifier: GPL-2.0-or-later
# The agent: svcencd, svcenc, the vaults' workers, the helpers of udev and
# systemd; the same with test steps in build/test/bin; their unit tests and
# fuzz target. Included by the top Makefile.

AGENT_CPPFLAGS := -Iagent/lib -Iagent/sys -Iagent/daemon -Iagent/cli \
	-Iagent/vault/lib -Iagent/units -I$(B)/gen \
	$(shell pkg-config --cflags libnl-3.0 blkid p11-kit-1)
AGENT_OBJ := $(B)/obj/agent
STEPS_OBJ := $(B)/obj/steps
# Programs under unit test, with sanitizers.
ASAN_OBJ := $(B)/obj/unit/agent

CORE_OBJ := $(patsubst kernel/dm-svcenc/core/%.c,$(B)/core/%.o,\
	$(wildcard kernel/dm-svcenc/core/*.c))
sources = $(patsubst %.c,%.o,$(wildcard $(1)/*.c))
LIB_OBJ := $(call sources,agent/lib)
SYS_OBJ := $(call sources,agent/sys)
DAEMON_OBJ := $(call sources,agent/daemon)
CLI_OBJ := $(call sources,agent/cli)
VAULT_LIB_OBJ := $(call sources,agent/vault/lib)

# Back ends of vaults: agent/vault/X becomes svcenc-vault-X. A further one is
# its directory, its name here, its libraries below, and its keys of vaults.d in
# agent/lib/vaulttypes.c.
VAULTS := file akv kmip pkcs11
VAULT_LIBS_file :=
VAULT_LIBS_akv := -lcurl -lssl
VAULT_LIBS_kmip := -lssl
VAULT_LIBS_pkcs11 := -lp11-kit
VAULT_OBJ := $(foreach v,$(VAULTS),$(call sources,agent/vault/$(v)))

LIB_LIBS := -ljansson -lcrypto -lsqlite3 -linih
SYS_LIBS := -ldevmapper -lkeyutils -lnl-genl-3 -lnl-3 -lblkid
DAEMON_LIBS := $(LIB_LIBS) $(SYS_LIBS) -lsystemd

VAULT_BIN := $(addprefix $(B)/bin/svcenc-vault-,$(VAULTS))
AGENT_BIN := $(addprefix $(B)/bin/,svcencd svcenc svcenc-probe \
	svcenc-generator) $(VAULT_BIN)
STEPS_BIN := $(addprefix $(B)/test/bin/,svcencd svcenc \
	$(addprefix svcenc-vault-,$(VAULTS)))

.PHONY: agent agent-test
agent: $(AGENT_BIN)
agent-test: $(STEPS_BIN)

# --- compiling -------------------------------------------------------------

$(B)/core/%.o: kernel/dm-svcenc/core/%.c
	$(call say,CC,$<)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) -MMD -MP -c -o $@ $<

$(AGENT_OBJ)/%.o: %.c
	$(call say,CC,$<)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(CPPFLAGS) $(AGENT_CPPFLAGS) $(CFLAGS) -MMD -MP -c -o $@ $<

$(STEPS_OBJ)/%.o: %.c
	$(call say,CC,$<)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(CPPFLAGS) $(AGENT_CPPFLAGS) -DSVCENC_TEST_STEPS $(CFLAGS) \
		-MMD -MP -c -o $@ $<

# The interface file is part of svcencd: GetInterfaceDescription.
$(B)/gen/interface_agent.inc: agent/io.svcenc.Agent.varlink
	$(Q)mkdir -p $(@D)
	$(Q)sed 's/\\/\\\\/g; s/"/\\"/g; s/.*/"&\\n"/' $< > $@

$(foreach o,$(AGENT_OBJ) $(STEPS_OBJ),$(o)/agent/daemon/server.o): \
	$(B)/gen/interface_agent.inc

$(B)/libsvcenc-core.a: $(CORE_OBJ)
$(B)/libsvcenc-agent.a: $(addprefix $(AGENT_OBJ)/,$(LIB_OBJ))
$(B)/libsvcenc-agent-steps.a: $(addprefix $(STEPS_OBJ)/,$(LIB_OBJ))
$(B)/%.a:
	$(call say,AR,$@)
	$(Q)rm -f $@
	$(Q)$(AR) rcs $@ $^

# --- programs --------------------------------------------------------------

define link
	$(call say,LD,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(LDFLAGS) -o $@ $(filter %.o %.a,$^) $(LIBS)
endef

AGENT_A := $(B)/libsvcenc-agent.a $(B)/libsvcenc-core.a
STEPS_A := $(B)/libsvcenc-agent-steps.a $(B)/libsvcenc-core.a

$(B)/bin/svcencd: LIBS := $(DAEMON_LIBS)
$(B)/bin/svcencd: $(addprefix $(AGENT_OBJ)/,$(DAEMON_OBJ) $(SYS_OBJ)) $(AGENT_A)
	$(link)

$(B)/bin/svcenc: LIBS := -ljansson -lcrypto -lblkid
$(B)/bin/svcenc: $(addprefix $(AGENT_OBJ)/,$(CLI_OBJ) agent/sys/device.o \
	agent/sys/signature.o agent/sys/dm_params.o) $(AGENT_A)
	$(link)

# vault_program(back end, directory of programs, directory of objects, archives)
define vault_program
$(2)/svcenc-vault-$(1): LIBS := $(VAULT_LIBS_$(1)) -ljansson -linih -lcrypto -lseccomp
$(2)/svcenc-vault-$(1): $(addprefix $(3)/,$(call sources,agent/vault/$(1)) \
	$(VAULT_LIB_OBJ)) $(4)
	$$(link)
endef
$(foreach v,$(VAULTS),$(eval $(call vault_program,$(v),$(B)/bin,$(AGENT_OBJ),$(AGENT_A))))

$(B)/bin/svcenc-probe: LIBS := -lblkid
$(B)/bin/svcenc-probe: $(addprefix $(AGENT_OBJ)/,tools/svcenc-probe.o \
	agent/sys/device.o agent/sys/signature.o) $(B)/libsvcenc-core.a
	$(link)

$(B)/bin/svcenc-generator: $(addprefix $(AGENT_OBJ)/agent/units/,generator.o \
	svcenctab.o) $(B)/libsvcenc-core.a
	$(link)

# With named steps at which a test can kill them; never installed.
$(B)/test/bin/svcencd: LIBS := $(DAEMON_LIBS)
$(B)/test/bin/svcencd: $(addprefix $(STEPS_OBJ)/,$(DAEMON_OBJ) $(SYS_OBJ)) \
	$(STEPS_A)
	$(link)

$(B)/test/bin/svcenc: LIBS := -ljansson -lcrypto -lblkid
$(B)/test/bin/svcenc: $(addprefix $(STEPS_OBJ)/,$(CLI_OBJ) agent/sys/device.o \
	agent/sys/signature.o agent/sys/dm_params.o) $(STEPS_A)
	$(link)

$(foreach v,$(VAULTS),$(eval $(call vault_program,$(v),$(B)/test/bin,$(STEPS_OBJ),$(STEPS_A))))

# --- unit tests ------------------------------------------------------------

AGENT_TESTS := $(addprefix $(B)/unit/test_,secret hierarchy policy store proto \
	recordjson config rootspec vault_file vault_akv vault_kmip vault_pkcs11 \
	cli_values device dm_params genl_attr svcenctab)
AGENT_SAN := -fsanitize=address,undefined -fno-sanitize-recover=all
unit: $(AGENT_TESTS) $(B)/unit/test_sys_kernel

$(ASAN_OBJ)/%.o: %.c
	$(call say,CC,$<)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(CPPFLAGS) $(AGENT_CPPFLAGS) $(CFLAGS) $(AGENT_SAN) \
		-MMD -MP -c -o $@ $<

# The rules for these are in tests/build.mk.
ASAN_CORE := $(patsubst $(B)/core/%,$(B)/obj/unit/core/%,$(CORE_OBJ))
FUZZ_AGENT_CORE := $(patsubst $(B)/core/%,$(B)/obj/fuzz/core/%,$(CORE_OBJ))

ASAN_LIB := $(addprefix $(ASAN_OBJ)/,$(LIB_OBJ))
$(B)/unit/test_cli_values: $(ASAN_OBJ)/agent/cli/values.o
$(B)/unit/test_device: $(ASAN_OBJ)/agent/sys/device.o \
	$(ASAN_OBJ)/agent/sys/signature.o
$(B)/unit/test_dm_params: $(ASAN_OBJ)/agent/sys/dm_params.o
$(B)/unit/test_genl_attr: $(ASAN_OBJ)/agent/sys/genl_attr.o
$(B)/unit/test_svcenctab: $(ASAN_OBJ)/agent/units/svcenctab.o
ASAN_VAULT_LIB := $(addprefix $(ASAN_OBJ)/agent/vault/lib/,answer.o service.o \
	vault.o)
$(ASAN_OBJ)/tests/unit/test_vault_file.o: AGENT_CPPFLAGS += -Iagent/vault/file
$(B)/unit/test_vault_file: $(addprefix $(ASAN_OBJ)/agent/vault/file/,file.o \
	keys.o wrap.o) $(ASAN_VAULT_LIB)
$(ASAN_OBJ)/tests/unit/test_vault_akv.o: AGENT_CPPFLAGS += -Iagent/vault/akv
$(B)/unit/test_vault_akv: VAULT_LIBS := $(VAULT_LIBS_akv)
$(B)/unit/test_vault_akv: $(addprefix $(ASAN_OBJ)/agent/vault/akv/,assertion.o \
	challenge.o http.o identity.o kid.o reply.o resolve.o rsa.o say.o) $(ASAN_VAULT_LIB)
$(ASAN_OBJ)/tests/unit/test_vault_kmip.o: AGENT_CPPFLAGS += -Iagent/vault/kmip
$(B)/unit/test_vault_kmip: VAULT_LIBS := $(VAULT_LIBS_kmip)
$(B)/unit/test_vault_kmip: $(addprefix $(ASAN_OBJ)/agent/vault/kmip/,ttlv.o \
	message.o envelope.o refusal.o link.o) $(ASAN_VAULT_LIB)
$(ASAN_OBJ)/tests/unit/test_vault_pkcs11.o: AGENT_CPPFLAGS += -Iagent/vault/pkcs11
$(B)/unit/test_vault_pkcs11: VAULT_LIBS := $(VAULT_LIBS_pkcs11)
$(B)/unit/test_vault_pkcs11: $(addprefix $(ASAN_OBJ)/agent/vault/pkcs11/,rv.o \
	keyuri.o pin.o) $(ASAN_VAULT_LIB)

$(AGENT_TESTS): $(B)/unit/%: $(ASAN_OBJ)/tests/unit/%.o $(ASAN_LIB) $(ASAN_CORE)
	$(call say,UNIT,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(AGENT_SAN) $(LDFLAGS) -o $@ $^ -lcmocka $(LIB_LIBS) -lblkid \
		-lnl-genl-3 -lnl-3 $(VAULT_LIBS)

# Runs in the VM, on a kernel without the sanitizers' address space.
$(B)/unit/test_sys_kernel: LIBS := -lcmocka $(SYS_LIBS)
$(B)/unit/test_sys_kernel: $(addprefix $(AGENT_OBJ)/,$(SYS_OBJ) \
	tests/unit/test_sys_kernel.o) $(AGENT_A)
	$(link)

# --- fuzz target -----------------------------------------------------------

FUZZ_AGENT_OBJ := $(addprefix $(B)/obj/fuzz/,agent/lib/proto.o \
	agent/lib/secret.o agent/lib/recordjson.o agent/lib/step.o)
fuzz: $(B)/fuzz/fuzz_varlink $(B)/fuzz/fuzz_kmip

$(B)/obj/fuzz/agent/%.o: agent/%.c
	$(call say,FUZZCC,$<)
	$(Q)mkdir -p $(@D)
	$(Q)$(FUZZ_CC) $(CPPFLAGS) $(AGENT_CPPFLAGS) $(FUZZ_FLAGS) \
		-fsanitize=fuzzer-no-link $(TESTS_SAN) -MMD -MP -c -o $@ $<

$(B)/fuzz/fuzz_varlink: tests/fuzz/fuzz_varlink.c $(FUZZ_AGENT_OBJ) $(FUZZ_AGENT_CORE)
	$(call say,FUZZ,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(FUZZ_CC) $(CPPFLAGS) $(AGENT_CPPFLAGS) -Itests/fuzz $(FUZZ_FLAGS) \
		-fsanitize=fuzzer $(TESTS_SAN) -o $@ $< $(FUZZ_AGENT_OBJ) \
		$(FUZZ_AGENT_CORE) -ljansson -lcrypto

# Answers of a key vault.
FUZZ_AKV_OBJ := $(addprefix $(B)/obj/fuzz/agent/,lib/files.o lib/vaulttypes.o \
	vault/lib/answer.o vault/lib/vault.o vault/akv/kid.o \
	vault/akv/challenge.o vault/akv/reply.o)
fuzz: $(B)/fuzz/fuzz_akv

$(B)/fuzz/fuzz_akv: tests/fuzz/fuzz_akv.c $(FUZZ_AGENT_OBJ) $(FUZZ_AKV_OBJ) \
	$(FUZZ_AGENT_CORE)
	$(call say,FUZZ,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(FUZZ_CC) $(CPPFLAGS) $(AGENT_CPPFLAGS) -Iagent/vault/akv -Itests/fuzz \
		$(FUZZ_FLAGS) -fsanitize=fuzzer $(TESTS_SAN) -o $@ $(filter %.c,$^) \
		$(filter %.o,$^) -ljansson -lcrypto

FUZZ_KMIP_OBJ := $(addprefix $(B)/obj/fuzz/agent/vault/kmip/,ttlv.o message.o \
	refusal.o)
$(B)/fuzz/fuzz_kmip: tests/fuzz/fuzz_kmip.c $(FUZZ_KMIP_OBJ)
	$(call say,FUZZ,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(FUZZ_CC) $(CPPFLAGS) $(AGENT_CPPFLAGS) -Iagent/vault/kmip \
		-Itests/fuzz $(FUZZ_FLAGS) -fsanitize=fuzzer $(TESTS_SAN) -o $@ $< \
		$(FUZZ_KMIP_OBJ)

# --- manual pages ----------------------------------------------------------

MAN_PAGES := $(patsubst agent/man/%.scd,$(B)/man/%,$(wildcard agent/man/*.scd))
man: $(MAN_PAGES)

$(B)/man/%: agent/man/%.scd
	$(call say,MAN,$@)
	$(Q)mkdir -p $(@D)
	$(Q)scdoc < $< > $@

-include $(CORE_OBJ:.o=.d) $(foreach o,$(AGENT_OBJ) $(STEPS_OBJ) $(ASAN_OBJ),\
	$(patsubst %.o,$(o)/%.d,$(LIB_OBJ) $(SYS_OBJ) $(DAEMON_OBJ) $(CLI_OBJ) \
	$(VAULT_LIB_OBJ) $(VAULT_OBJ))) $(FUZZ_AGENT_OBJ:.o=.d) $(FUZZ_AKV_OBJ:.o=.d) \
	$(FUZZ_KMIP_OBJ:.o=.d) \
	$(AGENT_TESTS:$(B)/unit/%=$(ASAN_OBJ)/tests/unit/%.d)
