/* SPDX-License-Identifier: MIT */
/*
 * goldcloth: the machine of the reference session, panicked.
 *
 *   goldcloth [-c CONTENT] [-j N] [-t MS] DEVICE
 *                              its dump, by the real writer, on a labelled
 *                              device or file; -r: on a new file, unlabelled
 *   goldcloth --elf FILE       its memory and processors as an ELF core
 *   goldcloth --symbols DIR    each object's symbols as `nm -S` prints them
 *   goldcloth --trace [CPU]    the panicking processor's stack, or another's
 *   goldcloth --console        what the console says
 *
 * CONTENT is hypervisor, kernel (the default), dom0 or all; -j helping
 * processors; -t a limit in milliseconds.
 */
#include "dump.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The letter of nm, as far as ELF's type tells it. */
static char
letter(const struct gold_object *o, const struct gold_symbol *s)
{
	bool is_text = s->value >= o->base && s->value < o->end;

	return (char)((is_text ? 'T' : 'D') + (s->bind == 0 ? 'a' - 'A' : 0));
}

static bool
write_symbols(const struct gold_object *o, const char *dir)
{
	char path[4096];
	FILE *f;

	if (snprintf(path, sizeof(path), "%s/%s.txt", dir, o->name) >=
		(int)sizeof(path))
		return false;
	f = fopen(path, "w");
	if (!f)
		return false;
	for (size_t i = 0; i < o->nr_symbols; i++) {
		const struct gold_symbol *s = &o->symbols[i];

		(void)fprintf(f, "%08x %08x %c %s\n", s->value, s->size,
			letter(o, s), s->name);
	}
	return fclose(f) == 0;
}

static bool
write_all_symbols(const struct gold_machine *m, const char *dir)
{
	size_t nr;
	const struct gold_world *w = gold_worlds(m, &nr);

	for (size_t i = 0; i < nr; i++)
		for (size_t k = 0; k < w[i].nr_objects; k++)
			if (!write_symbols(&w[i].objects[k], dir))
				return false;
	return true;
}

static void
print_frame(const struct gold_frame *f)
{
	if (f->is_trap)
		(void)printf("trap %x error %x\n", f->trap_vector,
			f->trap_error);
	if (f->symbol)
		(void)printf("%08x %s`%s+0x%x\n", f->fp, f->object->name,
			f->symbol->name, f->pc - f->symbol->value);
	else
		(void)printf("%08x 0x%x\n", f->fp, f->pc);
}

static void
print_trace(const struct gold_machine *m, uint32_t id)
{
	struct gold_frame frames[64];
	size_t nr;
	const struct gold_cpu *cpus = gold_cpus(m, &nr);

	if (id >= nr)
		return;
	nr = gold_trace(m, &cpus[id], frames,
		sizeof(frames) / sizeof(frames[0]));
	for (size_t i = 0; i < nr; i++)
		print_frame(&frames[i]);
}

/* ---- the dump ---------------------------------------------------------- */

static const struct {
	const char *name;
	uint32_t mask;
} contents[] = {
	{ "kernel", GOLD_CONTENT_KERNEL },
	{ "hypervisor", GOLD_CONTENT_HYPERVISOR },
	{ "dom0", GOLD_CONTENT_DOM0 },
	{ "all", GOLD_CONTENT_ALL },
};

static const char *
content_name(uint32_t mask)
{
	for (size_t i = 0; i < sizeof(contents) / sizeof(contents[0]); i++)
		if (contents[i].mask == mask)
			return contents[i].name;
	return "?";
}

/* 0: there is none of that name. */
static uint32_t
content_mask(const char *name)
{
	for (size_t i = 0; i < sizeof(contents) / sizeof(contents[0]); i++)
		if (strcmp(contents[i].name, name) == 0)
			return contents[i].mask;
	return 0;
}

/* What the hypervisor's console says at the end. */
static int
report(const struct gold_dump *d, const struct dfmt_writer_result *r)
{
	uint64_t nr = r->nr_data + r->nr_fill + r->nr_repeat;
	double ratio =
		r->stored_len ? (double)r->raw_len / (double)r->stored_len : 0;

	if (r->status >= DFMT_W_CONFIG) {
		(void)printf("dumping to %s: not done: %s\n", d->path, r->why);
		return 3;
	}
	(void)printf("dumping to %s, offset %llu, content: %s\n", d->path,
		(unsigned long long)r->dump_start, content_name(d->content));
	if (r->status == DFMT_W_COMPLETE) {
		(void)printf(
			"100%% done: %llu pages dumped, compression ratio %.2f, "
			"dump succeeded\n",
			(unsigned long long)nr, ratio);
		return 0;
	}
	(void)printf(
		"%llu pages dumped, compression ratio %.2f, dump ended: %s\n",
		(unsigned long long)nr, ratio, r->why);
	return 3;
}

static int
panic(const struct gold_machine *m, const struct gold_dump *d)
{
	struct dfmt_writer_result r;
	const char *text = strstr(gold_console(m), "panic[");

	(void)fputs(text ? text : gold_console(m), stdout);
	(void)fflush(stdout);
	if (!gold_dump_write(m, d, &r))
		return 1;
	return report(d, &r);
}

/* 2: not understood. */
static int
dump(const struct gold_machine *m, int argc, char **argv)
{
	struct gold_dump d = { .content = GOLD_CONTENT_KERNEL };
	int c;

	while ((c = getopt(argc, argv, "c:j:rt:")) != -1) {
		if (c == 'c')
			d.content = content_mask(optarg);
		else if (c == 'j')
			d.nr_helpers = (uint32_t)strtoul(optarg, NULL, 10);
		else if (c == 't')
			d.time_limit_ms = strtoul(optarg, NULL, 10);
		else if (c == 'r')
			d.is_file = true;
		else
			return 2;
	}
	if (optind + 1 != argc || !d.content)
		return 2;
	d.path = argv[optind];
	return panic(m, &d);
}

/* ------------------------------------------------------------------------ */

/* 0 done, 1 failed, 2 not understood, 3 the dump is not whole. */
static int
run(const struct gold_machine *m, int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";

	if (argc == 3 && strcmp(what, "--elf") == 0)
		return gold_write_core(m, argv[2]) ? 0 : 1;
	if (argc == 3 && strcmp(what, "--symbols") == 0)
		return write_all_symbols(m, argv[2]) ? 0 : 1;
	if (strncmp(what, "--", 2) != 0)
		return dump(m, argc, argv);
	if (argc <= 3 && strcmp(what, "--trace") == 0)
		print_trace(m, argc == 3 ? (uint32_t)strtoul(argv[2], NULL, 10)
					 : gold_panic_cpu(m));
	else if (argc == 2 && strcmp(what, "--console") == 0)
		(void)fputs(gold_console(m), stdout);
	else
		return 2;
	return 0;
}

int
main(int argc, char **argv)
{
	struct gold_machine *m = gold_create();
	int status = run(m, argc, argv);

	gold_destroy(m);
	if (status == 1)
		perror(argv[argc - 1]);
	if (status == 2)
		(void)fprintf(stderr,
			"usage: goldcloth [-r] [-c hypervisor|kernel|"
			"dom0|all] [-j N] [-t MS] DEVICE\n"
			"       goldcloth --elf FILE | --symbols DIR | "
			"--trace [CPU] | --console\n");
	return status;
}
