/* SPDX-License-Identifier: MIT */
/*
 * Types of the target: one model behind BTF, CTF and DWARF.
 *
 * A struct mdb_type is a small value: an id within a container (the kernel's
 * BTF, a module's, a DWARF file).  Copy it freely; it is valid as long as the
 * session.
 */
#ifndef MDB_TYPE_H
#define MDB_TYPE_H

#include <mdb/sym.h>

struct mdb_types; /* one container of types */

struct mdb_type {
	struct mdb_types *types; /* NULL: no type */
	uint32_t id;		 /* 0: void */
};

/* clang-format off */
enum mdb_type_kind {
	MDB_T_VOID = 0,
	MDB_T_INT,	/* also char and bool: see mdb_type_int_info */
	MDB_T_FLOAT,
	MDB_T_POINTER,
	MDB_T_ARRAY,
	MDB_T_STRUCT,
	MDB_T_UNION,
	MDB_T_ENUM,
	MDB_T_TYPEDEF,
	MDB_T_CONST,
	MDB_T_VOLATILE,
	MDB_T_RESTRICT,
	MDB_T_FUNC,	/* a function's prototype */
	MDB_T_FORWARD,	/* struct or union declared but not defined here */
};
/* clang-format on */

/*
 * Finds a type by its C name: "struct task_struct", "task_struct" (struct,
 * union, enum or typedef in that order), "unsigned long", "struct list_head *",
 * "char [16]", "struct ext4`foo" or "ext4`struct foo" (an object's own types).
 * Of several definitions the first; see mdb_type_nr_namesakes().
 */
MDB_API enum mdb_status mdb_type_by_name(struct mdb_ctx *cx,
	struct mdb_world *world, const char *name, struct mdb_type *type_out);

/*
 * Several files of a kernel may each define a structure under one name.  How
 * many are known of this type's name, at least 1; "struct slot#2" names the
 * second.
 */
MDB_API size_t mdb_type_nr_namesakes(struct mdb_type type);

/* The declared type of a variable or function; MDB_E_NOTFOUND if not known. */
MDB_API enum mdb_status mdb_type_of_sym(struct mdb_ctx *cx,
	const struct mdb_sym *sym, struct mdb_type *type_out);

MDB_API enum mdb_type_kind mdb_type_kind(struct mdb_type type);
/* Through typedef, const, volatile, restrict; bounded against cycles. */
MDB_API struct mdb_type mdb_type_resolve(struct mdb_type type);
/* What a pointer, array, typedef or qualifier refers to; a function returns. */
MDB_API struct mdb_type mdb_type_target(struct mdb_type type);
/* The definition of a forward declaration if there is one, else the type. */
MDB_API struct mdb_type mdb_type_complete(struct mdb_type type);
/* C spelling; lives until the command ends. */
MDB_API const char *mdb_type_name(struct mdb_ctx *cx, struct mdb_type type);
/* Bytes; MDB_E_NOTFOUND for void, functions and forward declarations. */
MDB_API enum mdb_status mdb_type_size(struct mdb_ctx *cx, struct mdb_type type,
	uint64_t *size_out);

struct mdb_int_info {
	uint32_t nr_bits;
	bool is_signed;
	bool is_char;
	bool is_bool;
};
/* Of integers and enums, after resolving. */
MDB_API struct mdb_int_info mdb_type_int_info(struct mdb_type type);

MDB_API uint64_t mdb_type_array_count(struct mdb_type type);

struct mdb_member {
	const char *name; /* "" when anonymous */
	struct mdb_type type;
	uint64_t bit_offset; /* from the start of the type asked */
	uint32_t nr_bits;    /* of a bitfield, else 0 */
};
/* Direct members in order; index past the last: MDB_DONE. */
MDB_API size_t mdb_type_nr_members(struct mdb_type type);
MDB_API enum mdb_status mdb_type_member_at(struct mdb_ctx *cx,
	struct mdb_type type, size_t index, struct mdb_member *member_out);
/* By path: "a", "a.b[3].c", through anonymous structs and unions. */
MDB_API enum mdb_status mdb_type_member(struct mdb_ctx *cx,
	struct mdb_type type, const char *path, struct mdb_member *member_out);

