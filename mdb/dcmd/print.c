/* SPDX-License-Identifier: MIT */
/*
 * ::print, and the table of the commands that know types.
 *
 * A value that cannot be read is shown as unreadable where it stands and does
 * not end the command; a type or member that does not exist does.
 */
#include "mdb/dcmd/print.h"

#include <inttypes.h>
#include <string.h>

#include "mdb/dcmd/dcmd.h"
#include "mdb/dcmd/typed.h"
#include "mdb/shell/session.h"

#define MAX_VALUES 4000000

/* ---- ::print ------------------------------------------------------------- */

static void
style_of(struct mdb_ctx *cx, const struct mdb_call *call,
	struct mdb_style *style)
{
	const struct mdb_options *set = &cx->session->opts;
	const uint64_t all = UINT64_MAX;

	*style = (struct mdb_style){
		.decimal = mdb_opt(call, 'd') && !mdb_opt(call, 'x'),
		.addresses = mdb_opt(call, 'a'),
		.types = mdb_opt(call, 't'),
		.base_types = mdb_opt(call, 'T'),
		.holes = mdb_opt(call, 'h'),
		.no_symbols = mdb_opt(call, 'n'),
		.max_depth = mdb_opt_uint(call, 's', all),
		.max_elements =
			set->array_mem_limit ? set->array_mem_limit : all,
		.max_chars = set->array_str_limit ? set->array_str_limit : all,
		.values_left = MAX_VALUES,
	};
	style->max_elements = mdb_opt_uint(call, 'l', style->max_elements);
	style->max_chars = mdb_opt_uint(call, 'c', style->max_chars);
	if (mdb_opt(call, 'L'))
		style->max_elements = all;
	if (mdb_opt(call, 'C'))
		style->max_chars = all;
}

/* "struct foo", "foo *": nothing that could be a member. */
static bool
is_spelled_out(const struct mdb_call *call)
{
	static const char *const words[] = { "struct", "union", "enum",
		"unsigned", "signed", "long", "short", "int", "char", "const",
		NULL };

	if (!call->argc)
		return false;
	for (int i = 0; words[i]; i++)
		if (!strcmp(call->argv[0], words[i]))
			return true;
	return strpbrk(call->argv[0], " *`") != NULL;
}

/* Is the first operand a member of the variable at the address? */
static bool
is_implied_member(struct mdb_ctx *cx, const struct mdb_call *call,
	struct mdb_type *type_out)
{
	size_t len = call->argc ? strcspn(call->argv[0], ".[-") : 0;
	struct mdb_type type;
	struct mdb_member m;

	if (mdb_implied_type(cx, call, &type) != MDB_OK) {
		mdb_forget(cx);
		return false;
	}
	*type_out = type;
	if (!call->argc)
		return true;
	if (mdb_type_kind(mdb_type_resolve(type)) == MDB_T_POINTER)
		type = mdb_type_target(mdb_type_resolve(type));
	if (len && mdb_type_member(cx, type,
			   mdb_tmp_printf(cx, "%.*s", (int)len, call->argv[0]),
			   &m) != MDB_OK) {
		mdb_forget(cx);
		return false;
	}
	return true;
}

/* The type to print and where the members begin among the operands. */
static enum mdb_status
type_of_call(struct mdb_ctx *cx, const struct mdb_call *call,
	struct mdb_type *type_out, int *used_out)
{
	struct mdb_type implied = { 0 };
	enum mdb_status st;

	*used_out = 0;
	if (call->has_addr && !is_spelled_out(call) &&
		is_implied_member(cx, call, &implied)) {
		*type_out = implied;
		return MDB_OK;
	}
	if (!call->argc)
		return mdb_implied_type(cx, call, type_out);
	st = mdb_operand_type(cx, call, 0, type_out, used_out);
	if (st == MDB_E_NOTFOUND && implied.types)
		return mdb_fail(cx, st,
			"\"%s\" is no type, and no member of \"%s\"",
			call->argv[0], mdb_type_name(cx, implied));
	if (st == MDB_E_NOTFOUND && call->has_addr && call->argc == 1)
		return mdb_fail(cx, st,
			"no type \"%s\", and no variable of known type begins "
			"at %#" PRIx64,
			call->argv[0], call->loc.addr);
	return st;
}

static struct mdb_datum
datum_of_call(struct mdb_ctx *cx, const struct mdb_call *call,
	struct mdb_type type)
{
	struct mdb_datum d = { .type = mdb_type_complete(type) };

