/* SPDX-License-Identifier: MIT */
/*
 * Linux's loadable modules: the list `modules` of struct module, newest first.
 */
#include "linux.h"

#include <inttypes.h>
#include <string.h>

struct module {
	uint32_t state;
	char name[KERN_NAME_LEN];
	mdb_addr_t text; /* 6.4 on */
	mdb_addr_t core_base;
	uint32_t core_size;
	uint32_t init_size;
	int32_t refcnt;
	uint64_t taints;
	mdb_addr_t version;
};

enum {
	F_REFCNT = 6
};

static const struct mdb_field module_fields[] = {
	MDB_FIELD(struct module, state, "state"),
	MDB_FIELD(struct module, name, "name"),
	MDB_FIELD_OPT(struct module, text, "mem[0].base"),
	MDB_FIELD_OPT(struct module, core_base,
		"core_layout.base\0module_core"),
	MDB_FIELD_OPT(struct module, core_size, "core_layout.size\0core_size"),
	MDB_FIELD_OPT(struct module, init_size, "init_layout.size\0init_size"),
	MDB_FIELD_OPT(struct module, refcnt, "refcnt.counter"),
	MDB_FIELD_OPT(struct module, taints, "taints"),
	MDB_FIELD_OPT(struct module, version, "version"),
	MDB_FIELD_END,
};

static const struct mdb_shape module_shape = { "struct module", module_fields };

enum mdb_status
linux_mods(struct mdb_ctx *cx, struct kern_set *set)
{
	struct mdb_loc head;
	uint64_t offset;
	size_t i;
	enum mdb_status st;

	st = mdb_sym_loc(cx, set->world, "modules", &head);
	if (st == MDB_OK)
		st = mdb_offset_of(cx, set->world, "struct module", "list\0",
			&offset);
	if (st == MDB_OK)
		st = linux_list_collect(cx, head, offset, set);
	if (st != MDB_OK)
		return mdb_context(cx, st, "the list of modules");
	for (i = 0; i < set->count / 2; i++) {
		mdb_addr_t addr = set->addrs[i];

		set->addrs[i] = set->addrs[set->count - 1 - i];
		set->addrs[set->count - 1 - i] = addr;
	}
	return MDB_OK;
}

/* The sum of the parts that a module has in memory, 6.4 on. */
static uint64_t
mem_size(struct mdb_ctx *cx, struct mdb_loc mod)
{
	uint64_t sum = 0, offset, len;
	unsigned int i;

	for (i = 0; i < 16; i++) {
		const char *path =
			mdb_tmp_printf(cx, "mem[%u].size%c", i, '\0');

		if (!linux_offset(cx, mod.world, "struct module", path,
			    &offset))
			break;
		if (mdb_read_uint(cx, mdb_at(mod, mod.addr + offset), 4,
			    &len) == MDB_OK)
			sum += len;
	}
	mdb_forget(cx);
	return sum;
}

/* kernel/panic.c: taint_flags[], by bit. */
static const char *
taints_of(struct mdb_ctx *cx, uint64_t taints)
{
	static const char letters[] = "PFSRMBUDAWCIOELKXTN";
	char *text = mdb_tmp(cx, sizeof(letters) + 1);
	size_t i, n = 0;

	for (i = 0; i < sizeof(letters) - 1; i++)
		if ((taints >> i & 1) != 0)
			text[n++] = letters[i];
	return text;
}

static const char *
state_of(uint32_t state)
{
	static const char *const names[] = { "live", "coming", "going",
		"unformed" };

	return state < 4 ? names[state] : "?";
}

/* Of a module's users so many are named. */
#define MAX_USERS 256

/* Names on the module's source_list: who needs it. */
static const char *
users_of(struct mdb_ctx *cx, struct mdb_loc mod)
{
	struct mdb_world *w = mod.world;
	struct kern_set set = { .world = w };
	uint64_t list, entry, source, name;
	const char *text = "";
	size_t i;

	if (!linux_offset(cx, w, "struct module", "source_list\0", &list) ||
		!linux_offset(cx, w, "struct module_use", "source_list\0",
			&entry) ||
		!linux_offset(cx, w, "struct module_use", "source\0",
			&source) ||
		!linux_offset(cx, w, "struct module", "name\0", &name) ||
		linux_list_collect(cx, mdb_at(mod, mod.addr + list), entry,
			&set) != MDB_OK)
		goto out;
	for (i = 0; i < set.count && i < MAX_USERS; i++) {
		char user[KERN_NAME_LEN];
		mdb_addr_t addr;

		if (mdb_read_ptr(cx, mdb_at(mod, set.addrs[i] + source),
			    &addr) != MDB_OK ||
			mdb_read_str(cx, mdb_at(mod, addr + name), user,
				sizeof(user)) != MDB_OK)
			break;
		text = mdb_tmp_printf(cx, "%s%s%s", text, i == 0 ? "" : ",",
			user);
	}
	if (set.why != NULL || i < set.count)
		text = mdb_tmp_printf(cx, "%s,...", text);
out:
	mdb_forget(cx);
	return text;
}

enum mdb_status
linux_mod_info(struct mdb_ctx *cx, struct mdb_loc mod, struct kern_mod *out)
{
	struct module m;
	enum mdb_status st = mdb_read_shape(cx, &module_shape, mod, &m);

	if (st != MDB_OK)
		return st;
	memset(out, 0, sizeof(*out));
	out->loc = mod;
	memcpy(out->name, m.name, sizeof(out->name));
	out->name[sizeof(out->name) - 1] = '\0';
	out->base = m.text != 0 ? m.text : m.core_base;
	out->size = (uint64_t)m.core_size + m.init_size;
	if (out->size == 0)
		out->size = mem_size(cx, mod);
	out->has_refs = mdb_shape_has(cx, mod.world, &module_shape, F_REFCNT);
	/* one reference is the module's own: MODULE_REF_BASE */
	out->refs = (int64_t)m.refcnt - 1;
	out->state = state_of(m.state);
	out->taints = taints_of(cx, m.taints);
	out->used_by = users_of(cx, mod);
	if (m.version != 0 &&
		mdb_read_str(cx, mdb_at(mod, m.version), out->version,
			sizeof(out->version)) != MDB_OK) {
		out->version[0] = '\0';
		mdb_forget(cx);
	}
	return MDB_OK;
}
