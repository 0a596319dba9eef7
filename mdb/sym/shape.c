/* SPDX-License-Identifier: MIT */
/*
 * Shapes: the few members that a command wants of a target object.
 *
 * The work of names is done once, in mdb_layout_create; reading an object
 * afterwards takes as few mdb_read as the distances between its members
 * allow and touches no page that holds none of them, so that an excluded page
 * in the middle of a large structure does not matter.  A number that does not
 * fit its local field is a failure, never a cut number.
 */
#include "mdb/sym/shape.h"

#include "mdb/base/alloc.h"
#include "mdb/base/ctx.h"
#include "mdb/base/endian.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* Members this close are read together; one read is this long at most. */
#ifdef MDB_TINY
#define MAX_GAP 8
#define MAX_RUN 64
#else
#define MAX_GAP 512
#define MAX_RUN 2048
#endif

#define MAX_FIELDS 256
#define MAX_UNWRAP 8

enum mdb_status
mdb_type_member_any(struct mdb_ctx *cx, struct mdb_type type, const char *names,
	struct mdb_member *member_out, const char **name_out)
{
	enum mdb_status st = MDB_E_NOTFOUND;

	for (const char *name = names; *name; name += strlen(name) + 1) {
		if (name != names)
			mdb_forget(cx);
		st = mdb_type_member(cx, type, name, member_out);
		*name_out = name;
		if (st != MDB_E_NOTFOUND)
			return st;
	}
	return st;
}

/*
 * The number in a structure made of one: atomic_t, kuid_t, refcount_t.  Each
 * has one member at offset 0 and its size.
 */
static struct mdb_type
unwrap(struct mdb_ctx *cx, struct mdb_type type)
{
	uint64_t outer, inner;
	struct mdb_member m;

	for (int i = 0; i < MAX_UNWRAP; i++) {
		type = mdb_type_resolve(type);
		if (mdb_type_kind(type) != MDB_T_STRUCT ||
			mdb_type_nr_members(type) != 1 ||
			mdb_type_member_at(cx, type, 0, &m) != MDB_OK ||
			m.nr_bits || m.bit_offset)
			break;
		if (mdb_type_size(cx, type, &outer) != MDB_OK ||
			mdb_type_size(cx, m.type, &inner) != MDB_OK) {
			mdb_forget(cx);
			break;
		}
		if (outer != inner)
			break;
		type = m.type;
	}
	return type;
}

static bool
is_number(enum mdb_type_kind kind)
{
	return kind == MDB_T_INT || kind == MDB_T_ENUM || kind == MDB_T_POINTER;
}

static enum mdb_status
number_slot(struct mdb_ctx *cx, const struct mdb_member *m, uint64_t size,
	struct mdb_slot *slot)
{
	uint32_t nr_bits = m->nr_bits ? m->nr_bits : (uint32_t)size * 8;
	uint32_t shift = m->bit_offset % 8;

	if (nr_bits == 0 || nr_bits > 64 || nr_bits + shift > 64 || size > 8)
		return mdb_fail(cx, MDB_E_UNSUPPORTED,
			"member \"%s\" is a number of %u bits", m->name,
			nr_bits);
	slot->kind = MDB_SLOT_INT;
	slot->is_signed = mdb_type_int_info(m->type).is_signed;
	slot->shift = (uint8_t)shift;
	slot->nr_bits = (uint8_t)nr_bits;
	slot->len = (shift + nr_bits + 7) / 8;
	return MDB_OK;
}

static enum mdb_status
fill_slot(struct mdb_ctx *cx, const struct mdb_field *field,
	struct mdb_member *m, struct mdb_slot *slot)
{
	enum mdb_status st;
	uint64_t size;

	slot->offset = m->bit_offset / 8;
	if (field->address) {
		slot->kind = MDB_SLOT_ADDRESS;
		return MDB_OK;
	}
	m->type = unwrap(cx, m->type);
	st = mdb_type_size(cx, m->type, &size);
	if (st != MDB_OK)
		return st;
	if (is_number(mdb_type_kind(m->type)) && slot->local_size <= 8)
		return number_slot(cx, m, size, slot);
	slot->kind = MDB_SLOT_BYTES;
	slot->len =
		(uint32_t)(size < slot->local_size ? size : slot->local_size);
	return MDB_OK;
}

