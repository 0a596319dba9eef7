/* SPDX-License-Identifier: MIT */
/*
 * A shape resolved against a type: which bytes of the target object to read
 * and what becomes of them.  Made once per world and shape, then used for
 * every object, so it holds numbers only.
 */
#ifndef MDB_SYM_SHAPE_H
#define MDB_SYM_SHAPE_H

#include "mdb/sym/types.h"

/* How a member becomes the local field. */
enum mdb_slot_kind {
	MDB_SLOT_ABSENT = 0, /* optional and not there */
	MDB_SLOT_INT,	     /* read, extended or narrowed */
	MDB_SLOT_BYTES,	     /* copied, cut to the shorter of both */
	MDB_SLOT_ADDRESS,    /* nothing is read */
};

struct mdb_slot {
	enum mdb_slot_kind kind;
	bool is_signed;
	uint8_t shift;	   /* MDB_SLOT_INT: of the lowest bit */
	uint8_t nr_bits;   /* MDB_SLOT_INT: 1..64 */
	uint32_t len;	   /* bytes to read */
	uint64_t offset;   /* of the first byte, in the object */
	size_t local;	   /* of the local field */
	size_t local_size; /* its bytes */
	size_t field;	   /* index in the shape */
	const char *name;  /* the one of its names that is there */
	enum mdb_trust trust;
};

struct mdb_layout {
	const struct mdb_shape *shape;
	size_t local_len; /* end of the last field */
	size_t nr_fields;
	struct mdb_slot *slots; /* in order of offset; owned */
};

/*
 * MDB_E_NOTFOUND names the type and the mandatory member that is absent.
 * type is the shape's, already looked up.
 */
enum mdb_status mdb_layout_create(struct mdb_ctx *cx,
	const struct mdb_shape *shape, struct mdb_type type,
	struct mdb_layout **layout_out);
void mdb_layout_destroy(struct mdb_layout *layout); /* accepts NULL */

/* Few reads: members that lie close together come with one. */
enum mdb_status mdb_layout_read(struct mdb_ctx *cx,
	const struct mdb_layout *layout, struct mdb_loc loc, void *local);

/*
 * Asks how sure each field is.  A refuted one that is optional becomes absent;
 * MDB_E_UNSUPPORTED names one that is not.
 */
typedef enum mdb_trust mdb_layout_trust_fn(struct mdb_ctx *cx, void *arg,
	const char *type_name, const char *path);
enum mdb_status mdb_layout_judge(struct mdb_ctx *cx, struct mdb_layout *layout,
	mdb_layout_trust_fn *fn, void *arg);
enum mdb_trust mdb_layout_trust(const struct mdb_layout *layout,
	size_t field_index);

bool mdb_layout_has(const struct mdb_layout *layout, size_t field_index);

/* The member under the first of several NUL-separated paths that is there, and
 * which that was. */
enum mdb_status mdb_type_member_any(struct mdb_ctx *cx, struct mdb_type type,
	const char *names, struct mdb_member *member_out,
	const char **name_out);

#endif
