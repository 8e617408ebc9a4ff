// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A plugin of QEMU (7.2 or later) that counts the instructions of all virtual
 * processors, for a machine with more than one, where icount cannot be had. What
 * is counted, the guest says, by instructions without effect
 * (tools/bench.d/module/jobs.c): from MARK_START to MARK_STOP. Knows no load.
 *
 * Each stop is a line of the file "out": the sum, and each processor's part.
 * The processor's interrupts and idle loops are in it; to wait costs nothing
 * but for locks, on which a processor spins.
 *
 * Debian does not package the header of this interface: what is used of it is
 * declared here, as it has been from the first version on.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum {
	CPUS_MAX = 16,
	CB_NO_REGS = 0,
};

typedef uint64_t qemu_plugin_id_t;
struct qemu_plugin_tb;
struct qemu_plugin_insn;

typedef void count_cb(unsigned int cpu, void *context);
typedef void block_cb(qemu_plugin_id_t id, struct qemu_plugin_tb *tb);

int qemu_plugin_version = 1;

void qemu_plugin_register_vcpu_tb_trans_cb(qemu_plugin_id_t id, block_cb *cb);
void qemu_plugin_register_vcpu_tb_exec_cb(struct qemu_plugin_tb *tb,
					  count_cb *cb, int flags,
					  void *context);
void qemu_plugin_register_vcpu_insn_exec_cb(struct qemu_plugin_insn *insn,
					    count_cb *cb, int flags,
					    void *context);
size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *tb);
struct qemu_plugin_insn *
qemu_plugin_tb_get_insn(const struct qemu_plugin_tb *tb, size_t at);
const void *qemu_plugin_insn_data(const struct qemu_plugin_insn *insn);
size_t qemu_plugin_insn_size(const struct qemu_plugin_insn *insn);

/* Called by QEMU. */
int qemu_plugin_install(qemu_plugin_id_t id, const void *info, int argc,
			char **argv);

/* nopl DISPLACEMENT(%rax) */
static const uint8_t mark_start[] = { 0x0f, 0x1f, 0x80, 0x01, 'S', 'V', 'C' };
static const uint8_t mark_stop[] = { 0x0f, 0x1f, 0x80, 0x02, 'S', 'V', 'C' };

/* Each written by its own thread, read by the one that meets a mark. */
static struct {
	uint64_t done;
	uint64_t at_start;
} __attribute__((aligned(64))) cpus[CPUS_MAX];

static FILE *out;

static void count_block(unsigned int cpu, void *context)
{
	cpus[cpu % CPUS_MAX].done += (uintptr_t)context;
}

static void start(unsigned int cpu, void *context)
{
	(void)cpu;
	(void)context;
	for (int i = 0; i < CPUS_MAX; i++)
		cpus[i].at_start =
			__atomic_load_n(&cpus[i].done, __ATOMIC_RELAXED);
}

static void stop(unsigned int cpu, void *context)
{
	uint64_t parts[CPUS_MAX], sum = 0;

	(void)cpu;
	(void)context;
	for (int i = 0; i < CPUS_MAX; i++) {
		parts[i] = __atomic_load_n(&cpus[i].done, __ATOMIC_RELAXED) -
			   cpus[i].at_start;
		sum += parts[i];
	}
	fprintf(out, "%" PRIu64, sum);
	for (int i = 0; i < CPUS_MAX && parts[i]; i++)
		fprintf(out, " %" PRIu64, parts[i]);
	fputc('\n', out);
	fflush(out);
}

static int is_mark(const struct qemu_plugin_insn *insn, const uint8_t *mark)
{
	return qemu_plugin_insn_size(insn) == sizeof(mark_start) &&
	       !memcmp(qemu_plugin_insn_data(insn), mark, sizeof(mark_start));
}

static void look_at_block(qemu_plugin_id_t id, struct qemu_plugin_tb *tb)
{
	const size_t count = qemu_plugin_tb_n_insns(tb);

	(void)id;
	qemu_plugin_register_vcpu_tb_exec_cb(tb, count_block, CB_NO_REGS,
					     (void *)count);
	for (size_t i = 0; i < count; i++) {
		struct qemu_plugin_insn *insn = qemu_plugin_tb_get_insn(tb, i);

		if (is_mark(insn, mark_start))
			qemu_plugin_register_vcpu_insn_exec_cb(
				insn, start, CB_NO_REGS, NULL);
		else if (is_mark(insn, mark_stop))
			qemu_plugin_register_vcpu_insn_exec_cb(
				insn, stop, CB_NO_REGS, NULL);
	}
}

int qemu_plugin_install(qemu_plugin_id_t id, const void *info, int argc,
			char **argv)
{
	(void)info;
	if (argc != 1 || strncmp(argv[0], "out=", 4)) {
		fputs("insns: wants out=FILE\n", stderr);
		return -1;
	}
	out = fopen(argv[0] + 4, "w");
	if (!out) {
		fprintf(stderr, "insns: %s cannot be written\n", argv[0] + 4);
		return -1;
	}
	qemu_plugin_register_vcpu_tb_trans_cb(id, look_at_block);
	return 0;
}
