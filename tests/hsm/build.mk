# SPDX-License-Identifier: GPL-2.0-or-later
# The PKCS#11 module that misbehaves, for tests/cli/t_vault_pkcs11.sh. Included
# by the top Makefile, behind agent/build.mk.

kselftest: $(B)/test/p11_shim.so

$(B)/test/p11_shim.so: tests/hsm/p11_shim.c
	$(call say,LD,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(CPPFLAGS) $(AGENT_CPPFLAGS) $(CFLAGS) -fPIC -shared -o $@ $< -ldl
