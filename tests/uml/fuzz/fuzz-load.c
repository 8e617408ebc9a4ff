// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Light load on the steady volume: a block every few milliseconds, read and
 * compared, then written anew. It holds the device open, so nobody can remove
 * it by the way.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fuzz.h"

enum { BLOCK = 4096, BLOCKS = 1024, PAUSE_US = 5000 };

static volatile sig_atomic_t stop;
static uint32_t written[BLOCKS]; /* generation of each block */
static uint8_t buffer[BLOCK] __attribute__((aligned(BLOCK)));

static void on_term(int unused)
{
	(void)unused;
	stop = 1;
}

static void fill(uint32_t block, uint32_t generation)
{
	uint32_t *word = (uint32_t *)(void *)buffer;
	uint32_t i;

	for (i = 0; i < BLOCK / sizeof(*word); i++)
		word[i] = i % 2 ? generation : block * 2654435761U + i;
}

static bool put(int fd, uint32_t block, uint32_t generation)
{
	fill(block, generation);
	written[block] = generation;
	return pwrite(fd, buffer, BLOCK, (off_t)block * BLOCK) == BLOCK;
}

static bool verify(int fd, uint32_t block)
{
	static uint8_t got[BLOCK] __attribute__((aligned(BLOCK)));

	fill(block, written[block]);
	if (pread(fd, got, BLOCK, (off_t)block * BLOCK) != BLOCK) {
		printf("inconsistent: steady block %u does not read: %m\n",
		       block);
		return false;
	}
	if (!memcmp(got, buffer, BLOCK))
		return true;
	printf("inconsistent: steady block %u holds other bytes\n", block);
	return false;
}

static bool load(int fd)
{
	uint32_t block, generation = 1;
	bool good = true;

	for (block = 0; good && block < BLOCKS; block++)
		good = put(fd, block, 0);
	fuzz_seed(0, 0);
	while (good && !stop) {
		block = fuzz_below(BLOCKS);
		good = verify(fd, block) && put(fd, block, generation++);
		usleep(PAUSE_US);
	}
	for (block = 0; good && block < BLOCKS; block++)
		good = verify(fd, block);
	printf("steady volume: %u blocks verified and written under way, %u at the end\n",
	       generation - 1, good ? BLOCKS : 0);
	fflush(stdout);
	return good;
}

pid_t fuzz_load_start(void)
{
	struct dm_ioctl *io = dmraw_begin(FUZZ_STEADY_NAME);
	struct sigaction action = { .sa_handler = on_term };
	pid_t pid;
	int fd;

	if (dmraw_call(DM_DEV_STATUS, io))
		return -1;
	fd = dmraw_open_device(io->dev, O_RDWR);
	if (fd < 0)
		return -1;
	fflush(stdout);
	pid = fork();
	if (pid) {
		close(fd);
		return pid;
	}
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	sigaction(SIGTERM, &action, NULL);
	exit(load(fd) ? 0 : 1);
}

bool fuzz_load_alive(pid_t pid)
{
	return waitpid(pid, NULL, WNOHANG) == 0;
}

bool fuzz_load_end(pid_t pid)
{
	int status = -1;

	kill(pid, SIGTERM);
	waitpid(pid, &status, 0);
	return WIFEXITED(status) && !WEXITSTATUS(status);
}
