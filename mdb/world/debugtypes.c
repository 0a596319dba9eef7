/* SPDX-License-Identifier: MIT */
/*
 * Which debug file belongs to an object.  The build-id decides: the one that
 * the dump states for the object, or that its kernel carries in its notes.
 */
#include "mdb/base/alloc.h"
#include "mdb/base/ctx.h"
#include "mdb/base/endian.h"
#include "mdb/sym/debugfile.h"
#include "mdb/world/target.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define MAX_NOTES 4096
#define NOTE_BUILD_ID 3 /* NT_GNU_BUILD_ID, ELF notes of the GNU tools */

/* The id among ELF notes as heap text; NULL: none. */
static char *
id_in_notes(const uint8_t *p, size_t len)
{
	while (len >= 12) {
		uint64_t name = mdb_le32(p), desc = mdb_le32(p + 4);
		uint64_t desc_at = 12 + ((name + 3) & ~(uint64_t)3);
		uint64_t next = desc_at + ((desc + 3) & ~(uint64_t)3);

		if (next > len)
			return NULL;
		if (mdb_le32(p + 8) == NOTE_BUILD_ID && name == 4 &&
			!memcmp(p + 12, "GNU", 4) && desc > 0 &&
			desc <= (MDB_BUILD_ID_TEXT - 1) / 2) {
			char *text = mdb_xalloc(MDB_BUILD_ID_TEXT);

			for (uint64_t i = 0; i < desc; i++)
				(void)snprintf(text + 2 * i, 3, "%02x",
					p[desc_at + i]);
			return text;
		}
		p += next;
		len -= next;
	}
	return NULL;
}

/* A kernel whose dump does not state it has it between two symbols. */
static char *
id_in_kernel(struct mdb_ctx *cx, struct mdb_object *o)
{
	struct mdb_sym start, stop;
	uint8_t notes[MAX_NOTES];
	uint64_t len;

	if (mdb_sym_by_name(cx, o->world, "__start_notes", &start) != MDB_OK ||
		mdb_sym_by_name(cx, o->world, "__stop_notes", &stop) !=
			MDB_OK ||
		start.object != o || stop.value <= start.value) {
		mdb_forget(cx);
		return NULL;
	}
	len = stop.value - start.value;
	if (len > sizeof(notes))
		len = sizeof(notes);
	if (mdb_read(cx, mdb_kernel_loc(o->world, start.value), notes, len) !=
		MDB_OK) {
		mdb_forget(cx);
		return NULL;
	}
	return id_in_notes(notes, len);
}

static const char *
build_id_of(struct mdb_ctx *cx, struct mdb_object *o)
{
	const char *fact;

	if (o->build_id || o != o->world->objects)
		return o->build_id;
	fact = mdb_world_fact(cx, o->world, "build_id");
	o->build_id = fact ? mdb_xstrdup(fact) : id_in_kernel(cx, o);
	return o->build_id;
}

/* The path of the object's debug file, checked. */
static enum mdb_status
path_of(struct mdb_ctx *cx, struct mdb_object *o, const char **path_out)
{
	const struct mdb_target_options *options = &o->world->target->options;
	const char *id = build_id_of(cx, o);
	enum mdb_status st;

	if (options->symbols_path && o == o->world->objects &&
		!o->world->target->symbols_embedded) {
		*path_out = options->symbols_path;
		if (!id)
			return MDB_OK; /* warned of when it was opened */
		st = mdb_debugfile_check(cx, options->symbols_path, o->name,
			id);
		if (st == MDB_OK)
			return st;
		mdb_forget(cx);
	}
	return mdb_debugfile_find(cx,
		options->debug_root ? options->debug_root : "/usr/lib/debug",
		id, path_out);
}

enum mdb_status
mdb_object_debug_path(struct mdb_ctx *cx, struct mdb_object *o,
	const char **path_out)
{
	return path_of(cx, o, path_out);
}

