/* SPDX-License-Identifier: MIT */
/*
 * How sure members are, by the evidence on their structure.
 *
 * What is noted are ranges of bytes.  A member is proven if its bytes were
 * seen to agree, nearly always, or if they lie between bytes that did and
 * nothing between is padding: another member put in or left out there would
 * have moved what follows.  It is refuted if its bytes were contradicted, and,
 * unless proven itself, if anything of its structure was.
 */
#include "mdb/world/xen_trust.h"

#include "mdb/base/alloc.h"
#include "mdb/base/ctx.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_STRUCT 65536u
#define MAX_DEPTH 8

/* ---- noting -------------------------------------------------------------- */

/* Marks what members hold; a union's holes are those of all its members. */
static void
mark_used(struct mdb_ctx *cx, struct mdb_type type, uint64_t at, uint8_t *used,
	uint64_t size, int depth)
{
	struct mdb_type t = mdb_type_resolve(type);
	enum mdb_type_kind kind = mdb_type_kind(t);
	uint64_t len;

	if (mdb_type_size(cx, t, &len) != MDB_OK || at > size ||
		len > size - at) {
		mdb_forget(cx);
		return;
	}
	if ((kind != MDB_T_STRUCT && kind != MDB_T_UNION) ||
		depth == MAX_DEPTH) {
		memset(used + at, 1, len);
		return;
	}
	for (size_t i = 0; i < mdb_type_nr_members(t); i++) {
		struct mdb_member m;

		if (mdb_type_member_at(cx, t, i, &m) != MDB_OK)
			break;
		if (m.nr_bits != 0)
			used[at + m.bit_offset / 8] = 1;
		else
			mark_used(cx, m.type, at + m.bit_offset / 8, used, size,
				depth + 1);
	}
}

struct mdb_xen_proof *
mdb_xen_proof_of(struct mdb_xen_prover *p, const char *type_name)
{
	struct mdb_xen_trust *t = p->trust;
	struct mdb_xen_proof *proof;
	struct mdb_type type;
	uint64_t size;

	for (size_t i = 0; i < t->nr; i++)
		if (strcmp(t->proofs[i].name, type_name) == 0)
			return &t->proofs[i];
	type = (struct mdb_type){ p->types,
		p->types->ops->find(p->types, MDB_T_STRUCT,
			type_name + strlen("struct ")) };
	if (t->nr == MDB_XEN_MAX_PROOFS || !type.id ||
		mdb_type_size(p->cx, type, &size) != MDB_OK ||
		size > MAX_STRUCT) {
		mdb_forget(p->cx);
		return NULL;
	}
	proof = &t->proofs[t->nr++];
	*proof = (struct mdb_xen_proof){ .name = type_name,
		.type = mdb_type_resolve(type),
		.size = size };
	proof->used = mdb_xalloc(size + 1);
	mark_used(p->cx, proof->type, 0, proof->used, size, 0);
	return proof;
}

static struct mdb_xen_range *
range_at(struct mdb_xen_proof *proof, uint64_t start, uint64_t end)
{
	size_t i = 0;

	while (i < proof->nr && (proof->ranges[i].start < start ||
					(proof->ranges[i].start == start &&
						proof->ranges[i].end < end)))
		i++;
	if (i < proof->nr && proof->ranges[i].start == start &&
		proof->ranges[i].end == end)
		return &proof->ranges[i];
	if (proof->nr == proof->room) {
		proof->room = proof->room ? 2 * proof->room : 16;
		proof->ranges = mdb_xrealloc(proof->ranges, proof->room,
			sizeof(*proof->ranges));
	}
	memmove(proof->ranges + i + 1, proof->ranges + i,
		(proof->nr - i) * sizeof(*proof->ranges));
	proof->nr++;
	proof->ranges[i] = (struct mdb_xen_range){ .start = start, .end = end };
	return &proof->ranges[i];
}

void
mdb_xen_note(struct mdb_xen_proof *proof, uint64_t start, uint64_t end,
	enum mdb_xen_evidence evidence)
{
	struct mdb_xen_range *r;

	if (!proof || evidence == MDB_XEN_SAYS_NOTHING)
		return;
	r = range_at(proof, start, end);
	if (evidence == MDB_XEN_AGREES)
		r->agree++;
	else if (evidence == MDB_XEN_SEEMS)
		r->seem++;
	else
		r->contradict++;
}

