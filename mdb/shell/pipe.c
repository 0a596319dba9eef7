/* SPDX-License-Identifier: MIT */
/* Calling a command, and passing what it emits to the next. */
#include "mdb/shell/pipe.h"

#include "mdb/shell/opt.h"
#include "mdb/sym/object.h"

#include <string.h>

/* A pipeline that only fails is not carried on for ever. */
#define MAX_FAILURES 100

static enum mdb_status
unknown(struct mdb_ctx *cx, const struct mdb_session *s, const char *sigil,
	const char *name)
{
	const char *near = mdb_registry_near_dcmd(&s->registry, name);

	if (near == NULL || sigil[0] != ':' || sigil[1] != ':')
		return mdb_fail(cx, MDB_E_NOTFOUND,
			"invalid command '%s%s': unknown dcmd name", sigil,
			name);
	return mdb_fail(cx, MDB_E_NOTFOUND,
		"invalid command '%s%s': unknown dcmd name (is %s%s meant?)",
		sigil, name,
		near[0] == '$' || near[0] == ':' ? "" : "::", near);
}

static enum mdb_status
find_dcmd(struct mdb_ctx *cx, struct mdb_stage *stage, const char *sigil)
{
	const struct mdb_session *s = stage->session;
	const char *name = stage->cmd->name, *key = name;

	if (strcmp(sigil, "::") != 0)
		key = mdb_tmp_printf(cx, "%s%s", sigil, name);
	stage->title = mdb_tmp_printf(cx, "%s%s", sigil, name);
	stage->dcmd = mdb_registry_dcmd(&s->registry, key);
	return stage->dcmd == NULL ? unknown(cx, s, sigil, name) : MDB_OK;
}

/* $<name: a file, else a built-in macro, else a type of that name at dot. */
static enum mdb_status
find_macro(struct mdb_ctx *cx, struct mdb_stage *stage)
{
	static const char *const forms[] = { "struct %s", "union %s", "%s_t",
		"struct %ss" };
	const char *name = stage->cmd->name;
	struct mdb_type type;

	stage->title = mdb_tmp_printf(cx, "$<%s", name);
	if (mdb_macro_path(cx, name) != NULL)
		return MDB_OK;
	stage->alias = mdb_alias_find(cx->world, name);
	if (stage->alias != NULL)
		return MDB_OK;
	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		struct mdb_buf b;
		const char *type_name;

		mdb_buf_init(&b);
		mdb_buf_add(&b, forms[i],
			(size_t)(strchr(forms[i], '%') - forms[i]));
		mdb_buf_puts(&b, name);
		mdb_buf_puts(&b, strchr(forms[i], '%') + 2);
		type_name = mdb_tmp_printf(cx, "%s", b.data);
		mdb_buf_fini(&b);
		if (cx->world != NULL && mdb_type_by_name(cx, cx->world,
						 type_name, &type) == MDB_OK)
			stage->type_name = type_name;
		mdb_forget(cx);
		if (stage->type_name != NULL)
			break;
	}
	stage->dcmd = mdb_registry_dcmd(&stage->session->registry, "print");
	if (stage->type_name == NULL || stage->dcmd == NULL)
		return mdb_fail(cx, MDB_E_NOTFOUND, "no macro and no type '%s'",
			name);
	return MDB_OK;
}

static enum mdb_status
find_command(struct mdb_ctx *cx, struct mdb_stage *stage)
{
	switch (stage->cmd->kind) {
	case MDB_CMD_NAMED:
		return find_dcmd(cx, stage, "::");
	case MDB_CMD_DOLLAR:
		return find_dcmd(cx, stage, "$");
	case MDB_CMD_COLON:
		return find_dcmd(cx, stage, ":");
	case MDB_CMD_MACRO:
		return find_macro(cx, stage);
	case MDB_CMD_FORMAT:
		stage->title = mdb_tmp_printf(cx, "%c%s", stage->cmd->verb,
			stage->cmd->formats);
		return MDB_OK;
	case MDB_CMD_ASSIGN:
		stage->title = mdb_tmp_printf(cx, ">%s", stage->cmd->name);
		return MDB_OK;
	case MDB_CMD_LOG:
		stage->title = "$>";
		return MDB_OK;
	}
	return MDB_OK;
}

