/* SPDX-License-Identifier: MIT */
/*
 * The symbol file as ELF.  Each program has a section without bytes (NOBITS)
 * for its text and one for its data, and a PT_LOAD of no bytes over each, so
 * that symbols belong to sections as every tool expects.  FILE symbols with
 * the program's name come before its local symbols; global ones follow, as ELF
 * wants them.
 *
 * Order in the file: header, program headers, notes, other bytes, .symtab,
 * .strtab, .shstrtab, section headers (libelf writes, the layout is ours).
 */
#include "cmd/savecore/symfile.h"

#include "cmd/common/notes.h"
#include "mdb/base/alloc.h"

#include <gelf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void *
grow(void *array, size_t nr, size_t *room, size_t len)
{
	if (nr < *room)
		return array;
	*room = *room == 0 ? 16 : 2 * *room;
	return mdb_xrealloc(array, *room, len);
}

void
symfile_init(struct symfile *f, uint16_t machine, bool is_32)
{
	*f = (struct symfile){ .machine = machine, .is_32 = is_32 };
	mdb_buf_init(&f->names);
	mdb_buf_putc(&f->names, '\0');
}

void
symfile_fini(struct symfile *f)
{
	for (size_t i = 0; i < f->nr_sections; i++)
		free(f->sections[i].own);
	free(f->objects);
	free(f->symbols);
	free(f->sections);
	mdb_buf_fini(&f->names);
}

uint32_t
symfile_add_object(struct symfile *f, const struct symfile_object *object)
{
	f->objects = grow(f->objects, f->nr_objects, &f->objects_room,
		sizeof(*f->objects));
	f->objects[f->nr_objects] = *object;
	return (uint32_t)f->nr_objects++;
}

static uint32_t
add_name(struct symfile *f, const char *name, size_t len)
{
	size_t at = f->names.len;

	mdb_buf_add(&f->names, name, len);
	mdb_buf_putc(&f->names, '\0');
	return (uint32_t)at;
}

void
symfile_add_symbol(struct symfile *f, uint32_t object, const char *name,
	size_t name_len, const struct symfile_symbol *symbol)
{
	struct symfile_symbol *s;

	if (f->names.len + name_len + 1 > UINT32_MAX)
		return;
	f->symbols = grow(f->symbols, f->nr_symbols, &f->symbols_room,
		sizeof(*f->symbols));
	s = &f->symbols[f->nr_symbols++];
	*s = *symbol;
	s->object = object;
	s->name = add_name(f, name, name_len);
}

static struct symfile_section *
section_new(struct symfile *f, const char *name, uint32_t type)
{
	struct symfile_section *s;

	f->sections = grow(f->sections, f->nr_sections, &f->sections_room,
		sizeof(*f->sections));
	s = &f->sections[f->nr_sections++];
	*s = (struct symfile_section){ .type = type };
	(void)snprintf(s->name, sizeof(s->name), "%s", name);
	return s;
}

void
symfile_add_section(struct symfile *f, const char *name, uint32_t type,
	const void *bytes, size_t len)
{
	struct symfile_section *s = section_new(f, name, type);

	s->bytes = bytes;
	s->len = len;
}

void
symfile_add_note(struct symfile *f, const char *section, const char *name,
	uint32_t type, const void *desc, size_t len)
{
	struct symfile_section *s = section_new(f, section, SHT_NOTE);
	struct mdb_buf b;

	mdb_buf_init(&b);
	cmd_note_add(&b, name, type, desc, len);
	s->len = b.len;
	s->bytes = s->own = mdb_buf_steal(&b);
}

/* ---- writing -------------------------------------------------------------
 */

/* A place of a program: what becomes a NOBITS section and a PT_LOAD. */
struct place {
	uint64_t start, end;
	bool text;
	uint32_t object;
};

struct writer {
	struct symfile *f;
	Elf *elf;
	struct place *places; /* by address */
	size_t nr_places;
	struct mdb_buf shnames, symtab;
	size_t nr_local;
	uint64_t at, notes_off, notes_len;
};

static enum cmd_status
elf_failed(const char *what, struct cmd_error *err)
{
	return cmd_fail(err, CMD_FAILED, "writing the symbol file: %s: %s",
		what, elf_errmsg(-1));
}

static int
by_start(const void *a, const void *b)
{
	const struct place *x = a, *y = b;

	if (x->start != y->start)
		return x->start < y->start ? -1 : 1;
	return x->end == y->end ? 0 : x->end < y->end ? -1 : 1;
}

