/* SPDX-License-Identifier: MIT */
/*
 * What a member's type says of its value, tested on a sample: a list head
 * closes, a pointer to a function is the start of one, a bool is 0 or 1, a
 * pointer to a domain or vCPU leads to one.
 *
 * Only what can hardly be otherwise contradicts.  Unions are passed over:
 * which of their members holds is not known here.
 */
#include "mdb/world/xen_trust.h"

#include "mdb/base/alloc.h"
#include "mdb/base/ctx.h"
#include "mdb/base/endian.h"

#include <stdlib.h>
#include <string.h>

#define MAX_DEPTH 6
/* xen/include/xen/list.h: what list_del leaves. */
#define LIST_POISON1 0x00100100u
#define LIST_POISON2 0x00200200u

/* An object in memory, as it was read. */
struct sample {
	struct mdb_xen_prover *p;
	struct mdb_xen_proof *proof;
	mdb_addr_t addr;
	const uint8_t *bytes;
};

/* struct list_head { next, prev } at `at`. */
static enum mdb_xen_evidence
test_list(const struct sample *s, uint64_t at)
{
	uint64_t next = mdb_le64(s->bytes + at);
	uint64_t prev = mdb_le64(s->bytes + at + 8), back, forth;

	if ((next == 0 && prev == 0) || next == LIST_POISON1 ||
		prev == LIST_POISON2)
		return MDB_XEN_SAYS_NOTHING;
	if (!mdb_xen_is_own(next) || !mdb_xen_is_own(prev))
		return MDB_XEN_CONTRADICTS;
	if (!mdb_xen_word(s->p, next + 8, &back) ||
		!mdb_xen_word(s->p, prev, &forth))
		return MDB_XEN_SAYS_NOTHING;
	if (back == s->addr + at && forth == s->addr + at)
		return MDB_XEN_SEEMS;
	return mdb_xen_is_wiped(s->p, next + 8, 8) ||
			       mdb_xen_is_wiped(s->p, prev, 8)
		       ? MDB_XEN_SAYS_NOTHING
		       : MDB_XEN_CONTRADICTS;
}

static enum mdb_xen_evidence
test_function(const struct sample *s, uint64_t value)
{
	const struct mdb_xen *xen = s->p->xen;
	struct mdb_sym sym;

	if (value == 0)
		return MDB_XEN_SAYS_NOTHING;
	if (value < xen->text_start || value >= xen->image_end)
		return MDB_XEN_CONTRADICTS;
	if (mdb_xensyms_ops.by_addr(s->p->cx, xen->object, value, false,
		    &sym) != MDB_OK) {
		mdb_forget(s->p->cx);
		return MDB_XEN_SAYS_NOTHING;
	}
	if (sym.kind == MDB_SYM_FUNC && sym.value == value)
		return MDB_XEN_SEEMS;
	/* It may be one whose name is lost. */
	return xen->is_table_whole ? MDB_XEN_CONTRADICTS : MDB_XEN_SAYS_NOTHING;
}

/* Through structures that are known by other means than these types. */
static enum mdb_xen_evidence
test_object(const struct sample *s, const char *name, uint64_t value)
{
	struct mdb_xen_domain d;
	struct mdb_xen_vcpu v;

	if (value == 0)
		return MDB_XEN_SAYS_NOTHING;
	if (strcmp(name, "domain") == 0)
		return !mdb_xen_is_own(value) ? MDB_XEN_CONTRADICTS
		       : mdb_xen_domain_try(s->p->xen, value, &d)
			       ? MDB_XEN_SEEMS
			       : MDB_XEN_SAYS_NOTHING;
	if (strcmp(name, "vcpu") == 0)
		return !mdb_xen_is_own(value) ? MDB_XEN_CONTRADICTS
		       : mdb_xen_vcpu_try(s->p->xen, value, &v)
			       ? MDB_XEN_SEEMS
			       : MDB_XEN_SAYS_NOTHING;
	return MDB_XEN_SAYS_NOTHING;
}

static enum mdb_xen_evidence
test_pointer(const struct sample *s, struct mdb_type type, uint64_t at)
{
	struct mdb_type target = mdb_type_resolve(mdb_type_target(type));
	uint64_t value = mdb_le64(s->bytes + at);
	struct mdb_type_desc desc;

	if (mdb_type_kind(target) == MDB_T_FUNC)
		return test_function(s, value);
	mdb_type_describe(target, &desc);
	return desc.kind == MDB_T_STRUCT ? test_object(s, desc.name, value)
					 : MDB_XEN_SAYS_NOTHING;
}

/* A contradiction by zeroes of wiped memory is none. */
static void
note(const struct sample *s, uint64_t at, uint64_t len,
	enum mdb_xen_evidence says)
{
	if (says != MDB_XEN_CONTRADICTS ||
		!mdb_xen_is_wiped(s->p, s->addr + at, len))
		mdb_xen_note(s->proof, at, at + len, says);
}

static void
test_member(const struct sample *s, struct mdb_type type, uint64_t at,
	uint64_t len)
{
	enum mdb_xen_evidence says = MDB_XEN_SAYS_NOTHING;

	if (mdb_type_kind(type) == MDB_T_POINTER && len == 8)
		says = test_pointer(s, type, at);
	else if (mdb_type_kind(type) == MDB_T_INT &&
		 mdb_type_int_info(type).is_bool && s->bytes[at] > 1)
		says = MDB_XEN_CONTRADICTS;
	note(s, at, len, says);
}

/* A handle to a guest's memory holds a guest's pointer. */
static bool
is_handle(const char *name)
{
	return strncmp(name, "__guest_handle_", 15) == 0;
}

static void
test_struct(const struct sample *s, struct mdb_type type, uint64_t at,
	int depth)
{
	struct mdb_ctx *cx = s->p->cx;

	for (size_t i = 0; i < mdb_type_nr_members(type); i++) {
		struct mdb_type_desc desc;
		struct mdb_type inner;
		struct mdb_member m;
		uint64_t len, start;

		if (mdb_type_member_at(cx, type, i, &m) != MDB_OK)
			break;
		inner = mdb_type_resolve(m.type);
		start = at + m.bit_offset / 8;
		if (m.nr_bits != 0 ||
			mdb_type_size(cx, inner, &len) != MDB_OK || len == 0 ||
			start > s->proof->size || len > s->proof->size - start)
			continue;
		mdb_type_describe(inner, &desc);
		if (desc.kind == MDB_T_STRUCT &&
			strcmp(desc.name, "list_head") == 0 && len == 16)
			note(s, start, 16, test_list(s, start));
		else if (desc.kind == MDB_T_STRUCT && depth < MAX_DEPTH &&
			 !is_handle(desc.name))
			test_struct(s, inner, start, depth + 1);
		else
			test_member(s, inner, start, len);
	}
	mdb_forget(cx);
}

void
mdb_xen_evidence(struct mdb_xen_prover *p, const char *type_name,
	mdb_addr_t addr)
{
	struct sample s = { .p = p, .addr = addr };
	uint8_t *bytes;

	s.proof = mdb_xen_proof_of(p, type_name);
	if (!s.proof || s.proof->size == 0)
		return;
	bytes = mdb_xalloc(s.proof->size + 16);
	s.bytes = bytes;
	if (mdb_space_try(p->xen->world->space, addr, bytes, s.proof->size) ==
		MDB_OK)
		test_struct(&s, s.proof->type, 0, 0);
	free(bytes);
}