static bool
member_of(struct mdb_xen_prover *p, const char *type_name, const char *path,
	struct mdb_xen_proof **proof_out, struct mdb_member *member_out,
	uint64_t *size_out)
{
	struct mdb_xen_proof *proof = mdb_xen_proof_of(p, type_name);

	*proof_out = proof;
	if (!proof ||
		mdb_type_member(p->cx, proof->type, path, member_out) !=
			MDB_OK ||
		mdb_type_size(p->cx, member_out->type, size_out) != MDB_OK) {
		mdb_forget(p->cx);
		return false;
	}
	if (member_out->nr_bits != 0)
		*size_out =
			(member_out->bit_offset % 8 + member_out->nr_bits + 7) /
			8;
	return true;
}

void
mdb_xen_note_member(struct mdb_xen_prover *p, const char *type_name,
	const char *path, enum mdb_xen_evidence evidence)
{
	struct mdb_xen_proof *proof;
	struct mdb_member m;
	uint64_t size;

	if (member_of(p, type_name, path, &proof, &m, &size))
		mdb_xen_note(proof, m.bit_offset / 8, m.bit_offset / 8 + size,
			evidence);
}

void
mdb_xen_say(struct mdb_xen_prover *p, const char *type_name, const char *path,
	mdb_addr_t addr, enum mdb_xen_evidence says)
{
	struct mdb_xen_proof *proof;
	struct mdb_member m;
	uint64_t size, at;

	if (!member_of(p, type_name, path, &proof, &m, &size))
		return;
	at = m.bit_offset / 8;
	if (says != MDB_XEN_CONTRADICTS ||
		!mdb_xen_is_wiped(p, addr + at, size))
		mdb_xen_note(proof, at, at + size, says);
}

mdb_addr_t
mdb_xen_member_addr(struct mdb_xen_prover *p, const char *type_name,
	const char *path, mdb_addr_t addr)
{
	struct mdb_xen_proof *proof;
	struct mdb_member m;
	uint64_t size;

	return member_of(p, type_name, path, &proof, &m, &size)
		       ? addr + m.bit_offset / 8
		       : 0;
}

bool
mdb_xen_value(struct mdb_xen_prover *p, const char *type_name, const char *path,
	mdb_addr_t addr, uint64_t *value_out)
{
	struct mdb_xen_proof *proof;
	struct mdb_member m;
	uint8_t b[8] = { 0 };
	uint64_t size, v = 0;

	if (addr == 0 || !member_of(p, type_name, path, &proof, &m, &size) ||
		size > 8 || m.nr_bits != 0 ||
		!mdb_xen_look(p, addr + m.bit_offset / 8, b, size))
		return false;
	for (size_t i = 8; i-- > 0;)
		v = v << 8 | b[i];
	*value_out = v;
	return true;
}

bool
mdb_xen_expect(struct mdb_xen_prover *p, const char *type_name,
	const char *path, mdb_addr_t addr, uint64_t value)
{
	uint64_t v;

	if (!mdb_xen_value(p, type_name, path, addr, &v))
		return false;
	if (v != value || value != 0)
		mdb_xen_say(p, type_name, path, addr,
			mdb_xen_agrees_if(v == value));
	return v == value;
}

/* ---- answering ----------------------------------------------------------- */

/*
 * A machine that was stopped while it ran may have been changing a list: one
 * contradiction beside many agreements is that.  Where there are more of them,
 * but no more than agreements, memory may be damaged: that proves nothing, and
 * refutes nothing.  What is in another place agrees by chance alone.
 */
static bool
is_doubtful(const struct mdb_xen_range *r)
{
	return r->contradict * 8 > r->agree + r->seem;
}

static bool
is_contradicted(const struct mdb_xen_range *r)
{
	return r->contradict > r->agree + r->seem;
}

static bool
is_refuted(const struct mdb_xen_proof *proof)
{
	for (size_t i = 0; i < proof->nr; i++)
		if (is_contradicted(&proof->ranges[i]))
			return true;
	return false;
}

static bool
overlaps_refuted(const struct mdb_xen_proof *proof, uint64_t start,
	uint64_t end)
{
	for (size_t i = 0; i < proof->nr; i++) {
		const struct mdb_xen_range *r = &proof->ranges[i];

		if (is_contradicted(r) && r->start < end && start < r->end)
			return true;
	}
	return false;
}

static bool
overlaps_doubtful(const struct mdb_xen_proof *proof, uint64_t start,
	uint64_t end)
{
	for (size_t i = 0; i < proof->nr; i++) {
		const struct mdb_xen_range *r = &proof->ranges[i];

		if (is_doubtful(r) && r->start < end && start < r->end)
			return true;
	}
	return false;
}

/* No padding between that could take up what was put in or left out. */
static bool
is_tied(const struct mdb_xen_proof *proof, uint64_t from, uint64_t to)
{
	uint64_t run = 0;

	for (uint64_t at = from; at < to && at < proof->size; at++) {
		run = proof->used[at] ? 0 : run + 1;
		if (run == 8)
			return false;
	}
	return true;
}

