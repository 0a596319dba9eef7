/* SPDX-License-Identifier: MIT */
/*
 * Unwinding by the code itself: follow a function from its first instruction
 * along its jumps to the place where it is, and keep what became of the stack
 * pointer and of bp.  Then the return address lies where the stack pointer
 * was on entry.  For functions that no table speaks of (__crash_kexec is one)
 * and kernels without tables.
 *
 * Each instruction is visited once, by the path that comes first: a compiler
 * keeps one depth for each place.  Where a path leaves the function, or the
 * stack pointer is set to what is not known, it is given up.  Nothing reached
 * is no answer.
 */
#include "mdb/stack/unwind.h"

#include "mdb/base/alloc.h"
#include "mdb/stack/dis.h"

#include <stdlib.h>
#include <string.h>

#ifdef MDB_TINY
#define MAX_PATHS 8u
#else
#define MAX_PATHS 512u
#endif
#define MAX_CODE 0x8000u

enum bp_state {
	BP_SAME = 0, /* the caller's */
	BP_FRAME,    /* the entry's sp plus bp_off */
	BP_OTHER,
};

/* Offsets are from the stack pointer at the function's entry; no code that is
 * followed has instructions enough to make 64 bits overflow. */
struct state {
	uint32_t at; /* offset in the code */
	int64_t sp;
	bool sp_known;
	enum bp_state bp;
	int64_t bp_off;
	int64_t bp_saved; /* where the caller's bp was pushed; 0: nowhere */
};

struct flow {
	mdb_addr_t start;
	uint32_t len;	 /* bytes of code */
	uint32_t target; /* offset sought */
	unsigned int bits;
	uint8_t *code;
	uint8_t *seen; /* a bit for each byte */
	struct state paths[MAX_PATHS];
	size_t nr_paths;
	bool found;
	struct state result;
};

static void
add_path(struct flow *f, const struct state *s, uint64_t at)
{
	if (at >= f->len || f->nr_paths == MAX_PATHS)
		return;
	f->paths[f->nr_paths] = *s;
	f->paths[f->nr_paths++].at = (uint32_t)at;
}

static void
push(struct state *s, const struct mdb_insn *insn)
{
	if (insn->reg == 5 && s->bp == BP_SAME && s->sp_known)
		s->bp_saved = s->sp;
}

static void
pop(struct state *s, const struct mdb_insn *insn, int64_t from)
{
	if (insn->reg != 5)
		return;
	s->bp = s->sp_known && s->bp_saved != 0 && from == s->bp_saved
			? BP_SAME
			: BP_OTHER;
	if (s->bp == BP_SAME)
		s->bp_saved = 0;
}

/* sp := bp + sp_off, and for `leave` bp is then popped. */
static void
set_sp(struct state *s, const struct mdb_insn *insn)
{
	int64_t word = insn->bits == 64 ? 8 : 4;

	s->sp_known = insn->reg == 5 && s->bp == BP_FRAME;
	if (!s->sp_known)
		return;
	s->sp = s->bp_off + insn->sp_off;
	if (insn->kind == MDB_INSN_LEAVE) {
		/* sp_off counts the word that leave pops. */
		s->bp = s->bp_saved == s->sp - word ? BP_SAME : BP_OTHER;
		s->bp_saved = 0;
	}
}

static void
apply(struct state *s, const struct mdb_insn *insn)
{
	int64_t before = s->sp;

	if (insn->has_sp_delta && insn->kind != MDB_INSN_CALL)
		s->sp += insn->sp_delta;
	switch (insn->kind) {
	case MDB_INSN_PUSH:
		push(s, insn);
		break;
	case MDB_INSN_POP:
		pop(s, insn, before);
		break;
	case MDB_INSN_FRAME:
		s->bp = s->sp_known ? BP_FRAME : BP_OTHER;
		s->bp_off = s->sp + insn->sp_off;
		break;
	case MDB_INSN_SP_SET:
	case MDB_INSN_LEAVE:
		set_sp(s, insn);
		break;
	case MDB_INSN_ENTER:
		s->sp_known = false;
		s->bp = BP_OTHER;
		break;
	default:
		break;
	}
}

/* Where control goes from here.  False: the path ends. */
static bool
leaves(struct flow *f, struct state *s, const struct mdb_insn *insn)
{
	switch (insn->kind) {
	case MDB_INSN_INVALID:
	case MDB_INSN_RET:
		return true;
	case MDB_INSN_JUMP:
		if (insn->has_target)
			add_path(f, s, insn->target - f->start);
		return true;
	case MDB_INSN_BRANCH:
		if (insn->has_target)
			add_path(f, s, insn->target - f->start);
		return false;
	default:
		return false;
	}
}

