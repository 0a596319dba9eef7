/* SPDX-License-Identifier: MIT */
/* Numbers of the hypervisor in words. */
#include "xpv.h"

#include <inttypes.h>
#include <string.h>

#define MAX_TEXT 512

/* ---- flags and names ----------------------------------------------------- */

const char *
xpv_bits_text(struct mdb_ctx *cx, const struct xpv_bit *bits, uint64_t value)
{
	const char *text = "";

	for (; bits->word != NULL; bits++)
		if (bits->mask != 0 && (value & bits->mask) == bits->mask) {
			text = mdb_tmp_printf(cx, "%s%s%s", text,
				*text != '\0' ? "," : "", bits->word);
			value &= ~bits->mask;
		}
	if (value != 0)
		text = mdb_tmp_printf(cx, "%s%s%#" PRIx64, text,
			*text != '\0' ? "," : "", value);
	return text;
}

const char *
xpv_word(struct mdb_ctx *cx, const char *const *words, size_t nr_words,
	uint64_t value)
{
	if (value < nr_words && words[value] != NULL)
		return words[value];
	return mdb_tmp_printf(cx, "?(%" PRIu64 ")", value);
}

const char *
xpv_vcpu_name(struct mdb_ctx *cx, unsigned int domid, int vcpu)
{
	if (domid == MDB_XEN_DOMID_IDLE)
		return mdb_tmp_printf(cx, "idle%d", vcpu);
	return mdb_tmp_printf(cx, "d%uv%d", domid, vcpu);
}

const char *
xpv_vcpu_name_at(struct mdb_ctx *cx, struct mdb_loc vcpu)
{
	struct mdb_loc domain;
	uint64_t domid, id;

	if (xpv_member_ptr(cx, vcpu, "struct vcpu", "domain\0", &domain) ==
			MDB_OK &&
		xpv_member(cx, domain, "struct domain", "domain_id\0",
			&domid) == MDB_OK &&
		xpv_member(cx, vcpu, "struct vcpu", "vcpu_id\0", &id) == MDB_OK)
		return xpv_vcpu_name(cx, (unsigned int)domid, (int)id);
	mdb_forget(cx);
	return mdb_tmp_printf(cx, "?(%" PRIx64 ")", vcpu.addr);
}

/* ---- sets of CPUs -------------------------------------------------------- */

static const char *
add_run(struct mdb_ctx *cx, const char *text, unsigned int first,
	unsigned int last)
{
	const char *comma = *text != '\0' ? "," : "";

	if (first == last)
		return mdb_tmp_printf(cx, "%s%s%u", text, comma, first);
	return mdb_tmp_printf(cx, "%s%s%u-%u", text, comma, first, last);
}

static bool
is_set(const uint8_t *bits, unsigned int n)
{
	return (bits[n / 8] >> n % 8 & 1) != 0;
}

enum mdb_status
xpv_cpus_text(struct mdb_ctx *cx, struct mdb_loc bitmap, unsigned int nr_bits,
	const char **text_out)
{
	uint8_t bits[1024];
	const char *text = "";
	enum mdb_status st;
	unsigned int last;

	if (nr_bits > 8 * sizeof(bits))
		nr_bits = 8 * sizeof(bits);
	st = mdb_read(cx, bitmap, bits, (nr_bits + 7) / 8);
	if (st != MDB_OK)
		return st;
	for (unsigned int n = 0; n < nr_bits && strlen(text) < MAX_TEXT; n++) {
		if (!is_set(bits, n))
			continue;
		for (last = n; last + 1 < nr_bits && is_set(bits, last + 1);)
			last++;
		text = add_run(cx, text, n, last);
		n = last;
	}
	*text_out = *text != '\0' ? text : "none";
	return MDB_OK;
}

/* A mask is as long as its type says; a pointer leads to one of so many CPUs
 * as the machine could have (nr_cpumask_bits). */
static unsigned int
mask_bits(struct mdb_ctx *cx, struct mdb_world *world, bool *known_out)
{
	struct mdb_loc loc;
	uint64_t size, n;
	struct mdb_type type;

	*known_out = xpv_var_loc(cx, world, "nr_cpu_ids", &loc) == MDB_OK &&
		     mdb_read_uint(cx, loc, 4, &n) == MDB_OK && n > 0 &&
		     n <= 4096;
	if (*known_out)
		return (unsigned int)n;
	mdb_forget(cx);
	if (mdb_type_by_name(cx, world, "struct cpumask", &type) == MDB_OK &&
		mdb_type_size(cx, type, &size) == MDB_OK && size <= 512)
		return (unsigned int)(8 * size);
	mdb_forget(cx);
	return (unsigned int)(8 * mdb_world_word(world));
}