static enum mdb_status
resolve_field(struct mdb_ctx *cx, const struct mdb_field *field,
	struct mdb_type type, struct mdb_slot *slot)
{
	struct mdb_member m;
	enum mdb_status st;

	st = mdb_type_member_any(cx, type, field->names, &m, &slot->name);
	if (st == MDB_E_NOTFOUND && field->optional) {
		mdb_forget(cx);
		slot->kind = MDB_SLOT_ABSENT;
		return MDB_OK;
	}
	if (st == MDB_OK)
		st = fill_slot(cx, field, &m, slot);
	return st;
}

static int
by_offset(const void *a, const void *b)
{
	const struct mdb_slot *x = a, *y = b;

	if (x->offset != y->offset)
		return x->offset < y->offset ? -1 : 1;
	return x->field < y->field ? -1 : x->field > y->field;
}

enum mdb_status
mdb_layout_create(struct mdb_ctx *cx, const struct mdb_shape *shape,
	struct mdb_type type, struct mdb_layout **layout_out)
{
	struct mdb_layout *layout = mdb_xalloc(sizeof(*layout));
	enum mdb_status st = MDB_OK;
	size_t nr = 0;

	while (nr < MAX_FIELDS && shape->fields[nr].names)
		nr++;
	layout->shape = shape;
	layout->nr_fields = nr;
	layout->slots = mdb_xarray(nr + 1, sizeof(*layout->slots));
	for (size_t i = 0; i < nr && st == MDB_OK; i++) {
		const struct mdb_field *field = &shape->fields[i];
		struct mdb_slot *slot = &layout->slots[i];

		slot->field = i;
		slot->local = field->offset;
		slot->local_size = field->size;
		if (field->offset + field->size > layout->local_len)
			layout->local_len = field->offset + field->size;
		st = resolve_field(cx, field, type, slot);
	}
	if (st != MDB_OK) {
		mdb_layout_destroy(layout);
		return mdb_context(cx, st, "%s", shape->type_name);
	}
	qsort(layout->slots, nr, sizeof(*layout->slots), by_offset);
	*layout_out = layout;
	return MDB_OK;
}

void
mdb_layout_destroy(struct mdb_layout *layout)
{
	if (!layout)
		return;
	free(layout->slots);
	free(layout);
}

enum mdb_status
mdb_layout_judge(struct mdb_ctx *cx, struct mdb_layout *layout,
	mdb_layout_trust_fn *fn, void *arg)
{
	const char *type_name = layout->shape->type_name;

	for (size_t i = 0; i < layout->nr_fields; i++) {
		struct mdb_slot *slot = &layout->slots[i];

		if (slot->kind == MDB_SLOT_ABSENT)
			continue;
		slot->trust = fn(cx, arg, type_name, slot->name);
		if (slot->trust != MDB_TRUST_REFUTED)
			continue;
		if (!layout->shape->fields[slot->field].optional)
			return mdb_fail(cx, MDB_E_UNSUPPORTED,
				"%s: where %s lies in this hypervisor is not "
				"known: the types are of another build, and "
				"the dump refutes them; name its xen-syms",
				type_name, slot->name);
		slot->kind = MDB_SLOT_ABSENT;
	}
	return MDB_OK;
}

enum mdb_trust
mdb_layout_trust(const struct mdb_layout *layout, size_t field_index)
{
	for (size_t i = 0; i < layout->nr_fields; i++)
		if (layout->slots[i].field == field_index &&
			layout->slots[i].kind != MDB_SLOT_ABSENT)
			return layout->slots[i].trust;
	return MDB_TRUST_REFUTED;
}

bool
mdb_layout_has(const struct mdb_layout *layout, size_t field_index)
{
	for (size_t i = 0; i < layout->nr_fields; i++)
		if (layout->slots[i].field == field_index)
			return layout->slots[i].kind != MDB_SLOT_ABSENT;
	return false;
}

/* ---- reading ------------------------------------------------------------- */

static enum mdb_status
store(struct mdb_ctx *cx, const struct mdb_slot *slot, uint64_t v,
	bool is_signed, void *local)
{
	unsigned int bits = (unsigned int)slot->local_size * 8;

	/* Either reading of the local field may be the one wanted. */
	if (bits < 64 && v >> bits &&
		!(is_signed && mdb_sign_extend(v, bits) == (int64_t)v))
		return mdb_fail(cx, MDB_E_CORRUPT,
			"the value %#" PRIx64 " does not fit %zu bytes", v,
			slot->local_size);
	memcpy((char *)local + slot->local, &v, slot->local_size);
	return MDB_OK;
}

