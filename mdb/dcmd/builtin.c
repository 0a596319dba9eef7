/* SPDX-License-Identifier: MIT */
/*
 * The list of built-in commands and walkers.  The order matters only where
 * two tables have one name: the first wins.
 */
#include "mdb/dcmd/dcmd.h"
#include "mdb/shell/registry.h"

#include <stddef.h>

static const struct mdb_dcmd *const dcmd_tables[] = {
	mdb_dcmds_dump,
	mdb_dcmds_help,
	mdb_dcmds_list,
	mdb_dcmds_nm,
	mdb_dcmds_objects,
	mdb_dcmds_pipes,
	mdb_dcmds_print,
	mdb_dcmds_settings,
	mdb_dcmds_regs,
	mdb_dcmds_stack,
	mdb_dcmds_status,
	mdb_dcmds_triage,
	mdb_dcmds_trust,
	mdb_dcmds_dis,
	mdb_dcmds_vtop,
	mdb_dcmds_whatis,
	NULL,
};

static const struct mdb_walker *const walker_tables[] = {
	NULL,
};

void
mdb_builtin_register(struct mdb_registry *registry)
{
	for (size_t i = 0; dcmd_tables[i] != NULL; i++)
		mdb_registry_add_dcmds(registry, "mdb", dcmd_tables[i]);
	for (size_t i = 0; walker_tables[i] != NULL; i++)
		mdb_registry_add_walkers(registry, "mdb", walker_tables[i]);
}