/* Where that is not known a pointer leads to one word at least; which of the
 * CPUs there are is unproven then. */
static enum mdb_status
member_cpus(struct mdb_ctx *cx, struct mdb_loc loc, const char *type_name,
	const char *names, const char **text_out, bool *known_out)
{
	struct mdb_member m = { 0 };
	unsigned int nr = mask_bits(cx, loc.world, known_out);
	enum mdb_status st =
		xpv_member_find(cx, loc.world, type_name, names, &m);

	if (st != MDB_OK)
		return st;
	loc.addr += m.bit_offset / 8;
	if (mdb_type_kind(mdb_type_resolve(m.type)) == MDB_T_POINTER) {
		st = mdb_read_ptr(cx, loc, &loc.addr);
		if (!*known_out)
			nr = (unsigned int)(8 * mdb_world_word(loc.world));
	}
	return st == MDB_OK ? xpv_cpus_text(cx, loc, nr, text_out) : st;
}

enum mdb_status
xpv_member_cpus(struct mdb_ctx *cx, struct mdb_loc loc, const char *type_name,
	const char *names, const char **text_out)
{
	bool known;

	return member_cpus(cx, loc, type_name, names, text_out, &known);
}

struct mdb_value
xpv_cpus_cell(struct mdb_ctx *cx, struct mdb_loc loc, const char *type_name,
	const char *names)
{
	const char *text;
	bool known;
	enum mdb_status st =
		member_cpus(cx, loc, type_name, names, &text, &known);

	if (st == MDB_OK)
		return xpv_trusted(known ? xpv_member_trust(cx, loc.world,
						   type_name, names)
					 : MDB_TRUST_UNPROVEN,
			mdb_v_text(text));
	mdb_forget(cx);
	return st == MDB_E_NOTFOUND ? mdb_v_none() : mdb_v_error(st);
}

/* ---- trees --------------------------------------------------------------- */

enum mdb_status
xpv_leaf(struct mdb_ctx *cx, const char *name, const char *text,
	struct mdb_value value)
{
	return mdb_tree_leaf(cx, NULL, name, text, value);
}

enum mdb_status
xpv_leaf_trusted(struct mdb_ctx *cx, const char *name, const char *text,
	struct mdb_value value, enum mdb_trust trust)
{
	if (trust == MDB_TRUST_REFUTED)
		return MDB_OK;
	if (trust == MDB_TRUST_UNPROVEN)
		text = mdb_tmp_printf(cx, "%s?", text);
	return xpv_leaf(cx, name, text, xpv_trusted(trust, value));
}

static enum mdb_status
leaf_error(struct mdb_ctx *cx, const struct xpv_leaf *l, enum mdb_status st)
{
	mdb_forget(cx);
	if (st == MDB_E_NOTFOUND)
		return MDB_OK;
	return xpv_leaf(cx, l->name,
		mdb_tmp_printf(cx, "<%s>", mdb_status_name(st)),
		mdb_v_error(st));
}

/* What is not proven to be there is marked. */
static enum mdb_status
say(struct mdb_ctx *cx, const struct xpv_leaf *l, bool unproven,
	const char *text, struct mdb_value value)
{
	return xpv_leaf_trusted(cx, l->name, text, value,
		unproven ? MDB_TRUST_UNPROVEN : MDB_TRUST_PROVEN);
}

static enum mdb_status
leaf_special(struct mdb_ctx *cx, const struct xpv_leaf *l, bool unproven,
	int64_t v)
{
	const struct xpv_special *s = l->aux;

	while (s->word != NULL && s->value != v)
		s++;
	if (s->word == NULL)
		return say(cx, l, unproven, mdb_tmp_printf(cx, "%" PRId64, v),
			mdb_v_int(v));
	return say(cx, l, unproven, s->word,
		s->nothing ? mdb_v_none() : mdb_v_int(v));
}

