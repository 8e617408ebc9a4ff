# SPDX-License-Identifier: GPL-2.0-or-later
# Programs of the tests with failures and hostile input, into build/test/bin.

UML_FAULT_SRC := tests/uml/fault
UML_FUZZ_SRC := tests/uml/fuzz
UML_OBJ := $(B)/test/uml
UML_BIN := $(B)/test/bin
UML_PROGRAMS := svcenc-nth svcenc-iofault svcenc-dmfuzz svcenc-callers \
	svcenc-cycles
UML_SHARED := $(addprefix $(UML_OBJ)/,dmraw.o volume.o genl.o)

.PHONY: umltest
umltest: $(UML_PROGRAMS:%=$(UML_BIN)/%)

$(UML_OBJ)/%.o: $(UML_FAULT_SRC)/%.c
	@mkdir -p $(@D)
	$(call say,CC,$<)
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) -MMD -MP -c $< -o $@

$(UML_OBJ)/%.o: $(UML_FUZZ_SRC)/%.c
	@mkdir -p $(@D)
	$(call say,CC,$<)
	$(Q)$(CC) $(CPPFLAGS) -I$(UML_FAULT_SRC) $(CFLAGS) -MMD -MP -c $< -o $@

$(UML_OBJ)/%.o: tests/uml/netlink/%.c
	@mkdir -p $(@D)
	$(call say,CC,$<)
	$(Q)$(CC) $(CPPFLAGS) -I$(UML_FAULT_SRC) $(CFLAGS) -MMD -MP -c $< -o $@

$(UML_BIN)/svcenc-nth: $(addprefix $(UML_OBJ)/,nth-device.o nth-other.o fault.o)
$(UML_BIN)/svcenc-iofault: $(UML_OBJ)/fault.o
$(UML_BIN)/svcenc-dmfuzz: $(addprefix $(UML_OBJ)/,\
	fuzz-cases.o fuzz-check.o fuzz-load.o fuzz-netlink.o fuzz-random.o \
	fuzz-raw.o)

$(UML_PROGRAMS:%=$(UML_BIN)/%): $(UML_BIN)/%: $(UML_OBJ)/%.o $(UML_SHARED)
	@mkdir -p $(@D)
	$(call say,LD,$@)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) $^ -o $@

-include $(wildcard $(UML_OBJ)/*.d)
