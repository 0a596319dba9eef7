/* SPDX-License-Identifier: MIT */
/*
 * Symbol tables in the kernel's memory, as its linker left one for each module
 * and the panic one for the hypervisor: section headers of a table and of its
 * strings, both in one piece of the heap, pointed to by struct module.
 */
#include "machine_impl.h"

#include "image/module_layout.h"

#include <elf.h>
#include <stdlib.h>
#include <string.h>

#define HEAP 0xd1c00000u
#define MAX_MODULES 64
#define NAME_LEN 32u

/* Everything of one module, as it will lie at addr. */
struct piece {
	uint32_t addr;
	uint32_t nr_symbols; /* with the null one */
	uint32_t names_len;
	Elf32_Shdr headers[2];
	Elf32_Sym *symbols;
	char *names;
};

static uint32_t
word(const struct gold_machine *m, uint32_t addr)
{
	uint32_t v;

	if (!gold_read_virtual(m, m->worlds[1].cr3, addr, &v, sizeof(v)))
		gold_die("not mapped", "list of modules");
	return v;
}

static const struct gold_object *
object_named(const struct gold_machine *m, const char *name)
{
	for (size_t i = 0; i < 2; i++)
		for (size_t k = 0; k < m->worlds[i].nr_objects; k++)
			if (strcmp(m->worlds[i].objects[k].name, name) == 0)
				return &m->worlds[i].objects[k];
	gold_die("no object", name);
	return NULL;
}

static void
fill_symbols(struct piece *p, const struct gold_object *o)
{
	uint32_t at = 1;

	for (uint32_t i = 0; i < o->nr_symbols; i++) {
		const struct gold_symbol *s = &o->symbols[i];

		p->symbols[i + 1] = (Elf32_Sym){
			.st_name = at,
			.st_value = s->value,
			.st_size = s->size,
			.st_info = ELF32_ST_INFO(s->bind, s->type),
			.st_shndx = SHN_ABS,
		};
		memcpy(p->names + at, s->name, strlen(s->name));
		at += (uint32_t)strlen(s->name) + 1;
	}
}

static struct piece
piece_of(const struct gold_object *o, uint32_t addr)
{
	struct piece p = {
		.addr = addr,
		.nr_symbols = (uint32_t)o->nr_symbols + 1,
		.names_len = 1,
	};

	for (size_t i = 0; i < o->nr_symbols; i++)
		p.names_len += (uint32_t)strlen(o->symbols[i].name) + 1;
	p.symbols = gold_alloc(p.nr_symbols * sizeof(*p.symbols));
	p.names = gold_alloc(p.names_len);
	fill_symbols(&p, o);
	p.headers[0] = (Elf32_Shdr){
		.sh_type = SHT_SYMTAB,
		.sh_size = p.nr_symbols * (uint32_t)sizeof(*p.symbols),
		.sh_link = 1,
		.sh_addralign = 4,
		.sh_entsize = sizeof(*p.symbols),
	};
	p.headers[1] = (Elf32_Shdr){
		.sh_type = SHT_STRTAB,
		.sh_size = p.names_len,
		.sh_addralign = 1,
	};
	p.headers[0].sh_addr = addr + (uint32_t)sizeof(p.headers);
	p.headers[1].sh_addr = p.headers[0].sh_addr + p.headers[0].sh_size;
	return p;
}

static void
set(struct gold_machine *m, uint32_t addr, uint32_t value)
{
	gold_poke_virtual(m, m->worlds[1].cr3, addr, &value, sizeof(value));
}

/* Returns where the next piece may begin. */
static uint32_t
piece_write(struct gold_machine *m, const struct piece *p, uint32_t module)
{
	uint32_t cr3 = m->worlds[1].cr3;
	uint32_t symbols = p->headers[0].sh_addr, names = p->headers[1].sh_addr;
	uint32_t end = names + p->names_len;

	gold_map_kernel(m, p->addr, end);
	gold_poke_virtual(m, cr3, p->addr, p->headers, sizeof(p->headers));
	gold_poke_virtual(m, cr3, symbols, p->symbols, p->headers[0].sh_size);
	gold_poke_virtual(m, cr3, names, p->names, p->names_len);
	set(m, module + MODULE_SYMHDR, p->addr);
	set(m, module + MODULE_STRHDR, p->addr + (uint32_t)sizeof(Elf32_Shdr));
	set(m, module + MODULE_SYMSPACE, symbols);
	set(m, module + MODULE_SYMSIZE, end - symbols);
	set(m, module + MODULE_SYMTBL, symbols);
	set(m, module + MODULE_STRINGS, names);
	set(m, module + MODULE_NSYMS, p->nr_symbols);
	return (end + 63) & ~63u;
}

static uint32_t
add(struct gold_machine *m, uint32_t modctl, uint32_t addr)
{
	char name[NAME_LEN] = "";
	struct piece p;

	if (!gold_read_virtual(m, m->worlds[1].cr3,
		    word(m, modctl + MODCTL_MODNAME), name, sizeof(name) - 1))
		gold_die("not mapped", "name of a module");
	p = piece_of(object_named(m, name), addr);
	addr = piece_write(m, &p, word(m, modctl + MODCTL_MP));
	free(p.symbols);
	free(p.names);
	return addr;
}

void
gold_fill_symtabs(struct gold_machine *m)
{
	uint32_t list = gold_need(&m->worlds[1], "modules")->value;
	uint32_t modctl = list, addr = HEAP, nr = 0;

	do {
		addr = add(m, modctl, addr);
		modctl = word(m, modctl + MODCTL_NEXT);
		nr++;
	} while (modctl != list && nr < MAX_MODULES);
}
