/* SPDX-License-Identifier: MIT */
/*
 * BTF, the kernel's own description of its types, as a container of types.
 *
 * Knows the bytes of BTF (Linux Documentation/bpf/btf.rst and
 * include/uapi/linux/btf.h, 4.18 to 7.x) and nothing of where they came from.
 * Creation makes one pass that finds where each type begins; from then on
 * every id below nr_ids has a header and all of its members inside the
 * buffer, and every name ends inside the strings.  What may still be wild are
 * the ids and name offsets that types hold; they are checked where used.
 *
 * The name index is made at the first find, over types; functions, which are
 * most of the entries, have an index of their own made at the first of_var.
 */
#include "mdb/sym/btf_impl.h"

#include "mdb/base/alloc.h"

#include <stdlib.h>
#include <string.h>

#define BTF_MAGIC 0xeb9f
#define BTF_HEADER_LEN 24

/* Bytes that follow the 12 of every type: fixed, and for each of vlen. */
static const struct {
	uint8_t fixed, each;
} btf_extra[BTF_NR_KINDS] = {
	[BTF_INT] = { 4, 0 },
	[BTF_ARRAY] = { 12, 0 },
	[BTF_STRUCT] = { 0, 12 },
	[BTF_UNION] = { 0, 12 },
	[BTF_ENUM] = { 0, 8 },
	[BTF_FUNC_PROTO] = { 0, 8 },
	[BTF_VAR] = { 4, 0 },
	[BTF_DATASEC] = { 0, 12 },
	[BTF_DECL_TAG] = { 4, 0 },
	[BTF_ENUM64] = { 0, 12 },
};

/* Encoding of an integer. */
#define BTF_INT_SIGNED 1u
#define BTF_INT_BOOL 4u

/* Type tags, variables and functions are looked through this far. */
#define MAX_TAGS 32

static const struct mdb_types_ops btf_ops;

/* The container that an id lives in; NULL for void and wild ids. */
static const struct btf *
owner(const struct mdb_types *types, uint32_t id)
{
	while (types && id < types->first_id)
		types = types->base;
	if (!types || !id || id >= types->nr_ids || types->ops != &btf_ops)
		return NULL;
	return mdb_btf_of(types);
}

static bool
raw_at(const struct mdb_types *types, uint32_t id, struct btf_raw *raw)
{
	const struct btf *btf = owner(types, id);

	if (!btf)
		return false;
	mdb_btf_decode(btf->section + btf->offsets[id - btf->types.first_id],
		raw);
	return true;
}

static bool
is_transparent(uint32_t kind)
{
	return kind == BTF_TYPE_TAG || kind == BTF_VAR || kind == BTF_FUNC;
}

static const uint8_t kinds[BTF_NR_KINDS] = {
	[BTF_INT] = MDB_T_INT,
	[BTF_PTR] = MDB_T_POINTER,
	[BTF_ARRAY] = MDB_T_ARRAY,
	[BTF_STRUCT] = MDB_T_STRUCT,
	[BTF_UNION] = MDB_T_UNION,
	[BTF_ENUM] = MDB_T_ENUM,
	[BTF_FWD] = MDB_T_FORWARD,
	[BTF_TYPEDEF] = MDB_T_TYPEDEF,
	[BTF_VOLATILE] = MDB_T_VOLATILE,
	[BTF_CONST] = MDB_T_CONST,
	[BTF_RESTRICT] = MDB_T_RESTRICT,
	[BTF_FUNC_PROTO] = MDB_T_FUNC,
	[BTF_FLOAT] = MDB_T_FLOAT,
	[BTF_ENUM64] = MDB_T_ENUM,
};

/* pahole marks no integer as a character; the name says it. */
static void
describe_int(const struct btf_raw *raw, struct mdb_type_desc *desc)
{
	uint32_t enc = mdb_btf_u32(raw->extra);
	struct mdb_int_info *info = &desc->int_info;

	desc->size = raw->size_or_type;
	info->nr_bits = enc & 0xff;
	info->is_signed = enc >> 24 & BTF_INT_SIGNED;
	info->is_bool = enc >> 24 & BTF_INT_BOOL;
	info->is_char = desc->size == 1 && !strcmp(desc->name, "char");
	if (desc->size > 16 || info->nr_bits > 128 ||
		info->nr_bits > desc->size * 8)
		*desc = (struct mdb_type_desc){ .name = "" }; /* void */
}

