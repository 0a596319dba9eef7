/* SPDX-License-Identifier: MIT */
/*
 * DWARF as a container of types.  Ids are handed out as types are met; a type
 * is decoded when first asked about and then kept, so memory follows what a
 * session looks at and not the size of the file.
 */
#include "mdb/sym/dwarf_impl.h"

#include "mdb/base/alloc.h"
#include "mdb/base/buf.h"

#include <libdwarf/dwarf.h>
#include <stdlib.h>
#include <string.h>

/* More types than the largest file has entries: below the derived ids. */
#define MAX_IDS 0x40000000u

/* ---- ids ----------------------------------------------------------------- */

static uint32_t
hash_of(Dwarf_Off offset, unsigned int dimension)
{
	uint64_t h = (offset * 16 + dimension) * 0x9e3779b97f4a7c15u;

	return (uint32_t)(h >> 32);
}

static uint32_t *
slot_of(struct mdb_dwarf *dw, Dwarf_Off offset, unsigned int dimension)
{
	uint32_t i = hash_of(offset, dimension) & (dw->nr_slots - 1);

	while (dw->slots[i] &&
		(dw->nodes[dw->slots[i]]->offset != offset ||
			dw->nodes[dw->slots[i]]->dimension != dimension))
		i = (i + 1) & (dw->nr_slots - 1);
	return &dw->slots[i];
}

static void
grow(struct mdb_dwarf *dw)
{
	if (dw->types.nr_ids == dw->cap) {
		dw->cap = 2 * dw->cap;
		dw->nodes = mdb_xrealloc(dw->nodes, dw->cap,
			sizeof(struct mdb_dwarf_node *));
	}
	if (2 * (uint64_t)dw->types.nr_ids < dw->nr_slots)
		return;
	free(dw->slots);
	dw->nr_slots *= 2;
	dw->slots = mdb_xarray(dw->nr_slots, sizeof(*dw->slots));
	for (uint32_t id = 1; id < dw->types.nr_ids; id++)
		*slot_of(dw, dw->nodes[id]->offset, dw->nodes[id]->dimension) =
			id;
}

uint32_t
mdb_dwarf_id(struct mdb_dwarf *dw, Dwarf_Off offset, unsigned int dimension)
{
	uint32_t *slot = slot_of(dw, offset, dimension);
	struct mdb_dwarf_node *node;
	uint32_t id = *slot;

	if (id)
		return id;
	if (dw->types.nr_ids >= MAX_IDS)
		return 0;
	node = mdb_xalloc(sizeof(*node));
	node->offset = offset;
	node->dimension = (uint8_t)dimension;
	id = dw->types.nr_ids++;
	dw->nodes[id] = node;
	*slot = id;
	grow(dw);
	return id;
}

static const struct mdb_dwarf_node *
node_at(struct mdb_types *types, uint32_t id)
{
	struct mdb_dwarf *dw = (struct mdb_dwarf *)types;

	if (!id || id >= types->nr_ids)
		return NULL;
	if (!dw->nodes[id]->loaded)
		mdb_dwarf_load(dw, dw->nodes[id]);
	return dw->nodes[id];
}

/* ---- the container ------------------------------------------------------- */

static void
get(struct mdb_types *types, uint32_t id, struct mdb_type_desc *desc_out)
{
	const struct mdb_dwarf_node *node = node_at(types, id);

	if (!node) {
		*desc_out = (struct mdb_type_desc){ .name = "" };
		return;
	}
	*desc_out = node->desc;
	desc_out->cookie = id;
}

static void
member(struct mdb_types *types, const struct mdb_type_desc *desc, size_t index,
	struct mdb_member_desc *member_out)
{
	const struct mdb_dwarf_node *node =
		node_at(types, (uint32_t)desc->cookie);

	*member_out = (struct mdb_member_desc){ .name = "" };
	if (node && node->members && index < node->desc.count)
		*member_out = node->members[index];
}

static void
enumerator(struct mdb_types *types, const struct mdb_type_desc *desc,
	size_t index, struct mdb_enumerator *enumerator_out)
{
	const struct mdb_dwarf_node *node =
		node_at(types, (uint32_t)desc->cookie);

	*enumerator_out = (struct mdb_enumerator){ .name = "" };
	if (node && node->enumerators && index < node->desc.count)
		*enumerator_out = node->enumerators[index];
}