static enum mdb_status
convert(struct mdb_ctx *cx, const struct mdb_slot *slot, const uint8_t *bytes,
	void *local)
{
	uint64_t v;

	if (slot->kind == MDB_SLOT_BYTES) {
		memcpy((char *)local + slot->local, bytes, slot->len);
		return MDB_OK;
	}
	v = mdb_le(bytes, slot->len) >> slot->shift;
	if (slot->is_signed)
		v = (uint64_t)mdb_sign_extend(v, slot->nr_bits);
	else if (slot->nr_bits < 64)
		v &= ((uint64_t)1 << slot->nr_bits) - 1;
	return store(cx, slot, v, slot->is_signed, local);
}

static bool
is_read(const struct mdb_slot *slot)
{
	return slot->kind == MDB_SLOT_INT || slot->kind == MDB_SLOT_BYTES;
}

/* The end of the run of slots that one read brings; its bytes. */
static size_t
run_end(const struct mdb_layout *layout, size_t i, uint64_t *len_out)
{
	const struct mdb_slot *first = &layout->slots[i];
	uint64_t len = first->len;

	for (i++; i < layout->nr_fields; i++) {
		const struct mdb_slot *slot = &layout->slots[i];
		uint64_t at = slot->offset - first->offset;

		if (!is_read(slot))
			continue;
		if (at > len + MAX_GAP || at + slot->len > MAX_RUN)
			break;
		if (at + slot->len > len)
			len = at + slot->len;
	}
	*len_out = len;
	return i;
}

static enum mdb_status
failed(struct mdb_ctx *cx, enum mdb_status st, const struct mdb_layout *layout,
	const struct mdb_slot *slot)
{
	return mdb_context(cx, st, "%s %s", layout->shape->type_name,
		layout->shape->fields[slot->field].names);
}

static enum mdb_status
read_run(struct mdb_ctx *cx, const struct mdb_layout *layout,
	struct mdb_loc loc, size_t *index, void *local)
{
	const struct mdb_slot *first = &layout->slots[*index];
	uint8_t buf[MAX_RUN];
	enum mdb_status st;
	uint64_t len;
	size_t end;

	loc.addr += first->offset;
	if (first->len > MAX_RUN) {
		++*index;
		st = mdb_read(cx, loc, (char *)local + first->local,
			first->len);
		return st == MDB_OK ? st : failed(cx, st, layout, first);
	}
	end = run_end(layout, *index, &len);
	st = mdb_read(cx, loc, buf, len);
	if (st != MDB_OK)
		return failed(cx, st, layout, first);
	for (; *index < end; ++*index) {
		const struct mdb_slot *slot = &layout->slots[*index];

		if (!is_read(slot))
			continue;
		st = convert(cx, slot, buf + (slot->offset - first->offset),
			local);
		if (st != MDB_OK)
			return failed(cx, st, layout, slot);
	}
	return MDB_OK;
}

/* Addresses need no memory, and lie between those slots that do. */
static enum mdb_status
store_addresses(struct mdb_ctx *cx, const struct mdb_layout *layout,
	struct mdb_loc loc, void *local)
{
	enum mdb_status st = MDB_OK;

	for (size_t i = 0; i < layout->nr_fields && st == MDB_OK; i++)
		if (layout->slots[i].kind == MDB_SLOT_ADDRESS &&
			layout->slots[i].local_size <= 8)
			st = store(cx, &layout->slots[i],
				loc.addr + layout->slots[i].offset, false,
				local);
	return st;
}

enum mdb_status
mdb_layout_read(struct mdb_ctx *cx, const struct mdb_layout *layout,
	struct mdb_loc loc, void *local)
{
	enum mdb_status st;

	memset(local, 0, layout->local_len);
	st = store_addresses(cx, layout, loc, local);
	for (size_t i = 0; i < layout->nr_fields && st == MDB_OK;) {
		if (is_read(&layout->slots[i]) && layout->slots[i].len)
			st = read_run(cx, layout, loc, &i, local);
		else
			i++;
	}
	return st;
}