struct mdb_types *
mdb_object_debug_types(struct mdb_ctx *cx, struct mdb_object *o)
{
	enum mdb_status st;
	const char *path;

	if (o->debug_tried)
		return o->debug_types;
	o->debug_tried = true;
	st = path_of(cx, o, &path);
	if (st == MDB_OK)
		st = mdb_dwarf_create(cx, path, o->world->arch->word,
			&o->debug_types);
	if (st != MDB_OK && st != MDB_E_NOTFOUND)
		mdb_warn(cx, st, "no debug data of %s", o->name);
	return o->debug_types;
}

static const char *
hex_of(struct mdb_ctx *cx, const uint8_t *bytes, size_t len)
{
	char *text = mdb_tmp(cx, 2 * len + 1);

	for (size_t i = 0; i < len; i++)
		(void)snprintf(text + 2 * i, 3, "%02x", bytes[i]);
	return text;
}

/* Is it the unix.N that was saved with this dump?  NOTFOUND: no such file. */
static enum mdb_status
check_dump_id(struct mdb_ctx *cx, struct mdb_target *target)
{
	const char *path = target->options.symbols_path, *id;
	const struct dfmt *d = mdb_memory_dump(target->memory);
	const struct dfmt_native *n = d ? dfmt_native_get(d) : NULL;
	char text[MDB_BUILD_ID_TEXT];
	enum mdb_status st;

	st = mdb_dump_id_of_file(cx, path, text);
	if (st != MDB_OK)
		return st;
	if (!n) {
		target->symbols_embedded = true;
		mdb_warn(cx, MDB_OK,
			"%s was saved with dump %s; %s does not say which it "
			"is, so it is not used",
			path, text, target->name);
		return MDB_OK;
	}
	id = hex_of(cx, n->dump_id, sizeof(n->dump_id));
	if (strcmp(id, text) == 0) {
		target->symbols_embedded = true;
		return MDB_OK;
	}
	return mdb_fail(cx, MDB_E_FORMAT,
		"%s is of dump %s, but %s is dump %s: name the unix.N that was "
		"saved with it",
		path, text, target->name, id);
}

/* Any object of the dump may be the file's. */
static bool
has_build_id(const struct mdb_target *target, const char *text)
{
	for (const struct mdb_world *w = target->worlds; w; w = w->next)
		for (const struct mdb_object *o = w->objects; o; o = o->next)
			if (o->build_id && strcasecmp(o->build_id, text) == 0)
				return true;
	return false;
}

/* MDB_E_NOTFOUND: nothing in it says whose it is. */
static enum mdb_status
check_native(struct mdb_ctx *cx, struct mdb_target *target)
{
	char text[MDB_BUILD_ID_TEXT];
	enum mdb_status st = check_dump_id(cx, target);

	if (st != MDB_E_NOTFOUND)
		return st;
	mdb_forget(cx);
	if (!target->native ||
		mdb_build_id_of_file(cx, target->options.symbols_path, text) !=
			MDB_OK ||
		!has_build_id(target, text)) {
		mdb_forget(cx);
		return MDB_E_NOTFOUND;
	}
	return MDB_OK;
}

enum mdb_status
mdb_target_check_symbols(struct mdb_ctx *cx, struct mdb_target *target)
{
	const char *path = target->options.symbols_path, *id;
	char text[MDB_BUILD_ID_TEXT];
	enum mdb_status st = check_native(cx, target);

	if (st != MDB_E_NOTFOUND)
		return st;
	if (!target->worlds->objects)
		return mdb_build_id_of_file(cx, path, text);
	for (struct mdb_world *w = target->worlds; w; w = w->next) {
		if (!w->objects)
			continue;
		id = build_id_of(cx, w->objects);
		if (!id) {
			mdb_warn(cx, MDB_OK,
				"the build-id of %s in the dump is not known: "
				"it cannot be told whether %s belongs to it",
				w->objects->name, path);
			return MDB_OK;
		}
		st = mdb_debugfile_check(cx, path, w->objects->name, id);
		if (st == MDB_OK || !w->next)
			return st;
		mdb_forget(cx);
	}
	return MDB_OK;
}