/*
 * Where a structure changed, pointers to functions or lists may be read for
 * others of their kind that lie beside them.  They are where they seem to be if
 * something behind them is that can be nothing else.
 */
static bool
is_held(const struct mdb_xen_proof *proof, const struct mdb_xen_range *r)
{
	if (!is_refuted(proof))
		return true;
	for (size_t i = 0; i < proof->nr; i++) {
		const struct mdb_xen_range *other = &proof->ranges[i];

		if (other->start >= r->end && other->agree > 0 &&
			!is_doubtful(other) &&
			is_tied(proof, r->end, other->start))
			return true;
	}
	return false;
}

static bool
is_proven(const struct mdb_xen_proof *proof, const struct mdb_xen_range *r)
{
	return !is_doubtful(r) &&
	       (r->agree > 0 || (r->seem > 0 && is_held(proof, r)));
}

/*
 * From `start` down to proven bytes, and from `end` up to such, without any
 * padding, and anything that is doubtful, on the way.
 */
static bool
is_between(const struct mdb_xen_proof *proof, uint64_t start, uint64_t end)
{
	uint64_t low = 0, high = proof->size_proven ? proof->size : UINT64_MAX;

	for (size_t i = 0; i < proof->nr; i++) {
		const struct mdb_xen_range *r = &proof->ranges[i];

		if (!is_proven(proof, r))
			continue;
		if (r->start <= start && r->end >= end)
			return true;
		if (r->end <= start && r->end > low)
			low = r->end;
		if (r->start >= end && r->start < high)
			high = r->start;
	}
	if (high > proof->size || overlaps_doubtful(proof, low, high))
		return false;
	for (uint64_t at = low; at < high; at++)
		if (!proof->used[at])
			return false;
	return true;
}

static enum mdb_trust
trust_of_bytes(const struct mdb_xen_proof *proof, uint64_t start, uint64_t end)
{
	if (overlaps_refuted(proof, start, end))
		return MDB_TRUST_REFUTED;
	for (size_t i = 0; i < proof->nr; i++) {
		const struct mdb_xen_range *r = &proof->ranges[i];

		if (is_proven(proof, r) && r->start <= start && r->end >= end &&
			!overlaps_doubtful(proof, start, end))
			return MDB_TRUST_PROVEN;
	}
	if (is_between(proof, start, end))
		return MDB_TRUST_PROVEN;
	return is_refuted(proof) ? MDB_TRUST_REFUTED : MDB_TRUST_UNPROVEN;
}

enum mdb_trust
mdb_xen_trust_of(struct mdb_ctx *cx, const struct mdb_xen_trust *trust,
	const char *type_name, const struct mdb_member *member)
{
	uint64_t at = member->bit_offset / 8, size;

	if (mdb_type_size(cx, member->type, &size) != MDB_OK) {
		mdb_forget(cx);
		return MDB_TRUST_REFUTED;
	}
	if (member->nr_bits != 0)
		size = (member->bit_offset % 8 + member->nr_bits + 7) / 8;
	for (size_t i = 0; i < trust->nr; i++)
		if (strcmp(trust->proofs[i].name, type_name) == 0)
			return trust_of_bytes(&trust->proofs[i], at, at + size);
	return MDB_TRUST_UNPROVEN;
}

/* Of the outermost members of all structures that were tested. */
static void
count(struct mdb_ctx *cx, const struct mdb_xen_trust *trust, size_t nr_out[4])
{
	for (size_t i = 0; i < trust->nr; i++) {
		const struct mdb_xen_proof *proof = &trust->proofs[i];

		for (size_t j = 0; j < mdb_type_nr_members(proof->type); j++) {
			struct mdb_member m;

			if (mdb_type_member_at(cx, proof->type, j, &m) !=
				MDB_OK)
				break;
			nr_out[mdb_xen_trust_of(cx, trust, proof->name, &m)]++;
		}
	}
	mdb_forget(cx);
}

struct mdb_xen_trust *
mdb_xen_prove(struct mdb_ctx *cx, struct mdb_xen *xen, struct mdb_types *types,
	size_t *nr_refuted_out)
{
	struct mdb_xen_prover p = { cx, xen, types, NULL };
	size_t nr[4] = { 0 };

	p.trust = mdb_xalloc(sizeof(*p.trust));
	mdb_xen_samples(&p);
	count(cx, p.trust, nr);
	mdb_forget(cx);
	*nr_refuted_out = nr[MDB_TRUST_REFUTED];
	return p.trust;
}