static enum mdb_status
pass_on(struct mdb_ctx *cx, struct mdb_loc loc, void *arg)
{
	struct mdb_stage *next = arg;

	if (next->stopped == MDB_OK)
		(void)!mdb_stage_call(cx, next, &loc);
	if (next->stopped == MDB_E_INTERRUPTED)
		return MDB_E_INTERRUPTED;
	return next->stopped == MDB_OK ? MDB_OK : MDB_DONE;
}

enum mdb_status
mdb_stage_init(struct mdb_ctx *cx, struct mdb_stage *stage,
	const struct mdb_cmd *cmd, struct mdb_stage *next,
	struct mdb_sink *sink, struct mdb_out *out)
{
	struct mdb_session *s = cx->session;
	enum mdb_out_mode mode = MDB_OUT_PIPE;

	*stage = (struct mdb_stage){ .session = s,
		.cmd = cmd,
		.next = next,
		.count = 1,
		.title = "" };
	if (next == NULL)
		mode = s->opts.json ? MDB_OUT_JSON : MDB_OUT_TEXT;
	mdb_out_init(&stage->own, mode, sink);
	stage->own.pass = pass_on;
	stage->own.pass_arg = next;
	stage->out = next == NULL && out != NULL ? out : &stage->own;
	return find_command(cx, stage);
}

void
mdb_stage_fini(struct mdb_stage *stage)
{
	mdb_out_fini(&stage->own);
}

static enum mdb_status
take_words(struct mdb_ctx *cx, struct mdb_stage *stage,
	const char *const **words_out, size_t *nr_words_out)
{
	const struct mdb_cmd *cmd = stage->cmd;
	const char **words = mdb_tmp(cx, (cmd->nr_words + 1) * sizeof(*words));
	enum mdb_status st = MDB_OK;

	*words_out = words;
	if (stage->type_name != NULL) {
		words[0] = stage->type_name;
		*nr_words_out = 1;
		return MDB_OK;
	}
	for (size_t i = 0; i < cmd->nr_words && st == MDB_OK; i++)
		st = mdb_word_text(cx, &stage->session->lang, &cmd->words[i],
			&words[i]);
	*nr_words_out = cmd->nr_words;
	return st;
}

/* May this command be called with, or without, an address? */
static enum mdb_status
check_addr(struct mdb_ctx *cx, const struct mdb_dcmd *dcmd, bool has_addr)
{
	if (has_addr && dcmd->addr == MDB_ADDR_NONE)
		return mdb_fail(cx, MDB_E_USAGE, "it takes no address");
	if (!has_addr && dcmd->addr == MDB_ADDR_REQUIRED)
		return mdb_fail(cx, MDB_E_USAGE, "it needs an address (%s)",
			dcmd->addr_what == NULL ? "address" : dcmd->addr_what);
	return MDB_OK;
}

/* $<utsname alone shows the variable, as the macro of that name does. */
static bool
find_variable(struct mdb_ctx *cx, const struct mdb_stage *stage,
	struct mdb_loc *loc_out)
{
	struct mdb_sym sym;

	if (stage->type_name == NULL)
		return false;
	if (mdb_sym_by_name(cx, cx->world, stage->cmd->name, &sym) != MDB_OK ||
		sym.kind != MDB_SYM_DATA) {
		mdb_forget(cx);
		return false;
	}
	*loc_out = mdb_kernel_loc(sym.object->world, sym.value);
	return true;
}

