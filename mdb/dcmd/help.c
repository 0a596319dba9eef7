/* SPDX-License-Identifier: MIT */
/* ::help ::which ::formats: what the tables know of themselves. */
#include "mdb/dcmd/dcmd.h"
#include "mdb/shell/opt.h"
#include "mdb/shell/out.h"
#include "mdb/shell/session.h"

#include <ctype.h>
#include <string.h>

#define PAGE_WIDTH 78

/* ---- a page --------------------------------------------------------------
 */

static enum mdb_status
title(struct mdb_ctx *cx, const char *text)
{
	if (cx->out->sink != NULL && mdb_sink_has_style(cx->out->sink))
		return mdb_line(cx, "\033[1m%s\033[m", text);
	return mdb_line(cx, "%s", text);
}

/* One paragraph, broken at blanks. */
static enum mdb_status
paragraph(struct mdb_ctx *cx, size_t indent, const char *text)
{
	enum mdb_status st = MDB_OK;

	while (*text != '\0' && st == MDB_OK) {
		size_t room = PAGE_WIDTH - indent, len = strcspn(text, "\n");

		if (len > room) {
			len = room;
			while (len > 0 && text[len] != ' ')
				len--;
			if (len == 0)
				len = strcspn(text, " \n");
		}
		st = mdb_line(cx, "%*s%.*s", (int)indent, "", (int)len, text);
		text += len;
		while (*text == ' ' || *text == '\n')
			text++;
	}
	return st;
}

/* `  label  text`, the text in a column of its own. */
static enum mdb_status
item(struct mdb_ctx *cx, const char *label, int width, const char *text)
{
	return mdb_line(cx, "  %-*s  %s", width, label,
		text == NULL ? "" : text);
}

static enum mdb_status
print_options(struct mdb_ctx *cx, const struct mdb_dcmd *d)
{
	enum mdb_status st;

	if (d->options == NULL || d->options->letter == 0)
		return MDB_OK;
	st = mdb_blank(cx);
	if (st == MDB_OK)
		st = title(cx, "OPTIONS");
	for (const struct mdb_option *o = d->options;
		o->letter != 0 && st == MDB_OK; o++) {
		const char *label = mdb_tmp_printf(cx, "-%c%s%s", o->letter,
			o->kind == MDB_OPT_FLAG ? "" : " ",
			o->kind == MDB_OPT_FLAG ? ""
			: o->arg == NULL	? "value"
						: o->arg);

		st = item(cx, label, 14, o->help);
	}
	return st;
}

static enum mdb_status
print_columns(struct mdb_ctx *cx, const struct mdb_dcmd *d)
{
	enum mdb_status st;

	if (d->table == NULL)
		return MDB_OK;
	st = mdb_blank(cx);
	if (st == MDB_OK)
		st = title(cx, "COLUMNS");
	for (const struct mdb_column *c = d->table->columns;
		c->name != NULL && st == MDB_OK; c++) {
		const char *note = c->help == NULL ? "" : c->help;

		if (c->option != 0)
			note = mdb_tmp_printf(cx, "%s (with -%c)", note,
				c->option);
		if ((c->flags & MDB_COL_JSON_ONLY) != 0)
			note = mdb_tmp_printf(cx, "%s (JSON only)", note);
		if ((c->flags & MDB_COL_TEXT_ONLY) == 0)
			st = item(cx, c->name, 14, note);
	}
	return st;
}

static enum mdb_status
print_examples(struct mdb_ctx *cx, const struct mdb_dcmd *d)
{
	enum mdb_status st;

	if (d->examples == NULL || d->examples->line == NULL)
		return MDB_OK;
	st = mdb_blank(cx);
	if (st == MDB_OK)
		st = title(cx, "EXAMPLES");
	for (const struct mdb_example *e = d->examples;
		e->line != NULL && st == MDB_OK; e++) {
		st = mdb_line(cx, "  %s", e->line);
		if (st == MDB_OK && e->help != NULL)
			st = paragraph(cx, 6, e->help);
	}
	return st;
}

