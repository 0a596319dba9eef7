/* SPDX-License-Identifier: MIT */
/*
 * The table of built-in macros.  Those of live systems and of data that no
 * command here shows are left out: a type of the name is printed instead.
 */
#include "mdb/shell/alias.h"

#include "mdb/world/target.h"

#include <string.h>

static const struct mdb_alias aliases[] = {
	{ "bufctl", ".::print kmem_bufctl_t", MDB_ALIAS_ILLUMOS },
	{ "bufctl_audit", ".::print kmem_bufctl_audit_t", MDB_ALIAS_ILLUMOS },
	{ "cpu", ".::cpuinfo -v", MDB_ALIAS_ALL },
	{ "cpun", ".::cpuinfo", MDB_ALIAS_ALL },
	{ "cpus", "::cpuinfo -v", MDB_ALIAS_ALL },
	{ "devinfo", ".::print struct dev_info", MDB_ALIAS_ILLUMOS },
	{ "doms", "::domain", MDB_ALIAS_XEN },
	{ "findthreads", "::walk thread | ::thread", MDB_ALIAS_ALL },
	{ "modctl.brief", ".::modctl", MDB_ALIAS_ILLUMOS },
	{ "modules", "::modctl", MDB_ALIAS_ILLUMOS },
	{ "msgbuf", "::msgbuf", MDB_ALIAS_ALL },
	{ "mutex", ".::print mutex_impl_t", MDB_ALIAS_ILLUMOS },
	{ "panicbuf", "::panicinfo", MDB_ALIAS_ALL },
	{ "pcpus", "::pcpu", MDB_ALIAS_XEN },
	{ "pid2proc", ".::pid2proc", MDB_ALIAS_ALL },
	{ "proc2u", ".::print proc_t p_user", MDB_ALIAS_ILLUMOS },
	{ "procargs", ".::print proc_t p_user.u_psargs", MDB_ALIAS_ILLUMOS },
	{ "sema", ".::print sema_impl_t", MDB_ALIAS_ILLUMOS },
	{ "stackregs", ".$C", MDB_ALIAS_ALL },
	{ "stacktrace", ".$c", MDB_ALIAS_ALL },
	{ "thread", ".::print kthread_t", MDB_ALIAS_ILLUMOS },
	{ "threadlist", "::threadlist -v", MDB_ALIAS_ALL },
	{ "u", ".::print struct user", MDB_ALIAS_ILLUMOS },
	{ "utsname", "utsname::print", MDB_ALIAS_ILLUMOS },
	{ "vcpus", "::vcpu", MDB_ALIAS_XEN },
};

#define NR_ALIASES (sizeof(aliases) / sizeof(aliases[0]))

static bool
has_hypervisor(const struct mdb_world *world)
{
	const struct mdb_world *w;

	if (world == NULL || world->target == NULL)
		return false;
	for (w = world->target->worlds; w != NULL; w = w->next)
		if (w->kind == MDB_WORLD_XEN)
			return true;
	return false;
}

/* A hypervisor stands for the kernel that runs over it. */
static bool
is_known(const struct mdb_world *world, const struct mdb_alias *alias)
{
	enum mdb_world_kind kind =
		world == NULL ? MDB_WORLD_BARE : mdb_world_kind(world);

	switch (alias->of) {
	case MDB_ALIAS_ILLUMOS:
		return kind == MDB_WORLD_ILLUMOS || kind == MDB_WORLD_XEN;
	case MDB_ALIAS_XEN:
		return has_hypervisor(world);
	default:
		return true;
	}
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
