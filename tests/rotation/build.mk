# SPDX-License-Identifier: GPL-2.0-or-later
# The model of a rotation's protocol, into build/test/bin. Without sanitizers:
# it tries millions of states.

ROTATION_SRC := tests/rotation
ROTATION_OBJ := $(B)/test/rotation
MODEL_OBJS := $(addprefix $(ROTATION_OBJ)/,model.o model_io.o model_batch.o \
	model_commit.o model_cut.o) \
	$(addprefix $(ROTATION_OBJ)/core/,rotation.o ondisk.o ident.o crc32c.o)

unit: $(B)/test/bin/rotation-model

$(ROTATION_OBJ)/%.o: $(ROTATION_SRC)/%.c
	@mkdir -p $(@D)
	$(call say,CC,$<)
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) -MMD -MP -c $< -o $@

$(ROTATION_OBJ)/core/%.o: kernel/dm-svcenc/core/%.c
	@mkdir -p $(@D)
	$(call say,CC,$<)
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) -MMD -MP -c $< -o $@

$(B)/test/bin/rotation-model: $(MODEL_OBJS)
	@mkdir -p $(@D)
	$(call say,LD,$@)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) $^ -o $@

-include $(wildcard $(ROTATION_OBJ)/*.d $(ROTATION_OBJ)/core/*.d)

unit: $(B)/unit/test_lateflush

$(B)/unit/test_lateflush: tests/unit/test_lateflush.c \
	$(addprefix $(ROTATION_SRC)/,lateflush.c lateflush.h writelog.h)
	@mkdir -p $(@D)
	$(call say,UNIT,$@)
	$(Q)$(CC) $(CPPFLAGS) -I$(ROTATION_SRC) $(CFLAGS) $(TESTS_SAN) $(LDFLAGS) \
		-o $@ $(filter %.c,$^) -lcmocka

# Programs of the replayed power cuts.
CRASH_OBJS := $(addprefix $(ROTATION_OBJ)/,crash-replay.o crashtarget.o \
	writelog.o lateflush.o stamp.o) $(addprefix $(UML_OBJ)/,dmraw.o volume.o)

kselftest: $(B)/test/bin/crash-load $(B)/test/bin/crash-replay

$(ROTATION_OBJ)/crash%.o: $(ROTATION_SRC)/crash%.c
	@mkdir -p $(@D)
	$(call say,CC,$<)
	$(Q)$(CC) $(CPPFLAGS) -I$(UML_FAULT_SRC) $(CFLAGS) -pthread -MMD -MP -c $< -o $@

$(B)/test/bin/crash-load: $(addprefix $(ROTATION_OBJ)/,crash-load.o stamp.o)
$(B)/test/bin/crash-replay: $(CRASH_OBJS)
$(B)/test/bin/crash-load $(B)/test/bin/crash-replay:
	@mkdir -p $(@D)
	$(call say,LD,$@)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -pthread $^ -o $@
