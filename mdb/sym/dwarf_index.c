/* SPDX-License-Identifier: MIT */
/*
 * Which entry of .debug_info defines a name.
 *
 * Units are read in the order of the file until the name that is sought has
 * come, so a common structure costs one unit and a name that does not exist
 * costs all of them, once.  Only the outermost entries of a unit are looked
 * at.  A declaration defines no structure, but tells a variable's type.
 */
#include "mdb/sym/dwarf_impl.h"

#include "mdb/base/alloc.h"

#include <libdwarf/dwarf.h>
#include <stdlib.h>
#include <string.h>

/* Outermost entries of one unit; the largest of a kernel has some 10,000. */
#define MAX_ENTRIES 4000000

struct slot {
	const char *name; /* in the mapped file; NULL: empty */
	uint32_t hash;
	uint32_t space;
	Dwarf_Off offset;
};

struct mdb_dwarf_index {
	Dwarf_Debug dbg;
	struct slot *slots; /* open addressing; size is a power of two */
	size_t size, nr;
	bool complete;
};

struct mdb_dwarf_index *
mdb_dwarf_index_create(Dwarf_Debug dbg)
{
	struct mdb_dwarf_index *index = mdb_xalloc(sizeof(*index));

	index->dbg = dbg;
	index->size = 4096;
	index->slots = mdb_xarray(index->size, sizeof(*index->slots));
	return index;
}

void
mdb_dwarf_index_destroy(struct mdb_dwarf_index *index)
{
	if (!index)
		return;
	free(index->slots);
	free(index);
}

static uint32_t
hash_of(enum mdb_dwarf_space space, const char *name)
{
	uint32_t h = 2166136261u + (uint32_t)space;

	for (; *name; name++)
		h = (h ^ (uint8_t)*name) * 16777619u;
	return h ^ h >> 15;
}

/* Where the name is, or belongs. */
static struct slot *
slot_of(const struct mdb_dwarf_index *index, enum mdb_dwarf_space space,
	const char *name, uint32_t hash)
{
	size_t i = hash & (index->size - 1);

	for (; index->slots[i].name; i = (i + 1) & (index->size - 1))
		if (index->slots[i].hash == hash &&
			index->slots[i].space == (uint32_t)space &&
			!strcmp(index->slots[i].name, name))
			break;
	return &index->slots[i];
}

static void
grow(struct mdb_dwarf_index *index)
{
	struct slot *old = index->slots;
	size_t size = index->size;

	if (2 * (index->nr + 1) <= size)
		return;
	index->size = 2 * size;
	index->slots = mdb_xarray(index->size, sizeof(*index->slots));
	for (size_t i = 0; i < size; i++) {
		size_t j = old[i].hash & (index->size - 1);

		if (!old[i].name)
			continue;
		while (index->slots[j].name)
			j = (j + 1) & (index->size - 1);
		index->slots[j] = old[i];
	}
	free(old);
}

static enum mdb_dwarf_space
space_of(Dwarf_Half tag)
{
	switch (tag) {
	case DW_TAG_structure_type:
	case DW_TAG_class_type:
		return MDB_DW_STRUCT;
	case DW_TAG_union_type:
		return MDB_DW_UNION;
	case DW_TAG_enumeration_type:
		return MDB_DW_ENUM;
	case DW_TAG_typedef:
		return MDB_DW_TYPEDEF;
	case DW_TAG_base_type:
		return MDB_DW_BASE;
	case DW_TAG_variable:
		return MDB_DW_VARIABLE;
	case DW_TAG_subprogram:
		return MDB_DW_FUNCTION;
	default:
		return MDB_DW_NONE;
	}
}

static bool
has(struct mdb_dwarf_index *index, Dwarf_Die die, Dwarf_Half attr)
{
	Dwarf_Error error = NULL;
	Dwarf_Bool answer = 0;

	return mdb_dwarf_ok(index->dbg,
		       dwarf_hasattr(die, attr, &answer, &error), &error) &&
	       answer;
}

static void
note_entry(struct mdb_dwarf_index *index, Dwarf_Die die)
{
	enum mdb_dwarf_space space;
	Dwarf_Error error = NULL;
	struct slot *slot;
	Dwarf_Off offset;
	Dwarf_Half tag;
	char *name;

	if (!mdb_dwarf_ok(index->dbg, dwarf_tag(die, &tag, &error), &error))
		return;
	space = space_of(tag);
	if (space == MDB_DW_NONE ||
		!mdb_dwarf_ok(index->dbg, dwarf_diename(die, &name, &error),
			&error))
		return;
	uint32_t hash = hash_of(space, name);
	slot = slot_of(index, space, name, hash);
	if (slot->name)
		return;
	if (space <= MDB_DW_ENUM && has(index, die, DW_AT_declaration))
		return;
	if (space == MDB_DW_VARIABLE && !has(index, die, DW_AT_type))
		return;
	if (!mdb_dwarf_ok(index->dbg, dwarf_dieoffset(die, &offset, &error),
		    &error))
		return;
	*slot = (struct slot){ name, hash, (uint32_t)space, offset };
	index->nr++;
	grow(index);
}

static void
read_unit(struct mdb_dwarf_index *index)
{
	Dwarf_Die unit = NULL, die = NULL, next;
	Dwarf_Error error = NULL;

	if (!mdb_dwarf_ok(index->dbg,
		    dwarf_siblingof_b(index->dbg, NULL, 1, &unit, &error),
		    &error))
		return;
	if (!mdb_dwarf_ok(index->dbg, dwarf_child(unit, &die, &error), &error))
		die = NULL;
	for (unsigned int i = 0; die && i < MAX_ENTRIES; i++) {
		note_entry(index, die);
		next = NULL;
		if (!mdb_dwarf_ok(index->dbg,
			    dwarf_siblingof_b(index->dbg, die, 1, &next,
				    &error),
			    &error))
			next = NULL;
		dwarf_dealloc_die(die);
		die = next;
	}
	if (die)
		dwarf_dealloc_die(die);
	dwarf_dealloc_die(unit);
}

/* False when there is no further unit, or none that can be read. */
static bool
next_unit(struct mdb_dwarf_index *index)
{
	Dwarf_Unsigned header_len, abbrev, type_offset, next;
	Dwarf_Half version, address_len, offset_len, extension, type;
	Dwarf_Error error = NULL;
	Dwarf_Sig8 signature;

	return mdb_dwarf_ok(index->dbg,
		dwarf_next_cu_header_d(index->dbg, 1, &header_len, &version,
			&abbrev, &address_len, &offset_len, &extension,
			&signature, &type_offset, &next, &type, &error),
		&error);
}

Dwarf_Off
mdb_dwarf_index_find(struct mdb_dwarf_index *index, enum mdb_dwarf_space space,
	const char *name)
{
	uint32_t hash = hash_of(space, name);

	for (;;) {
		const struct slot *slot = slot_of(index, space, name, hash);

		if (slot->name || index->complete)
			return slot->name ? slot->offset : 0;
		if (next_unit(index))
			read_unit(index);
		else
			index->complete = true;
	}
}
