/* SPDX-License-Identifier: MIT */
/*
 * What is known of the hypervisor's types and data, and how well: xen->types.
 * xen_types.c chooses, xen_data.c finds data, xen_trust.c proves.
 */
#ifndef MDB_WORLD_XEN_TYPES_H
#define MDB_WORLD_XEN_TYPES_H

#include <mdb/type.h>

#include "mdb/sym/pack.h"
#include "mdb/world/xen_world.h"

enum mdb_xen_source {
	MDB_XEN_TYPES_NONE = 0,
	MDB_XEN_TYPES_DWARF,   /* of exactly this hypervisor */
	MDB_XEN_TYPES_BUILD,   /* a pack that lists its build-id as exact */
	MDB_XEN_TYPES_VERSION, /* a pack of its series and flavour */
};

struct mdb_xen_trust; /* xen_trust.c */

#define MDB_XEN_MAX_CANDIDATES 8
struct mdb_xen_types {
	enum mdb_xen_source source;
	struct mdb_pack *pack; /* for data: the nearest; or NULL */
	int build;     /* which of the pack's this is; -1: none of them */
	char name[48]; /* of the pack that the types are of */
	/* MDB_XEN_TYPES_VERSION: all that may do, the nearest first. */
	const struct mdb_pack_blob *candidates[MDB_XEN_MAX_CANDIDATES];
	unsigned long distances[MDB_XEN_MAX_CANDIDATES];
	size_t nr_candidates;
	struct mdb_xen_trust *trust; /* of the types in use; or NULL */
	size_t nr_named, nr_voted;   /* symbols added: by build, by votes */
};

/* Chosen at first use; never NULL. */
struct mdb_xen_types *mdb_xen_types(struct mdb_ctx *cx, struct mdb_xen *xen);
void mdb_xen_types_fini(struct mdb_xen *xen);

/* ops.load_types of the hypervisor's object. */
enum mdb_status mdb_xen_load_types(struct mdb_ctx *cx,
	struct mdb_object *object, struct mdb_types **types_out);

/* Adds what the embedded table lacks (mdb_xensyms_more_fn). */
void mdb_xen_data_symbols(struct mdb_ctx *cx, struct mdb_object *object,
	void *arg);

/* ops.member_trust and ops.types_text. */
enum mdb_trust mdb_xen_member_trust(struct mdb_ctx *cx, struct mdb_world *world,
	const char *type_name, const char *path);
enum mdb_trust mdb_xen_trust_all(struct mdb_ctx *cx, struct mdb_world *world,
	const char **text_out);
/* Tests types on the dump; how many members it refutes. */
struct mdb_xen_trust *mdb_xen_prove(struct mdb_ctx *cx, struct mdb_xen *xen,
	struct mdb_types *types, size_t *nr_refuted_out);
/* Ranges of bytes that were contradicted, whatever that refutes. */
size_t mdb_xen_nr_contradicted(const struct mdb_xen_trust *trust);
void mdb_xen_trust_destroy(struct mdb_xen_trust *trust);

#endif
