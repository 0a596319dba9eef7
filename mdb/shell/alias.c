/* SPDX-License-Identifier: MIT */
/*
 * The table of built-in macros.  Those of live systems and of data that no
 * command here shows are left out: a type of the name is printed instead.
 */
#include "mdb/shell/alias.h"

#include <string.h>

static const struct mdb_alias aliases[] = {
	{ "bufctl", ".::print kmem_bufctl_t", true },
	{ "bufctl_audit", ".::print kmem_bufctl_audit_t", true },
	{ "cpu", ".::cpuinfo -v", false },
	{ "cpun", ".::cpuinfo", false },
	{ "cpus", "::cpuinfo -v", false },
	{ "devinfo", ".::print struct dev_info", true },
	{ "findthreads", "::walk thread | ::thread", false },
	{ "modctl.brief", ".::modctl", true },
	{ "modules", "::modctl", true },
	{ "msgbuf", "::msgbuf", false },
	{ "mutex", ".::print mutex_impl_t", true },
	{ "panicbuf", "::panicinfo", false },
	{ "pid2proc", ".::pid2proc", false },
	{ "proc2u", ".::print proc_t p_user", true },
	{ "procargs", ".::print proc_t p_user.u_psargs", true },
	{ "sema", ".::print sema_impl_t", true },
	{ "stackregs", ".$C", false },
	{ "stacktrace", ".$c", false },
	{ "thread", ".::print kthread_t", true },
	{ "threadlist", "::threadlist -v", false },
	{ "u", ".::print struct user", true },
	{ "utsname", "utsname::print", true },
};

#define NR_ALIASES (sizeof(aliases) / sizeof(aliases[0]))

/* A hypervisor stands for the kernel that runs over it. */
static bool
is_known(const struct mdb_world *world, const struct mdb_alias *alias)
{
	enum mdb_world_kind kind =
		world == NULL ? MDB_WORLD_BARE : mdb_world_kind(world);

	return !alias->illumos_only || kind == MDB_WORLD_ILLUMOS ||
	       kind == MDB_WORLD_XEN;
}

const struct mdb_alias *
mdb_alias_find(const struct mdb_world *world, const char *name)
{
	for (size_t i = 0; i < NR_ALIASES; i++)
		if (strcmp(aliases[i].name, name) == 0 &&
			is_known(world, &aliases[i]))
			return &aliases[i];
	return NULL;
}

const struct mdb_alias *
mdb_alias_at(const struct mdb_world *world, size_t n)
{
	for (size_t i = 0; i < NR_ALIASES; i++)
		if (is_known(world, &aliases[i]) && n-- == 0)
			return &aliases[i];
	return NULL;
}
