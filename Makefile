# SPDX-License-Identifier: GPL-2.0-or-later
# make            everything: kernel module, agent, tools
# make module     kernel/dm-svcenc/dm-svcenc.ko for KVER (default: newest
#                 kernel whose headers are installed)
# make agent tools unit fuzz man install clean help
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

.PHONY: all module agent tools unit fuzz man install clean help
.DELETE_ON_ERROR:
all: module agent tools man

module:
	$(Q)$(MAKE) $(if $(Q),-s) -C $(KDIR) M=$(CURDIR)/kernel/dm-svcenc \
		$(if $(W),W=$(W)) $(if $(C),C=$(C)) modules \
		2>&1 | grep -v 'Skipping BTF generation' ; \
		test -e $(MODULE)

include agent/build.mk tools/build.mk tests/build.mk

clean:
	$(Q)rm -rf $(B)
	$(Q)$(MAKE) -s -C $(KDIR) M=$(CURDIR)/kernel/dm-svcenc clean

help:
	@sed -n 's/^# //p' Makefile | head -n 6