static void
follow(struct flow *f, struct state s)
{
	while (s.at < f->len && !f->found) {
		struct mdb_insn insn;
		uint8_t bit = (uint8_t)(1u << s.at % 8);

		if (s.at == f->target) {
			f->found = true;
			f->result = s;
			return;
		}
		if (f->seen[s.at / 8] & bit)
			return;
		f->seen[s.at / 8] |= bit;
		mdb_insn_decode(f->code + s.at, f->len - s.at, f->start + s.at,
			f->bits, &insn);
		if (insn.len == 0)
			return;
		apply(&s, &insn);
		if (leaves(f, &s, &insn))
			return;
		s.at += insn.len;
	}
	/* The call of a function that never returns may end the code. */
	if (s.at == f->target && !f->found) {
		f->found = true;
		f->result = s;
	}
}

/* The function's bounds and code; false when there is nothing to follow. */
static bool
load(struct mdb_unwind *u, struct flow *f)
{
	mdb_addr_t pc = mdb_frame_lookup_pc(&u->frame);
	struct mdb_sym sym;
	enum mdb_status st = mdb_sym_by_addr(u->cx,
		mdb_kernel_loc(u->world, pc), false, &sym);
	uint64_t len;

	mdb_forget(u->cx);
	if (st != MDB_OK || pc < sym.value || pc - sym.value >= MAX_CODE ||
		strstr(sym.name, ".cold"))
		return false;
	len = sym.size > pc - sym.value && sym.size <= MAX_CODE
		      ? sym.size
		      : u->frame.pc - sym.value + MDB_INSN_MAX;
	f->start = sym.value;
	f->target = (uint32_t)(u->frame.pc - sym.value);
	f->bits = u->world->arch->word == 8 ? 64 : 32;
	f->len = (uint32_t)len;
	f->code = mdb_xalloc(len);
	f->seen = mdb_xalloc(len / 8 + 1);
	return mdb_space_try(u->world->space, f->start, f->code, len) == MDB_OK;
}

static void
run(struct flow *f)
{
	const struct state entry = { .sp_known = true };

	add_path(f, &entry, 0);
	while (f->nr_paths > 0 && !f->found)
		follow(f, f->paths[--f->nr_paths]);
}

/* The stack pointer at the function's entry. */
static bool
entry_sp(const struct mdb_unwind *u, const struct state *s, mdb_addr_t *sp_out)
{
	const struct mdb_regs *regs = &u->frame.regs;

	if (s->sp_known)
		*sp_out = regs->r[MDB_R_SP] - (uint64_t)s->sp;
	else if (s->bp == BP_FRAME && mdb_reg_known(regs, MDB_R_BP))
		*sp_out = regs->r[MDB_R_BP] - (uint64_t)s->bp_off;
	else
		return false;
	return true;
}

static bool
is_return_address(struct mdb_unwind *u, mdb_addr_t ip)
{
	if (!u->verify && mdb_unwind_object(u, ip))
		return true;
	return mdb_unwind_check_call(u, ip) == MDB_CALL_YES;
}

static enum mdb_unwind_step
take(struct mdb_unwind *u, const struct state *s, struct mdb_caller *caller_out)
{
	size_t word = u->world->arch->word;
	struct mdb_caller c = { 0 };
	mdb_addr_t sp;
	uint64_t ip, bp = u->frame.regs.r[MDB_R_BP];
	bool bp_known =
		s->bp == BP_SAME && mdb_reg_known(&u->frame.regs, MDB_R_BP);

	if (!entry_sp(u, s, &sp) || sp < u->frame.regs.r[MDB_R_SP] ||
		mdb_unwind_word(u, sp, &ip) != MDB_OK ||
		!is_return_address(u, ip))
		return MDB_STEP_NONE;
	if (s->bp_saved != 0)
		bp_known = mdb_unwind_word(u, sp + (uint64_t)s->bp_saved,
				   &bp) == MDB_OK;
	c.cfa = sp + word;
	c.fp = sp - word;
	c.regs = u->frame.regs;
	mdb_regs_keep_system(&c.regs);
	mdb_reg_set(&c.regs, MDB_R_IP, ip);
	mdb_reg_set(&c.regs, MDB_R_SP, c.cfa);
	if (bp_known)
		mdb_reg_set(&c.regs, MDB_R_BP, bp);
	*caller_out = c;
	return MDB_STEP_CALLER;
}

enum mdb_unwind_step
mdb_flow_step(struct mdb_unwind *u, struct mdb_caller *caller_out)
{
	enum mdb_unwind_step step = MDB_STEP_NONE;
	struct flow *f;

	if (!u->object)
		return MDB_STEP_NONE;
	f = mdb_xalloc(sizeof(*f));
	if (load(u, f)) {
		run(f);
		if (f->found)
			step = take(u, &f->result, caller_out);
	}
	free(f->code);
	free(f->seen);
	free(f);
	return step;
}