static enum mdb_status
leaf_number(struct mdb_ctx *cx, const struct xpv_leaf *l, struct mdb_loc loc,
	bool unproven, uint64_t v)
{
	const char *text;

	switch (l->kind) {
	case XPV_LEAF_INT:
		return say(cx, l, unproven,
			mdb_tmp_printf(cx, "%" PRId64, (int64_t)v),
			mdb_v_int((int64_t)v));
	case XPV_LEAF_BOOL:
		return say(cx, l, unproven, v ? "yes" : "no",
			mdb_v_bool(v != 0));
	case XPV_LEAF_NS:
		return say(cx, l, unproven,
			mdb_tmp_printf(cx, "%" PRId64 ".%09" PRIu64,
				(int64_t)(v / 1000000000), v % 1000000000),
			mdb_v_uint(v));
	case XPV_LEAF_SPECIAL:
		return leaf_special(cx, l, unproven, (int64_t)v);
	case XPV_LEAF_BITS:
		text = xpv_bits_text(cx, l->aux, v);
		return say(cx, l, unproven,
			mdb_tmp_printf(cx, "%#" PRIx64 "%s%s%s", v,
				*text ? " (" : "", text, *text ? ")" : ""),
			mdb_v_hex(v));
	case XPV_LEAF_WORD:
		return say(cx, l, unproven, xpv_word(cx, l->aux, l->aux_len, v),
			mdb_v_uint(v));
	case XPV_LEAF_PTR:
		return say(cx, l, unproven, mdb_tmp_printf(cx, "%#" PRIx64, v),
			mdb_v_addr(mdb_at(loc, v)));
	case XPV_LEAF_HEX:
		return say(cx, l, unproven, mdb_tmp_printf(cx, "%#" PRIx64, v),
			mdb_v_hex(v));
	default:
		return say(cx, l, unproven, mdb_tmp_printf(cx, "%" PRIu64, v),
			mdb_v_uint(v));
	}
}

/* 16 bytes in the order of the text (xen/include/public/xen.h). */
static enum mdb_status
leaf_uuid(struct mdb_ctx *cx, const struct xpv_leaf *l, struct mdb_loc at,
	bool unproven)
{
	uint8_t b[16];
	enum mdb_status st = mdb_read(cx, at, b, sizeof(b));
	char *text = mdb_tmp(cx, 40), *p = text;

	if (st != MDB_OK)
		return leaf_error(cx, l, st);
	for (size_t i = 0; i < sizeof(b); i++) {
		if (i == 4 || i == 6 || i == 8 || i == 10)
			*p++ = '-';
		*p++ = "0123456789abcdef"[b[i] >> 4];
		*p++ = "0123456789abcdef"[b[i] & 15];
	}
	return say(cx, l, unproven, text, mdb_v_text(text));
}

static enum mdb_status
leaf_one(struct mdb_ctx *cx, struct mdb_loc loc, const char *type_name,
	const struct xpv_leaf *l)
{
	struct mdb_loc at;
	const char *text;
	uint64_t v;
	bool known, unproven = xpv_member_trust(cx, loc.world, type_name,
				       l->names) == MDB_TRUST_UNPROVEN;
	enum mdb_status st;

	switch (l->kind) {
	case XPV_LEAF_CPUS:
		st = member_cpus(cx, loc, type_name, l->names, &text, &known);
		if (st != MDB_OK)
			return leaf_error(cx, l, st);
		return say(cx, l, unproven || !known, text, mdb_v_text(text));
	case XPV_LEAF_ADDR:
	case XPV_LEAF_UUID:
		st = xpv_member_loc(cx, loc, type_name, l->names, &at);
		if (st != MDB_OK)
			return leaf_error(cx, l, st);
		if (l->kind == XPV_LEAF_UUID)
			return leaf_uuid(cx, l, at, unproven);
		return say(cx, l, unproven,
			mdb_tmp_printf(cx, "%#" PRIx64, at.addr),
			mdb_v_addr(at));
	default:
		st = xpv_member(cx, loc, type_name, l->names, &v);
		if (st != MDB_OK)
			return leaf_error(cx, l, st);
		return leaf_number(cx, l, loc, unproven, v);
	}
}

enum mdb_status
xpv_leaves(struct mdb_ctx *cx, struct mdb_loc loc, const char *type_name,
	const struct xpv_leaf *leaves)
{
	enum mdb_status st = MDB_OK;

	for (; leaves->name != NULL && st == MDB_OK; leaves++)
		st = leaf_one(cx, loc, type_name, leaves);
	return st;
}