size_t
mdb_xen_nr_contradicted(const struct mdb_xen_trust *trust)
{
	size_t nr = 0;

	for (size_t i = 0; i < trust->nr; i++)
		for (size_t j = 0; j < trust->proofs[i].nr; j++)
			nr += is_contradicted(&trust->proofs[i].ranges[j]);
	return nr;
}

/* What loads the types proves them; while it does, nothing is known. */
static struct mdb_xen_types *
proven_types(struct mdb_ctx *cx, struct mdb_xen *xen)
{
	(void)mdb_object_types(cx, xen->object);
	mdb_forget(cx);
	return mdb_xen_types(cx, xen);
}

enum mdb_trust
mdb_xen_member_trust(struct mdb_ctx *cx, struct mdb_world *world,
	const char *type_name, const char *path)
{
	struct mdb_xen *xen = mdb_xen_of(world);
	struct mdb_xen_types *t = proven_types(cx, xen);
	struct mdb_member m;
	struct mdb_type type;

	if (mdb_type_by_name(cx, world, type_name, &type) != MDB_OK ||
		mdb_type_member(cx, type, path, &m) != MDB_OK) {
		mdb_forget(cx);
		return MDB_TRUST_REFUTED;
	}
	if (t->source != MDB_XEN_TYPES_VERSION)
		return MDB_TRUST_EXACT;
	return t->trust ? mdb_xen_trust_of(cx, t->trust, type_name, &m)
			: MDB_TRUST_UNPROVEN;
}

static const struct mdb_xen_range *
first_contradicted(const struct mdb_xen_proof *proof)
{
	for (size_t i = 0; i < proof->nr; i++)
		if (is_contradicted(&proof->ranges[i]))
			return &proof->ranges[i];
	return NULL;
}

/* Which structures changed, and where that begins to show. */
static const char *
refuted_names(struct mdb_ctx *cx, const struct mdb_xen_trust *trust)
{
	const char *text = "";

	for (size_t i = 0; i < trust->nr; i++) {
		const struct mdb_xen_range *r =
			first_contradicted(&trust->proofs[i]);

		if (r)
			text = mdb_tmp_printf(cx, "%s%s%s from +%#" PRIx64,
				text, text[0] ? ", " : "",
				trust->proofs[i].name, r->start);
	}
	return text;
}

enum mdb_trust
mdb_xen_trust_all(struct mdb_ctx *cx, struct mdb_world *world,
	const char **text_out)
{
	struct mdb_xen *xen = mdb_xen_of(world);
	struct mdb_xen_types *t = proven_types(cx, xen);
	const char *name = t->name;
	size_t nr[4] = { 0 };

	switch (t->source) {
	case MDB_XEN_TYPES_DWARF:
		*text_out = mdb_tmp_printf(cx, "exact (%s)",
			xen->object->debug_types->source);
		return MDB_TRUST_EXACT;
	case MDB_XEN_TYPES_BUILD:
		*text_out = mdb_tmp_printf(cx, "exact (pack %s, by build-id)",
			name);
		return MDB_TRUST_EXACT;
	case MDB_XEN_TYPES_NONE:
		*text_out = "none: no pack is of this version";
		return MDB_TRUST_UNPROVEN;
	case MDB_XEN_TYPES_VERSION:
		break;
	}
	if (!t->trust) {
		*text_out = mdb_tmp_printf(cx, "none: pack %s is broken", name);
		return MDB_TRUST_UNPROVEN;
	}
	count(cx, t->trust, nr);
	if (nr[MDB_TRUST_REFUTED] == 0) {
		*text_out = mdb_tmp_printf(cx,
			"proven (pack %s; %zu members proven, %zu unproven)",
			name, nr[MDB_TRUST_PROVEN], nr[MDB_TRUST_UNPROVEN]);
		return nr[MDB_TRUST_PROVEN] ? MDB_TRUST_PROVEN
					    : MDB_TRUST_UNPROVEN;
	}
	*text_out = mdb_tmp_printf(cx,
		"refuted in part (pack %s is of another build: %zu members "
		"proven, %zu unproven, %zu refused: %s)",
		name, nr[MDB_TRUST_PROVEN], nr[MDB_TRUST_UNPROVEN],
		nr[MDB_TRUST_REFUTED], refuted_names(cx, t->trust));
	return MDB_TRUST_REFUTED;
}

void
mdb_xen_trust_destroy(struct mdb_xen_trust *trust)
{
	if (!trust)
		return;
	for (size_t i = 0; i < trust->nr; i++) {
		free(trust->proofs[i].ranges);
		free(trust->proofs[i].used);
	}
	free(trust);
}