static void
find_places(struct writer *w)
{
	const struct symfile *f = w->f;

	w->places = mdb_xarray(2 * f->nr_objects + 1, sizeof(*w->places));
	for (uint32_t i = 0; i < f->nr_objects; i++) {
		const struct symfile_object *o = &f->objects[i];

		if (o->end > o->base)
			w->places[w->nr_places++] =
				(struct place){ o->base, o->end, true, i };
		if (o->data_end > o->data_base)
			w->places[w->nr_places++] =
				(struct place){ o->data_base, o->data_end,
					false, i };
	}
	/* Section numbers end at SHN_LORESERVE; nobody has so many. */
	if (w->nr_places > 0xf000)
		w->nr_places = 0xf000;
	qsort(w->places, w->nr_places, sizeof(*w->places), by_start);
}

static enum cmd_status
add_section(struct writer *w, const GElf_Shdr *shdr, const char *name,
	const void *bytes, Elf_Type type, struct cmd_error *err)
{
	Elf_Scn *scn = elf_newscn(w->elf);
	Elf_Data *data = scn == NULL ? NULL : elf_newdata(scn);
	GElf_Shdr h = *shdr;

	if (data == NULL)
		return elf_failed(name, err);
	h.sh_name = (GElf_Word)w->shnames.len;
	mdb_buf_add(&w->shnames, name, strlen(name) + 1);
	h.sh_addralign = h.sh_addralign == 0 ? 1 : h.sh_addralign;
	if (h.sh_type != SHT_NOBITS)
		w->at = (w->at + h.sh_addralign - 1) / h.sh_addralign *
			h.sh_addralign;
	h.sh_offset = w->at;
	if (h.sh_type != SHT_NOBITS)
		w->at += h.sh_size;
	/* libelf's buffers are not const; it only reads this one. */
	memcpy(&data->d_buf, &bytes, sizeof(bytes));
	data->d_size = h.sh_size;
	data->d_type = type;
	data->d_align = h.sh_addralign;
	data->d_version = EV_CURRENT;
	if (gelf_update_shdr(scn, &h) == 0)
		return elf_failed(name, err);
	return CMD_OK;
}

static enum cmd_status
add_places(struct writer *w, struct cmd_error *err)
{
	enum cmd_status st = CMD_OK;

	for (size_t i = 0; i < w->nr_places && st == CMD_OK; i++) {
		const struct place *p = &w->places[i];
		struct symfile_object *o = &w->f->objects[p->object];
		GElf_Shdr h = {
			.sh_type = SHT_NOBITS,
			.sh_flags = SHF_ALLOC |
				    (p->text ? SHF_EXECINSTR : SHF_WRITE),
			.sh_addr = p->start,
			.sh_size = p->end - p->start,
		};
		char name[80];

		(void)snprintf(name, sizeof(name), ".%s.%s",
			p->text ? "text" : "data", o->name);
		if (p->text)
			o->text_index = (uint16_t)(i + 1);
		else
			o->data_index = (uint16_t)(i + 1);
		st = add_section(w, &h, name, NULL, ELF_T_BYTE, err);
	}
	return st;
}

/* Notes first, so that one PT_NOTE covers them. */
static enum cmd_status
add_bytes(struct writer *w, bool notes, struct cmd_error *err)
{
	enum cmd_status st = CMD_OK;

	for (size_t i = 0; i < w->f->nr_sections && st == CMD_OK; i++) {
		const struct symfile_section *s = &w->f->sections[i];
		const GElf_Shdr h = {
			.sh_type = s->type,
			.sh_addr = s->addr,
			.sh_size = s->len,
			.sh_addralign = 4,
		};

		if ((s->type == SHT_NOTE) == notes)
			st = add_section(w, &h, s->name, s->bytes, ELF_T_BYTE,
				err);
	}
	return st;
}

/* ---- symbols -------------------------------------------------------------
 */

static void
put_symbol(struct writer *w, const GElf_Sym *sym)
{
	if (w->f->is_32) {
		const Elf32_Sym s = {
			.st_name = sym->st_name,
			.st_value = (Elf32_Addr)sym->st_value,
			.st_size = (Elf32_Word)sym->st_size,
			.st_info = sym->st_info,
			.st_other = sym->st_other,
			.st_shndx = sym->st_shndx,
		};

		mdb_buf_add(&w->symtab, &s, sizeof(s));
	} else {
		mdb_buf_add(&w->symtab, sym, sizeof(*sym));
	}
}

