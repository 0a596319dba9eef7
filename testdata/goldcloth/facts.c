/* SPDX-License-Identifier: MIT */
/*
 * What the dump says besides memory: processors, worlds, objects with symbols
 * and types, the panicking stack by name, versions read from the machine, and
 * which frames to write before all others.
 */
#include "dump.h"

#include <elf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_FRAMES 64
#define MAX_VERSIONS 12
#define MAX_FIRST 64
#define MAX_OBJECTS 40
#define TEXT_LEN 96
#define STACK_LEN 0x2000u
#define CRASH_TIME (1176230000u + 3619u)
/* The hypervisor maps the machine from 0 on there. */
#define XEN_WINDOW 0xff000000u
#define XEN_WINDOW_LEN 0xc00000u
#define XPV_WORLD 0u
#define UNIX_WORLD 1u

struct gold_facts {
	struct dfmt_writer_facts facts;
	struct dfmt_fmt_cpu cpus[GOLD_NR_CPUS];
	struct dfmt_fmt_world worlds[2];
	struct dfmt_fmt_object objects[MAX_OBJECTS];
	struct dfmt_wblob blobs[2 * MAX_OBJECTS + 2];
	struct dfmt_wframe frames[MAX_FRAMES];
	char frame_texts[MAX_FRAMES][TEXT_LEN];
	char versions[MAX_VERSIONS][TEXT_LEN];
	const char *version_list[MAX_VERSIONS];
	struct dfmt_wrun first[MAX_FIRST];
	void *owned[2 * MAX_OBJECTS];
	size_t nr_owned;
};

static void *
alloc(size_t len)
{
	void *p = calloc(1, len ? len : 1);

	if (!p) {
		perror("goldcloth");
		exit(1);
	}
	return p;
}

/* ---- processors and worlds --------------------------------------------- */

static void
fill_gp(struct dfmt_fmt_cpu *c, const struct gold_cpu *from)
{
	c->gp[DFMT_GP_RAX] = from->eax;
	c->gp[DFMT_GP_RBX] = from->ebx;
	c->gp[DFMT_GP_RCX] = from->ecx;
	c->gp[DFMT_GP_RDX] = from->edx;
	c->gp[DFMT_GP_RSI] = from->esi;
	c->gp[DFMT_GP_RDI] = from->edi;
	c->gp[DFMT_GP_RBP] = from->ebp;
	c->gp[DFMT_GP_RSP] = from->esp;
	c->gp[DFMT_GP_RIP] = from->eip;
	c->gp[DFMT_GP_RFLAGS] = from->eflags;
	c->gp[DFMT_GP_ORIG_RAX] = 0xffffffff;
}

static struct dfmt_fmt_cpu
cpu_record(const struct gold_cpu *from, bool panicked)
{
	struct dfmt_fmt_cpu c = {
		.id = from->id,
		.flags = DFMT_CPU_REGS | DFMT_CPU_CR | DFMT_CPU_VCPU |
			 DFMT_CPU_STACK | DFMT_CPU_TRAP |
			 (panicked ? DFMT_CPU_PANICKED : 0u),
		.world = XPV_WORLD,
		.cs = from->cs,
		.ss = from->ss,
		.ds = from->ds,
		.es = from->es,
		.fs = from->fs,
		.gs = from->gs,
		.cr0 = from->cr0,
		.cr2 = from->cr2,
		.cr3 = from->cr3,
		.cr4 = from->cr4,
		.current_vcpu = from->vcpu,
		.domain = (uint32_t)from->domain_id,
		.vcpu = (uint32_t)from->vcpu_id,
		.stack_first = from->esp & ~(STACK_LEN - 1),
		.stack_end = (from->esp & ~(STACK_LEN - 1)) + STACK_LEN,
	};

	fill_gp(&c, from);
	return c;
}

static void
fill_cpus(struct gold_facts *f, const struct gold_machine *m)
{
	size_t nr;
	const struct gold_cpu *cpus = gold_cpus(m, &nr);

	for (size_t i = 0; i < nr; i++)
		f->cpus[i] = cpu_record(&cpus[i], i == gold_panic_cpu(m));
	f->facts.cpus = f->cpus;
	f->facts.nr_cpus = nr;
	f->facts.panic_cpu = gold_panic_cpu(m);
	f->facts.panic_world = XPV_WORLD;
}

static void
fill_worlds(struct gold_facts *f, const struct gold_machine *m)
{
	static const char *const systems[] = { "xen", "illumos" };
	size_t nr;
	const struct gold_world *worlds = gold_worlds(m, &nr);

	for (uint32_t i = 0; i < nr && i < 2; i++) {
		struct dfmt_fmt_world *w = &f->worlds[i];

		w->index = i;
		w->kind = i == XPV_WORLD ? DFMT_WORLD_HYPERVISOR
					 : DFMT_WORLD_CONTROL;
		w->machine = EM_386;
		w->paging = DFMT_PAGING_PAE;
		w->root = worlds[i].cr3;
		w->first = worlds[i].start;
		w->last = worlds[i].last;
		w->domain = i == XPV_WORLD ? ~0u : 0;
		w->parent = i == XPV_WORLD ? ~0u : XPV_WORLD;
		(void)snprintf(w->system, sizeof(w->system), "%s", systems[i]);
		(void)snprintf(w->name, sizeof(w->name), "%s", worlds[i].name);
	}
	f->worlds[XPV_WORLD].window_start = XEN_WINDOW;
	f->worlds[XPV_WORLD].window_len = XEN_WINDOW_LEN;
	f->facts.worlds = f->worlds;
	f->facts.nr_worlds = nr;
}

