/* SPDX-License-Identifier: MIT */
/*
 * Make a type pack (mdb/sym/pack.h has the format) out of hypervisors:
 *
 *	mkpack OUT NAME SERIES FLAVOUR SOURCE XEN-SYMS [exact|symbols NAME
 *FILE]...
 *
 * XEN-SYMS has DWARF and gives types, symbols of data, and where code refers
 * to them.  The other files have the same types (exact) or may have others
 * (symbols); only their symbols are listed.
 */
#include "btfwrite.h"

#include "mdb/base/alloc.h"
#include "mdb/base/ctx.h"
#include "mdb/sym/coderef.h"
#include "mdb/sym/debugfile.h"
#include "mdb/sym/pack.h"

#include <fcntl.h>
#include <gelf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zstd.h>

#define MAX_REFS_KEPT 8u /* of one symbol */
#define MAX_FUNCTION_REFS 4096u
#define NO_VALUE 0xffffffffu

static const char *const wanted_types[] = {
#include "types.h"
};

struct sym {
	const char *name;
	uint64_t value, size;
	const char *section;
	bool func, local, unique;
};

struct file {
	const char *path, *label;
	bool exact;
	char build_id[MDB_BUILD_ID_TEXT];
	Elf *elf;
	struct sym *syms;
	size_t nr;
};

struct ref {
	uint32_t function, ordinal, sym;
	int32_t addend;
};

struct pack {
	struct file *first;
	struct sym **data; /* those that the pack lists, by value */
	size_t nr_data;
	struct sym **functions;
	uint32_t *nr_function_refs;
	size_t nr_functions;
	struct ref *refs;
	size_t nr_refs;
	uint64_t base, percpu_start, percpu_end;
};

static _Noreturn void
die(const char *what, const char *which)
{
	fprintf(stderr, "mkpack: %s %s\n", what, which);
	exit(1);
}

/* ---- ELF ----------------------------------------------------------------- */

static int
by_name(const void *a, const void *b)
{
	const struct sym *x = a, *y = b;
	int c = strcmp(x->name, y->name);

	return c ? c : x->value < y->value ? -1 : x->value > y->value;
}

static int
by_value(const void *a, const void *b)
{
	const struct sym *x = *(struct sym *const *)a,
			 *y = *(struct sym *const *)b;

	if (x->value != y->value)
		return x->value < y->value ? -1 : 1;
	return x->size < y->size ? -1 : x->size > y->size;
}

static const char *
section_name(Elf *elf, size_t index)
{
	Elf_Scn *scn = elf_getscn(elf, index);
	GElf_Shdr sh;
	size_t strings;

	if (index >= SHN_LORESERVE || !scn || !gelf_getshdr(scn, &sh) ||
		elf_getshdrstrndx(elf, &strings) != 0)
		return "";
	return elf_strptr(elf, strings, sh.sh_name);
}

static void
read_symbols(struct file *f)
{
	Elf_Scn *scn = NULL;
	GElf_Shdr sh = { 0 };
	Elf_Data *data;

	while ((scn = elf_nextscn(f->elf, scn)))
		if (gelf_getshdr(scn, &sh) && sh.sh_type == SHT_SYMTAB)
			break;
	data = scn ? elf_getdata(scn, NULL) : NULL;
	if (!data)
		die("no symbols in", f->path);
	f->syms = mdb_xarray(sh.sh_size / sh.sh_entsize, sizeof(*f->syms));
	for (size_t i = 0; i < sh.sh_size / sh.sh_entsize; i++) {
		int type;
		GElf_Sym s;

		if (!gelf_getsym(data, (int)i, &s) || s.st_shndx == SHN_UNDEF)
			continue;
		type = GELF_ST_TYPE(s.st_info);
		if (type != STT_FUNC && type != STT_OBJECT &&
			type != STT_NOTYPE)
			continue;
		f->syms[f->nr++] = (struct sym){
			.name = elf_strptr(f->elf, sh.sh_link, s.st_name),
			.value = s.st_value,
			.size = s.st_size,
			.section = section_name(f->elf, s.st_shndx),
			.func = type == STT_FUNC,
			.local = GELF_ST_BIND(s.st_info) == STB_LOCAL,
		};
	}
	qsort(f->syms, f->nr, sizeof(*f->syms), by_name);
	for (size_t i = 0; i < f->nr; i++)
		f->syms[i].unique =
			(i == 0 || strcmp(f->syms[i - 1].name,
					   f->syms[i].name) != 0) &&
			(i + 1 == f->nr || strcmp(f->syms[i + 1].name,
						   f->syms[i].name) != 0);
}