/* The section of an address: of the symbol's own program, else any. */
static uint16_t
section_of(const struct writer *w, const struct symfile_symbol *s)
{
	const struct symfile_object *o = &w->f->objects[s->object];
	size_t lo = 0, hi = w->nr_places;

	if (s->value >= o->base && s->value < o->end && o->text_index != 0)
		return o->text_index;
	if (s->value >= o->data_base && s->value < o->data_end &&
		o->data_index != 0)
		return o->data_index;
	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (w->places[mid].end <= s->value)
			lo = mid + 1;
		else
			hi = mid;
	}
	if (lo < w->nr_places && w->places[lo].start <= s->value)
		return (uint16_t)(lo + 1);
	return SHN_ABS;
}

static void
put_symbols(struct writer *w, bool local)
{
	const struct symfile *f = w->f;

	for (size_t i = 0; i < f->nr_symbols; i++) {
		const struct symfile_symbol *s = &f->symbols[i];
		bool file = GELF_ST_TYPE(s->info) == STT_FILE;
		const GElf_Sym sym = {
			.st_name = s->name,
			.st_info = s->info,
			.st_other = s->other & 3,
			.st_shndx = file ? SHN_ABS : section_of(w, s),
			.st_value = s->value,
			.st_size = s->size,
		};

		if ((GELF_ST_BIND(s->info) == STB_LOCAL) == local)
			put_symbol(w, &sym);
	}
}

/* A FILE symbol stands before the symbols of each program. */
static void
name_objects(struct symfile *f)
{
	struct symfile_symbol *old = f->symbols;
	size_t nr = f->nr_symbols;
	uint32_t object = UINT32_MAX;

	f->symbols = NULL;
	f->nr_symbols = f->symbols_room = 0;
	for (size_t i = 0; i < nr; i++) {
		if (old[i].object != object) {
			const char *name = f->objects[old[i].object].name;
			const struct symfile_symbol file = {
				.info = GELF_ST_INFO(STB_LOCAL, STT_FILE),
			};

			object = old[i].object;
			symfile_add_symbol(f, object, name, strlen(name),
				&file);
		}
		f->symbols = grow(f->symbols, f->nr_symbols, &f->symbols_room,
			sizeof(*f->symbols));
		f->symbols[f->nr_symbols++] = old[i];
	}
	free(old);
}

static enum cmd_status
add_symbols(struct writer *w, struct cmd_error *err)
{
	const GElf_Sym none = { 0 };
	uint64_t len = w->f->is_32 ? sizeof(Elf32_Sym) : sizeof(Elf64_Sym);
	GElf_Shdr h = { .sh_type = SHT_SYMTAB, .sh_addralign = 8 };
	enum cmd_status st;
	size_t index;

	name_objects(w->f);
	put_symbol(w, &none);
	put_symbols(w, true);
	h.sh_info = (GElf_Word)(w->symtab.len / len);
	put_symbols(w, false);
	index = w->nr_places + w->f->nr_sections + 1;
	h.sh_size = w->symtab.len;
	h.sh_entsize = len;
	h.sh_link = (GElf_Word)index + 1;
	st = add_section(w, &h, ".symtab", w->symtab.data, ELF_T_SYM, err);
	h = (GElf_Shdr){ .sh_type = SHT_STRTAB, .sh_size = w->f->names.len };
	if (st == CMD_OK)
		st = add_section(w, &h, ".strtab", w->f->names.data, ELF_T_BYTE,
			err);
	/* Its own name is in it. */
	h.sh_size = w->shnames.len + sizeof(".shstrtab");
	mdb_buf_pad(&w->shnames, '\0', sizeof(".shstrtab"));
	w->shnames.len -= sizeof(".shstrtab");
	if (st == CMD_OK)
		st = add_section(w, &h, ".shstrtab", w->shnames.data,
			ELF_T_BYTE, err);
	return st;
}

/* ---- headers -------------------------------------------------------------
 */

/* PT_LOADs ascend and do not overlap. */
static size_t
plan_loads(const struct writer *w, GElf_Phdr *phdrs)
{
	uint64_t end = 0;
	size_t nr = 0;

	for (size_t i = 0; i < w->nr_places; i++) {
		const struct place *p = &w->places[i];
		uint64_t start = p->start > end ? p->start : end;

		if (p->end <= start)
			continue;
		if (phdrs != NULL)
			phdrs[nr] = (GElf_Phdr){
				.p_type = PT_LOAD,
				.p_flags = (GElf_Word)(PF_R |
						       (p->text ? PF_X : PF_W)),
				.p_vaddr = start,
				.p_paddr = start,
				.p_memsz = p->end - start,
				.p_align = 1,
			};
		nr++;
		end = p->end;
	}
	return nr;
}

