# SPDX-License-Identifier: GPL-2.0-or-later
# Unit tests of the daemon's pure files: each with what it calls replaced by
# the test. Included behind agent/build.mk, whose objects these are.

DAEMON_TESTS := $(addprefix $(B)/unit/test_daemon_,verdict access withdraw moment events \
	model rotations volume_rotate header refresh pass vault_call)
unit: $(DAEMON_TESTS)

$(B)/unit/test_daemon_verdict: $(ASAN_OBJ)/agent/daemon/verdict.o
$(B)/unit/test_daemon_header: $(ASAN_OBJ)/agent/daemon/header.o
$(B)/unit/test_daemon_refresh: $(ASAN_OBJ)/agent/daemon/refresh.o \
	$(ASAN_OBJ)/agent/daemon/header.o
$(B)/unit/test_daemon_pass: $(ASAN_OBJ)/agent/daemon/pass.o
$(B)/unit/test_daemon_access: $(ASAN_OBJ)/agent/daemon/access.o
$(B)/unit/test_daemon_model: $(addprefix $(ASAN_OBJ)/agent/daemon/,model.o model_json.o \
	model_volumes.o moment.o)
$(B)/unit/test_daemon_events: $(addprefix $(ASAN_OBJ)/agent/daemon/,events.o log.o)
$(B)/unit/test_daemon_moment: $(ASAN_OBJ)/agent/daemon/moment.o
$(B)/unit/test_daemon_volume_rotate: $(ASAN_OBJ)/agent/daemon/volume_rotate.o
$(B)/unit/test_daemon_rotations: $(ASAN_OBJ)/agent/daemon/rotations.o
$(B)/unit/test_daemon_vault_call: $(ASAN_OBJ)/agent/daemon/vault_call.o

$(DAEMON_TESTS): $(B)/unit/%: $(ASAN_OBJ)/tests/unit/%.o $(ASAN_LIB) $(ASAN_CORE)
	$(call say,UNIT,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(AGENT_SAN) $(LDFLAGS) -o $@ $^ -lcmocka -lsystemd $(LIB_LIBS)

-include $(DAEMON_TESTS:$(B)/unit/%=$(ASAN_OBJ)/tests/unit/%.d)