static void
open_file(struct mdb_ctx *cx, struct file *f)
{
	int fd = open(f->path, O_RDONLY | O_CLOEXEC);

	f->elf = fd < 0 ? NULL : elf_begin(fd, ELF_C_READ_MMAP, NULL);
	if (!f->elf || elf_kind(f->elf) != ELF_K_ELF)
		die("cannot read", f->path);
	if (mdb_build_id_of_file(cx, f->path, f->build_id) != MDB_OK)
		die("no build-id in", f->path);
	read_symbols(f);
}

static const struct sym *
find(const struct file *f, const char *name)
{
	struct sym key = { .name = name };
	size_t lo = 0, hi = f->nr;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (by_name(&f->syms[mid], &key) < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo < f->nr && !strcmp(f->syms[lo].name, name) ? &f->syms[lo]
							     : NULL;
}

static uint64_t
value_of(const struct file *f, const char *name)
{
	const struct sym *s = find(f, name);

	if (!s)
		die("no symbol", name);
	return s->value;
}

/* ---- which symbols ------------------------------------------------------- */

static bool
begins(const char *s, const char *with)
{
	return strncmp(s, with, strlen(with)) == 0;
}

/* What a compiler or a macro made up, and what is gone after boot. */
static bool
is_wanted(const struct sym *s)
{
	return !s->func && s->unique && s->name[0] && !strchr(s->name, '.') &&
	       !begins(s->section, ".init") && !begins(s->section, ".text") &&
	       begins(s->section, ".") && !begins(s->section, ".note") &&
	       (s->size || !s->local) && !begins(s->name, "__func__") &&
	       !begins(s->name, "__setup_") && !begins(s->name, "__initcall");
}

static bool
is_function(const struct sym *s)
{
	return s->func && s->unique && s->size && !strchr(s->name, '.') &&
	       begins(s->section, ".text");
}

static void
choose(struct pack *p)
{
	p->data = mdb_xarray(p->first->nr, sizeof(*p->data));
	p->functions = mdb_xarray(p->first->nr, sizeof(*p->functions));
	p->nr_function_refs =
		mdb_xarray(p->first->nr, sizeof(*p->nr_function_refs));
	for (size_t i = 0; i < p->first->nr; i++) {
		struct sym *s = &p->first->syms[i];

		if (is_wanted(s))
			p->data[p->nr_data++] = s;
		if (is_function(s))
			p->functions[p->nr_functions++] = s;
	}
	qsort(p->data, p->nr_data, sizeof(*p->data), by_value);
	qsort(p->functions, p->nr_functions, sizeof(*p->functions), by_value);
}

/* ---- references ---------------------------------------------------------- */

static const uint8_t *
bytes_at(Elf *elf, uint64_t addr, uint64_t len)
{
	Elf_Scn *scn = NULL;
	GElf_Shdr sh;

	while ((scn = elf_nextscn(elf, scn))) {
		Elf_Data *d;

		if (!gelf_getshdr(scn, &sh) || !(sh.sh_flags & SHF_ALLOC) ||
			sh.sh_type == SHT_NOBITS || addr < sh.sh_addr ||
			addr - sh.sh_addr > sh.sh_size ||
			len > sh.sh_size - (addr - sh.sh_addr))
			continue;
		d = elf_getdata(scn, NULL);
		return d ? (const uint8_t *)d->d_buf + (addr - sh.sh_addr)
			 : NULL;
	}
	return NULL;
}

/* The symbol that holds addr; those without a size hold their first byte. */
static size_t
symbol_at(const struct pack *p, uint64_t addr)
{
	size_t lo = 0, hi = p->nr_data;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (p->data[mid]->value <= addr)
			lo = mid + 1;
		else
			hi = mid;
	}
	while (lo-- > 0) {
		const struct sym *s = p->data[lo];

		if (addr == s->value || addr - s->value < s->size)
			return lo;
		if (addr - s->value > 1 << 20)
			break;
	}
	return SIZE_MAX;
}

