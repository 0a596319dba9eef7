/* SPDX-License-Identifier: MIT */
/*
 * Modules of illumos: the ring of struct modctl at `modules`
 * (sys/modctl.h, sys/kobj.h).
 */
#include "illumos.h"

#include <string.h>

#define TEXT_LEN 256

struct modctl {
	int32_t id;
	mdb_addr_t mp, linkage, filename, modname;
	uint8_t busy, want, prim, loaded, installed;
	uint32_t flags;
	int32_t ref;
	mdb_addr_t text;
	uint64_t text_size;
};

static const struct mdb_field modctl_fields[] = {
	MDB_FIELD_OPT(struct modctl, id, "mod_id"),
	MDB_FIELD(struct modctl, mp, "mod_mp"),
	MDB_FIELD_OPT(struct modctl, linkage, "mod_linkage"),
	MDB_FIELD_OPT(struct modctl, filename, "mod_filename"),
	MDB_FIELD(struct modctl, modname, "mod_modname"),
	MDB_FIELD_OPT(struct modctl, busy, "mod_busy"),
	MDB_FIELD_OPT(struct modctl, want, "mod_want"),
	MDB_FIELD_OPT(struct modctl, prim, "mod_prim"),
	MDB_FIELD_OPT(struct modctl, loaded, "mod_loaded"),
	MDB_FIELD_OPT(struct modctl, installed, "mod_installed"),
	MDB_FIELD_OPT(struct modctl, flags, "mod_loadflags"),
	MDB_FIELD_OPT(struct modctl, ref, "mod_ref"),
	MDB_FIELD_OPT(struct modctl, text, "mod_text"),
	MDB_FIELD_OPT(struct modctl, text_size, "mod_text_size"),
	MDB_FIELD_END,
};

enum {
	F_REF = 11
};

static const struct mdb_shape modctl_shape = { "struct modctl", modctl_fields };

struct module {
	mdb_addr_t text;
	uint64_t text_size, data_size, bss_size;
};

static const struct mdb_field module_fields[] = {
	MDB_FIELD(struct module, text, "text"),
	MDB_FIELD(struct module, text_size, "text_size"),
	MDB_FIELD_OPT(struct module, data_size, "data_size"),
	MDB_FIELD_OPT(struct module, bss_size, "bss_size"),
	MDB_FIELD_END,
};

static const struct mdb_shape module_shape = { "struct module", module_fields };

struct linkage {
	int32_t rev;
	mdb_addr_t first; /* ml_linkage[0] */
};

static const struct mdb_field linkage_fields[] = {
	MDB_FIELD(struct linkage, rev, "ml_rev"),
	MDB_FIELD_OPT(struct linkage, first, "ml_linkage[0]"),
	MDB_FIELD_END,
};

static const struct mdb_shape linkage_shape = { "struct modlinkage",
	linkage_fields };

enum mdb_status
illumos_mods(struct mdb_ctx *cx, struct kern_set *set)
{
	static const struct illumos_list ring = { "struct modctl", "mod_next\0",
		"mod_prev\0" };
	struct mdb_loc head;
	enum mdb_status st = illumos_var(cx, set->world, "modules", &head);

	/* The head is the first module's own modctl. */
	if (st == MDB_OK)
		st = illumos_collect(cx, &ring, head.addr, set);
	return st == MDB_OK ? st : mdb_context(cx, st, "the list of modules");
}

static const char *
text_at(struct mdb_ctx *cx, struct mdb_loc loc)
{
	char *text = mdb_tmp(cx, TEXT_LEN);

	illumos_str(cx, loc, text, TEXT_LEN);
	return text;
}

/* Its description is behind the first linkage: struct modlmisc and its like
 * begin with the operations and then point to it. */
static void
describe(struct mdb_ctx *cx, const struct modctl *c, struct kern_mod *out)
{
	size_t word = mdb_world_word(out->loc.world);
	struct linkage l;
	mdb_addr_t text = 0;

	out->description = "";
	if (c->linkage == 0 ||
		mdb_read_shape(cx, &linkage_shape, mdb_at(out->loc, c->linkage),
			&l) != MDB_OK) {
		mdb_forget(cx);
		return;
	}
	out->rev = l.rev;
	out->has_rev = true;
	if (l.first == 0 || mdb_read_ptr(cx, mdb_at(out->loc, l.first + word),
				    &text) != MDB_OK)
		mdb_forget(cx);
	out->description = text_at(cx, mdb_at(out->loc, text));
}

static const char *
bits_of(struct mdb_ctx *cx, const struct modctl *c)
{
	return mdb_tmp_printf(cx, "%s%s%s%s%s", c->busy ? "B" : "",
		c->want ? "W" : "", c->prim ? "P" : "", c->loaded ? "L" : "",
		c->installed ? "I" : "");
}

enum mdb_status
illumos_mod_info(struct mdb_ctx *cx, struct mdb_loc mod, struct kern_mod *out)
{
	struct modctl c;
	struct module m;
	enum mdb_status st = mdb_read_shape(cx, &modctl_shape, mod, &c);

	if (st != MDB_OK)
		return st;
	memset(out, 0, sizeof(*out));
	out->loc = mod;
	out->id = c.id;
	illumos_str(cx, mdb_at(mod, c.modname), out->name, sizeof(out->name));
	out->file = text_at(cx, mdb_at(mod, c.filename));
	out->flags = c.flags;
	out->refs = c.ref;
	out->has_refs = mdb_shape_has(cx, mod.world, &modctl_shape, F_REF);
	out->bits = bits_of(cx, &c);
	out->state = c.mp != 0 ? "loaded" : "unloaded";
	out->taints = out->used_by = "";
	out->base = c.text;
	out->size = c.text_size;
	if (c.mp != 0 && mdb_read_shape(cx, &module_shape, mdb_at(mod, c.mp),
				 &m) == MDB_OK) {
		out->base = m.text;
		out->size = m.text_size + m.data_size + m.bss_size;
	}
	mdb_forget(cx);
	describe(cx, &c, out);
	return MDB_OK;
}
