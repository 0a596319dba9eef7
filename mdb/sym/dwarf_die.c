/* SPDX-License-Identifier: MIT */
/*
 * A debugging entry as a type (DWARF 5, chapter 5; versions 2 to 4 where they
 * differ, for bitfields and member locations).
 *
 * Whatever libdwarf refuses to read is left out: an attribute counts as
 * absent, an entry as void.  Counts are those of entries that exist in the
 * file, so memory is bounded by the file's size.
 */
#include "mdb/sym/dwarf_impl.h"

#include "mdb/base/alloc.h"

#include <libdwarf/dwarf.h>
#include <stdlib.h>
#include <string.h>

#define MAX_CHILDREN 1000000
#define MAX_DIMENSIONS 15
#define MAX_DEPTH 100 /* bitfields and enums want the type below them */

/* ---- attributes ---------------------------------------------------------- */

static bool
has(struct mdb_dwarf *dw, Dwarf_Die die, Dwarf_Half attr)
{
	Dwarf_Error error = NULL;
	Dwarf_Bool answer = 0;

	return mdb_dwarf_ok(dw->dbg, dwarf_hasattr(die, attr, &answer, &error),
		       &error) &&
	       answer;
}

/* A constant, signed or not: DW_FORM_dataN has no sign of its own. */
static bool
constant(struct mdb_dwarf *dw, Dwarf_Die die, Dwarf_Half which,
	int64_t *value_out)
{
	Dwarf_Attribute attr = NULL;
	Dwarf_Error error = NULL;
	Dwarf_Half form = 0;
	Dwarf_Unsigned u;
	Dwarf_Signed s;
	bool ok = false;

	if (!mdb_dwarf_ok(dw->dbg, dwarf_attr(die, which, &attr, &error),
		    &error))
		return false;
	if (!mdb_dwarf_ok(dw->dbg, dwarf_whatform(attr, &form, &error), &error))
		form = 0;
	if ((form == DW_FORM_sdata || form == DW_FORM_implicit_const) &&
		mdb_dwarf_ok(dw->dbg, dwarf_formsdata(attr, &s, &error),
			&error)) {
		*value_out = s;
		ok = true;
	} else if (mdb_dwarf_ok(dw->dbg, dwarf_formudata(attr, &u, &error),
			   &error)) {
		*value_out = (int64_t)u;
		ok = true;
	}
	dwarf_dealloc_attribute(attr);
	return ok;
}

static uint64_t
constant_or(struct mdb_dwarf *dw, Dwarf_Die die, Dwarf_Half which,
	uint64_t otherwise)
{
	int64_t v;

	return constant(dw, die, which, &v) ? (uint64_t)v : otherwise;
}

static Dwarf_Off
type_offset(struct mdb_dwarf *dw, Dwarf_Die die)
{
	Dwarf_Attribute attr = NULL;
	Dwarf_Error error = NULL;
	Dwarf_Off offset = 0;

	if (!mdb_dwarf_ok(dw->dbg, dwarf_attr(die, DW_AT_type, &attr, &error),
		    &error))
		return 0;
	if (!mdb_dwarf_ok(dw->dbg, dwarf_global_formref(attr, &offset, &error),
		    &error))
		offset = 0;
	dwarf_dealloc_attribute(attr);
	return offset;
}

static uint32_t
type_id(struct mdb_dwarf *dw, Dwarf_Die die)
{
	Dwarf_Off offset = type_offset(dw, die);

	return offset ? mdb_dwarf_id(dw, offset, 0) : 0;
}

static const char *
name_of(struct mdb_dwarf *dw, Dwarf_Die die)
{
	Dwarf_Error error = NULL;
	char *name;

	return mdb_dwarf_ok(dw->dbg, dwarf_diename(die, &name, &error), &error)
		       ? name
		       : "";
}

