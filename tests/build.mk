# SPDX-License-Identifier: GPL-2.0-or-later
# Unit tests and fuzz targets of core/. Included by the top Makefile.
#
# Both are built with sanitizers; the fuzz targets with clang, and the CRC
# without instrumentation, as it would eat nearly all of their time.

TESTS_SAN := -fsanitize=address,undefined -fno-sanitize-recover=all
CORE_TESTS := $(patsubst tests/unit/%.c,$(B)/unit/%,\
	$(wildcard tests/unit/test_core_*.c))
CORE_SRC := $(wildcard kernel/dm-svcenc/core/*.c)
UNIT_CORE := $(patsubst kernel/dm-svcenc/core/%.c,$(B)/obj/unit/core/%.o,\
	$(CORE_SRC))

FUZZ_CC ?= clang
FUZZ_FLAGS := -std=gnu11 -g -O1 -Wall -Wextra -Werror
FUZZ_TARGETS := $(addprefix $(B)/fuzz/fuzz_,superblock record table status)
FUZZ_CORE := $(patsubst kernel/dm-svcenc/core/%.c,$(B)/obj/fuzz/core/%.o,\
	$(CORE_SRC))

unit: $(CORE_TESTS)
fuzz: $(FUZZ_TARGETS)

$(B)/obj/unit/core/%.o: kernel/dm-svcenc/core/%.c
	$(call say,CC,$<)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) $(TESTS_SAN) -MMD -MP -c -o $@ $<

$(CORE_TESTS): $(B)/unit/%: tests/unit/%.c $(UNIT_CORE)
	$(call say,UNIT,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) $(TESTS_SAN) -MMD -MP \
		-MF $(B)/obj/unit/$(@F).d $(LDFLAGS) -o $@ $< $(UNIT_CORE) -lcmocka

$(B)/obj/fuzz/core/crc32c.o: kernel/dm-svcenc/core/crc32c.c
	$(call say,FUZZCC,$<)
	$(Q)mkdir -p $(@D)
	$(Q)$(FUZZ_CC) $(CPPFLAGS) $(FUZZ_FLAGS) -O2 -MMD -MP -c -o $@ $<

$(B)/obj/fuzz/core/%.o: kernel/dm-svcenc/core/%.c
	$(call say,FUZZCC,$<)
	$(Q)mkdir -p $(@D)
	$(Q)$(FUZZ_CC) $(CPPFLAGS) $(FUZZ_FLAGS) -fsanitize=fuzzer-no-link \
		$(TESTS_SAN) -MMD -MP -c -o $@ $<

$(FUZZ_TARGETS): $(B)/fuzz/%: tests/fuzz/%.c tests/fuzz/fuzz.h $(FUZZ_CORE)
	$(call say,FUZZ,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(FUZZ_CC) $(CPPFLAGS) -Itests/fuzz $(FUZZ_FLAGS) -fsanitize=fuzzer \
		$(TESTS_SAN) -o $@ $< $(FUZZ_CORE)

-include $(UNIT_CORE:.o=.d) $(FUZZ_CORE:.o=.d) \
	$(patsubst $(B)/unit/%,$(B)/obj/unit/%.d,$(CORE_TESTS))