static enum cmd_status
put_phdrs(struct writer *w, size_t nr, struct cmd_error *err)
{
	GElf_Phdr *phdrs = mdb_xarray(nr, sizeof(*phdrs));
	size_t nr_loads = plan_loads(w, phdrs);
	enum cmd_status st = CMD_OK;

	phdrs[nr_loads] = (GElf_Phdr){
		.p_type = PT_NOTE,
		.p_flags = PF_R,
		.p_offset = w->notes_off,
		.p_filesz = w->notes_len,
		.p_align = 4,
	};
	for (size_t i = 0; i < nr && st == CMD_OK; i++) {
		if (phdrs[i].p_type == PT_LOAD)
			phdrs[i].p_offset = w->notes_off;
		if (gelf_update_phdr(w->elf, (int)i, &phdrs[i]) == 0)
			st = elf_failed("program headers", err);
	}
	free(phdrs);
	return st;
}

static enum cmd_status
put_ehdr(struct writer *w, struct cmd_error *err)
{
	GElf_Ehdr e;

	if (gelf_getehdr(w->elf, &e) == NULL)
		return elf_failed("header", err);
	e.e_ident[EI_DATA] = ELFDATA2LSB;
	e.e_type = ET_EXEC;
	e.e_machine = w->f->machine;
	e.e_version = EV_CURRENT;
	e.e_phoff = w->f->is_32 ? sizeof(Elf32_Ehdr) : sizeof(Elf64_Ehdr);
	e.e_shoff = (w->at + 7) & ~UINT64_C(7);
	e.e_shstrndx = (GElf_Half)(w->nr_places + w->f->nr_sections + 3);
	if (gelf_update_ehdr(w->elf, &e) == 0)
		return elf_failed("header", err);
	return CMD_OK;
}

static enum cmd_status
build(struct writer *w, struct cmd_error *err)
{
	size_t nr = plan_loads(w, NULL) + 1;
	bool is_32 = w->f->is_32;
	enum cmd_status st;

	if (gelf_newehdr(w->elf, is_32 ? ELFCLASS32 : ELFCLASS64) == NULL ||
		gelf_newphdr(w->elf, nr) == NULL)
		return elf_failed("header", err);
	(void)elf_flagelf(w->elf, ELF_C_SET, ELF_F_LAYOUT);
	w->at = is_32 ? sizeof(Elf32_Ehdr) + nr * sizeof(Elf32_Phdr)
		      : sizeof(Elf64_Ehdr) + nr * sizeof(Elf64_Phdr);
	w->notes_off = w->at;
	st = add_places(w, err);
	if (st == CMD_OK)
		st = add_bytes(w, true, err);
	w->notes_len = w->at - w->notes_off;
	if (st == CMD_OK)
		st = add_bytes(w, false, err);
	if (st == CMD_OK)
		st = add_symbols(w, err);
	if (st == CMD_OK)
		st = put_ehdr(w, err);
	if (st == CMD_OK)
		st = put_phdrs(w, nr, err);
	if (st == CMD_OK && elf_update(w->elf, ELF_C_WRITE) < 0)
		st = elf_failed(w->f->is_32 ? "32 bit" : "64 bit", err);
	return st;
}

enum cmd_status
symfile_write(struct symfile *f, struct cmd_output *out, struct cmd_error *err)
{
	struct writer w = { .f = f };
	enum cmd_status st;
	off_t len;

	(void)elf_version(EV_CURRENT);
	mdb_buf_init(&w.shnames);
	mdb_buf_init(&w.symtab);
	mdb_buf_putc(&w.shnames, '\0');
	find_places(&w);
	w.elf = elf_begin(out->fd, ELF_C_WRITE, NULL);
	st = w.elf == NULL ? elf_failed("beginning", err) : build(&w, err);
	if (w.elf != NULL)
		(void)elf_end(w.elf);
	len = lseek(out->fd, 0, SEEK_END);
	if (st == CMD_OK)
		st = cmd_output_sync(out, (uint64_t)len, err);
	free(w.places);
	mdb_buf_fini(&w.shnames);
	mdb_buf_fini(&w.symtab);
	return st;
}