/* ---- objects ----------------------------------------------------------- */

static void
add_blob(struct gold_facts *f, uint32_t object, uint32_t kind, const void *data,
	size_t len)
{
	f->blobs[f->facts.nr_blobs++] = (struct dfmt_wblob){
		.object = object,
		.kind = kind,
		.data = data,
		.len = len,
	};
}

/* The symbols as ELF64's, their names behind one another. */
static void
add_symbols(struct gold_facts *f, uint32_t index, const struct gold_object *o)
{
	Elf64_Sym *symbols = alloc(o->nr_symbols * sizeof(*symbols));
	size_t len = 1, at = 1;
	char *names;

	for (size_t i = 0; i < o->nr_symbols; i++)
		len += strlen(o->symbols[i].name) + 1;
	names = alloc(len);
	for (size_t i = 0; i < o->nr_symbols; i++) {
		const struct gold_symbol *s = &o->symbols[i];

		symbols[i] = (Elf64_Sym){
			.st_name = (Elf64_Word)at,
			.st_info = ELF64_ST_INFO(s->bind, s->type),
			.st_shndx = SHN_ABS,
			.st_value = s->value,
			.st_size = s->size,
		};
		memcpy(names + at, s->name, strlen(s->name));
		at += strlen(s->name) + 1;
	}
	f->owned[f->nr_owned++] = symbols;
	f->owned[f->nr_owned++] = names;
	add_blob(f, index, DFMT_BLOB_SYMTAB, symbols,
		o->nr_symbols * sizeof(*symbols));
	add_blob(f, index, DFMT_BLOB_STRTAB, names, len);
}

static void
add_object(struct gold_facts *f, uint32_t world, const struct gold_object *o)
{
	uint32_t index = (uint32_t)f->facts.nr_objects++;
	struct dfmt_fmt_object *to = &f->objects[index];

	to->index = index;
	to->world = world;
	to->base = o->base;
	to->end = o->end;
	to->data_base = o->data;
	to->data_end = o->data_end;
	(void)snprintf(to->name, sizeof(to->name), "%s", o->name);
	add_symbols(f, index, o);
}

/* The types of a world belong to the first of its objects. */
static void
fill_objects(struct gold_facts *f, const struct gold_machine *m)
{
	size_t nr;
	const struct gold_world *w = gold_worlds(m, &nr);

	for (uint32_t i = 0; i < nr; i++) {
		uint32_t first = (uint32_t)f->facts.nr_objects;

		for (size_t k = 0; k < w[i].nr_objects; k++)
			if (f->facts.nr_objects < MAX_OBJECTS)
				add_object(f, i, &w[i].objects[k]);
		add_blob(f, first, DFMT_BLOB_BTF, w[i].btf, w[i].btf_len);
	}
	f->facts.objects = f->objects;
	f->facts.blobs = f->blobs;
}

/* ---- the stack --------------------------------------------------------- */

/* "xpv`panic+0x33()"; a trap's own line tells what was interrupted. */
static void
frame_text(char *text, const struct gold_frame *from)
{
	char trap[32] = "";

	if (from->is_trap)
		(void)snprintf(trap, sizeof(trap),
			"trap %#x error %#x: ", from->trap_vector,
			from->trap_error);
	if (from->symbol)
		(void)snprintf(text, TEXT_LEN, "%s%s`%s+%#x()", trap,
			from->object->name, from->symbol->name,
			from->pc - from->symbol->value);
	else
		(void)snprintf(text, TEXT_LEN, "%s%#x()", trap, from->pc);
}

static uint32_t
world_of(const struct gold_machine *m, uint32_t addr)
{
	size_t nr;
	const struct gold_world *w = gold_worlds(m, &nr);

	return addr >= w[XPV_WORLD].start ? XPV_WORLD : UNIX_WORLD;
}

static void
fill_frames(struct gold_facts *f, const struct gold_machine *m)
{
	struct gold_frame frames[MAX_FRAMES];
	size_t nr, nr_cpus;
	const struct gold_cpu *cpus = gold_cpus(m, &nr_cpus);

	nr = gold_trace(m, &cpus[gold_panic_cpu(m)], frames, MAX_FRAMES);
	for (size_t i = 0; i < nr; i++) {
		frame_text(f->frame_texts[i], &frames[i]);
		f->frames[i] = (struct dfmt_wframe){
			.fp = frames[i].fp,
			.pc = frames[i].pc,
			.world = world_of(m, frames[i].pc),
			.text = f->frame_texts[i],
		};
	}
	f->facts.frames = f->frames;
	f->facts.nr_frames_walked = nr;
}