static enum mdb_status
call_dcmd(struct mdb_ctx *cx, struct mdb_stage *stage,
	const struct mdb_loc *loc)
{
	const struct mdb_dcmd *dcmd = stage->dcmd;
	const struct mdb_call *outer = stage->out->call;
	struct mdb_loc variable;

	if (loc == NULL && find_variable(cx, stage, &variable))
		loc = &variable;
	struct mdb_call call = {
		.name = dcmd->name,
		.loc = loc == NULL ? stage->session->lang.dot : *loc,
		.has_addr = loc != NULL,
		.count = stage->count,
		.has_count = stage->has_count,
		.first = stage->nr_calls == 0,
		.piped = stage->out->mode == MDB_OUT_PIPE,
	};
	const char *const *words;
	size_t nr_words;
	enum mdb_status st;

	st = take_words(cx, stage, &words, &nr_words);
	if (st == MDB_OK)
		st = check_addr(cx, dcmd, call.has_addr);
	if (st == MDB_OK)
		st = mdb_opt_parse(cx, dcmd, words, nr_words, &call);
	if (st != MDB_OK)
		return st;
	mdb_out_begin(stage->out, &call);
	st = dcmd->run(cx, &call);
	mdb_out_end(stage->out);
	stage->out->call = outer;
	return st;
}

/* What a failure means for the calls to come. */
static void
judge(struct mdb_stage *stage, enum mdb_status st)
{
	bool one_object = mdb_is_fault(st) || st == MDB_E_CORRUPT;

	if (st == MDB_OK)
		return;
	if (st != MDB_DONE)
		stage->nr_failed++;
	if (!one_object || stage->nr_failed >= MAX_FAILURES)
		stage->stopped = st;
}

static void
print_failure(struct mdb_ctx *cx, struct mdb_stage *stage, enum mdb_status st)
{
	if (st == MDB_OK || st == MDB_DONE || st == MDB_E_INTERRUPTED)
		return;
	if (st == MDB_E_USAGE && stage->dcmd != NULL) {
		const char *synopsis = mdb_synopsis(cx, stage->dcmd);

		st = mdb_fail(cx, st, "%s\nusage: %s",
			mdb_tmp_printf(cx, "%s", mdb_trail(cx)), synopsis);
	}
	mdb_session_error(stage->session, cx, st, stage->title);
}

enum mdb_status
mdb_stage_call(struct mdb_ctx *parent, struct mdb_stage *stage,
	const struct mdb_loc *loc)
{
	struct mdb_session *s = stage->session;
	enum mdb_status st = mdb_check_interrupt(parent);
	struct mdb_ctx cx;

	mdb_session_ctx_init(s, &cx, parent);
	cx.out = stage->out;
	if (loc != NULL) {
		s->lang.dot = *loc;
		cx.world = loc->world == NULL ? cx.world : loc->world;
		cx.space = loc->space;
	}
	if (st == MDB_OK)
		st = stage->dcmd != NULL ? call_dcmd(&cx, stage, loc)
					 : mdb_verb_run(&cx, stage, loc);
	stage->nr_calls++;
	judge(stage, st);
	print_failure(&cx, stage, st);
	mdb_session_ctx_fini(s, &cx);
	return st;
}

void
mdb_stage_finish(struct mdb_ctx *cx, struct mdb_stage *stage)
{
	enum mdb_status st = MDB_OK;
	struct mdb_ctx *use = cx;
	struct mdb_out *outer = cx->out;

	use->out = stage->out;
	for (size_t i = 0; i < stage->own.nr_held && st == MDB_OK; i++) {
		size_t at = (stage->own.first_held + i) % stage->own.nr_held;

		st = mdb_emit_loc(use, stage->own.held[at]);
	}
	mdb_out_end(stage->out);
	use->out = outer;
	if (stage->nr_failed > 0 || stage->next == NULL)
		return;
	if (stage->own.nr_passed == 0 && stage->own.nr_unpassable > 0) {
		st = mdb_fail(cx, MDB_E_UNSUPPORTED,
			"it prints no addresses that a pipeline could take");
		mdb_session_error(stage->session, cx, st, stage->title);
		stage->nr_failed++;
	}
}
