/* SPDX-License-Identifier: MIT */
/*
 * ::nm.  The columns of illumos' mdb; a symbol of a running Linux has no
 * section index, so Shndx names the kind of memory that nm's letter stands
 * for, and is ABS for a number.
 */
#include "mdb/dcmd/dcmd.h"
#include "mdb/shell/session.h"

#include "mdb/base/alloc.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum field {
	F_NDX,
	F_VALUE,
	F_SIZE,
	F_TYPE,
	F_BIND,
	F_OTHER,
	F_SHNDX,
	F_NAME,
	F_CTYPE,
	F_OBJECT,
	NR_FIELDS
};

/* By the names of -f; headings and widths as printed. */
static const struct mdb_column fields[NR_FIELDS] = {
	{ "ndx", "Index", 5, MDB_COL_LEFT, 0, "number within the object" },
	{ "val", "Value", 18, MDB_COL_LEFT | MDB_COL_PIPE, 0, "its address" },
	{ "sz", "Size", 18, MDB_COL_LEFT, 0,
		"bytes; to the next symbol where none is stated" },
	{ "type", "Type", 5, MDB_COL_LEFT, 0, "FUNC OBJT NOTY" },
	{ "bind", "Bind", 5, MDB_COL_LEFT, 0, "GLOB LOCL WEAK" },
	{ "oth", "Other", 5, MDB_COL_LEFT, 0, "0: nothing is known" },
	{ "shndx", "Shndx", 8, MDB_COL_LEFT, 0, "kind of memory, or ABS" },
	{ "name", "Name", 24, MDB_COL_LEFT, 0, "its name" },
	{ "ctype", "C Type", 0, MDB_COL_LEFT, 0, "its type, if known" },
	{ "obj", "Object", 15, MDB_COL_LEFT, 0, "the object that has it" },
};

static const enum field default_fields[] = { F_VALUE, F_SIZE, F_TYPE, F_BIND,
	F_OTHER, F_SHNDX, F_NAME };

struct nm {
	const struct mdb_call *call;
	enum field list[NR_FIELDS];
	size_t nr_fields;
	struct mdb_column columns[NR_FIELDS + 1];
	struct mdb_table table;
	const char *number; /* format of Value and Size */
	const char *types;  /* -t: as given; or NULL */
	uint64_t index;
	bool collect; /* to sort */
	struct mdb_sym *syms;
	size_t nr_syms, cap;
};

/* ---- one symbol ----------------------------------------------------------
 */

static const char *
type_text(const struct mdb_sym *sym)
{
	switch (sym->kind) {
	case MDB_SYM_FUNC:
		return "FUNC";
	case MDB_SYM_DATA:
	case MDB_SYM_PERCPU:
		return "OBJT";
	case MDB_SYM_OTHER:
	case MDB_SYM_ABS:
		break;
	}
	return "NOTY";
}

static bool
is_weak(const struct mdb_sym *sym)
{
	return sym->letter != 0 && strchr("wWvV", sym->letter) != NULL;
}

static const char *
section_text(const struct mdb_sym *sym)
{
	static const struct {
		char letter;
		const char *name;
	} sections[] = { { 'T', "text" }, { 'D', "data" }, { 'B', "bss" },
		{ 'R', "rodata" }, { 'U', "UNDEF" } };

	if (sym->kind == MDB_SYM_ABS)
		return "ABS";
	if (sym->kind == MDB_SYM_PERCPU)
		return "percpu";
	for (size_t i = 0; i < sizeof(sections) / sizeof(sections[0]); i++) {
		if (toupper((unsigned char)sym->letter) == sections[i].letter)
			return sections[i].name;
	}
	return "-";
}

static const char *
ctype_text(struct mdb_ctx *cx, const struct mdb_sym *sym)
{
	struct mdb_type type;

	if (mdb_type_of_sym(cx, sym, &type) == MDB_OK)
		return mdb_type_name(cx, type);
	mdb_forget(cx);
	return "-";
}

/* "0x" and the digits of an address, as mdb. */
static int
number_width(struct mdb_ctx *cx)
{
	return 2 + 2 * (int)mdb_world_word(mdb_world_current(cx));
}

static struct mdb_value
number(struct mdb_ctx *cx, const struct nm *nm, uint64_t v)
{
	if (cx->session->opts.json)
		return mdb_v_hex(v);
	switch (nm->number[0]) {
	case 'd':
		return mdb_v_text(
			mdb_tmp_printf(cx, "%0*" PRIu64, number_width(cx), v));
	case 'o':
		return mdb_v_text(
			mdb_tmp_printf(cx, "%0*" PRIo64, number_width(cx), v));
	default:
		return mdb_v_flags(v);
	}
}

static struct mdb_value
address(struct mdb_ctx *cx, const struct nm *nm, const struct mdb_sym *sym)
{
	struct mdb_object_info info;

	if (!nm->call->piped)
		return number(cx, nm, sym->value);
	mdb_object_info(sym->object, &info);
	return mdb_v_addr(mdb_kernel_loc(info.world, sym->value));
}

