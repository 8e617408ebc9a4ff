# SPDX-License-Identifier: GPL-2.0-or-later
# make            everything: kernel module, agent, tools
# make module     kernel/dm-svcenc/dm-svcenc.ko for KVER (default: newest
#                 kernel whose headers are installed)
# make agent tools unit fuzz man clean
# make install install-module   (DESTDIR=, PREFIX=/usr)
# Products are under build/, but for the module, which Kbuild makes in place.

B := build
CC ?= cc
PREFIX ?= /usr
KVER ?= $(notdir $(patsubst %/build,%,$(lastword $(sort \
	$(wildcard /lib/modules/*-amd64/build)))))
KDIR ?= /lib/modules/$(KVER)/build
MODULE := kernel/dm-svcenc/dm-svcenc.ko

# V=1 shows commands.
Q := $(if $(filter 1,$(V)),,@)
say = $(if $(filter 1,$(V)),,@printf '  %-7s %s\n' $(1) $(2))

WARN := -Wall -Wextra -Werror -Wshadow -Wstrict-prototypes -Wvla \
	-Wmissing-prototypes -Wformat=2 -Wno-format-truncation
HARDEN := -O2 -g -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2 \
	-fstack-protector-strong -fPIE
CPPFLAGS += -D_GNU_SOURCE -Ikernel/dm-svcenc/core -Ikernel/dm-svcenc/uapi
CFLAGS := -std=gnu11 $(WARN) $(HARDEN) $(CFLAGS)
LDFLAGS := -pie -Wl,-z,relro,-z,now $(LDFLAGS)

.PHONY: all module agent tools unit fuzz man install install-module print-kver clean help
.DELETE_ON_ERROR:
all: module agent tools man

# Debian's headers come without vmlinux, so BTF cannot be made: the one line
# that says so is no news. Anything else is shown, and the status is make's.
module:
	$(call say,MODULE,$(KVER))
	$(Q)mkdir -p $(B)
	$(Q)$(MAKE) $(if $(Q),-s) -C $(KDIR) M=$(CURDIR)/kernel/dm-svcenc \
		$(if $(W),W=$(W)) $(if $(C),C=$(C)) modules \
		>$(B)/module.log 2>&1; status=$$?; \
		grep -v 'Skipping BTF generation' $(B)/module.log; exit $$status

include tests/build.mk agent/build.mk tools/build.mk tests/kselftest/build.mk \
	tests/cli/build.mk tests/uml/build.mk tests/unit/daemon.mk \
	tests/rotation/build.mk

# DESTDIR and PREFIX as usual. What runs as a helper of the system goes where
# systemd, udev and kmod look for it, whatever PREFIX is.
SBIN := $(DESTDIR)$(PREFIX)/sbin
LIBEXEC := $(DESTDIR)/usr/libexec/svcenc
ETC_LIB := $(DESTDIR)/usr/lib

install: agent tools man
	$(call say,INSTALL,$(if $(DESTDIR),$(DESTDIR),/))
	$(Q)install -d $(SBIN) $(LIBEXEC) $(ETC_LIB)/systemd/system-generators
	$(Q)install -m 755 $(B)/bin/svcencd $(B)/bin/svcenc \
		$(B)/bin/svcenc-dump $(B)/bin/svcenc-recover $(SBIN)
	$(Q)install -m 755 $(VAULT_BIN) $(B)/bin/svcenc-probe $(LIBEXEC)
	$(Q)install -m 755 $(B)/bin/svcenc-generator \
		$(ETC_LIB)/systemd/system-generators
	$(Q)install -m 644 -D -t $(ETC_LIB)/systemd/system \
		agent/units/*.service agent/units/*.target
	$(Q)install -m 644 -D -t $(ETC_LIB)/udev/rules.d \
		agent/units/61-svcenc.rules
	$(Q)install -m 644 -D agent/units/sysusers.conf \
		$(ETC_LIB)/sysusers.d/svcenc.conf
	$(Q)install -m 644 -D agent/units/tmpfiles.conf \
		$(ETC_LIB)/tmpfiles.d/svcenc.conf
	$(Q)install -m 644 -D agent/units/modules-load.conf \
		$(ETC_LIB)/modules-load.d/svcenc.conf
	$(Q)install -m 644 -D agent/units/svcenc.bash-completion \
		$(DESTDIR)$(PREFIX)/share/bash-completion/completions/svcenc
	$(Q)install -m 644 -D -t $(DESTDIR)$(PREFIX)/share/svcenc \
		agent/io.svcenc.Agent.varlink agent/io.svcenc.Vault.varlink
	$(Q)install -m 644 -D -t $(DESTDIR)$(PREFIX)/share/man/man8 \
		$(wildcard $(B)/man/*.8)
	$(Q)install -m 644 -D -t $(DESTDIR)$(PREFIX)/share/man/man5 \
		$(wildcard $(B)/man/*.5)

install-module: module
	$(call say,INSTALL,$(MODULE))
	$(Q)install -m 644 -D -t $(DESTDIR)/lib/modules/$(KVER)/updates \
		$(MODULE)
	$(Q)depmod $(if $(DESTDIR),-b $(DESTDIR)) $(KVER)

print-kver:
	@echo $(KVER)

clean:
	$(Q)rm -rf $(B)
	$(Q)$(MAKE) -s -C $(KDIR) M=$(CURDIR)/kernel/dm-svcenc clean

help:
	@sed -n 's/^# //p' Makefile | head -n 7
