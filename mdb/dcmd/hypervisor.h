/* SPDX-License-Identifier: MIT */
/*
 * What ::status says of the hypervisor that ran the machine: of a dump whose
 * hypervisor was found in it (one that a native dump states has native.h).
 */
#ifndef MDB_DCMD_HYPERVISOR_H
#define MDB_DCMD_HYPERVISOR_H

#include "mdb/dcmd/dcmd.h"
#include "mdb/world/world.h"

struct mdb_hypervisor {
	struct mdb_world *world;
	int panic_cpu; /* -1: it did not panic */
	int nr_cpus;   /* online */
};

/* False: there is none. */
bool mdb_hypervisor_get(struct mdb_ctx *cx, struct mdb_hypervisor *hv_out);

/* Why it panicked, or that this is not known; NULL: it did not panic. */
const char *mdb_hypervisor_panic(struct mdb_ctx *cx,
	const struct mdb_hypervisor *hv);

/* "Xen 4.17.5 (Debian ...), build-id ..." */
const char *mdb_hypervisor_name(struct mdb_ctx *cx,
	const struct mdb_hypervisor *hv);

/* "CPU 0 in the hypervisor, running vCPU 1 of domain 0"; NULL: nobody. */
const char *mdb_hypervisor_culprit(struct mdb_ctx *cx,
	const struct mdb_hypervisor *hv);

/* The nested record of ::status. */
enum mdb_status mdb_hypervisor_status_record(struct mdb_ctx *cx,
	const struct mdb_hypervisor *hv);

#endif
