/* SPDX-License-Identifier: MIT */
/*
 * Data of the target as typed objects: what ::print, ::printf and their like
 * share.  A datum is a type and where its bytes are; from it come its
 * members, its value as text, and its tree.
 */
#ifndef MDB_DCMD_PRINT_H
#define MDB_DCMD_PRINT_H

#include <mdb/module.h>

enum mdb_datum_place {
	MDB_PLACE_NONE = 0,  /* a layout: loc.addr is an offset */
	MDB_PLACE_MEMORY,    /* at loc */
	MDB_PLACE_MACHINE,   /* at machine address loc.addr */
	MDB_PLACE_IMMEDIATE, /* the bytes of immediate; loc.addr is an offset */
};

struct mdb_datum {
	struct mdb_type type;
	struct mdb_loc loc;
	enum mdb_datum_place place;
	uint64_t immediate;
	uint32_t shift;	  /* of a bitfield's lowest bit in the byte at loc */
	uint32_t nr_bits; /* of a bitfield, else 0 */
	/* It is not there: a pointer on the way to it is NULL or unreadable. */
	enum mdb_status missing;
	bool is_null; /* missing because of a NULL pointer */
	/* Of a hypervisor: the outermost structure that it is part of, and its
	 * way from there; NULL where it is none's part. */
	const char *outer, *way;
};

/* How values are shown. */
struct mdb_style {
	bool decimal;
	bool addresses;	 /* -a */
	bool types;	 /* -t */
	bool base_types; /* -T */
	bool holes;	 /* -h */
	bool no_symbols; /* -n */
	uint64_t max_depth;
	uint64_t max_elements;
	uint64_t max_chars;
	uint64_t values_left; /* against types that nest without end */
};

enum mdb_status mdb_datum_read(struct mdb_ctx *cx, const struct mdb_datum *d,
	void *buf, size_t len);

/* The number of an integer, enum, pointer or bitfield; sign extended. */
enum mdb_status mdb_datum_number(struct mdb_ctx *cx, const struct mdb_datum *d,
	uint64_t *value_out);

/* A member or an element of the datum. */
struct mdb_datum mdb_datum_member(struct mdb_ctx *cx, const struct mdb_datum *d,
	const struct mdb_member *m, const char *name);
enum mdb_status mdb_datum_element(struct mdb_ctx *cx, const struct mdb_datum *d,
	uint64_t index, struct mdb_datum *out);

/*
 * print_trust.c: remembers that member is parent's, under this name (empty: it
 * has none); how sure its place is; MDB_E_UNSUPPORTED where that is refuted.
 */
void mdb_datum_enter(struct mdb_ctx *cx, const struct mdb_datum *parent,
	const char *name, struct mdb_datum *member);
enum mdb_trust mdb_datum_trust(struct mdb_ctx *cx, const struct mdb_datum *d);
enum mdb_status mdb_datum_refuse(struct mdb_ctx *cx, const struct mdb_datum *d);

/*
 * What `a.b->c[2]` is in d.  A failure is the expression's; memory that
 * cannot be read on the way gives a datum that is missing.
 */
enum mdb_status mdb_datum_path(struct mdb_ctx *cx, const struct mdb_datum *d,
	const char *path, struct mdb_datum *out);

/* A value with no members: its text, and what JSON and pipelines get. */
const char *mdb_datum_text(struct mdb_ctx *cx, const struct mdb_datum *d,
	const struct mdb_style *style, struct mdb_value *json_out);
/* The text that a pointer to characters leads to; NULL: it is none, or that is
 * no text or cannot be read. */
const char *mdb_datum_pointed(struct mdb_ctx *cx, const struct mdb_datum *d,
	const struct mdb_style *style);
/* Is it one: no struct, union, or array of other than characters? */
bool mdb_datum_is_leaf(const struct mdb_datum *d);

/* The whole: a leaf or a tree.  name may be NULL. */
enum mdb_status mdb_datum_print(struct mdb_ctx *cx, const struct mdb_datum *d,
	const char *name, struct mdb_style *style);
/* What a pipeline gets: the value, or the address of a structure or array. */
enum mdb_status mdb_datum_emit(struct mdb_ctx *cx, const struct mdb_datum *d);

/*
 * A type at the front of a command's operands, which may be several words
 * ("struct" "foo" "*").  used_out is how many.  MDB_E_NOTFOUND and
 * MDB_E_SYNTAX when it is none.
 */
enum mdb_status mdb_operand_type(struct mdb_ctx *cx,
	const struct mdb_call *call, int first, struct mdb_type *type_out,
	int *used_out);
/* The type of the variable at the call's address. */
enum mdb_status mdb_implied_type(struct mdb_ctx *cx,
	const struct mdb_call *call, struct mdb_type *type_out);
/* The world whose types a call means. */
struct mdb_world *mdb_call_world(struct mdb_ctx *cx,
	const struct mdb_call *call);

#endif
