/* SPDX-License-Identifier: MIT */
/*
 * Can the call before a return address lead into a function?  A direct call
 * of another function, which does not jump on into ours, refutes the address;
 * one through a pointer may go anywhere.  Functions that end in a jump to
 * another (tail calls) are followed a few jumps far.
 */
#include "mdb/stack/reach.h"

#include <string.h>

#define MAX_JUMPS 48 /* targets that are looked at */

struct chase {
	struct mdb_unwind *u;
	const struct mdb_flow_function *function;
	mdb_addr_t todo[MAX_JUMPS];
	size_t nr;
	bool direct, away;
};

static bool
is_entry(const struct mdb_flow_function *fn, mdb_addr_t target)
{
	/* Code in assembler may be entered at several places. */
	return target >= fn->start && target - fn->start < fn->size;
}

static bool
look_at_exit(void *arg, enum mdb_flow_exit kind, mdb_addr_t target,
	mdb_addr_t next)
{
	struct chase *c = arg;

	(void)next;
	if (kind == MDB_FLOW_AWAY)
		c->away = true;
	if (kind != MDB_FLOW_JUMP)
		return true;
	if (target == c->function->start)
		c->direct = true;
	for (size_t i = 0; i < c->nr; i++)
		if (c->todo[i] == target)
			return !c->direct;
	if (c->nr < MAX_JUMPS)
		c->todo[c->nr++] = target;
	return !c->direct;
}

enum mdb_reach
mdb_reach_from_target(struct mdb_unwind *u, mdb_addr_t target,
	const struct mdb_flow_function *function)
{
	struct chase c = { .u = u, .function = function };

	if (is_entry(function, target))
		return MDB_REACH_CALL;
	if (!mdb_unwind_object(u, target) || mdb_flow_is_thunk(u, target))
		return MDB_REACH_POINTER;
	c.todo[c.nr++] = target;
	for (size_t i = 0; i < c.nr && !c.direct; i++)
		mdb_flow_exits(u, c.todo[i], look_at_exit, &c);
	if (c.direct)
		return MDB_REACH_JUMP;
	return c.away ? MDB_REACH_POINTER : MDB_REACH_NO;
}

enum mdb_reach
mdb_reach(struct mdb_unwind *u, mdb_addr_t ip,
	const struct mdb_flow_function *function)
{
	uint8_t bytes[7];
	enum mdb_reach reach = MDB_REACH_NO;
	uint32_t rel;

	if (!mdb_unwind_object(u, ip))
		return MDB_REACH_NO;
	if (ip < sizeof(bytes) ||
		mdb_space_try(u->world->space, ip - sizeof(bytes), bytes,
			sizeof(bytes)) != MDB_OK)
		return MDB_REACH_UNKNOWN;
	/* Every function ends there, whoever called it. */
	if (mdb_flow_is_return_thunk(u, function->start))
		return mdb_call_ends(bytes, sizeof(bytes),
			       u->world->arch->word == 8)
			       ? MDB_REACH_CALL
			       : MDB_REACH_NO;
	if (bytes[2] == 0xe8) {
		memcpy(&rel, bytes + 3, 4);
		reach = mdb_reach_from_target(u, ip + (uint64_t)(int32_t)rel,
			function);
		/* What ends in a direct call may, cut short, look like one
		 * through a pointer; the longer one is it. */
		return reach;
	}
	return mdb_call_ends(bytes, sizeof(bytes), u->world->arch->word == 8)
		       ? MDB_REACH_POINTER
		       : MDB_REACH_NO;
}

struct sought {
	struct mdb_unwind *u;
	const struct mdb_flow_function *function;
	bool found;
};

static bool
look_at_call(void *arg, enum mdb_flow_exit kind, mdb_addr_t target,
	mdb_addr_t next)
{
	struct sought *s = arg;

	(void)next;
	if (kind == MDB_FLOW_CALL && is_entry(s->function, target))
		s->found = true;
	return !s->found;
}

bool
mdb_reach_calls(struct mdb_unwind *u, const struct mdb_flow_function *caller,
	const struct mdb_flow_function *callee)
{
	struct sought s = { .u = u, .function = callee };

	mdb_flow_exits(u, caller->start, look_at_call, &s);
	return s.found;
}