static enum mdb_status
print_head(struct mdb_ctx *cx, const char *name, const char *summary,
	const char *synopsis)
{
	enum mdb_status st = title(cx, "NAME");

	if (st == MDB_OK)
		st = mdb_line(cx, "  %s - %s", name, summary);
	if (st == MDB_OK)
		st = mdb_blank(cx);
	if (st == MDB_OK)
		st = title(cx, "SYNOPSIS");
	if (st == MDB_OK)
		st = mdb_line(cx, "  %s", synopsis);
	return st;
}

static enum mdb_status
print_attributes(struct mdb_ctx *cx, const char *module)
{
	enum mdb_status st = mdb_blank(cx);

	if (st == MDB_OK)
		st = title(cx, "ATTRIBUTES");
	if (st == MDB_OK)
		st = mdb_blank(cx);
	if (st == MDB_OK)
		st = mdb_line(cx, "  Module: %s", module);
	return st;
}

static enum mdb_status
print_dcmd(struct mdb_ctx *cx, const struct mdb_entry *e)
{
	const struct mdb_dcmd *d = e->dcmd;
	enum mdb_status st;

	st = print_head(cx, d->name, d->summary, mdb_synopsis(cx, d));
	if (st == MDB_OK && d->help != NULL) {
		st = mdb_blank(cx);
		if (st == MDB_OK)
			st = title(cx, "DESCRIPTION");
		if (st == MDB_OK)
			st = paragraph(cx, 2, d->help);
	}
	if (st == MDB_OK)
		st = print_options(cx, d);
	if (st == MDB_OK)
		st = print_columns(cx, d);
	if (st == MDB_OK)
		st = print_examples(cx, d);
	return st == MDB_OK ? print_attributes(cx, e->module) : st;
}

static enum mdb_status
print_walker(struct mdb_ctx *cx, const struct mdb_entry *e)
{
	const struct mdb_walker *w = e->walker;
	const char *addr = w->addr == MDB_ADDR_NONE	  ? ""
			   : w->addr == MDB_ADDR_OPTIONAL ? "[address]"
							  : "address";
	const char *synopsis = mdb_tmp_printf(cx, "%s::walk %s%s%s", addr,
		w->name, w->operands == NULL ? "" : " ",
		w->operands == NULL ? "" : w->operands);
	enum mdb_status st;

	st = print_head(cx, w->name, w->summary, synopsis);
	return st == MDB_OK ? print_attributes(cx, e->module) : st;
}

/* ---- ::help --------------------------------------------------------------
 */

static const char introduction[] =
	"Each debugger command in mdb is structured as follows:\n"
	"\n"
	"  [ address [, count]] verb [ arguments ... ]\n"
	"\n"
	"The verb is a command (::name or $x), or a format at the address:\n"
	"  /  the memory there, e.g. jiffies/J     =  the value itself\n"
	"  \\  machine memory                       >  assign to a variable\n"
	"Commands are joined by |; text can be piped to a shell command by !.\n"
	"\n"
	"To get started:\n"
	"  ::status       what died, and what the dump holds\n"
	"  $C             the stack of the CPU that panicked\n"
	"  ::msgbuf       the kernel's log\n"
	"  ::dcmds        list the commands     ::help name  about one of them\n"
	"  ::walkers      list the walkers      ::formats    format characters\n"
	"  ::quit         end the session";

static const struct mdb_entry *
find_entry(const struct mdb_registry *r, const char *name)
{
	const struct mdb_dcmd *d;
	const struct mdb_walker *w;

	if (strncmp(name, "::", 2) == 0)
		name += 2;
	d = mdb_registry_dcmd(r, name);
	w = d == NULL ? mdb_registry_walker(r, name) : NULL;
	for (size_t i = 0; i < r->nr_entries; i++) {
		const struct mdb_entry *e = &r->entries[i];

		if ((d != NULL && e->dcmd == d) ||
			(w != NULL && e->walker == w))
			return e;
	}
	return NULL;
}

