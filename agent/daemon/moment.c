// SPDX-License-Identifier: GPL-2.0-or-later
#include <fcntl.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "agent.h"
#include "moment.h"

static const char *this_boot(void)
{
	static char id[MOMENT_BOOT_SIZE];
	int fd;

	if (id[0])
		return id;
	fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return id;
	if (read(fd, id, sizeof(id) - 1) != sizeof(id) - 1)
		id[0] = '\0';
	close(fd);
	return id;
}

void moment_now(struct moment *ret)
{
	memset(ret, 0, sizeof(*ret));
	ret->wall_s = (int64_t)time(NULL);
	ret->boot_ms = agent_now_ms();
	memcpy(ret->boot, this_boot(), sizeof(ret->boot));
}

bool moment_equal(const struct moment *a, const struct moment *b)
{
	return a->wall_s == b->wall_s && a->boot_ms == b->boot_ms &&
	       !strcmp(a->boot, b->boot);
}

int64_t moment_ago_ms(const struct moment *moment)
{
	struct moment now;
	int64_t ago_s;

	moment_now(&now);
	if (now.boot[0] && !strcmp(now.boot, moment->boot) &&
	    now.boot_ms >= moment->boot_ms)
		return now.boot_ms - moment->boot_ms;
	ago_s = now.wall_s - moment->wall_s;
	if (ago_s < 0 || ago_s > MOMENT_FOR_EVER_MS / 1000)
		return MOMENT_FOR_EVER_MS;
	return ago_s * 1000;
}

json_t *moment_write(const struct moment *moment)
{
	return json_pack("{s:I, s:I, s:s}", "wall_s",
			 (json_int_t)moment->wall_s, "boot_ms",
			 (json_int_t)moment->boot_ms, "boot", moment->boot);
}

bool moment_read(json_t *json, struct moment *ret)
{
	json_int_t wall_s, boot_ms;
	const char *boot;

	memset(ret, 0, sizeof(*ret));
	if (json_unpack(json, "{s:I, s:I, s:s !}", "wall_s", &wall_s, "boot_ms",
			&boot_ms, "boot", &boot) < 0 ||
	    strlen(boot) >= sizeof(ret->boot))
		return false;
	ret->wall_s = wall_s;
	ret->boot_ms = boot_ms;
	memcpy(ret->boot, boot, strlen(boot) + 1);
	return true;
}
