/* SPDX-License-Identifier: MIT */
/*
 * The built-in commands: one table per subject, each ended by a NULL name.
 * To add commands: put a table mdb_dcmds_SUBJECT[] into a file of this
 * folder, declare it here and list it in builtin.c.
 *
 * Names are as typed after `::`; the one-letter commands of adb are entries
 * of their own, with their dollar or colon ("$c", ":z").
 */
#ifndef MDB_DCMD_DCMD_H
#define MDB_DCMD_DCMD_H

#include <mdb/module.h>

struct mdb_registry;

/* Lists every table of this folder under the module name "mdb". */
void mdb_builtin_register(struct mdb_registry *registry);

extern const struct mdb_dcmd mdb_dcmds_dump[];	   /* dump */
extern const struct mdb_dcmd mdb_dcmds_help[];	   /* help which formats */
extern const struct mdb_dcmd mdb_dcmds_list[];	   /* dcmds walkers dmods */
extern const struct mdb_dcmd mdb_dcmds_nm[];	   /* nm */
extern const struct mdb_dcmd mdb_dcmds_objects[];  /* objects mappings */
extern const struct mdb_dcmd mdb_dcmds_pipes[];	   /* walk grep map head ... */
extern const struct mdb_dcmd mdb_dcmds_print[];	   /* print sizeof list ... */
extern const struct mdb_dcmd mdb_dcmds_settings[]; /* set vars log quit ... */
extern const struct mdb_dcmd mdb_dcmds_regs[];	   /* $r regs cpuregs */
extern const struct mdb_dcmd mdb_dcmds_status[];   /* status */
extern const struct mdb_dcmd mdb_dcmds_triage[];   /* triage */
extern const struct mdb_dcmd mdb_dcmds_trust[];	   /* trust */
extern const struct mdb_dcmd mdb_dcmds_dis[];	   /* dis */
extern const struct mdb_dcmd mdb_dcmds_vtop[];	   /* vtop */
extern const struct mdb_dcmd mdb_dcmds_whatis[];   /* whatis */
extern const struct mdb_dcmd mdb_dcmds_stack[];	   /* $c $C stack */

#endif