static Dwarf_Half
tag_of(struct mdb_dwarf *dw, Dwarf_Die die)
{
	Dwarf_Error error = NULL;
	Dwarf_Half tag;

	return mdb_dwarf_ok(dw->dbg, dwarf_tag(die, &tag, &error), &error) ? tag
									   : 0;
}

/* Before version 4 a member's place was an expression: plus_uconst N. */
static uint64_t
member_location(struct mdb_dwarf *dw, Dwarf_Die die)
{
	Dwarf_Attribute attr = NULL;
	Dwarf_Error error = NULL;
	Dwarf_Block *block = NULL;
	uint64_t value = 0;
	int64_t v;

	if (constant(dw, die, DW_AT_data_member_location, &v))
		return (uint64_t)v;
	if (!mdb_dwarf_ok(dw->dbg,
		    dwarf_attr(die, DW_AT_data_member_location, &attr, &error),
		    &error))
		return 0;
	if (mdb_dwarf_ok(dw->dbg, dwarf_formblock(attr, &block, &error),
		    &error)) {
		const uint8_t *p = block->bl_data;

		for (Dwarf_Unsigned i = 1; i < block->bl_len && i < 10 &&
					   p[0] == DW_OP_plus_uconst;
			i++)
			value |= (uint64_t)(p[i] & 0x7f) << 7 * (i - 1);
		dwarf_dealloc(dw->dbg, block, DW_DLA_BLOCK);
	}
	dwarf_dealloc_attribute(attr);
	return value;
}

/* ---- children ------------------------------------------------------------ */

typedef void child_fn(struct mdb_dwarf *dw, struct mdb_dwarf_node *node,
	Dwarf_Die child);

static void
each_child(struct mdb_dwarf *dw, struct mdb_dwarf_node *node, Dwarf_Die die,
	child_fn *fn)
{
	Dwarf_Error error = NULL;
	Dwarf_Die child = NULL, next;

	if (!mdb_dwarf_ok(dw->dbg, dwarf_child(die, &child, &error), &error))
		return;
	for (unsigned int i = 0; child && i < MAX_CHILDREN; i++) {
		fn(dw, node, child);
		next = NULL;
		if (!mdb_dwarf_ok(dw->dbg,
			    dwarf_siblingof_b(dw->dbg, child, 1, &next, &error),
			    &error))
			next = NULL;
		dwarf_dealloc_die(child);
		child = next;
	}
	if (child)
		dwarf_dealloc_die(child);
}

/* Room for one more, doubling at powers of two. */
static void *
extend(void *array, uint64_t count, size_t size)
{
	if (count & (count - 1))
		return array;
	return mdb_xrealloc(array, (size_t)(count ? 2 * count : 1), size);
}

static struct mdb_member_desc *
add_member(struct mdb_dwarf_node *node)
{
	node->members =
		extend(node->members, node->desc.count, sizeof(*node->members));
	return &node->members[node->desc.count++];
}

/* The bytes of a member's type, for bitfields of old. */
static uint64_t
storage_bits(struct mdb_dwarf *dw, Dwarf_Die die, uint32_t type)
{
	uint64_t size = constant_or(dw, die, DW_AT_byte_size, 0);
	struct mdb_type t =
		mdb_type_resolve((struct mdb_type){ &dw->types, type });
	struct mdb_type_desc desc;

	mdb_type_describe(t, &desc);
	return 8 * (size ? size : desc.size);
}

static void
take_member(struct mdb_dwarf *dw, struct mdb_dwarf_node *node, Dwarf_Die child)
{
	struct mdb_member_desc m;
	int64_t bit_offset;

	if (tag_of(dw, child) != DW_TAG_member)
		return;
	m.name = name_of(dw, child);
	m.type = type_id(dw, child);
	m.bit_offset = 8 * member_location(dw, child);
	m.nr_bits = (uint32_t)constant_or(dw, child, DW_AT_bit_size, 0);
	if (constant(dw, child, DW_AT_data_bit_offset, &bit_offset))
		m.bit_offset = (uint64_t)bit_offset;
	else if (m.nr_bits &&
		 constant(dw, child, DW_AT_bit_offset, &bit_offset))
		m.bit_offset += storage_bits(dw, child, m.type) -
				(uint64_t)bit_offset - m.nr_bits;
	*add_member(node) = m;
}