static void
collect_refs(struct pack *p)
{
	static uint64_t targets[MAX_FUNCTION_REFS];
	size_t cap = 0;

	for (size_t i = 0; i < p->nr_functions; i++) {
		const struct sym *f = p->functions[i];
		const uint8_t *code =
			bytes_at(p->first->elf, f->value, f->size);
		size_t nr = code ? mdb_coderef_list(code, f->size, f->value,
					   targets, MAX_FUNCTION_REFS)
				 : 0;

		if (nr > MAX_FUNCTION_REFS)
			nr = 0;
		p->nr_function_refs[i] = (uint32_t)nr;
		for (size_t j = 0; j < nr; j++) {
			size_t s = symbol_at(p, targets[j]);

			if (s == SIZE_MAX)
				continue;
			if (p->nr_refs == cap) {
				cap = cap ? 2 * cap : 4096;
				p->refs = mdb_xrealloc(p->refs, cap,
					sizeof(*p->refs));
			}
			p->refs[p->nr_refs++] = (struct ref){ (uint32_t)i,
				(uint32_t)j, (uint32_t)s,
				(int32_t)(targets[j] - p->data[s]->value) };
		}
	}
}

static const struct pack *sorting;

/* By symbol; then the functions that have few references, as they change
 * least. */
static int
by_symbol(const void *a, const void *b)
{
	const struct ref *x = a, *y = b;
	uint32_t nx = sorting->nr_function_refs[x->function],
		 ny = sorting->nr_function_refs[y->function];

	if (x->sym != y->sym)
		return x->sym < y->sym ? -1 : 1;
	if (nx != ny)
		return nx < ny ? -1 : 1;
	if (x->function != y->function)
		return x->function < y->function ? -1 : 1;
	return x->ordinal < y->ordinal ? -1 : x->ordinal > y->ordinal;
}

/* Of each symbol some, each of another function if there are so many. */
static void
thin_refs(struct pack *p)
{
	size_t out = 0;

	sorting = p;
	qsort(p->refs, p->nr_refs, sizeof(*p->refs), by_symbol);
	for (size_t i = 0, end; i < p->nr_refs; i = end) {
		uint32_t last = UINT32_MAX;
		size_t kept = 0;

		for (end = i;
			end < p->nr_refs && p->refs[end].sym == p->refs[i].sym;
			end++)
			;
		for (size_t j = i; j < end && kept < MAX_REFS_KEPT; j++) {
			if (p->refs[j].function == last)
				continue;
			last = p->refs[j].function;
			p->refs[out++] = p->refs[j];
			kept++;
		}
	}
	p->nr_refs = out;
}

/* ---- writing ------------------------------------------------------------- */

static void
put(struct mdb_buf *b, uint64_t v, size_t size)
{
	for (size_t i = 0; i < size; i++)
		mdb_buf_putc(b, (char)(v >> 8 * i));
}

static uint32_t
string(struct mdb_buf *strings, const char *s)
{
	uint32_t at = (uint32_t)strings->len;

	mdb_buf_add(strings, s, strlen(s) + 1);
	return at;
}

static uint32_t
value_in(const struct pack *p, const struct file *f, const struct sym *s)
{
	const struct sym *there = f == p->first ? s : find(f, s->name);

	if (!there || there->func || (f != p->first && !there->unique) ||
		there->size != s->size || there->value < p->base ||
		there->value - p->base >= NO_VALUE)
		return NO_VALUE;
	return (uint32_t)(there->value - p->base);
}

static bool
is_percpu(const struct pack *p, const struct sym *s)
{
	return s->value >= p->percpu_start && s->value < p->percpu_end;
}

