/* SPDX-License-Identifier: MIT */
/*
 * Symbols of a dump that embeds none: the debugger finds the kernels in its
 * memory and their symbol tables, and all it found goes into the symbol file.
 */
#include "cmd/savecore/save.h"

#include "cmd/savecore/symfile.h"
#include "mdb/base/alloc.h"
#include "mdb/base/ctx.h"
#include "mdb/mem/space.h"
#include "mdb/world/target.h"

#include <elf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TABLE_MAX (64u << 20)
/* struct orc_entry; 6 bytes in all kernels that have it (orc_types.h) */
#define ORC_ENTRY_LEN 6u
#define ORC_IP_LEN 4u
#define ID_MAX 64u

struct found {
	struct symfile *f;
	uint32_t object;
	bool kernel; /* of the first world: its sections have the plain names */
};

/* What is not known of a dump is not savecore's to tell. */
static void
no_warning(struct mdb_ctx *cx, const char *text)
{
	(void)cx;
	(void)text;
}

static uint8_t
info_of(const struct mdb_sym *sym)
{
	unsigned int type = sym->kind == MDB_SYM_FUNC	? STT_FUNC
			    : sym->kind == MDB_SYM_DATA ? STT_OBJECT
							: STT_NOTYPE;

	return (uint8_t)ELF64_ST_INFO(sym->global ? STB_GLOBAL : STB_LOCAL,
		type);
}

static enum mdb_status
add_symbol(struct mdb_ctx *cx, const struct mdb_sym *sym, void *arg)
{
	const struct found *found = arg;
	const struct symfile_symbol symbol = {
		.value = sym->value,
		.size = sym->size,
		.info = info_of(sym),
	};

	(void)cx;
	symfile_add_symbol(found->f, found->object, sym->name,
		strlen(sym->name), &symbol);
	return MDB_OK;
}

static int
digit(char c)
{
	const char *digits = "0123456789abcdef";
	const char *at = c == '\0' ? NULL : strchr(digits, c);

	return at == NULL ? -1 : (int)(at - digits);
}

static size_t
id_bytes(const char *hex, uint8_t *id)
{
	size_t len = 0;

	while (len < ID_MAX && digit(hex[2 * len]) >= 0 &&
		digit(hex[2 * len + 1]) >= 0) {
		id[len] = (uint8_t)(digit(hex[2 * len]) * 16 +
				    digit(hex[2 * len + 1]));
		len++;
	}
	return len;
}

static void
section_name(const struct found *found, const char *stem, const char *object,
	char *name, size_t len)
{
	(void)snprintf(name, len, "%s%s%s", stem, found->kernel ? "" : ".",
		found->kernel ? "" : object);
}

/* len bytes of the object's memory as a section, if all of them are there. */
static void
add_memory(struct mdb_ctx *cx, const struct found *found,
	const struct mdb_object *o, const char *stem, mdb_addr_t addr,
	uint64_t len)
{
	struct symfile_section *s;
	char name[80];
	void *bytes;

	if (addr == 0 || len == 0 || len > TABLE_MAX)
		return;
	bytes = mdb_try_alloc((size_t)len, 1);
	if (bytes == NULL || mdb_space_read(cx, o->world->space, addr, bytes,
				     (size_t)len) != MDB_OK) {
		free(bytes);
		return;
	}
	section_name(found, stem, o->name, name, sizeof(name));
	symfile_add_section(found->f, name, SHT_PROGBITS, bytes, (size_t)len);
	s = &found->f->sections[found->f->nr_sections - 1];
	s->own = bytes;
	s->addr = addr;
}

/*
 * Types, and Linux' unwind tables: each entry of .orc_unwind_ip counts from
 * its own address, so the sections' addresses are kept.
 */
static void
add_tables(struct mdb_ctx *cx, const struct found *found, struct mdb_object *o)
{
	/* Looking for the types is what finds their bytes. */
	(void)mdb_object_types(cx, o);
	add_memory(cx, found, o, ".BTF", o->btf_addr, o->btf_len);
	if (o->orc_count > TABLE_MAX / ORC_ENTRY_LEN)
		return;
	add_memory(cx, found, o, ".orc_unwind_ip", o->orc_ip_addr,
		o->orc_count * ORC_IP_LEN);
	add_memory(cx, found, o, ".orc_unwind", o->orc_addr,
		o->orc_count * ORC_ENTRY_LEN);
}

static enum mdb_status
add_object(struct mdb_ctx *cx, struct mdb_object *o, void *arg)
{
	struct found *found = arg;
	struct symfile_object object = { .base = o->base, .end = o->end };
	uint8_t id[ID_MAX];
	char name[80];

	(void)snprintf(object.name, sizeof(object.name), "%s", o->name);
	for (size_t i = 0; i < o->nr_sections; i++) {
		if (strcmp(o->sections[i].name, "data") != 0)
			continue;
		object.data_base = o->sections[i].start;
		object.data_end = o->sections[i].end;
	}
	found->object = symfile_add_object(found->f, &object);
	(void)!mdb_sym_each(cx, o, add_symbol, found);
	mdb_forget(cx);
	add_tables(cx, found, o);
	if (o->build_id != NULL) {
		section_name(found, ".note.gnu.build-id", o->name, name,
			sizeof(name));
		symfile_add_note(found->f, name, "GNU", NT_GNU_BUILD_ID, id,
			id_bytes(o->build_id, id));
	}
	found->kernel = false;
	mdb_forget(cx);
	mdb_arena_release(&cx->tmp);
	return MDB_OK;
}

void
save_found_symbols(const char *path, struct symfile *f)
{
	const struct mdb_target_options options = {
		.dump_paths = &path,
		.nr_dump_paths = 1,
		.debug_root = "/nonexistent",
		.cache_bytes = 2u << 20,
	};
	struct found found = { .f = f, .kernel = true };
	struct mdb_target *target;
	struct mdb_ctx cx;

	mdb_ctx_init(&cx);
	cx.warn = no_warning;
	if (mdb_target_open(&cx, &options, &target) == MDB_OK) {
		(void)!mdb_object_each(&cx, NULL, add_object, &found);
		mdb_target_destroy(target);
	}
	mdb_ctx_fini(&cx);
}
