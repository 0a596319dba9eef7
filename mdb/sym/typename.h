/* SPDX-License-Identifier: MIT */
/*
 * C type names taken apart: "const struct ext4`foo *[3]" is an object, what
 * is named in it, and how the type is derived from that.
 */
#ifndef MDB_SYM_TYPENAME_H
#define MDB_SYM_TYPENAME_H

#include "mdb/sym/types.h"

#define MDB_TYPENAME_MAX 256
#define MDB_TYPENAME_MAX_STEPS 32

enum mdb_typename_tag {
	MDB_TAG_ANY = 0, /* struct, union, enum or typedef, in that order */
	MDB_TAG_STRUCT,
	MDB_TAG_UNION,
	MDB_TAG_ENUM,
	MDB_TAG_INT, /* built of C's words; see the integer fields */
	MDB_TAG_FLOAT,
	MDB_TAG_VOID,
};

/* The integers of C as the words spell them. */
enum mdb_c_int {
	MDB_C_CHAR = 0,
	MDB_C_SHORT,
	MDB_C_INT,
	MDB_C_LONG,
	MDB_C_LLONG,
	MDB_C_INT128,
	MDB_C_BOOL,
};

struct mdb_typename {
	char object[MDB_TYPENAME_MAX]; /* "": none named */
	char name[MDB_TYPENAME_MAX];
	unsigned int nth; /* "struct slot#2": which of several; 0: not said */
	enum mdb_typename_tag tag;
	enum mdb_c_int c_int;
	bool is_unsigned, is_signed; /* as spelled; neither: C's default */
	struct {
		bool is_array; /* else a pointer */
		uint64_t count;
	} steps[MDB_TYPENAME_MAX_STEPS]; /* applied to the name in order */
	size_t nr_steps;
};

/* MDB_E_SYNTAX with the place in the trail.  Qualifiers are dropped. */
enum mdb_status mdb_typename_parse(struct mdb_ctx *cx, const char *text,
	struct mdb_typename *typename_out);

/*
 * Looks the name up in a container and its bases; the object is the caller's
 * to have looked at.  C's integers are found in any container.
 * MDB_E_NOTFOUND without a trail.
 */
enum mdb_status mdb_typename_find(struct mdb_types *types,
	const struct mdb_typename *tn, struct mdb_type *type_out);

#endif
