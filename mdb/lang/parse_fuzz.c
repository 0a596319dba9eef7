/* SPDX-License-Identifier: MIT */
/*
 * Fuzzes parse.c, expr.c, eval.c and format.c: any text as statements over a
 * world without memory or symbols.
 */
#include "mdb/base/buf.h"
#include "mdb/base/ctx.h"
#include "mdb/lang/lang.h"
#include "mdb/world/target.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void
evaluate(struct mdb_ctx *cx, struct mdb_lang *lang, const struct mdb_stmt *s)
{
	struct mdb_loc loc = lang->dot;
	const char *text;
	struct mdb_buf out;

	mdb_buf_init(&out);
	if (s->addr && mdb_eval(cx, lang, s->addr, &loc) != MDB_OK)
		loc = lang->dot;
	for (size_t i = 0; i < s->nr_cmds; i++) {
		const struct mdb_cmd *c = &s->cmds[i];

		for (size_t w = 0; w < c->nr_words; w++)
			if (mdb_word_text(cx, lang, &c->words[w], &text) !=
				MDB_OK)
				mdb_forget(cx);
		if (c->kind == MDB_CMD_FORMAT &&
			mdb_format_run(cx, lang, c->verb, c->formats, loc,
				loc.addr, 2, 80, &out) != MDB_OK)
			mdb_forget(cx);
		mdb_buf_reset(&out);
	}
	mdb_buf_fini(&out);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct mdb_ctx cx;
	struct mdb_target *t =
		mdb_target_create_memory(mdb_memory_create_fake());
	struct mdb_world *w = mdb_world_create(t, MDB_WORLD_BARE, "fuzz");
	struct mdb_lang lang = { .vars = mdb_vars_create(), .radix = 16 };
	const char *text = (const char *)data;

	mdb_ctx_init(&cx);
	w->space = mdb_space_create("fuzz", t->memory, &mdb_arch_x86_64,
		MDB_PAGING_NONE, 0);
	mdb_target_add_world(t, w);
	cx.target = t;
	cx.world = w;
	lang.dot = mdb_kernel_loc(w, 0);
	for (int i = 0; len && i < 100; i++) {
		struct mdb_stmt s;
		size_t used;

		if (mdb_parse(&cx, text, len, 16, &s, &used) != MDB_OK)
			break;
		evaluate(&cx, &lang, &s);
		text += used;
		len -= used;
	}
	mdb_vars_destroy(lang.vars);
	mdb_target_destroy(t);
	mdb_ctx_fini(&cx);
	return 0;
}