static void
take_parameter(struct mdb_dwarf *dw, struct mdb_dwarf_node *node,
	Dwarf_Die child)
{
	Dwarf_Half tag = tag_of(dw, child);
	struct mdb_member_desc m = { .name = "" };

	if (tag != DW_TAG_formal_parameter &&
		tag != DW_TAG_unspecified_parameters)
		return;
	if (tag == DW_TAG_formal_parameter) {
		m.name = name_of(dw, child);
		m.type = type_id(dw, child);
	}
	*add_member(node) = m;
}

static void
take_enumerator(struct mdb_dwarf *dw, struct mdb_dwarf_node *node,
	Dwarf_Die child)
{
	struct mdb_enumerator e = { .name = "" };

	if (tag_of(dw, child) != DW_TAG_enumerator ||
		!constant(dw, child, DW_AT_const_value, &e.value))
		return;
	e.name = name_of(dw, child);
	node->enumerators = extend(node->enumerators, node->desc.count,
		sizeof(*node->enumerators));
	node->enumerators[node->desc.count++] = e;
}

/* ---- kinds --------------------------------------------------------------- */

static void
load_base(struct mdb_dwarf *dw, struct mdb_dwarf_node *node, Dwarf_Die die)
{
	uint64_t encoding = constant_or(dw, die, DW_AT_encoding, 0);
	struct mdb_type_desc *desc = &node->desc;

	if (encoding == DW_ATE_float || encoding == DW_ATE_complex_float) {
		desc->kind = MDB_T_FLOAT;
		return;
	}
	if (desc->size > 16) {
		desc->size = 0;
		return;
	}
	desc->kind = MDB_T_INT;
	desc->int_info.nr_bits = (uint32_t)desc->size * 8;
	desc->int_info.is_signed =
		encoding == DW_ATE_signed || encoding == DW_ATE_signed_char;
	desc->int_info.is_bool = encoding == DW_ATE_boolean;
	desc->int_info.is_char = desc->size == 1 && !strcmp(desc->name, "char");
}

static void
load_struct(struct mdb_dwarf *dw, struct mdb_dwarf_node *node, Dwarf_Die die,
	bool is_union)
{
	if (has(dw, die, DW_AT_declaration)) {
		node->desc.kind = MDB_T_FORWARD;
		node->desc.is_union = is_union;
		return;
	}
	node->desc.kind = is_union ? MDB_T_UNION : MDB_T_STRUCT;
	each_child(dw, node, die, take_member);
}

/* Its sign is that of the type below it, or of its values. */
static void
load_enum(struct mdb_dwarf *dw, struct mdb_dwarf_node *node, Dwarf_Die die)
{
	struct mdb_type_desc *desc = &node->desc;
	uint32_t below = type_id(dw, die);

	desc->kind = MDB_T_ENUM;
	each_child(dw, node, die, take_enumerator);
	if (below)
		desc->int_info = mdb_type_int_info(
			(struct mdb_type){ &dw->types, below });
	desc->int_info.nr_bits = (uint32_t)desc->size * 8;
	desc->int_info.is_char = desc->int_info.is_bool = false;
	for (uint64_t i = 0; !below && i < desc->count; i++)
		desc->int_info.is_signed |= node->enumerators[i].value < 0;
}