static void
describe_enum(const struct btf *btf, const struct btf_raw *raw,
	struct mdb_type_desc *desc)
{
	desc->size = raw->size_or_type <= 8 ? raw->size_or_type : 8;
	desc->count = raw->vlen;
	desc->int_info.nr_bits = (uint32_t)desc->size * 8;
	desc->int_info.is_signed = raw->flag || !btf->knows_signs;
}

static void
describe(const struct btf *btf, const struct btf_raw *raw,
	struct mdb_type_desc *desc)
{
	desc->kind = kinds[raw->kind];
	desc->name = mdb_btf_string(btf, raw->name);
	switch (desc->kind) {
	case MDB_T_INT:
		describe_int(raw, desc);
		break;
	case MDB_T_ENUM:
		describe_enum(btf, raw, desc);
		break;
	case MDB_T_STRUCT:
	case MDB_T_UNION:
		desc->count = raw->vlen;
		desc->size = raw->size_or_type;
		break;
	case MDB_T_FLOAT:
		desc->size = raw->size_or_type;
		break;
	case MDB_T_ARRAY:
		desc->target = mdb_btf_u32(raw->extra);
		desc->count = mdb_btf_u32(raw->extra + 8);
		break;
	case MDB_T_FORWARD:
		desc->is_union = raw->flag;
		break;
	case MDB_T_FUNC:
		desc->count = raw->vlen;
		desc->target = raw->size_or_type;
		break;
	case MDB_T_POINTER:
		desc->size = btf->types.word;
		desc->target = raw->size_or_type;
		break;
	default:
		desc->target = raw->size_or_type;
		break;
	}
}

static void
get(struct mdb_types *types, uint32_t id, struct mdb_type_desc *desc_out)
{
	struct btf_raw raw;

	*desc_out = (struct mdb_type_desc){ .name = "" };
	if (!raw_at(types, id, &raw))
		return;
	for (int i = 0; is_transparent(raw.kind); i++) {
		id = raw.size_or_type;
		if (i == MAX_TAGS || !raw_at(types, id, &raw))
			return;
	}
	desc_out->cookie = id;
	if (kinds[raw.kind])
		describe(owner(types, id), &raw, desc_out);
}

/*
 * Before kind_flag was used for bitfields (4.20), a bitfield's type was an
 * integer of fewer bits than its bytes hold.
 */
static void
old_bitfield(const struct mdb_types *types, struct mdb_member_desc *m)
{
	uint32_t id = m->type, enc;
	struct btf_raw raw;

	for (int i = 0; i < MAX_TAGS && raw_at(types, id, &raw); i++) {
		if (raw.kind == BTF_INT) {
			enc = mdb_btf_u32(raw.extra);
			if ((enc & 0xff) == raw.size_or_type * 8 ||
				raw.size_or_type > 16)
				return;
			m->nr_bits = enc & 0xff;
			m->bit_offset += enc >> 16 & 0xff;
			return;
		}
		if (raw.kind != BTF_TYPEDEF && raw.kind != BTF_CONST &&
			raw.kind != BTF_VOLATILE)
			return;
		id = raw.size_or_type;
	}
}

static void
member(struct mdb_types *types, const struct mdb_type_desc *desc, size_t index,
	struct mdb_member_desc *member_out)
{
	uint32_t id = (uint32_t)desc->cookie;
	const uint8_t *p;
	struct btf_raw raw;

	*member_out = (struct mdb_member_desc){ .name = "" };
	if (!raw_at(types, id, &raw) || index >= raw.vlen)
		return;
	p = raw.extra + index * btf_extra[raw.kind].each;
	member_out->name = mdb_btf_string(owner(types, id), mdb_btf_u32(p));
	member_out->type = mdb_btf_u32(p + 4);
	if (raw.kind != BTF_STRUCT && raw.kind != BTF_UNION)
		return;
	member_out->bit_offset = mdb_btf_u32(p + 8);
	if (raw.flag) {
		member_out->nr_bits = (uint32_t)(member_out->bit_offset >> 24);
		member_out->bit_offset &= 0xffffff;
	} else {
		old_bitfield(types, member_out);
	}
}