static struct mdb_value
field_value(struct mdb_ctx *cx, const struct nm *nm, enum field f,
	const struct mdb_sym *sym)
{
	struct mdb_object_info info;

	switch (f) {
	case F_NDX:
		return mdb_v_uint(nm->index);
	case F_VALUE:
		return address(cx, nm, sym);
	case F_SIZE:
		return number(cx, nm, sym->size);
	case F_TYPE:
		return mdb_v_text(type_text(sym));
	case F_BIND:
		return mdb_v_text(is_weak(sym)	? "WEAK"
				  : sym->global ? "GLOB"
						: "LOCL");
	case F_OTHER:
		return mdb_v_text("0x0");
	case F_SHNDX:
		return mdb_v_text(section_text(sym));
	case F_NAME:
		return mdb_v_cstr(sym->name);
	case F_CTYPE:
		return mdb_v_text(ctype_text(cx, sym));
	case F_OBJECT:
		mdb_object_info(sym->object, &info);
		return mdb_v_cstr(info.name);
	case NR_FIELDS:
		break;
	}
	return mdb_v_none();
}

static enum mdb_status
print_sym(struct mdb_ctx *cx, struct nm *nm, const struct mdb_sym *sym)
{
	struct mdb_value values[NR_FIELDS];

	if (mdb_opt(nm->call, 'p'))
		return mdb_line(cx, "0x%" PRIx64 "::nmadd -s 0x%" PRIx64 " %s",
			sym->value, sym->size,
			mdb_escape(cx, sym->name, strlen(sym->name)));
	for (size_t i = 0; i < nm->nr_fields; i++)
		values[i] = field_value(cx, nm, nm->list[i], sym);
	nm->index++;
	return mdb_row(cx, &nm->table, values);
}

/* ---- choosing and sorting ------------------------------------------------
 */

static bool
wanted(const struct nm *nm, const struct mdb_sym *sym)
{
	const char *type = type_text(sym);
	const char *list = nm->types;

	if (mdb_opt(nm->call, 'u'))
		return toupper((unsigned char)sym->letter) == 'U';
	if (mdb_opt(nm->call, 'g') && !sym->global && !is_weak(sym))
		return false;
	while (list != NULL && *list != '\0') {
		size_t len = strcspn(list, ",");

		if (len == strlen(type) && strncasecmp(list, type, len) == 0)
			return true;
		list += len + (list[len] == ',');
	}
	return nm->types == NULL;
}

static enum mdb_status
take_sym(struct mdb_ctx *cx, const struct mdb_sym *sym, void *arg)
{
	struct nm *nm = arg;

	if (!wanted(nm, sym))
		return mdb_check_interrupt(cx);
	if (!nm->collect)
		return print_sym(cx, nm, sym);
	if (nm->nr_syms == nm->cap) {
		nm->cap = nm->cap == 0 ? 1024 : 2 * nm->cap;
		nm->syms = mdb_xrealloc(nm->syms, nm->cap, sizeof(*nm->syms));
	}
	nm->syms[nm->nr_syms] = *sym;
	nm->syms[nm->nr_syms++].name = mdb_tmp_printf(cx, "%s", sym->name);
	return mdb_check_interrupt(cx);
}

static int
by_name(const void *a, const void *b)
{
	const struct mdb_sym *x = a, *y = b;
	int order = strcmp(x->name, y->name);

	return order != 0 ? order
			  : (x->value > y->value) - (x->value < y->value);
}

static int
by_value(const void *a, const void *b)
{
	const struct mdb_sym *x = a, *y = b;

	if (x->value != y->value)
		return x->value > y->value ? 1 : -1;
	return strcmp(x->name, y->name);
}

static enum mdb_status
print_sorted(struct mdb_ctx *cx, struct nm *nm)
{
	enum mdb_status st = MDB_OK;

	qsort(nm->syms, nm->nr_syms, sizeof(*nm->syms),
		mdb_opt(nm->call, 'n') ? by_name : by_value);
	for (size_t i = 0; i < nm->nr_syms && st == MDB_OK; i++)
		st = print_sym(cx, nm, &nm->syms[i]);
	return st;
}

/* ---- options -------------------------------------------------------------
 */

static enum mdb_status
choose_fields(struct mdb_ctx *cx, struct nm *nm, const char *text)
{
	while (*text != '\0') {
		size_t len = strcspn(text, ","), f = 0;

		while (f < NR_FIELDS &&
			(strlen(fields[f].name) != len ||
				strncmp(fields[f].name, text, len) != 0))
			f++;
		if (f == NR_FIELDS || nm->nr_fields == NR_FIELDS)
			return mdb_fail(cx, MDB_E_USAGE,
				"-f: '%.*s' is none of ndx val sz type bind "
				"oth shndx name ctype obj",
				(int)len, text);
		nm->list[nm->nr_fields++] = (enum field)f;
		text += len + (text[len] == ',');
	}
	return MDB_OK;
}