static enum mdb_status
introduce(struct mdb_ctx *cx)
{
	enum mdb_status st = MDB_OK;

	for (const char *c = introduction; *c != '\0' && st == MDB_OK;) {
		size_t len = strcspn(c, "\n");

		st = mdb_line(cx, "%.*s", (int)len, c);
		c += len + (c[len] == '\n');
	}
	return st;
}

static enum mdb_status
run_help(struct mdb_ctx *cx, const struct mdb_call *call)
{
	const struct mdb_registry *r = &cx->session->registry;
	const struct mdb_entry *e;
	const char *near;

	if (call->argc == 0)
		return introduce(cx);
	e = find_entry(r, call->argv[0]);
	if (e != NULL && e->dcmd != NULL)
		return print_dcmd(cx, e);
	if (e != NULL)
		return print_walker(cx, e);
	near = mdb_registry_near_dcmd(r, call->argv[0]);
	return mdb_fail(cx, MDB_E_NOTFOUND,
		"no command and no walker is called '%s'%s%s%s", call->argv[0],
		near == NULL ? "" : " (is ", near == NULL ? "" : near,
		near == NULL ? "" : " meant?)");
}

/* ---- ::which -------------------------------------------------------------
 */

static enum mdb_status
run_which(struct mdb_ctx *cx, const struct mdb_call *call)
{
	const struct mdb_registry *r = &cx->session->registry;
	enum mdb_status st = MDB_OK;
	bool found = false;

	if (call->argc != 1)
		return mdb_fail(cx, MDB_E_USAGE, "name one command or walker");
	for (size_t i = 0; i < r->nr_entries && st == MDB_OK; i++) {
		const struct mdb_entry *e = &r->entries[i];
		const char *name =
			e->dcmd != NULL ? e->dcmd->name : e->walker->name;

		if (strcmp(name, call->argv[0]) != 0)
			continue;
		found = true;
		st = mdb_line(cx, "%s is a %s from module %s", name,
			e->dcmd != NULL ? "dcmd" : "walker", e->module);
	}
	if (st == MDB_OK && !found)
		return mdb_fail(cx, MDB_E_NOTFOUND,
			"'%s' is no dcmd and no walker", call->argv[0]);
	return st;
}

/* ---- ::formats -----------------------------------------------------------
 */

static const struct mdb_column format_columns[] = {
	{ .name = "text", .flags = MDB_COL_TEXT_ONLY, .help = "all of it" },
	{ .name = "letter",
		.flags = MDB_COL_JSON_ONLY,
		.help = "of the format" },
	{ .name = "bytes",
		.flags = MDB_COL_JSON_ONLY,
		.help = "that it takes; 0: none, or it varies" },
	{ .name = "summary",
		.flags = MDB_COL_JSON_ONLY,
		.help = "what it prints" },
	{ 0 },
};
static const struct mdb_table format_table = { .name = "formats",
	.columns = format_columns };

static enum mdb_status
run_formats(struct mdb_ctx *cx, const struct mdb_call *call)
{
	const struct mdb_format_info *f;
	enum mdb_status st = MDB_OK;

	(void)call;
	for (size_t i = 0; st == MDB_OK; i++) {
		f = mdb_format_at(i);
		if (f == NULL)
			break;
		const char letter[] = { f->letter, '\0' };
		const struct mdb_value values[] = {
			mdb_v_text(
				mdb_tmp_printf(cx, "%s - %s", letter, f->help)),
			mdb_v_text(letter),
			mdb_v_uint(f->size),
			mdb_v_text(f->help),
		};

		st = mdb_row(cx, &format_table, values);
	}
	return st;
}

const struct mdb_dcmd mdb_dcmds_help[] = {
	{
		.name = "help",
		.operands = "[name]",
		.summary = "list commands/command help",
		.help = "With a name prints all that is known of that command "
			"or walker.",
		.run = run_help,
	},
	{
		.name = "which",
		.operands = "name",
		.summary = "show which modules provide a name",
		.run = run_which,
	},
	{
		.name = "whence",
		.operands = "name",
		.summary = "show which modules provide a name",
		.run = run_which,
	},
	{
		.name = "formats",
		.summary = "list format specifiers",
		.table = &format_table,
		.run = run_formats,
	},
	{ 0 },
};