	d.loc.world = mdb_call_world(cx, call);
	if (!call->has_addr)
		return d;
	d.loc = call->loc;
	d.place = MDB_PLACE_MEMORY;
	if (mdb_opt(call, 'p'))
		d.place = MDB_PLACE_MACHINE;
	if (mdb_opt(call, 'i')) {
		d.place = MDB_PLACE_IMMEDIATE;
		d.immediate = call->loc.addr;
		d.loc.addr = 0;
	}
	return d;
}

/* The direct member in which an offset lies. */
static enum mdb_status
member_at(struct mdb_ctx *cx, const struct mdb_datum *d, const char *text,
	struct mdb_member *m)
{
	size_t nr = mdb_type_nr_members(d->type);
	enum mdb_status st;
	uint64_t off = 0, size;

	st = mdb_eval_expr(cx, text, &off);
	for (size_t i = 0; i < nr && st == MDB_OK; i++) {
		st = mdb_type_member_at(cx, d->type, i, m);
		if (st != MDB_OK || mdb_type_size(cx, m->type, &size) != MDB_OK)
			break;
		if (off >= m->bit_offset / 8 && off - m->bit_offset / 8 < size)
			return MDB_OK;
	}
	if (st != MDB_OK && st != MDB_DONE)
		return st;
	return mdb_fail(cx, MDB_E_NOTFOUND,
		"\"%s\" has no member at offset %#" PRIx64,
		mdb_type_name(cx, d->type), off);
}

static enum mdb_status
print_operand(struct mdb_ctx *cx, const struct mdb_datum *d, const char *path,
	struct mdb_style *style)
{
	struct mdb_member m = { .name = "" };
	struct mdb_datum at = *d;
	enum mdb_status st;

	if (*path >= '0' && *path <= '9') {
		st = member_at(cx, d, path, &m);
		if (st == MDB_OK)
			at = mdb_datum_member(cx, d, &m, m.name);
		path = m.name;
	} else {
		st = mdb_datum_path(cx, d, path, &at);
	}
	if (st != MDB_OK)
		return st;
	if (mdb_is_piped(cx))
		return mdb_datum_emit(cx, &at);
	return mdb_datum_print(cx, &at, path, style);
}

/*
 * What lies at the symbol of a per-CPU variable is the image from which the
 * CPUs' copies were made at boot, or nothing: no CPU's value.
 */
static enum mdb_status
refuse_percpu(struct mdb_ctx *cx, const struct mdb_call *call)
{
	struct mdb_sym sym;
	const char *name;

	if (!call->has_addr || mdb_opt(call, 'i') || mdb_opt(call, 'p'))
		return MDB_OK;
	if (mdb_sym_by_addr(cx, call->loc, false, &sym) != MDB_OK) {
		mdb_forget(cx);
		return MDB_OK;
	}
	if (sym.kind != MDB_SYM_PERCPU)
		return MDB_OK;
	name = mdb_escape(cx, sym.name, strlen(sym.name));
	return mdb_fail(cx, MDB_E_UNSUPPORTED,
		"%s is a per-CPU variable: each CPU's copy is at what "
		"`%s::walk percpu` gives",
		name, name);
}

static enum mdb_status
run_print(struct mdb_ctx *cx, const struct mdb_call *call)
{
	struct mdb_style style;
	struct mdb_datum d;
	struct mdb_type type;
	enum mdb_status st;
	int used;

	if (!call->argc && !call->has_addr)
		return mdb_fail(cx, MDB_E_USAGE, "a type is needed");
	st = refuse_percpu(cx, call);
	if (st != MDB_OK)
		return st;
	st = type_of_call(cx, call, &type, &used);
	if (st != MDB_OK)
		return st;
	style_of(cx, call, &style);
	d = datum_of_call(cx, call, type);
	if (used == call->argc)
		return mdb_is_piped(cx) ? mdb_datum_emit(cx, &d)
					: mdb_datum_print(cx, &d, NULL, &style);
	for (int i = used; i < call->argc && st == MDB_OK; i++)
		st = print_operand(cx, &d, call->argv[i], &style);
	return st;
}

