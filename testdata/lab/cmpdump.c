/* SPDX-License-Identifier: MIT */
/*
 * Compare the forms that one dump was written in, through dumpfmt.
 *
 *	cmpdump [-n] REFERENCE FORM...		(a FORM may be a+b+c: parts)
 *	cmpdump -a REFERENCE FORM...		frames alone; names all that differ
 *	cmpdump -r REFERENCE FORM...		the same; a form is a raw image
 *
 * Every frame of the reference is read from each form: equal, or excluded
 * there by choice; anything else is a difference.  The notes must agree: what
 * is read out of them, and with -n each byte of each note.
 * One line per form: "FORM: same N excluded N bad N", exit 1 if any is bad.
 */

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dfmt-reader.h"

#define MAX_PARTS 16
#define MAX_NAMED 3

struct tally {
	unsigned long same, excluded, bad;
};

static struct dfmt *
open_form(const char *form, bool raw)
{
	const struct dfmt_options opt = { .raw = raw };
	char *names = strdup(form), *save = NULL;
	const char *parts[MAX_PARTS];
	struct dfmt *dump = NULL;
	struct dfmt_err err;
	size_t n = 0;

	for (char *p = strtok_r(names, "+", &save); p && n < MAX_PARTS;
		p = strtok_r(NULL, "+", &save))
		parts[n++] = p;
	if (dfmt_open(parts, n, &opt, &dump, &err) != DFMT_OK)
		(void)fprintf(stderr, "%s: %s: %s %s\n", form,
			dfmt_status_name(err.status), err.what, err.detail);
	free(names);
	return dump;
}

static void
compare_frame(const struct dfmt *ref, const struct dfmt *form, uint64_t addr,
	unsigned long most, struct tally *t)
{
	unsigned char a[DFMT_PAGE_SIZE], b[DFMT_PAGE_SIZE];
	enum dfmt_status st;
	struct dfmt_err err;

	if (dfmt_read(ref, addr, a, sizeof a, &err) != DFMT_OK)
		return;
	st = dfmt_read(form, addr, b, sizeof b, &err);
	if (st == DFMT_E_EXCLUDED) {
		t->excluded++;
	} else if (st == DFMT_OK && memcmp(a, b, sizeof a) == 0) {
		t->same++;
	} else if (t->bad++ < most) {
		(void)fprintf(stderr, "%#lx: %s\n", (unsigned long)addr,
			st == DFMT_OK ? "differs" : dfmt_status_name(st));
	}
}

static void
compare_notes(const struct dfmt *ref, const struct dfmt *form, struct tally *t)
{
	size_t la = 0, lb = 0;
	const char *a = dfmt_vmcoreinfo(ref, &la);
	const char *b = dfmt_vmcoreinfo(form, &lb);

	if (la != lb || (a && memcmp(a, b, la) != 0))
		t->bad++, (void)fprintf(stderr, "vmcoreinfo differs\n");
	if (dfmt_nr_cpus(ref) != dfmt_nr_cpus(form)) {
		t->bad++, (void)fprintf(stderr, "CPUs differ\n");
		return;
	}
	for (size_t i = 0; i < dfmt_nr_cpus(ref); i++) {
		struct dfmt_cpu x = dfmt_cpu_at(ref, i);
		struct dfmt_cpu y = dfmt_cpu_at(form, i);

		if (x.rip != y.rip || x.rsp != y.rsp || x.pid != y.pid)
			t->bad++, (void)fprintf(stderr, "CPU %zu differs\n", i);
	}
}

static void
compare_each_note(const struct dfmt *ref, const struct dfmt *form,
	struct tally *t)
{
	size_t nr = dfmt_nr_notes(ref);

	if (nr != dfmt_nr_notes(form)) {
		t->bad++, (void)fprintf(stderr, "number of notes differs\n");
		return;
	}
	for (size_t i = 0; i < nr; i++) {
		struct dfmt_note a = dfmt_note_at(ref, i);
		struct dfmt_note b = dfmt_note_at(form, i);

		if (strcmp(a.name, b.name) != 0 || a.type != b.type ||
			a.desc_len != b.desc_len ||
			memcmp(a.desc, b.desc, a.desc_len) != 0)
			t->bad++,
				(void)fprintf(stderr, "note %zu differs\n", i);
	}
}

int
main(int argc, char **argv)
{
	bool each = argc > 1 && strcmp(argv[1], "-n") == 0;
	bool raw = argc > 1 && strcmp(argv[1], "-r") == 0;
	bool frames = raw || (argc > 1 && strcmp(argv[1], "-a") == 0);
	unsigned long most = frames ? ULONG_MAX : MAX_NAMED;
	int first = each || frames ? 2 : 1;
	struct dfmt *ref = argc > first + 1 ? open_form(argv[first], false) : NULL;
	int rc = 0;

	if (!ref)
		return 2;
	for (int i = first + 1; i < argc; i++) {
		struct dfmt *form = open_form(argv[i], raw);
		uint64_t addr = 0, start, end;
		struct tally t = { 0 };

		while (form && dfmt_next_range(ref, addr, &start, &end, NULL) ==
				       DFMT_OK) {
			for (addr = start & -4096ull; addr < end; addr += 4096)
				compare_frame(ref, form, addr, most, &t);
		}
		if (form && each)
			compare_each_note(ref, form, &t);
		if (form && !frames)
			compare_notes(ref, form, &t);
		else if (!form)
			t.bad++;
		printf("%s: same %lu excluded %lu bad %lu\n", argv[i], t.same,
			t.excluded, t.bad);
		rc |= t.bad != 0;
		dfmt_close(form);
	}
	dfmt_close(ref);
	return rc;
}
