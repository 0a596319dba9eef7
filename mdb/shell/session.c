/* SPDX-License-Identifier: MIT */
/* Sessions: making and ending one, its options, its messages. */
#include "mdb/shell/session.h"

#include "mdb/base/alloc.h"
#include "mdb/shell/dis.h"
#include "mdb/shell/out.h"
#include "mdb/shell/regs.h"
#include "mdb/world/target.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A line on stderr, in order with what was printed before it. */
static void
say(struct mdb_session *s, const char *line, size_t len)
{
	mdb_sink_flush(s->out);
	mdb_sink_write(s->err, line, len);
	mdb_sink_flush(s->err);
	mdb_sink_log_text(s->out, line, len);
}

static void
warn(struct mdb_ctx *cx, const char *text)
{
	struct mdb_buf line;

	mdb_buf_init(&line);
	mdb_buf_printf(&line, "mdb: %s\n", text);
	say(cx->session, line.data, line.len);
	mdb_buf_fini(&line);
}

struct mdb_session *
mdb_session_create(struct mdb_sink *out, struct mdb_sink *err,
	volatile sig_atomic_t *interrupted)
{
	struct mdb_session *s = mdb_xalloc(sizeof(*s));

	mdb_ctx_init(&s->cx);
	s->cx.session = s;
	s->cx.warn = warn;
	s->cx.interrupted = interrupted;
	s->interrupted = interrupted;
	s->out = out;
	s->err = err;
	s->log_fd = -1;
	s->lang.vars = mdb_vars_create();
	s->lang.radix = 16;
	s->lang.reg = mdb_session_reg;
	s->lang.dis = mdb_session_dis;
	s->opts = (struct mdb_options){
		.pager = true,
		.allow_shell = true,
		.array_mem_limit = 32,
		.array_str_limit = 1024,
		.prompt = "> ",
	};
	mdb_registry_init(&s->registry);
	return s;
}

static void
free_states(struct mdb_session *s)
{
	struct mdb_world *w = s->target == NULL ? NULL : s->target->worlds;

	for (; w != NULL; w = w->next) {
		mdb_module_mem_free(w->module_state);
		w->module_state = NULL;
	}
	mdb_module_mem_free(s->state);
}

void
mdb_session_destroy(struct mdb_session *s)
{
	if (s == NULL)
		return;
	(void)!mdb_session_log(&s->cx, s, NULL);
	mdb_sink_destroy(s->out);
	mdb_sink_destroy(s->err);
	free_states(s);
	mdb_target_destroy(s->target);
	mdb_registry_fini(&s->registry);
	mdb_vars_destroy(s->lang.vars);
	mdb_ctx_fini(&s->cx);
	free(s->macro_path);
	free(s->last);
	free(s);
}

void
mdb_session_set_target(struct mdb_session *s, struct mdb_target *target)
{
	s->target = target;
	s->cx.target = target;
	s->cx.world = target->worlds;
	s->lang.dot = (struct mdb_loc){ .world = s->cx.world };
}

void
mdb_session_ctx_init(struct mdb_session *s, struct mdb_ctx *cx,
	const struct mdb_ctx *parent)
{
	mdb_ctx_init(cx);
	cx->session = s;
	cx->warn = warn;
	cx->interrupted = parent->interrupted;
	cx->sym_distance = s->opts.sym_distance;
	cx->target = parent->target;
	cx->world = parent->world;
	cx->space = parent->space;
}

void
mdb_session_ctx_fini(struct mdb_session *s, struct mdb_ctx *cx)
{
	s->cx.nr_warnings += cx->nr_warnings;
	mdb_ctx_fini(cx);
}

/* ---- options -------------------------------------------------------------
 */

static bool
set_flag(struct mdb_options *o, const char *name, bool on)
{
	const struct {
		const char *name;
		bool *flag;
	} flags[] = {
		{ "json", &o->json },
		{ "pager", &o->pager },
		{ "ignoreeof", &o->ignoreeof },
		{ "repeatlast", &o->repeatlast },
	};

	for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++) {
		if (strcmp(flags[i].name, name) == 0) {
			*flags[i].flag = on;
			return true;
		}
	}
	return false;
}

/* Options of illumos' mdb that are about what a dump does not have. */
static bool
is_without_effect(const char *name)
{
	static const char *const names[] = { "adb", "autowrap",
		"follow_exec_mode", "follow_fork_mode", "latest", "lmraw",
		"nostop", "showlmid", "stop_on_bpt_nosym", "term",
		"write_readback" };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (strcmp(names[i], name) == 0)
			return true;
	}
	return false;
}

/* "array_mem_limit=N"; N may be "none". */
static enum mdb_status
set_limit(struct mdb_ctx *cx, struct mdb_options *o, const char *option)
{
	const char *value = strchr(option, '=');
	size_t len = value == NULL ? 0 : (size_t)(value - option);
	uint64_t *limit = NULL;
	uint64_t n = 0;
	char *end;

	if (len == 15 && memcmp(option, "array_mem_limit", len) == 0)
		limit = &o->array_mem_limit;
	if (len == 15 && memcmp(option, "array_str_limit", len) == 0)
		limit = &o->array_str_limit;
	if (limit == NULL)
		return mdb_fail(cx, MDB_E_USAGE,
			"no option '%s'; ::set lists them", option);
	if (strcmp(value + 1, "none") != 0) {
		n = strtoull(value + 1, &end, 0);
		if (end == value + 1 || *end != '\0')
			return mdb_fail(cx, MDB_E_USAGE, "'%s' is no number",
				value + 1);
	}
	*limit = n;
	return MDB_OK;
}

enum mdb_status
mdb_session_set(struct mdb_ctx *cx, struct mdb_session *s, const char *option,
	bool on)
{
	if (set_flag(&s->opts, option, on)) {
		mdb_sink_page(s->out, s->opts.pager && s->interactive,
			STDIN_FILENO);
		return MDB_OK;
	}
	if (is_without_effect(option))
		return MDB_OK;
	return set_limit(cx, &s->opts, option);
}

/* ---- messages ------------------------------------------------------------
 */

/* Escaped, but for the newlines between a message and its usage. */
static void
add_lines(struct mdb_buf *buf, const char *text)
{
	while (*text != '\0') {
		size_t len = strcspn(text, "\n");

		mdb_escape_text(buf, text, len, false);
		text += len;
		if (*text == '\n')
			mdb_buf_putc(buf, *text++);
	}
}

void
mdb_session_error(struct mdb_session *s, struct mdb_ctx *cx, enum mdb_status st,
	const char *command)
{
	const char *trail = mdb_trail(cx);
	struct mdb_buf line;

	s->nr_errors++;
	if (trail == NULL || trail[0] == '\0')
		trail = mdb_status_name(st);
	mdb_buf_init(&line);
	mdb_buf_puts(&line, "mdb: ");
	if (command != NULL)
		add_lines(&line, mdb_tmp_printf(cx, "%s: ", command));
	add_lines(&line, trail);
	mdb_buf_putc(&line, '\n');
	if (s->opts.json)
		mdb_out_json_error(s->out, command, mdb_status_name(st), trail);
	say(s, line.data, line.len);
	mdb_buf_fini(&line);
	mdb_forget(cx);
}