static void
enumerator(struct mdb_types *types, const struct mdb_type_desc *desc,
	size_t index, struct mdb_enumerator *enumerator_out)
{
	uint32_t id = (uint32_t)desc->cookie;
	const uint8_t *p;
	struct btf_raw raw;

	*enumerator_out = (struct mdb_enumerator){ .name = "" };
	if (!raw_at(types, id, &raw) || index >= raw.vlen)
		return;
	p = raw.extra + index * btf_extra[raw.kind].each;
	enumerator_out->name = mdb_btf_string(owner(types, id), mdb_btf_u32(p));
	if (raw.kind == BTF_ENUM64)
		enumerator_out->value =
			(int64_t)((uint64_t)mdb_btf_u32(p + 8) << 32 |
				  mdb_btf_u32(p + 4));
	else if (desc->int_info.is_signed)
		enumerator_out->value = (int32_t)mdb_btf_u32(p + 4);
	else
		enumerator_out->value = mdb_btf_u32(p + 4);
}

static uint32_t
find_nth(struct mdb_types *types, enum mdb_type_kind kind, const char *name,
	unsigned int nth)
{
	static const uint32_t sets[] = {
		[MDB_T_INT] = 1u << BTF_INT,
		[MDB_T_FLOAT] = 1u << BTF_FLOAT,
		[MDB_T_STRUCT] = 1u << BTF_STRUCT,
		[MDB_T_UNION] = 1u << BTF_UNION,
		[MDB_T_ENUM] = 1u << BTF_ENUM | 1u << BTF_ENUM64,
		[MDB_T_TYPEDEF] = 1u << BTF_TYPEDEF,
		[MDB_T_FORWARD] = 1u << BTF_FWD,
	};

	if (kind >= sizeof(sets) / sizeof(sets[0]) || !sets[kind] || !*name ||
		!nth)
		return 0;
	return mdb_btf_lookup((struct btf *)types, name, sets[kind], nth);
}

static uint32_t
find(struct mdb_types *types, enum mdb_type_kind kind, const char *name)
{
	return find_nth(types, kind, name, 1);
}

static uint32_t
of_var(struct mdb_types *types, const char *name)
{
	uint32_t id =
		mdb_btf_lookup((struct btf *)types, name, 1u << BTF_VAR, 1);

	return id ? id
		  : mdb_btf_lookup((struct btf *)types, name, 1u << BTF_FUNC,
			    1);
}

static void
destroy(struct mdb_types *types)
{
	struct btf *btf = (struct btf *)types;

	free(btf->bytes);
	free(btf->offsets);
	free(btf->names.slots);
	free(btf->funcs.slots);
	free(btf);
}

static const struct mdb_types_ops btf_ops = {
	.get = get,
	.member = member,
	.enumerator = enumerator,
	.find = find,
	.find_nth = find_nth,
	.of_var = of_var,
	.destroy = destroy,
};

/* ---- creation ------------------------------------------------------------ */

struct header {
	uint32_t type_off, type_len, str_off, str_len; /* in the buffer */
};

static enum mdb_status
check_header(struct mdb_ctx *cx, const uint8_t *bytes, size_t len,
	struct header *header)
{
	uint32_t header_len;

	if (len < BTF_HEADER_LEN)
		return mdb_fail(cx, MDB_E_FORMAT,
			"BTF: %zu bytes are too few for a header", len);
	if (bytes[0] == (BTF_MAGIC >> 8) && bytes[1] == (BTF_MAGIC & 0xff))
		return mdb_fail(cx, MDB_E_UNSUPPORTED,
			"BTF: of a big-endian machine");
	if ((bytes[0] | bytes[1] << 8) != BTF_MAGIC || bytes[2] != 1)
		return mdb_fail(cx, MDB_E_FORMAT,
			"BTF: magic %#x version %u, not %#x version 1",
			bytes[0] | bytes[1] << 8, bytes[2], BTF_MAGIC);
	header_len = mdb_btf_u32(bytes + 4);
	if (header_len < BTF_HEADER_LEN || header_len > len)
		return mdb_fail(cx, MDB_E_FORMAT,
			"BTF: a header of %u bytes in %zu", header_len, len);
	len -= header_len;
	header->type_off = mdb_btf_u32(bytes + 8);
	header->type_len = mdb_btf_u32(bytes + 12);
	header->str_off = mdb_btf_u32(bytes + 16);
	header->str_len = mdb_btf_u32(bytes + 20);
	if (header->type_off > len || header->type_len > len - header->type_off)
		return mdb_fail(cx, MDB_E_FORMAT,
			"BTF: types at %#x, %#x bytes, in %#zx",
			header->type_off, header->type_len, len);
	if (header->str_off > len || header->str_len > len - header->str_off)
		return mdb_fail(cx, MDB_E_FORMAT,
			"BTF: strings at %#x, %#x bytes, in %#zx",
			header->str_off, header->str_len, len);
	header->type_off += header_len;
	header->str_off += header_len;
	return MDB_OK;
}

