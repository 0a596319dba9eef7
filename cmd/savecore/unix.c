/* SPDX-License-Identifier: MIT */
/*
 * unix.N: what a dump says of the programs that ran, as a symbol file: each
 * load object with its symbols, types and build-id, and the dump's id.  Of a
 * dump that embeds no symbols, what the debugger finds in its memory.
 */
#include "cmd/savecore/save.h"

#include "cmd/savecore/symfile.h"

#include <elf.h>
#include <stdio.h>
#include <string.h>

/* Of the name "mdb": the 16 bytes of the dump's id (docs/DUMPFORMAT.md). */
#define NT_MDB_DUMP 1u

static bool
blob(const struct dfmt *d, size_t i, uint32_t kind, const uint8_t **bytes_out,
	size_t *len_out)
{
	const void *bytes;

	if (dfmt_object_blob(d, i, kind, &bytes, len_out, NULL) != DFMT_OK)
		return false;
	*bytes_out = bytes;
	return true;
}

static void
add_symbols(const struct dfmt *d, size_t i, uint32_t object, struct symfile *f)
{
	const uint8_t *syms, *names;
	size_t len, names_len;

	if (!blob(d, i, DFMT_BLOB_SYMTAB, &syms, &len) ||
		!blob(d, i, DFMT_BLOB_STRTAB, &names, &names_len))
		return;
	for (size_t at = 0; at + sizeof(Elf64_Sym) <= len;
		at += sizeof(Elf64_Sym)) {
		const uint8_t *p = syms + at;
		uint32_t name = dfmt_le32(p);
		const struct symfile_symbol sym = {
			.value = dfmt_le64(p + 8),
			.size = dfmt_le64(p + 16),
			.info = p[4],
			.other = p[5],
		};
		const char *text = (const char *)names + name;

		if (name == 0 || name >= names_len ||
			ELF64_ST_TYPE(sym.info) >= STT_SECTION)
			continue;
		symfile_add_symbol(f, object, text,
			strnlen(text, names_len - name), &sym);
	}
}

/* The kernel whose types are .BTF: the one that people come for. */
static size_t
main_object(const struct dfmt *d)
{
	const uint8_t *bytes;
	size_t len, first = SIZE_MAX;

	for (size_t i = 0; i < dfmt_nr_objects(d); i++) {
		struct dfmt_object o = dfmt_object_at(d, i);
		struct dfmt_world w = { 0 };

		if (o.world < dfmt_nr_worlds(d))
			w = dfmt_world_at(d, o.world);
		if (!blob(d, i, DFMT_BLOB_BTF, &bytes, &len))
			continue;
		if (w.kind == DFMT_WORLD_CONTROL || w.kind == DFMT_WORLD_NATIVE)
			return i;
		first = first == SIZE_MAX ? i : first;
	}
	return first == SIZE_MAX ? 0 : first;
}

static void
section_name(char *name, size_t len, const char *stem, bool main,
	const struct dfmt_object *o)
{
	(void)snprintf(name, len, "%s%s%s", stem, main ? "" : ".",
		main ? "" : o->name);
}

static void
add_object(const struct dfmt *d, size_t i, bool main, struct symfile *f)
{
	struct dfmt_object o = dfmt_object_at(d, i);
	struct symfile_object object = {
		.base = o.base,
		.end = o.end,
		.data_base = o.data_base,
		.data_end = o.data_end,
	};
	const uint8_t *bytes;
	char name[80];
	size_t len;

	(void)snprintf(object.name, sizeof(object.name), "%s", o.name);
	add_symbols(d, i, symfile_add_object(f, &object), f);
	if (blob(d, i, DFMT_BLOB_BTF, &bytes, &len)) {
		section_name(name, sizeof(name), ".BTF", main, &o);
		symfile_add_section(f, name, SHT_PROGBITS, bytes, len);
	}
	if (o.build_id_len > 0) {
		section_name(name, sizeof(name), ".note.gnu.build-id", main,
			&o);
		symfile_add_note(f, name, "GNU", NT_GNU_BUILD_ID, o.build_id,
			dfmt_min(o.build_id_len, sizeof(o.build_id)));
	}
}

static void
add_id(const struct dfmt *d, struct symfile *f)
{
	const struct dfmt_native *native = dfmt_native_get(d);

	if (native != NULL)
		symfile_add_note(f, ".note.mdb.dump", "mdb", NT_MDB_DUMP,
			native->dump_id, sizeof(native->dump_id));
}

enum cmd_status
save_unix(const struct dfmt *d, const char *path, struct cmd_output *out,
	bool *made_out, struct cmd_error *err)
{
	enum cmd_status st = CMD_OK;
	struct dfmt_info info;
	struct symfile f;
	size_t len;

	dfmt_info_get(d, &info);
	symfile_init(&f, (uint16_t)info.machine,
		info.machine == DFMT_MACHINE_I386);
	for (size_t i = 0; i < dfmt_nr_objects(d); i++)
		add_object(d, i, i == main_object(d), &f);
	/* Without VMCOREINFO all memory would be searched, and mapped. */
	if (f.nr_symbols == 0 && dfmt_vmcoreinfo(d, &len) != NULL)
		save_found_symbols(path, &f);
	add_id(d, &f);
	*made_out = f.nr_symbols > 0;
	if (*made_out)
		st = symfile_write(&f, out, err);
	symfile_fini(&f);
	return st;
}