static void
lay_out(struct mdb_ctx *cx, struct nm *nm)
{
	for (size_t i = 0; i < nm->nr_fields; i++) {
		nm->columns[i] = fields[nm->list[i]];
		if (nm->list[i] == F_VALUE || nm->list[i] == F_SIZE)
			nm->columns[i].width = number_width(cx);
		if (mdb_opt(nm->call, 'h'))
			nm->columns[i].heading = NULL;
	}
	nm->table = (struct mdb_table){ .name = "symbols",
		.columns = nm->columns,
		.separator = "|" };
}

static enum mdb_status
prepare(struct mdb_ctx *cx, struct nm *nm)
{
	const char *list = mdb_opt_str(nm->call, 'f');
	enum mdb_status st = MDB_OK;

	nm->number = mdb_opt(nm->call, 'd')   ? "d"
		     : mdb_opt(nm->call, 'o') ? "o"
					      : "x";
	nm->types = mdb_opt_str(nm->call, 't');
	nm->collect = mdb_opt(nm->call, 'n') || mdb_opt(nm->call, 'v');
	if (list == NULL) {
		nm->nr_fields =
			sizeof(default_fields) / sizeof(default_fields[0]);
		memcpy(nm->list, default_fields, sizeof(default_fields));
	} else {
		st = choose_fields(cx, nm, list);
	}
	lay_out(cx, nm);
	return st;
}

static enum mdb_status
take_object(struct mdb_ctx *cx, struct mdb_object *object, void *arg)
{
	struct nm *nm = arg;

	nm->index = 0;
	return mdb_sym_each(cx, object, take_sym, arg);
}

static enum mdb_status
take_all(struct mdb_ctx *cx, struct nm *nm)
{
	struct mdb_world *world = mdb_world_current(cx);
	struct mdb_object *object;
	struct mdb_sym sym;
	enum mdb_status st;

	if (nm->call->has_addr) {
		st = mdb_sym_by_addr(cx, nm->call->loc, false, &sym);
		return st == MDB_OK ? take_sym(cx, &sym, nm) : st;
	}
	if (nm->call->argc == 0)
		return mdb_object_each(cx, world, take_object, nm);
	st = mdb_object_by_name(cx, world, nm->call->argv[0], &object);
	return st == MDB_OK ? take_object(cx, object, nm) : st;
}

static enum mdb_status
run_nm(struct mdb_ctx *cx, const struct mdb_call *call)
{
	/* The table must live as long as the command: so must this. */
	struct nm *nm = mdb_tmp(cx, sizeof(*nm));
	enum mdb_status st;

	nm->call = call;
	if (call->argc > 1)
		return mdb_fail(cx, MDB_E_USAGE, "name one object");
	st = prepare(cx, nm);
	if (st == MDB_OK)
		st = take_all(cx, nm);
	if (st == MDB_OK && nm->collect)
		st = print_sorted(cx, nm);
	free(nm->syms);
	/* The heading's table ends with this call. */
	mdb_heading_again(cx);
	return st;
}

static const struct mdb_option nm_options[] = {
	{ 'd', MDB_OPT_FLAG, NULL, "value and size in decimal" },
	{ 'f', MDB_OPT_STR, "fields",
		"ndx,val,sz,type,bind,oth,shndx,name,ctype,obj" },
	{ 'g', MDB_OPT_FLAG, NULL, "only global symbols" },
	{ 'h', MDB_OPT_FLAG, NULL, "no heading" },
	{ 'n', MDB_OPT_FLAG, NULL, "sort by name" },
	{ 'o', MDB_OPT_FLAG, NULL, "value and size in octal" },
	{ 'p', MDB_OPT_FLAG, NULL, "as ::nmadd commands" },
	{ 't', MDB_OPT_STR, "types", "only these: noty,objt,func" },
	{ 'u', MDB_OPT_FLAG, NULL, "only undefined symbols" },
	{ 'v', MDB_OPT_FLAG, NULL, "sort by value" },
	{ 'x', MDB_OPT_FLAG, NULL, "value and size in hex, as without" },
	{ 0 },
};

static const struct mdb_table nm_help_table = { .name = "symbols",
	.columns = (const struct mdb_column[]){
		{ .name = "val", .help = "its address" },
		{ .name = "sz",
			.help = "bytes; to the next symbol where none is "
				"stated" },
		{ .name = "type", .help = "FUNC OBJT NOTY" },
		{ .name = "bind", .help = "GLOB LOCL WEAK" },
		{ .name = "oth", .help = "0: nothing is known" },
		{ .name = "shndx", .help = "kind of memory, or ABS" },
		{ .name = "name", .help = "its name" }, { 0 } } };

static const struct mdb_example nm_examples[] = {
	{ "::nm -t func -f val,name ext4", "the functions of a module" },
	{ "panic::nm", "the symbol at an address" },
	{ 0 },
};

const struct mdb_dcmd mdb_dcmds_nm[] = {
	{
		.name = "nm",
		.operands = "[object]",
		.summary = "print symbols",
		.help = "Prints the symbols of the object, or of all objects "
			"of the current world, or the one at the address.",
		.addr = MDB_ADDR_OPTIONAL,
		.options = nm_options,
		.table = &nm_help_table,
		.examples = nm_examples,
		.run = run_nm,
	},
	{ 0 },
};