static const struct mdb_option print_options[] = {
	{ 'a', MDB_OPT_FLAG, NULL, "the address, or offset, of each value" },
	{ 'C', MDB_OPT_FLAG, NULL, "arrays of characters in full" },
	{ 'c', MDB_OPT_EXPR, "limit", "at most so many characters" },
	{ 'd', MDB_OPT_FLAG, NULL, "integers in decimal" },
	{ 'h', MDB_OPT_FLAG, NULL, "the holes between members" },
	{ 'i', MDB_OPT_FLAG, NULL, "the address is the value itself" },
	{ 'L', MDB_OPT_FLAG, NULL, "arrays in full" },
	{ 'l', MDB_OPT_EXPR, "limit", "at most so many elements" },
	{ 'n', MDB_OPT_FLAG, NULL, "pointers as numbers, not symbols" },
	{ 'p', MDB_OPT_FLAG, NULL, "the address is a machine address" },
	{ 's', MDB_OPT_EXPR, "depth", "at most so many levels" },
	{ 'T', MDB_OPT_FLAG, NULL, "the type, and what it resolves to" },
	{ 't', MDB_OPT_FLAG, NULL, "the type of each value" },
	{ 'x', MDB_OPT_FLAG, NULL, "integers in hexadecimal, as without" },
	{ 0 },
};

static const struct mdb_example print_examples[] = {
	{ "init_task::print struct task_struct comm pid",
		"two members of a task" },
	{ "::walk task | ::print -d struct task_struct pid comm",
		"the same of every task" },
	{ "::print -at struct list_head", "a layout, with offsets and types" },
	{ 0 },
};

static const struct mdb_option enum_options[] = {
	{ 'e', MDB_OPT_FLAG, NULL, "the operand is a value or name to find" },
	{ 'x', MDB_OPT_FLAG, NULL, "values in hexadecimal" },
	{ 0 },
};

static const struct mdb_example printf_examples[] = {
	{ "::walk task | ::printf \"%-6d %s\\n\" struct task_struct pid comm",
		"a line for each task" },
	{ 0 },
};

static const struct mdb_example list_examples[] = {
	{ "init_task::list struct task_struct tasks", "the addresses of all "
						      "tasks" },
	{ 0 },
};

const struct mdb_dcmd mdb_dcmds_print[] = {
	{
		.name = "print",
		.operands = "[type] [member|offset ...]",
		.summary = "print data as a type",
		.help = "Prints the object at the address as the type named, "
			"or only the members named: `a.b->c[2]`.  The type "
			"may be left out where a variable begins whose type "
			"is known.  Without an address the layout is shown.  "
			"In a pipeline the values are passed on, and the "
			"addresses of structures.",
		.addr = MDB_ADDR_OPTIONAL,
		.addr_what = "object",
		.options = print_options,
		.examples = print_examples,
		.run = run_print,
	},
	{
		.name = "printf",
		.operands = "format type member ...",
		.summary = "print members under a format",
		.help = "Prints a line of members of the object at the "
			"address.  Conversions: %d %u %x %X %o %q decimal, "
			"unsigned, hex, octal; %s text; %a %p address as "
			"symbol, as number; %r %R radix; %H size for humans; "
			"%I IPv4 address; %Y time; %%.  A width, `-`, `0`, `#` and "
			"`?` (as wide as an address) may precede.  The member "
			"`.` is the address itself.",
		.addr = MDB_ADDR_REQUIRED,
		.addr_what = "object",
		.examples = printf_examples,
		.run = mdb_dcmd_printf,
	},
	{
		.name = "sizeof",
		.operands = "type [member]",
		.summary = "print the size of a type",
		.run = mdb_dcmd_sizeof,
	},
	{
		.name = "offsetof",
		.operands = "type member",
		.summary = "print the offset of a member",
		.run = mdb_dcmd_offsetof,
	},
	{
		.name = "list",
		.operands = "type member",
		.summary = "follow a list by its link member",
		.help = "Prints the address and those of the objects that "
			"follow it through the member, until NULL or the "
			"first one again.  The member is a pointer to the "
			"next object, or a list_head, hlist_node or "
			"llist_node within it.  A list that comes back to "
			"another than its first object is reported.",
		.addr = MDB_ADDR_REQUIRED,
		.addr_what = "object",
		.examples = list_examples,
		.run = mdb_dcmd_list,
	},
	{
		.name = "array",
		.operands = "[type] count",
		.summary = "print the address of each element",
		.addr = MDB_ADDR_REQUIRED,
		.addr_what = "array",
		.run = mdb_dcmd_array,
	},
	{
		.name = "enum",
		.operands = "enum [name|value]",
		.summary = "print the names and values of an enumeration",
		.options = enum_options,
		.table = &mdb_table_enum,
		.run = mdb_dcmd_enum,
	},
	{ 0 },
};