/* Bytes of the type at offset; 0 when it does not fit or is of no kind. */
static size_t
type_len(const struct btf *btf, uint32_t offset, uint32_t len)
{
	struct btf_raw raw;
	size_t need;

	if (len - offset < 12)
		return 0;
	mdb_btf_decode(btf->section + offset, &raw);
	if (raw.kind == BTF_VOID || raw.kind >= BTF_NR_KINDS)
		return 0;
	need = 12 + btf_extra[raw.kind].fixed +
	       (size_t)raw.vlen * btf_extra[raw.kind].each;
	return need <= len - offset ? need : 0;
}

static enum mdb_status
index_types(struct mdb_ctx *cx, struct btf *btf, uint32_t len)
{
	uint32_t nr = 0, offset = 0;
	struct btf_raw raw;
	size_t n;

	btf->offsets = mdb_try_alloc(len / 12 + 1, sizeof(*btf->offsets));
	if (!btf->offsets)
		return mdb_fail(cx, MDB_E_SYSTEM,
			"BTF: no memory to index %u bytes of types", len);
	for (; offset < len; offset += (uint32_t)n) {
		n = type_len(btf, offset, len);
		if (!n)
			return mdb_fail(cx, MDB_E_FORMAT,
				"BTF: type %u at %#x is of no known kind or is "
				"cut off",
				btf->types.first_id + nr, offset);
		mdb_btf_decode(btf->section + offset, &raw);
		if (raw.kind == BTF_ENUM64 ||
			(raw.kind == BTF_ENUM && raw.flag))
			btf->knows_signs = true;
		btf->offsets[nr++] = offset;
	}
	btf->types.nr_ids = btf->types.first_id + nr;
	return MDB_OK;
}

static enum mdb_status
take_apart(struct mdb_ctx *cx, struct btf *btf, size_t len)
{
	const struct btf *base = mdb_btf_of(btf->types.base);
	struct header header = { 0 };
	enum mdb_status st;

	st = check_header(cx, btf->bytes, len, &header);
	if (st != MDB_OK)
		return st;
	btf->section = btf->bytes + header.type_off;
	btf->strings = (const char *)btf->bytes + header.str_off;
	btf->strings_len = header.str_len;
	if (header.str_len && btf->strings[header.str_len - 1])
		return mdb_fail(cx, MDB_E_FORMAT,
			"BTF: the strings do not end with a NUL");
	if (base) {
		btf->types.first_id = base->types.nr_ids;
		btf->base_strings_len =
			base->base_strings_len + base->strings_len;
		btf->knows_signs = base->knows_signs;
	}
	return index_types(cx, btf, header.type_len);
}

enum mdb_status
mdb_btf_create(struct mdb_ctx *cx, void *bytes, size_t len,
	struct mdb_types *base, size_t word, struct mdb_types **types_out)
{
	struct btf *btf = mdb_xalloc(sizeof(*btf));
	enum mdb_status st;

	btf->types.ops = &btf_ops;
	btf->types.base = base;
	btf->types.first_id = 1;
	btf->types.word = word;
	btf->types.source = "BTF";
	btf->bytes = bytes;
	if (base && base->ops != &btf_ops)
		st = mdb_fail(cx, MDB_E_UNSUPPORTED,
			"split BTF over types that are not BTF");
	else
		st = take_apart(cx, btf, len);
	if (st != MDB_OK) {
		destroy(&btf->types);
		return st;
	}
	*types_out = &btf->types;
	return MDB_OK;
}
