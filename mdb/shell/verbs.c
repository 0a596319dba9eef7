/* SPDX-License-Identifier: MIT */
/*
 * The commands that are no dcmd: formats at an address, assignments, macro
 * files, the log.
 */
#include "mdb/shell/pipe.h"

#include "mdb/base/alloc.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Values formatted at once: what is laid out on common lines. */
#define MAX_CHUNK 65536
#define MACRO_MAX_LEN ((size_t)1 << 20)

/* ---- formats -------------------------------------------------------------
 */

static const struct mdb_column format_columns[] = {
	{ .name = "address", .help = "where, or the value itself for =" },
	{ .name = "format", .help = "the verb and the formats" },
	{ .name = "text", .help = "as printed, without the label" },
	{ 0 },
};
static const struct mdb_table format_table = { .name = "formats",
	.columns = format_columns };

static const char *
trimmed(struct mdb_ctx *cx, const struct mdb_buf *buf)
{
	const char *start = buf->len == 0 ? "" : buf->data;
	size_t len;

	while (isspace((unsigned char)*start))
		start++;
	len = strlen(start);
	while (len > 0 && isspace((unsigned char)start[len - 1]))
		len--;
	return mdb_tmp_printf(cx, "%.*s", (int)len, start);
}

/* `addr+off:` or a label line `sym:` at the front is not the value. */
static const char *
without_label(const char *text)
{
	const char *blank = strpbrk(text, " \t\n");

	while (blank != NULL && blank > text && blank[-1] == ':') {
		text = blank + strspn(blank, " \t\n");
		blank = strpbrk(text, " \t\n");
	}
	return text;
}

static enum mdb_status
format_json(struct mdb_ctx *cx, const struct mdb_stage *stage,
	struct mdb_loc loc, const struct mdb_buf *buf)
{
	const struct mdb_value values[] = {
		mdb_v_addr(loc),
		mdb_v_text(stage->title),
		mdb_v_cstr(without_label(trimmed(cx, buf))),
	};

	return mdb_row(cx, &format_table, values);
}

/* Each word of the text is a value: bare hex, or an expression. */
static enum mdb_status
format_pass(struct mdb_ctx *cx, const struct mdb_buf *buf)
{
	char *text = mdb_tmp_printf(cx, "%s", without_label(trimmed(cx, buf)));
	enum mdb_status st = MDB_OK;
	char *rest = NULL;

	for (char *word = strtok_r(text, " \t\n", &rest);
		word != NULL && st == MDB_OK;
		word = strtok_r(NULL, " \t\n", &rest)) {
		uint64_t value;

		if (strspn(word, "0123456789abcdef") == strlen(word))
			word = mdb_tmp_printf(cx, "0x%s", word);
		st = mdb_eval_expr(cx, word, &value);
		if (st == MDB_OK)
			st = mdb_emit_loc(cx, mdb_locate(cx, value));
	}
	return st;
}

static enum mdb_status
format_once(struct mdb_ctx *cx, struct mdb_stage *stage, struct mdb_loc loc,
	uint64_t count)
{
	struct mdb_session *s = stage->session;
	enum mdb_status st, printed = MDB_OK;
	struct mdb_buf buf;

	mdb_buf_init(&buf);
	st = mdb_format_run(cx, &s->lang, stage->cmd->verb, stage->cmd->formats,
		loc, loc.addr, count, mdb_sink_width(s->out), &buf);
	if (buf.len > 0) {
		if (stage->out->mode == MDB_OUT_TEXT)
			printed = mdb_out_raw(cx, buf.data, buf.len);
		else if (st == MDB_OK && stage->out->mode == MDB_OUT_JSON)
			printed = format_json(cx, stage, loc, &buf);
		else if (st == MDB_OK)
			printed = format_pass(cx, &buf);
	}
	mdb_buf_fini(&buf);
	return st != MDB_OK ? st : printed;
}

/* The value of a word behind a format, or otherwise. */
static enum mdb_status
word_value(struct mdb_ctx *cx, struct mdb_stage *stage, size_t i,
	uint64_t otherwise, uint64_t *value_out)
{
	const char *text;
	enum mdb_status st;

	*value_out = otherwise;
	if (i >= stage->cmd->nr_words)
		return MDB_OK;
	st = mdb_word_text(cx, &stage->session->lang, &stage->cmd->words[i],
		&text);
	return st == MDB_OK ? mdb_eval_expr(cx, text, value_out) : st;
}

/* `l L M` with a value and a mask behind them; a dump cannot be written. */
static enum mdb_status
run_valued(struct mdb_ctx *cx, struct mdb_stage *stage, struct mdb_loc loc,
	char letter)
{
	uint64_t value, mask;
	struct mdb_loc at;
	enum mdb_status st;

	if (strchr("lLM", letter) == NULL)
		return mdb_fail(cx, MDB_E_UNSUPPORTED,
			"a dump cannot be written");
	if (stage->cmd->verb == '=' || stage->cmd->formats[1] != '\0' ||
		stage->cmd->nr_words == 0 || stage->cmd->nr_words > 2)
		return mdb_fail(cx, MDB_E_USAGE,
			"a search is address/%c value [mask]", letter);
	st = word_value(cx, stage, 0, 0, &value);
	if (st == MDB_OK)
		st = word_value(cx, stage, 1, UINT64_MAX, &mask);
	if (st == MDB_OK)
		st = mdb_format_match(cx, &stage->session->lang,
			stage->cmd->verb, letter, loc, value, mask, &at);
	return st == MDB_OK ? mdb_emit_loc(cx, at) : st;
}