struct mdb_enumerator {
	const char *name;
	int64_t value;
};
MDB_API size_t mdb_type_nr_enumerators(struct mdb_type type);
MDB_API struct mdb_enumerator mdb_type_enumerator_at(struct mdb_type type,
	size_t index);
/* The name for a value, or NULL. */
MDB_API const char *mdb_type_enum_name(struct mdb_type type, int64_t value);

/* ---- trust --------------------------------------------------------------- */

/*
 * How sure the place of a member is.  Types that came with the system that is
 * looked at are exact.  A hypervisor's may be those of another build of its
 * version; then facts of the dump prove or refute them, member by member.
 */
/* clang-format off */
enum mdb_trust {
	MDB_TRUST_EXACT = 0,	/* of this very build */
	MDB_TRUST_PROVEN,	/* facts of the dump agree, not by chance */
	MDB_TRUST_UNPROVEN,	/* nothing says so or otherwise */
	MDB_TRUST_REFUTED,	/* it is not there, or near one that is not */
};
/* clang-format on */

/* By the type's name and a path as of mdb_type_member; without such a member
 * MDB_TRUST_REFUTED, without a trail. */
MDB_API enum mdb_trust mdb_member_trust(struct mdb_ctx *cx,
	struct mdb_world *world, const char *type_name, const char *path);

/*
 * All of a world's types together: exact, or else the worst of what was
 * tested.  text (may be NULL) gets a line for ::status, which lives until the
 * command ends.  This makes the tests.
 */
MDB_API enum mdb_trust mdb_world_trust(struct mdb_ctx *cx,
	struct mdb_world *world, const char **text_out);

/* ---- shapes: the few members that a command needs, as a local struct ----- */

/*
 * One wanted member: where it goes in the local struct, and under which names
 * it is known, newest first, e.g. "__state\0state\0".  Integers and pointers
 * are converted to the local field's size; arrays of bytes are copied and cut.
 */
struct mdb_field {
	size_t offset; /* in the local struct */
	size_t size;
	const char
		*names; /* alternatives, each ended by NUL, then an empty one */
	bool optional;	/* absent: the local field is left zero */
	bool address;	/* store the member's address instead of its value */
};

#define MDB_FIELD(type, field, path)                                          \
	{                                                                     \
		offsetof(type, field), sizeof(((type *)0)->field), path "\0", \
			false, false                                          \
	}
#define MDB_FIELD_OPT(type, field, path)                                      \
	{                                                                     \
		offsetof(type, field), sizeof(((type *)0)->field), path "\0", \
			true, false                                           \
	}
#define MDB_FIELD_ADDR(type, field, path)                                     \
	{                                                                     \
		offsetof(type, field), sizeof(((type *)0)->field), path "\0", \
			false, true                                           \
	}
#define MDB_FIELD_END                    \
	{                                \
		0, 0, NULL, false, false \
	}

struct mdb_shape {
	const char *type_name; /* "struct task_struct" */
	const struct mdb_field *fields;
};

/*
 * Reads the members of the object at loc.  local is zeroed first.  An absent
 * mandatory member is MDB_E_NOTFOUND and names type and member; one that is
 * refuted (MDB_TRUST_REFUTED) is MDB_E_UNSUPPORTED, and if it is optional it
 * counts as absent.  The layout is looked up once per world and kept.
 */
MDB_API enum mdb_status mdb_read_shape(struct mdb_ctx *cx,
	const struct mdb_shape *shape, struct mdb_loc loc, void *local);
/* Was this (optional) member there? */
MDB_API bool mdb_shape_has(struct mdb_ctx *cx, struct mdb_world *world,
	const struct mdb_shape *shape, size_t field_index);

/* How sure this field is; MDB_TRUST_REFUTED also for one that is absent. */
MDB_API enum mdb_trust mdb_shape_trust(struct mdb_ctx *cx,
	struct mdb_world *world, const struct mdb_shape *shape,
	size_t field_index);

/* Offset in bytes of a member by path; alternatives as in struct mdb_field;
 * refused as by mdb_read_shape. */
MDB_API enum mdb_status mdb_offset_of(struct mdb_ctx *cx,
	struct mdb_world *world, const char *type_name, const char *names,
	uint64_t *offset_out);

#endif
