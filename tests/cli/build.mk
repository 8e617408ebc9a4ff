# SPDX-License-Identifier: GPL-2.0-or-later
# A deliberately leaky svcencd for tests/cli/t_agent_leaves_no_key.sh: the
# objects of the real one, with two functions of the secure heap replaced.
# Included by the top Makefile, behind agent/build.mk.

LEAKY_BIN := $(B)/test/leaky/svcencd $(B)/test/leaky/svcenc-vault-file
LEAKY_WRAP := -Wl,--wrap=CRYPTO_secure_zalloc,--wrap=CRYPTO_secure_clear_free

.PHONY: agent-leaky
agent-leaky: $(LEAKY_BIN)
kselftest: agent-test agent-leaky

$(B)/test/leaky/svcencd: tests/cli/agent_leak.c \
	$(addprefix $(AGENT_OBJ)/,$(DAEMON_OBJ) $(SYS_OBJ)) $(AGENT_A)
	$(call say,LD,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) $(LEAKY_WRAP) -o $@ \
		$(filter %.c,$^) $(filter %.o %.a,$^) $(DAEMON_LIBS)

$(B)/test/leaky/svcenc-vault-file: $(B)/bin/svcenc-vault-file
	@mkdir -p $(@D)
	$(Q)cp $< $@

# The real svcencd, with test steps, over a simulated kernel (sim/kernel.c), for
# tests on a host without device-mapper.
SIM_BIN := $(B)/test/sim/svcencd
SIM_OBJ := $(STEPS_OBJ)/tests/cli/sim/kernel.o

.PHONY: agent-sim
agent-sim: $(SIM_BIN)
unit: agent-sim

$(SIM_BIN): $(SIM_OBJ) $(addprefix $(STEPS_OBJ)/,$(DAEMON_OBJ) \
	agent/sys/device.o agent/sys/signature.o) $(STEPS_A)
	$(call say,LD,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -Wl,--wrap=sys_device_open,--wrap=time -o $@ \
		$(filter %.o %.a,$^) $(LIB_LIBS) -lsystemd -lblkid

-include $(SIM_OBJ:.o=.d)
