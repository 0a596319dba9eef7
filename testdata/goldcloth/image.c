/* SPDX-License-Identifier: MIT */
/*
 * An image of build.sh: its allocated sections as bytes at their addresses,
 * its symbols by object.  A section's name says whose it is: `unix.text`.
 */
#include "machine_impl.h"

#include <elf.h>
#include <stdlib.h>
#include <string.h>

struct image {
	const uint8_t *elf;
	const Elf32_Shdr *sections;
	size_t nr_sections;
	const char *names;
	const Elf32_Shdr *symtab;
};

static struct image
image_open(const struct gold_blob *elf)
{
	const Elf32_Ehdr *h = (const void *)elf->bytes;
	struct image im = { .elf = elf->bytes };

	if (elf->len < sizeof(*h) || memcmp(elf->bytes, ELFMAG, SELFMAG) != 0 ||
		h->e_shoff + h->e_shnum * sizeof(Elf32_Shdr) > elf->len)
		gold_die("not an image", "ELF");
	im.sections = (const void *)(elf->bytes + h->e_shoff);
	im.nr_sections = h->e_shnum;
	im.names =
		(const char *)elf->bytes + im.sections[h->e_shstrndx].sh_offset;
	for (size_t i = 0; i < im.nr_sections; i++)
		if (im.sections[i].sh_type == SHT_SYMTAB)
			im.symtab = &im.sections[i];
	if (!im.symtab)
		gold_die("not an image", "symbols");
	return im;
}

void
gold_load_image(struct gold_machine *m, const struct gold_blob *elf,
	gold_place_fn *place)
{
	struct image im = image_open(elf);

	for (size_t i = 0; i < im.nr_sections; i++) {
		const Elf32_Shdr *s = &im.sections[i];

		if (s->sh_flags & SHF_ALLOC && s->sh_type == SHT_PROGBITS)
			place(m, s->sh_addr, elf->bytes + s->sh_offset,
				s->sh_size, s->sh_flags & SHF_WRITE);
	}
}

static bool
is_inside(const struct gold_object *o, uint32_t value)
{
	return (value >= o->base && value < o->end) ||
	       (value >= o->data && value < o->data_end);
}

static bool
is_wanted(const struct image *im, const struct gold_object *o,
	const Elf32_Sym *s)
{
	unsigned int type = ELF32_ST_TYPE(s->st_info);
	const char *section;

	if (s->st_shndx == SHN_UNDEF || s->st_shndx >= im->nr_sections ||
		type == STT_FILE || type == STT_SECTION)
		return false;
	section = im->names + im->sections[s->st_shndx].sh_name;
	/* What came from the heap has no symbol in a running system. */
	if (strncmp(section, ".at.", 4) == 0 &&
		ELF32_ST_BIND(s->st_info) == STB_LOCAL)
		return false;
	return is_inside(o, s->st_value);
}

static int
by_value(const void *a, const void *b)
{
	const struct gold_symbol *x = a, *y = b;

	if (x->value != y->value)
		return x->value < y->value ? -1 : 1;
	return strcmp(x->name, y->name);
}

void
gold_load_symbols(struct gold_machine *m, const struct gold_blob *elf,
	struct gold_object *object)
{
	struct image im = image_open(elf);
	const Elf32_Sym *s = (const void *)(elf->bytes + im.symtab->sh_offset);
	size_t nr = im.symtab->sh_size / sizeof(*s);
	const char *names = (const char *)elf->bytes +
			    im.sections[im.symtab->sh_link].sh_offset;
	struct gold_symbol *symbols = gold_keep(m, nr * sizeof(*symbols));

	for (size_t i = 0; i < nr; i++)
		if (is_wanted(&im, object, &s[i]))
			symbols[object->nr_symbols++] = (struct gold_symbol){
				.name = names + s[i].st_name,
				.value = s[i].st_value,
				.size = s[i].st_size,
				.type = ELF32_ST_TYPE(s[i].st_info),
				.bind = ELF32_ST_BIND(s[i].st_info),
			};
	qsort(symbols, object->nr_symbols, sizeof(*symbols), by_value);
	object->symbols = symbols;
}
