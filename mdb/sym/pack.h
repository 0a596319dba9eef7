/* SPDX-License-Identifier: MIT */
/*
 * Type packs: what is known of one release of a hypervisor whose dumps carry
 * neither types nor names of data.  docs/XENTYPES.md has the format, made by
 * testdata/xen/mkpack.c and nobody else; read here, bounded, whatever the
 * bytes.
 *
 *  0   8  magic "MDBXPACK"
 *  8   4  version of the format: 2
 * 12   4  bytes of the text that follows
 * 16   4  bytes of the compressed part (one zstd frame) that follows the text
 * 20   4  its bytes when expanded
 * 24      text: lines "key value"; then the frame
 *
 * All numbers are little-endian.  Keys of the text:
 *
 *	name 4.17.5-release
 *	series 4.17		major and minor version of the hypervisor
 *	flavour release		or debug
 *	source 4.17.5+72-...	what it was made from
 *	base ffff82d040000000	what values count from
 *	build HEX LAYOUT NAME	a hypervisor whose data symbols are listed;
 *				LAYOUT exact: its types are these; symbols: its
 *				types need not be
 *
 * The expanded part: 6 numbers of 4 bytes, which are the bytes of BTF, the
 * number of symbols, builds (as many as lines), references, functions, and
 * the bytes of strings; then columns, each a whole array:
 *
 *	btf		bytes
 *	symbol name	u32 offset in the strings
 *	symbol size	u32
 *	symbol flags	u8
 *	symbol refs	u8, how many references; they follow each other
 *	values		u32 for each build, for each symbol; 0xffffffff: none
 *	ref function	u16 index
 *	ref ordinal	u16, from 0
 *	ref addend	i32
 *	function name	u32
 *	function refs	u16, how many references the function has in all
 *	strings		each ended by NUL, the last byte is one
 *
 * A value is an address minus the pack's base, or of a per-CPU variable an
 * offset into the area; of an absolute symbol (flag) it is not used.
 */
#ifndef MDB_SYM_PACK_H
#define MDB_SYM_PACK_H

#include "mdb/sym/types.h"

/* A pack as it is linked into the program. */
struct mdb_pack_blob {
	const uint8_t *bytes;
	uint64_t len;
};

/* What the text says; strings live as long as the blob's copy in it. */
#define MDB_PACK_MAX_BUILDS 16
struct mdb_pack_build {
	char id[65]; /* hex */
	char name[48];
	bool is_exact;
};
struct mdb_pack_info {
	char name[48], series[16], flavour[16], source[64];
	uint64_t base;
	struct mdb_pack_build builds[MDB_PACK_MAX_BUILDS];
	size_t nr_builds;
};

/* MDB_E_FORMAT when it is no pack. */
enum mdb_status mdb_pack_info(struct mdb_ctx *cx,
	const struct mdb_pack_blob *blob, struct mdb_pack_info *info_out);

#define MDB_PACK_SYM_PERCPU 0x1u
#define MDB_PACK_SYM_LOCAL 0x2u

struct mdb_pack_sym {
	const char *name;
	uint32_t size;
	uint32_t flags;
	size_t first_ref, nr_refs;
};

struct mdb_pack_ref {
	const char *function;
	uint32_t function_index;
	uint32_t ordinal;
	uint32_t nr_function_refs;
	int32_t addend; /* reference = value of the symbol + addend */
};

/* A pack expanded. */
struct mdb_pack;
enum mdb_status mdb_pack_create(struct mdb_ctx *cx,
	const struct mdb_pack_blob *blob, struct mdb_pack **pack_out);
void mdb_pack_destroy(struct mdb_pack *pack); /* accepts NULL */

const struct mdb_pack_info *mdb_pack_info_of(const struct mdb_pack *pack);
size_t mdb_pack_nr_syms(const struct mdb_pack *pack);
size_t mdb_pack_nr_functions(const struct mdb_pack *pack);
struct mdb_pack_sym mdb_pack_sym_at(const struct mdb_pack *pack, size_t index);
struct mdb_pack_ref mdb_pack_ref_at(const struct mdb_pack *pack, size_t index);
/* Value in a build; false: it has none there. */
bool mdb_pack_value(const struct mdb_pack *pack, size_t build, size_t sym,
	uint64_t *value_out);

/* The types, as BTF; the pack keeps nothing of it. */
enum mdb_status mdb_pack_types(struct mdb_ctx *cx, const struct mdb_pack *pack,
	size_t word, struct mdb_types **types_out);

#endif