/* ---- what is written first --------------------------------------------- */

static int
by_pfn(const void *a, const void *b)
{
	const struct dfmt_wrun *x = a, *y = b;

	return x->pfn < y->pfn ? -1 : x->pfn > y->pfn;
}

static void
add_frame(struct gold_facts *f, uint64_t pfn)
{
	for (size_t i = 0; i < f->facts.nr_first; i++)
		if (f->first[i].pfn == pfn)
			return;
	if (f->facts.nr_first < MAX_FIRST)
		f->first[f->facts.nr_first++] = (struct dfmt_wrun){ pfn, 1 };
}

/* A page, and the page tables without which nobody finds it. */
static void
add_first(struct gold_facts *f, const struct gold_machine *m, uint32_t cr3,
	uint32_t addr)
{
	uint64_t tables[3], paddr;
	size_t nr = gold_walk(m, cr3, addr, tables, &paddr);

	for (size_t i = 0; i < nr; i++)
		add_frame(f, tables[i]);
	if (nr)
		add_frame(f, paddr / GOLD_PAGE);
}

/* The pages in which each processor's frames lie, and its vcpu. */
static void
fill_first(struct gold_facts *f, const struct gold_machine *m)
{
	struct gold_frame frames[MAX_FRAMES];
	size_t nr_cpus;
	const struct gold_cpu *c = gold_cpus(m, &nr_cpus);

	for (size_t i = 0; i < nr_cpus; i++) {
		size_t nr = gold_trace(m, &c[i], frames, MAX_FRAMES);

		for (size_t k = 0; k < nr; k++)
			add_first(f, m, c[i].cr3, frames[k].fp);
		add_first(f, m, c[i].cr3, c[i].vcpu);
	}
	qsort(f->first, f->facts.nr_first, sizeof(f->first[0]), by_pfn);
	f->facts.first = f->first;
}

/* ---- versions ---------------------------------------------------------- */

/* The text in the machine's memory that a symbol of the world names. */
static void
add_version(struct gold_facts *f, const struct gold_machine *m, uint32_t world,
	const char *name, const char *symbol, uint32_t off)
{
	char value[64] = "";
	size_t nr;
	const struct gold_world *w = &gold_worlds(m, &nr)[world];
	const struct gold_symbol *s = gold_symbol_named(w, symbol);
	size_t i = f->facts.nr_versions;

	if (!s || i == MAX_VERSIONS ||
		!gold_read_virtual(m, w->cr3, s->value + off, value,
			sizeof(value) - 1))
		return;
	(void)snprintf(f->versions[i], TEXT_LEN, "%s=%s", name, value);
	f->version_list[i] = f->versions[i];
	f->facts.nr_versions++;
}

static void
fill_versions(struct gold_facts *f, const struct gold_machine *m)
{
	static const char *const names[] = { "sysname", "nodename", "release",
		"version", "machine" };

	add_version(f, m, XPV_WORLD, "xen", "xen_version", 0);
	add_version(f, m, XPV_WORLD, "xen-changeset", "xen_changeset", 0);
	add_version(f, m, XPV_WORLD, "xen-compiler", "xen_compiler", 0);
	add_version(f, m, XPV_WORLD, "xen-compile-date", "xen_compile_date", 0);
	for (uint32_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		add_version(f, m, UNIX_WORLD, names[i], "utsname", 257 * i);
	f->facts.versions = f->version_list;
}

/* ---- together ---------------------------------------------------------- */

static void
fill_machine(struct gold_facts *f, const struct gold_machine *m)
{
	size_t nr;
	const struct gold_range *r = gold_ranges(m, &nr);

	f->facts.machine = EM_386;
	f->facts.word_bits = 32;
	for (size_t i = 0; i < nr; i++) {
		f->facts.end_pfn = r[i].end_pfn;
		f->facts.nr_frames += r[i].end_pfn - r[i].start_pfn;
	}
	f->facts.time_sec = CRASH_TIME;
	f->facts.reason = gold_panic_message(m);
	f->facts.console = gold_console(m);
	f->facts.console_len = strlen(f->facts.console);
}

struct gold_facts *
gold_facts_create(const struct gold_machine *m)
{
	struct gold_facts *f = alloc(sizeof(*f));

	fill_machine(f, m);
	fill_cpus(f, m);
	fill_worlds(f, m);
	fill_objects(f, m);
	fill_frames(f, m);
	fill_versions(f, m);
	fill_first(f, m);
	return f;
}

void
gold_facts_destroy(struct gold_facts *f)
{
	if (!f)
		return;
	for (size_t i = 0; i < f->nr_owned; i++)
		free(f->owned[i]);
	free(f);
}

const struct dfmt_writer_facts *
gold_facts_get(const struct gold_facts *f)
{
	return &f->facts;
}
