/* SPDX-License-Identifier: MIT */
/*
 * Functions by their symbols: where one begins and ends, which part belongs to
 * which, and which are no functions but ways to jump.
 */
#include "mdb/stack/flow.h"

#include "mdb/base/ctx.h"

#include <string.h>

/* ---- names --------------------------------------------------------------- */

const char *
mdb_bare_name(const char *name)
{
	const char *hash = strchr(name, '#');

	return hash ? hash + 1 : name;
}

static bool
begins(const char *name, const char *with)
{
	return strncmp(name, with, strlen(with)) == 0;
}

bool
mdb_flow_symbol(struct mdb_unwind *u, mdb_addr_t pc, struct mdb_sym *sym)
{
	enum mdb_status st = mdb_sym_by_addr(u->cx,
		mdb_kernel_loc(u->world, pc), false, sym);

	mdb_forget(u->cx);
	return st == MDB_OK && pc >= sym->value;
}

bool
mdb_flow_is_thunk(struct mdb_unwind *u, mdb_addr_t pc)
{
	struct mdb_sym sym;

	return mdb_flow_symbol(u, pc, &sym) &&
	       (begins(mdb_bare_name(sym.name), "__x86_indirect_thunk") ||
		       begins(mdb_bare_name(sym.name), "__x86_indirect_its"));
}

bool
mdb_flow_is_return_thunk(struct mdb_unwind *u, mdb_addr_t pc)
{
	struct mdb_sym sym;

	return mdb_flow_symbol(u, pc, &sym) && pc == sym.value &&
	       strstr(sym.name, "return_thunk") != NULL;
}

/* ---- functions ----------------------------------------------------------- */

/* The bounds by the symbol; where nobody knows its size, a bit past pc. */
bool
mdb_flow_bounds(struct mdb_unwind *u, mdb_addr_t pc,
	struct mdb_flow_function *fn)
{
	struct mdb_sym sym;

	if (!mdb_flow_symbol(u, pc, &sym) ||
		pc - sym.value >= MDB_FLOW_MAX_CODE)
		return false;
	fn->start = sym.value;
	fn->name = mdb_bare_name(sym.name);
	fn->size = sym.size > pc - sym.value && sym.size <= MDB_FLOW_MAX_CODE
			   ? sym.size
			   : pc - sym.value + 1 + MDB_INSN_MAX;
	return true;
}

/* Xen's table names a static function's file; its part may be of a global. */
static bool
whole_of_part(struct mdb_unwind *u, const struct mdb_sym *part,
	struct mdb_flow_function *fn)
{
	const char *const names[] = { part->name, mdb_bare_name(part->name) };

	for (size_t i = 0; i < 2; i++) {
		const char *cold = strstr(names[i], ".cold");
		struct mdb_sym whole;
		enum mdb_status st;

		if (!cold)
			continue;
		st = mdb_sym_by_name(u->cx, u->world,
			mdb_tmp_printf(u->cx, "%.*s", (int)(cold - names[i]),
				names[i]),
			&whole);
		mdb_forget(u->cx);
		if (st == MDB_OK && whole.object == part->object &&
			mdb_flow_bounds(u, whole.value, fn))
			return true;
	}
	return false;
}

bool
mdb_flow_function(struct mdb_unwind *u, mdb_addr_t pc,
	struct mdb_flow_function *function_out)
{
	struct mdb_flow_function fn;
	struct mdb_sym sym;

	if (!mdb_flow_bounds(u, pc, &fn))
		return false;
	if (strstr(fn.name, ".cold") &&
		(!mdb_flow_symbol(u, pc, &sym) || !whole_of_part(u, &sym, &fn)))
		return false;
	*function_out = fn;
	return true;
}