/* Functions that references name get numbers in the order of first use. */
static uint32_t *
number_functions(const struct pack *p, uint32_t *nr_out)
{
	uint32_t *numbers = mdb_xarray(p->nr_functions, sizeof(*numbers));

	*nr_out = 0;
	for (size_t i = 0; i < p->nr_refs; i++)
		numbers[p->refs[i].function] = 1;
	for (size_t i = 0; i < p->nr_functions; i++)
		if (numbers[i])
			numbers[i] = ++*nr_out;
	return numbers;
}

static void
write_columns(const struct pack *p, const struct file *files, size_t nr_files,
	struct mdb_buf *out, struct mdb_buf *strings)
{
	uint32_t nr, *numbers = number_functions(p, &nr);
	size_t r = 0;

	for (size_t i = 0; i < p->nr_data; i++)
		put(out, string(strings, p->data[i]->name), 4);
	for (size_t i = 0; i < p->nr_data; i++)
		put(out, p->data[i]->size, 4);
	for (size_t i = 0; i < p->nr_data; i++)
		put(out,
			(is_percpu(p, p->data[i]) ? MDB_PACK_SYM_PERCPU : 0) |
				(p->data[i]->local ? MDB_PACK_SYM_LOCAL : 0),
			1);
	for (size_t i = 0; i < p->nr_data; i++) {
		size_t first = r;

		while (r < p->nr_refs && p->refs[r].sym == i)
			r++;
		put(out, r - first, 1);
	}
	for (size_t f = 0; f < nr_files; f++)
		for (size_t i = 0; i < p->nr_data; i++)
			put(out, value_in(p, &files[f], p->data[i]), 4);
	for (r = 0; r < p->nr_refs; r++)
		put(out, numbers[p->refs[r].function] - 1, 2);
	for (r = 0; r < p->nr_refs; r++)
		put(out, p->refs[r].ordinal, 2);
	for (r = 0; r < p->nr_refs; r++)
		put(out, (uint32_t)p->refs[r].addend, 4);
	for (size_t i = 0; i < p->nr_functions; i++)
		if (numbers[i])
			put(out, string(strings, p->functions[i]->name), 4);
	for (size_t i = 0; i < p->nr_functions; i++)
		if (numbers[i])
			put(out, p->nr_function_refs[i], 2);
	free(numbers);
}

static void
write_types(struct mdb_ctx *cx, const struct pack *p, struct mdb_buf *btf)
{
	struct mdb_types *types;
	struct mdb_type_desc d;
	struct btfwrite *w;

	if (mdb_dwarf_create(cx, p->first->path, 8, &types) != MDB_OK)
		die("no DWARF in", p->first->path);
	w = btfwrite_create(types);
	for (size_t i = 0; i < sizeof(wanted_types) / sizeof(wanted_types[0]);
		i++) {
		uint32_t id =
			types->ops->find(types, MDB_T_STRUCT, wanted_types[i]);

		if (!id)
			id = types->ops->find(types, MDB_T_TYPEDEF,
				wanted_types[i]);
		if (!id)
			id = types->ops->find(types, MDB_T_ENUM,
				wanted_types[i]);
		if (!id)
			id = types->ops->find(types, MDB_T_UNION,
				wanted_types[i]);
		if (id)
			btfwrite_type(w, id);
	}
	for (size_t i = 0; i < p->nr_data; i++) {
		uint32_t id = types->ops->of_var(types, p->data[i]->name);

		types->ops->get(types, id, &d);
		if (id && d.kind != MDB_T_FUNC)
			btfwrite_var(w, p->data[i]->name, id);
	}
	btfwrite_finish(w, btf);
	btfwrite_destroy(w);
	mdb_types_destroy(types);
}