static uint32_t
find(struct mdb_types *types, enum mdb_type_kind kind, const char *name)
{
	static const uint8_t spaces[] = {
		[MDB_T_VOID] = MDB_DW_NONE,
		[MDB_T_INT] = MDB_DW_BASE,
		[MDB_T_FLOAT] = MDB_DW_BASE,
		[MDB_T_POINTER] = MDB_DW_NONE,
		[MDB_T_ARRAY] = MDB_DW_NONE,
		[MDB_T_STRUCT] = MDB_DW_STRUCT,
		[MDB_T_UNION] = MDB_DW_UNION,
		[MDB_T_ENUM] = MDB_DW_ENUM,
		[MDB_T_TYPEDEF] = MDB_DW_TYPEDEF,
	};
	struct mdb_dwarf *dw = (struct mdb_dwarf *)types;
	struct mdb_type_desc desc;
	Dwarf_Off offset;
	uint32_t id;

	if (kind >= sizeof(spaces) || spaces[kind] == MDB_DW_NONE || !*name)
		return 0;
	offset = mdb_dwarf_index_find(dw->index, spaces[kind], name);
	if (!offset)
		return 0;
	id = mdb_dwarf_id(dw, offset, 0);
	get(types, id, &desc);
	return desc.kind == kind ? id : 0;
}

/* A variable is its type; a function is its own. */
static uint32_t
of_var(struct mdb_types *types, const char *name)
{
	struct mdb_dwarf *dw = (struct mdb_dwarf *)types;
	Dwarf_Off offset, type = 0;
	Dwarf_Attribute attr = NULL;
	Dwarf_Error error = NULL;
	Dwarf_Die die = NULL;

	offset = mdb_dwarf_index_find(dw->index, MDB_DW_VARIABLE, name);
	if (!offset) {
		offset = mdb_dwarf_index_find(dw->index, MDB_DW_FUNCTION, name);
		return offset ? mdb_dwarf_id(dw, offset, 0) : 0;
	}
	if (!mdb_dwarf_ok(dw->dbg,
		    dwarf_offdie_b(dw->dbg, offset, 1, &die, &error), &error))
		return 0;
	if (mdb_dwarf_ok(dw->dbg, dwarf_attr(die, DW_AT_type, &attr, &error),
		    &error)) {
		if (!mdb_dwarf_ok(dw->dbg,
			    dwarf_global_formref(attr, &type, &error), &error))
			type = 0;
		dwarf_dealloc_attribute(attr);
	}
	dwarf_dealloc_die(die);
	return type ? mdb_dwarf_id(dw, type, 0) : 0;
}

static void
destroy(struct mdb_types *types)
{
	struct mdb_dwarf *dw = (struct mdb_dwarf *)types;

	for (uint32_t id = 1; id < types->nr_ids; id++) {
		free(dw->nodes[id]->members);
		free(dw->nodes[id]->enumerators);
		free(dw->nodes[id]);
	}
	free(dw->nodes);
	free(dw->slots);
	mdb_dwarf_index_destroy(dw->index);
	mdb_dwarf_file_close(dw->file);
	free(dw->source);
	free(dw);
}

static const struct mdb_types_ops dwarf_ops = {
	.get = get,
	.member = member,
	.enumerator = enumerator,
	.find = find,
	.of_var = of_var,
	.destroy = destroy,
};

enum mdb_status
mdb_dwarf_create(struct mdb_ctx *cx, const char *path, size_t word,
	struct mdb_types **types_out)
{
	struct mdb_dwarf_file *file;
	struct mdb_dwarf *dw;
	struct mdb_buf source;
	enum mdb_status st;

	st = mdb_dwarf_file_open(cx, path, &file);
	if (st != MDB_OK)
		return st;
	dw = mdb_xalloc(sizeof(*dw));
	dw->file = file;
	dw->dbg = mdb_dwarf_file_debug(file);
	dw->index = mdb_dwarf_index_create(dw->dbg);
	dw->cap = 64;
	dw->nodes = mdb_xarray(dw->cap, sizeof(struct mdb_dwarf_node *));
	dw->nr_slots = 256;
	dw->slots = mdb_xarray(dw->nr_slots, sizeof(*dw->slots));
	mdb_buf_init(&source);
	mdb_buf_printf(&source, "DWARF of %s", path);
	dw->source = mdb_buf_steal(&source);
	dw->types.ops = &dwarf_ops;
	dw->types.first_id = 1;
	dw->types.nr_ids = 1;
	dw->types.word = word;
	dw->types.source = dw->source;
	*types_out = &dw->types;
	return MDB_OK;
}

enum mdb_status
mdb_dwarf_section(const struct mdb_types *types, const char *name,
	const uint8_t **bytes_out, size_t *len_out)
{
	const struct mdb_dwarf *dw = (const struct mdb_dwarf *)types;

	if (!types || types->ops != &dwarf_ops)
		return MDB_E_NOTFOUND;
	return mdb_dwarf_file_section(dw->file, name, bytes_out, len_out);
}
