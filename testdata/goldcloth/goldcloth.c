/* SPDX-License-Identifier: MIT */
/*
 * goldcloth: the machine of the reference session, panicked.
 *
 *   goldcloth --elf FILE       its memory and processors as an ELF core
 *   goldcloth --symbols DIR    each object's symbols as `nm -S` prints them
 *   goldcloth --trace          the panicking processor's stack
 *   goldcloth --console        what the console says
 */
#include "machine.h"

#include <stdio.h>
#include <string.h>

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

		fprintf(f, "%08x %08x %c %s\n", s->value, s->size, letter(o, s),
			s->name);
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
		printf("trap %x error %x\n", f->trap_vector, f->trap_error);
	if (f->symbol)
		printf("%08x %s`%s+0x%x\n", f->fp, f->object->name,
			f->symbol->name, f->pc - f->symbol->value);
	else
		printf("%08x 0x%x\n", f->fp, f->pc);
}

static void
print_trace(const struct gold_machine *m)
{
	struct gold_frame frames[64];
	size_t nr;
	const struct gold_cpu *cpu = &gold_cpus(m, &nr)[gold_panic_cpu(m)];

	nr = gold_trace(m, cpu, frames, sizeof(frames) / sizeof(frames[0]));
	for (size_t i = 0; i < nr; i++)
		print_frame(&frames[i]);
}

/* 0 done, 1 failed, 2 not understood. */
static int
run(const struct gold_machine *m, int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";

	if (argc == 3 && strcmp(what, "--elf") == 0)
		return gold_write_core(m, argv[2]) ? 0 : 1;
	if (argc == 3 && strcmp(what, "--symbols") == 0)
		return write_all_symbols(m, argv[2]) ? 0 : 1;
	if (argc == 2 && strcmp(what, "--trace") == 0)
		print_trace(m);
	else if (argc == 2 && strcmp(what, "--console") == 0)
		fputs(gold_console(m), stdout);
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
		perror(argv[2]);
	if (status == 2)
		fprintf(stderr, "usage: goldcloth --elf FILE | --symbols DIR "
				"| --trace | --console\n");
	return status;
}