/* The letter whose values stand behind the formats, or 0. */
static char
valued_letter(const struct mdb_cmd *cmd)
{
	size_t len = strlen(cmd->formats);
	char last;

	if (len == 0)
		return '\0';
	last = cmd->formats[len - 1];
	if (strchr("lLM", last) == NULL && cmd->nr_words == 0)
		return '\0';
	return last;
}

static enum mdb_status
run_format(struct mdb_ctx *cx, struct mdb_stage *stage, struct mdb_loc loc)
{
	struct mdb_lang *lang = &stage->session->lang;
	char letter = valued_letter(stage->cmd);
	bool text = stage->out->mode == MDB_OUT_TEXT;
	uint64_t chunk = text ? MAX_CHUNK : 1;
	enum mdb_status st = MDB_OK;

	if (letter != '\0')
		return run_valued(cx, stage, loc, letter);
	for (uint64_t done = 0; done < stage->count && st == MDB_OK;) {
		uint64_t n = stage->count - done < chunk ? stage->count - done
							 : chunk;

		st = mdb_check_interrupt(cx);
		if (st == MDB_OK)
			st = format_once(cx, stage, loc, n);
		if (stage->cmd->verb != '=')
			loc = mdb_at(lang->dot,
				lang->dot.addr + lang->increment);
		done += n;
	}
	return st;
}

/* ---- variables, log, macros ----------------------------------------------
 */

static enum mdb_status
run_assign(struct mdb_ctx *cx, struct mdb_stage *stage, uint64_t value)
{
	struct mdb_vars *vars = stage->session->lang.vars;
	const struct mdb_cmd *cmd = stage->cmd;
	uint64_t old = 0, mask = ~0ull;

	if (cmd->size > 0 && cmd->size < 8) {
		mask = (1ull << (8 * cmd->size)) - 1;
		(void)mdb_vars_get(vars, cmd->name, &old);
		value = (old & ~mask) | (value & mask);
	}
	return mdb_vars_set(cx, vars, cmd->name, value);
}

enum mdb_status
mdb_session_log(struct mdb_ctx *cx, struct mdb_session *s, const char *path)
{
	int fd = -1;

	if (path != NULL && !s->opts.allow_shell)
		return mdb_fail(cx, MDB_E_UNSUPPORTED,
			"logs are not allowed here");
	if (path != NULL) {
		fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC,
			0600);
		if (fd < 0)
			return mdb_fail(cx, MDB_E_SYSTEM,
				"opening the log %s: %s", path,
				strerror(errno));
	}
	mdb_sink_log(s->out, fd);
	if (s->log_fd >= 0)
		(void)close(s->log_fd);
	free(s->log_path);
	s->log_fd = fd;
	s->log_path = path == NULL ? NULL : mdb_xstrdup(path);
	return MDB_OK;
}

const char *
mdb_macro_path(struct mdb_ctx *cx, const char *name)
{
	const char *dirs = cx->session->macro_path;

	if (dirs == NULL || strchr(name, '/') != NULL)
		return NULL;
	while (*dirs != '\0') {
		size_t len = strcspn(dirs, ":");
		char *path =
			mdb_tmp_printf(cx, "%.*s/%s", (int)len, dirs, name);

		if (len > 0 && access(path, R_OK) == 0)
			return path;
		dirs += len + (dirs[len] == ':');
	}
	return NULL;
}

enum mdb_status
mdb_session_eval_file(struct mdb_ctx *cx, const char *path)
{
	FILE *file = fopen(path, "re");
	enum mdb_status st;
	char *text;
	size_t len;

	if (file == NULL)
		return mdb_fail(cx, MDB_E_SYSTEM, "%s: %s", path,
			strerror(errno));
	text = mdb_tmp(cx, MACRO_MAX_LEN + 1);
	len = fread(text, 1, MACRO_MAX_LEN, file);
	st = ferror(file) != 0 ? mdb_fail(cx, MDB_E_SYSTEM, "%s: %s", path,
					 strerror(errno))
			       : MDB_OK;
	(void)fclose(file);
	if (st != MDB_OK)
		return st;
	text[len] = '\0';
	return mdb_session_eval_nested(cx, text);
}

/* A file, or what is built in; it finds the address in dot. */
static enum mdb_status
run_macro(struct mdb_ctx *cx, struct mdb_stage *stage, struct mdb_loc at)
{
	stage->session->lang.dot = at;
	if (stage->alias != NULL)
		return mdb_session_eval_nested(cx, stage->alias->text);
	return mdb_session_eval_file(cx, mdb_macro_path(cx, stage->cmd->name));
}

enum mdb_status
mdb_verb_run(struct mdb_ctx *cx, struct mdb_stage *stage,
	const struct mdb_loc *loc)
{
	const struct mdb_cmd *cmd = stage->cmd;
	struct mdb_loc at = loc == NULL ? stage->session->lang.dot : *loc;
	const char *name = cmd->name;

	switch (cmd->kind) {
	case MDB_CMD_FORMAT:
		return run_format(cx, stage, at);
	case MDB_CMD_ASSIGN:
		return run_assign(cx, stage, at.addr);
	case MDB_CMD_LOG:
		return mdb_session_log(cx, stage->session,
			name == NULL || name[0] == '\0' ? NULL : name);
	case MDB_CMD_MACRO:
		return run_macro(cx, stage, at);
	case MDB_CMD_NAMED:
	case MDB_CMD_DOLLAR:
	case MDB_CMD_COLON:
		break;
	}
	return MDB_OK;
}