/* The elements of each dimension, in the order of C's brackets. */
static unsigned int
dimensions(struct mdb_dwarf *dw, Dwarf_Die die, uint64_t counts[MAX_DIMENSIONS])
{
	Dwarf_Error error = NULL;
	Dwarf_Die child = NULL, next;
	unsigned int nr = 0;
	int64_t v;

	if (!mdb_dwarf_ok(dw->dbg, dwarf_child(die, &child, &error), &error))
		return 0;
	while (child) {
		if (tag_of(dw, child) == DW_TAG_subrange_type &&
			nr < MAX_DIMENSIONS) {
			counts[nr] = 0;
			if (constant(dw, child, DW_AT_count, &v) && v > 0)
				counts[nr] = (uint64_t)v;
			else if (constant(dw, child, DW_AT_upper_bound, &v) &&
				 v >= 0 && v < INT64_MAX)
				counts[nr] = (uint64_t)v + 1;
			nr++;
		}
		next = NULL;
		if (!mdb_dwarf_ok(dw->dbg,
			    dwarf_siblingof_b(dw->dbg, child, 1, &next, &error),
			    &error))
			next = NULL;
		dwarf_dealloc_die(child);
		child = next;
	}
	return nr;
}

static void
load_array(struct mdb_dwarf *dw, struct mdb_dwarf_node *node, Dwarf_Die die)
{
	uint64_t counts[MAX_DIMENSIONS];
	unsigned int nr = dimensions(dw, die, counts);

	node->desc.kind = MDB_T_ARRAY;
	node->desc.size = 0;
	if (node->dimension < nr)
		node->desc.count = counts[node->dimension];
	node->desc.target =
		node->dimension + 1u < nr
			? mdb_dwarf_id(dw, node->offset, node->dimension + 1u)
			: type_id(dw, die);
}

static void
load_target(struct mdb_dwarf *dw, struct mdb_dwarf_node *node, Dwarf_Die die,
	enum mdb_type_kind kind)
{
	node->desc.kind = kind;
	node->desc.target = type_id(dw, die);
}

static void
load_die(struct mdb_dwarf *dw, struct mdb_dwarf_node *node, Dwarf_Die die)
{
	struct mdb_type_desc *desc = &node->desc;

	desc->name = name_of(dw, die);
	desc->size = constant_or(dw, die, DW_AT_byte_size, 0);
	switch (tag_of(dw, die)) {
	case DW_TAG_base_type:
		load_base(dw, node, die);
		break;
	case DW_TAG_structure_type:
	case DW_TAG_class_type:
		load_struct(dw, node, die, false);
		break;
	case DW_TAG_union_type:
		load_struct(dw, node, die, true);
		break;
	case DW_TAG_enumeration_type:
		load_enum(dw, node, die);
		break;
	case DW_TAG_array_type:
		load_array(dw, node, die);
		break;
	case DW_TAG_pointer_type:
	case DW_TAG_reference_type:
		load_target(dw, node, die, MDB_T_POINTER);
		desc->size = dw->types.word;
		break;
	case DW_TAG_typedef:
		load_target(dw, node, die, MDB_T_TYPEDEF);
		break;
	case DW_TAG_const_type:
		load_target(dw, node, die, MDB_T_CONST);
		break;
	case DW_TAG_volatile_type:
	case DW_TAG_atomic_type:
		load_target(dw, node, die, MDB_T_VOLATILE);
		break;
	case DW_TAG_restrict_type:
		load_target(dw, node, die, MDB_T_RESTRICT);
		break;
	case DW_TAG_subroutine_type:
	case DW_TAG_subprogram:
		load_target(dw, node, die, MDB_T_FUNC);
		desc->name = "";
		each_child(dw, node, die, take_parameter);
		break;
	default:
		*desc = (struct mdb_type_desc){ .name = "" };
		break;
	}
}

void
mdb_dwarf_load(struct mdb_dwarf *dw, struct mdb_dwarf_node *node)
{
	Dwarf_Error error = NULL;
	Dwarf_Die die = NULL;

	/* First: a type may lead back to itself while it is read. */
	node->loaded = true;
	node->desc = (struct mdb_type_desc){ .name = "" };
	if (!mdb_dwarf_ok(dw->dbg,
		    dwarf_offdie_b(dw->dbg, node->offset, 1, &die, &error),
		    &error))
		return;
	load_die(dw, node, die);
	dwarf_dealloc_die(die);
}
