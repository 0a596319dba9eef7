/* SPDX-License-Identifier: MIT */
/*
 * A container of types: what BTF, CTF and DWARF readers implement.
 *
 * Ids are the container's own, dense, from 1; 0 is void.  A split container
 * (a module's BTF) continues the ids of its base: ids below first_id are the
 * base's, and get() on them answers for the base.
 */
#ifndef MDB_SYM_TYPES_H
#define MDB_SYM_TYPES_H

#include <mdb/type.h>

/* One type, decoded. */
struct mdb_type_desc {
	enum mdb_type_kind kind;
	const char *name; /* "" when anonymous; the container's memory */
	uint64_t size;	  /* bytes: int, float, struct, union, enum, pointer */
	uint32_t target;  /* id: pointer, array, typedef, qualifier, func */
	uint64_t count;	  /* members, enumerators, array elements, params */
	struct mdb_int_info int_info; /* int and enum */
	bool is_union;		      /* forward declarations */
	uint64_t cookie;	      /* the reader's own: where the rest is */
};

/* A member, or a function's parameter, as its container states it. */
struct mdb_member_desc {
	const char *name; /* "" when anonymous */
	uint32_t type;	  /* an id in the same container */
	uint32_t nr_bits; /* of a bitfield, else 0 */
	uint64_t bit_offset;
};

/* Asking may fill the readers' caches, so the container is not const. */
struct mdb_types_ops {
	/* Ids out of range are void. */
	void (*get)(struct mdb_types *types, uint32_t id,
		struct mdb_type_desc *desc_out);
	/* index < count. */
	void (*member)(struct mdb_types *types,
		const struct mdb_type_desc *desc, size_t index,
		struct mdb_member_desc *member_out);
	void (*enumerator)(struct mdb_types *types,
		const struct mdb_type_desc *desc, size_t index,
		struct mdb_enumerator *enumerator_out);
	/* By kind (struct, union, enum, typedef, int, float, forward) and name
	 * among the container's own, not its base's; 0: none. */
	uint32_t (*find)(struct mdb_types *types, enum mdb_type_kind kind,
		const char *name);
	/* Several definitions may have one name: the nth, from 1.  May be
	 * NULL: not known. */
	uint32_t (*find_nth)(struct mdb_types *types, enum mdb_type_kind kind,
		const char *name, unsigned int nth);
	/* The id of a variable's or function's type; 0: not known.  Own ones
	 * only, too.  May be NULL. */
	uint32_t (*of_var)(struct mdb_types *types, const char *name);
	void (*destroy)(struct mdb_types *types);
};

/* The readers' structs begin with this. */
struct mdb_types {
	const struct mdb_types_ops *ops;
	struct mdb_types *base; /* of a split container, else NULL; borrowed */
	uint32_t first_id;	/* ids below are the base's */
	uint32_t nr_ids;	/* exclusive end of ids */
	size_t word;		/* bytes of a pointer */
	const char *source;	/* "BTF", "DWARF of FILE": for ::status */
	struct mdb_types *derived; /* owned; NULL until a type is derived */
};

void mdb_types_destroy(struct mdb_types *types); /* accepts NULL */

/*
 * BTF (kernel Documentation/bpf/btf.rst) in a buffer that the container takes
 * over (heap).  base for split BTF or NULL.  Bounded, whatever the bytes.
 */
enum mdb_status mdb_btf_create(struct mdb_ctx *cx, void *bytes, size_t len,
	struct mdb_types *base, size_t word, struct mdb_types **types_out);

/* Ids of derived types begin here; no reader's ids come near. */
#define MDB_TYPES_DERIVED 0x80000000u

/*
 * Types that the container lacks: kept with it, the same one each time.
 * target is not "no type" (types NULL); the int's name is not copied.
 */
struct mdb_type mdb_type_derive_pointer(struct mdb_type target);
struct mdb_type mdb_type_derive_array(struct mdb_type element, uint64_t count);
struct mdb_type mdb_type_derive_int(struct mdb_types *types, const char *name,
	size_t size, struct mdb_int_info info);

/* A container with nothing in it, for worlds that have no types: C's own. */
struct mdb_types *mdb_types_create_plain(size_t word);

/* The decoded type; void for "no type". */
void mdb_type_describe(struct mdb_type type, struct mdb_type_desc *desc_out);

/*
 * DWARF of an ELF file through libdwarf; indexed lazily.  The caller has
 * checked the build-id.
 */
enum mdb_status mdb_dwarf_create(struct mdb_ctx *cx, const char *path,
	size_t word, struct mdb_types **types_out);

/*
 * The bytes of another section of the file that a container made by
 * mdb_dwarf_create reads; they live as long as it does.  MDB_E_NOTFOUND: there
 * is none, or the types are not of such a file.
 */
enum mdb_status mdb_dwarf_section(const struct mdb_types *types,
	const char *name, const uint8_t **bytes_out, size_t *len_out);

#endif
