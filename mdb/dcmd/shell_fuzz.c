/* SPDX-License-Identifier: MIT */
/*
 * Statements to a whole session with the built-in commands, over a little
 * memory of no known system.  Nothing leaves the process: no shell, no log.
 * What would run for ever (0,ffffffffffff::echo) is interrupted.
 */
#include "mdb/dcmd/dcmd.h"
#include "mdb/mem/memory.h"
#include "mdb/shell/session.h"
#include "mdb/world/target.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/time.h>
#include <unistd.h>

#define MAX_LEN 4096
#define LIMIT_US 200000

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static volatile sig_atomic_t interrupted;

static void
on_alarm(int signal_number)
{
	(void)signal_number;
	interrupted = 1;
}

static struct mdb_target *
make_target(void)
{
	struct mdb_memory *memory = mdb_memory_create_fake();
	struct mdb_target *target = mdb_target_create_memory(memory);
	struct mdb_world *world =
		mdb_world_create(target, MDB_WORLD_BARE, "fake");

	for (mdb_paddr_t at = 0; at < 0x2000; at += 8)
		mdb_fake_write_u64(memory, at, at * 0x0101010101010101u);
	world->arch = &mdb_arch_x86_64;
	world->space = mdb_space_create("fake", memory, world->arch,
		MDB_PAGING_NONE, 0);
	mdb_space_add_window(world->space, 0x10000, 0x12000, 0ull - 0x10000);
	mdb_target_add_world(target, world);
	return target;
}

static void
arm(bool on)
{
	struct itimerval timer = { 0 };

	timer.it_value.tv_usec = on ? LIMIT_US : 0;
	(void)signal(SIGALRM, on_alarm);
	(void)setitimer(ITIMER_REAL, &timer, NULL);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	int fd = open("/dev/null", O_WRONLY | O_CLOEXEC);
	struct mdb_session *s;

	if (len > MAX_LEN)
		len = MAX_LEN;
	interrupted = 0;
	s = mdb_session_create(mdb_sink_create(fd), mdb_sink_create(fd),
		&interrupted);
	s->opts.allow_shell = false;
	s->opts.json = len > 0 && data[0] == '{';
	mdb_session_set_target(s, make_target());
	mdb_builtin_register(&s->registry);
	arm(true);
	(void)!mdb_session_eval(s, (const char *)data, len, NULL);
	arm(false);
	mdb_session_destroy(s);
	(void)close(fd);
	return 0;
}