static void
write_payload(struct mdb_ctx *cx, const struct pack *p,
	const struct file *files, size_t nr_files, struct mdb_buf *out)
{
	struct mdb_buf btf, columns, strings;
	uint32_t nr_functions;

	mdb_buf_init(&btf);
	mdb_buf_init(&columns);
	mdb_buf_init(&strings);
	write_types(cx, p, &btf);
	write_columns(p, files, nr_files, &columns, &strings);
	free(number_functions(p, &nr_functions));
	put(out, btf.len, 4);
	put(out, p->nr_data, 4);
	put(out, nr_files, 4);
	put(out, p->nr_refs, 4);
	put(out, nr_functions, 4);
	put(out, strings.len, 4);
	mdb_buf_add(out, btf.data, btf.len);
	mdb_buf_add(out, columns.data, columns.len);
	mdb_buf_add(out, strings.data, strings.len);
	fprintf(stderr,
		"mkpack: %zu bytes of BTF, %zu symbols, %zu references, %u "
		"functions\n",
		btf.len, p->nr_data, p->nr_refs, nr_functions);
	mdb_buf_fini(&btf);
	mdb_buf_fini(&columns);
	mdb_buf_fini(&strings);
}

static void
write_pack(const char *path, const struct mdb_buf *text,
	const struct mdb_buf *payload)
{
	size_t bound = ZSTD_compressBound(payload->len), len;
	void *frame = mdb_xalloc(bound);
	struct mdb_buf head;
	FILE *out;

	len = ZSTD_compress(frame, bound, payload->data, payload->len,
		ZSTD_maxCLevel());
	if (ZSTD_isError(len))
		die("cannot compress", path);
	mdb_buf_init(&head);
	mdb_buf_puts(&head, "MDBXPACK");
	put(&head, 2, 4);
	put(&head, text->len, 4);
	put(&head, len, 4);
	put(&head, payload->len, 4);
	out = fopen(path, "wb");
	if (!out || fwrite(head.data, 1, head.len, out) != head.len ||
		fwrite(text->data, 1, text->len, out) != text->len ||
		fwrite(frame, 1, len, out) != len || fclose(out) != 0)
		die("cannot write", path);
	fprintf(stderr, "mkpack: %s: %zu bytes\n", path,
		head.len + text->len + len);
	mdb_buf_fini(&head);
	free(frame);
}

static size_t
take_files(struct mdb_ctx *cx, int argc, char **argv, struct file *files)
{
	size_t nr = 1;

	files[0] = (struct file){ .path = argv[6],
		.label = argv[5],
		.exact = true };
	for (int i = 7; i + 2 < argc && nr < MDB_PACK_MAX_BUILDS; i += 3)
		files[nr++] = (struct file){ .exact = !strcmp(argv[i], "exact"),
			.label = argv[i + 1],
			.path = argv[i + 2] };
	for (size_t i = 0; i < nr; i++)
		open_file(cx, &files[i]);
	return nr;
}

int
main(int argc, char **argv)
{
	static struct file files[MDB_PACK_MAX_BUILDS];
	struct pack p = { .first = files, .base = 0xffff82d040000000 };
	struct mdb_buf text, payload;
	struct mdb_ctx cx;
	size_t nr;

	if (argc < 7 || (argc - 7) % 3 != 0)
		die("usage: mkpack OUT NAME SERIES FLAVOUR SOURCE XEN-SYMS",
			"[exact|symbols NAME FILE]...");
	(void)elf_version(EV_CURRENT);
	mdb_ctx_init(&cx);
	nr = take_files(&cx, argc, argv, files);
	p.percpu_start = value_of(files, "__per_cpu_start");
	p.percpu_end = value_of(files, "__per_cpu_data_end");
	choose(&p);
	collect_refs(&p);
	thin_refs(&p);
	mdb_buf_init(&text);
	mdb_buf_init(&payload);
	mdb_buf_printf(&text,
		"name %s\nseries %s\nflavour %s\nsource %s\nbase %llx\n",
		argv[2], argv[3], argv[4], argv[5], (unsigned long long)p.base);
	for (size_t i = 0; i < nr; i++)
		mdb_buf_printf(&text, "build %s %s %s\n", files[i].build_id,
			files[i].exact ? "exact" : "symbols", files[i].label);
	write_payload(&cx, &p, files, nr, &payload);
	write_pack(argv[1], &text, &payload);
	mdb_buf_fini(&text);
	mdb_buf_fini(&payload);
	mdb_ctx_fini(&cx);
	return 0;
}
