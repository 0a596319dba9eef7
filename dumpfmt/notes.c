/* SPDX-License-Identifier: MIT */
/*
 * ELF notes: header of three 32-bit words (namesz, descsz, type), then name
 * and desc, each padded to 4 bytes (System V gABI; the 64-bit files of Linux,
 * Xen and QEMU pad to 4 as well).  Knows which notes speak of CPUs; what is in
 * those is cpus.c's.
 *
 * The i-th QEMU note belongs to the i-th NT_PRSTATUS (QEMU writes all of the
 * one, then all of the other); a Xen register note belongs to the NT_PRSTATUS
 * before it.
 */
#include "dfmt-impl.h"

#include <stdlib.h>
#include <string.h>

#define NOTE_HEADER 12
#define NT_PRSTATUS 1
#define NT_QEMU_CPU 0
#define NT_XEN_REGS 0x1000002
#define MAX_NOTES 65536

/* Keeps a block of the file for the life of the dump. */
static enum dfmt_status
keep(struct dfmt_notes *notes, struct dfmt_source *src, uint64_t off,
	uint64_t len, uint8_t **block_out, struct dfmt_err *err)
{
	if (len > DFMT_NOTES_MAX_BYTES - notes->nr_bytes)
		return dfmt_fail(err, DFMT_E_MALFORMED, "notes: too long", off,
			DFMT_NONE);
	void **blocks = realloc(notes->blocks,
		(notes->nr_blocks + 1) * sizeof(*blocks));
	if (!blocks)
		return dfmt_fail(err, DFMT_E_NOMEM, "notes", off, DFMT_NONE);
	notes->blocks = blocks;
	/* One more, so that text in the block is always terminated. */
	uint8_t *block = malloc(len + 1);
	if (!block)
		return dfmt_fail(err, DFMT_E_NOMEM, "notes", off, DFMT_NONE);
	enum dfmt_status st = dfmt_source_read(src, off, block, len, err);
	if (st != DFMT_OK) {
		free(block);
		return st;
	}
	block[len] = 0;
	notes->blocks[notes->nr_blocks++] = block;
	notes->nr_bytes += len;
	*block_out = block;
	return DFMT_OK;
}

/* One note at p; 0 when there is no whole note there, else its length. */
static uint64_t
note_parse(const uint8_t *p, uint64_t len, struct dfmt_note *note_out)
{
	if (len < NOTE_HEADER)
		return 0;
	uint64_t name_len = dfmt_le32(p);
	uint64_t desc_len = dfmt_le32(p + 4);
	uint64_t desc_off = NOTE_HEADER + ((name_len + 3) & ~UINT64_C(3));

	/* The kernel ends a list with an empty header. */
	if (name_len == 0 || !dfmt_inside(desc_off, desc_len, len) ||
		p[NOTE_HEADER + name_len - 1] != 0)
		return 0;
	*note_out = (struct dfmt_note){
		.name = (const char *)p + NOTE_HEADER,
		.type = dfmt_le32(p + 8),
		.desc_len = (uint32_t)desc_len,
		.desc = p + desc_off,
	};
	return dfmt_min(desc_off + ((desc_len + 3) & ~UINT64_C(3)), len);
}

static bool
append(struct dfmt_notes *notes, const struct dfmt_note *note)
{
	/* Grows by doubling at each power of two. */
	if ((notes->nr_notes & (notes->nr_notes - 1)) == 0) {
		size_t room = notes->nr_notes ? 2 * notes->nr_notes : 1;
		void *grown = realloc(notes->notes, room * sizeof(*note));

		if (!grown)
			return false;
		notes->notes = grown;
	}
	notes->notes[notes->nr_notes++] = *note;
	return true;
}

static bool
all_zero(const uint8_t *p, uint64_t len)
{
	for (uint64_t i = 0; i < len; i++) {
		if (p[i])
			return false;
	}
	return true;
}

enum dfmt_status
dfmt_notes_add(struct dfmt_notes *notes, struct dfmt_source *src, uint64_t off,
	uint64_t len, struct dfmt_err *err)
{
	uint8_t *block;
	uint64_t at = 0;
	enum dfmt_status st = keep(notes, src, off, len, &block, err);

	if (st != DFMT_OK)
		return st;
	while (at < len && notes->nr_notes < MAX_NOTES) {
		struct dfmt_note note;
		uint64_t used = note_parse(block + at, len - at, &note);

		if (!used)
			break;
		if (!append(notes, &note))
			return dfmt_fail(err, DFMT_E_NOMEM, "notes", off,
				DFMT_NONE);
		at += used;
	}
	notes->cut = notes->cut || !all_zero(block + at, len - at);
	return DFMT_OK;
}

enum dfmt_status
dfmt_notes_add_vmcoreinfo(struct dfmt_notes *notes, struct dfmt_source *src,
	uint64_t off, uint64_t len, struct dfmt_err *err)
{
	uint8_t *block;
	enum dfmt_status st = keep(notes, src, off, len, &block, err);

	if (st != DFMT_OK)
		return st;
	notes->vmcoreinfo = (const char *)block;
	notes->vmcoreinfo_len = strnlen((const char *)block, len);
	return DFMT_OK;
}

/* ---- what they say ------------------------------------------------------ */

static struct dfmt_cpu *
cpu_append(struct dfmt_notes *notes)
{
	return &notes->cpus[notes->nr_cpus++];
}

static void
take_prstatus(struct dfmt_notes *notes)
{
	for (size_t i = 0; i < notes->nr_notes; i++) {
		const struct dfmt_note *n = &notes->notes[i];
		struct dfmt_cpu cpu;

		if (n->type == NT_XEN_REGS && !strcmp(n->name, "Xen") &&
			notes->nr_cpus)
			dfmt_cpu_add_xen(n->desc, n->desc_len,
				&notes->cpus[notes->nr_cpus - 1]);
		if (n->type != NT_PRSTATUS || strcmp(n->name, "CORE") != 0)
			continue;
		if (dfmt_cpu_from_prstatus(n->desc, n->desc_len, &cpu)) {
			*cpu_append(notes) = cpu;
			notes->machine = dfmt_cpu_machine(n->desc_len);
		}
	}
}

static void
take_qemu(struct dfmt_notes *notes)
{
	size_t nr_qemu = 0;

	for (size_t i = 0; i < notes->nr_notes; i++) {
		const struct dfmt_note *n = &notes->notes[i];
		struct dfmt_cpu cpu = { 0 };

		if (n->type != NT_QEMU_CPU || strcmp(n->name, "QEMU") != 0)
			continue;
		size_t k = nr_qemu++;
		if (k < notes->nr_cpus)
			dfmt_cpu_add_qemu(n->desc, n->desc_len,
				&notes->cpus[k]);
		else if (dfmt_cpu_add_qemu(n->desc, n->desc_len, &cpu))
			*cpu_append(notes) = cpu;
	}
}

/* A copy of a note's text, which need not be terminated in the file. */
static enum dfmt_status
take_text(struct dfmt_notes *notes, const struct dfmt_note *n,
	const char **text, size_t *len, struct dfmt_err *err)
{
	size_t room = strnlen(n->desc, n->desc_len);
	char *copy = strndup(n->desc, room);
	void **blocks = realloc(notes->blocks,
		(notes->nr_blocks + 1) * sizeof(*blocks));

	if (blocks)
		notes->blocks = blocks;
	if (!copy || !blocks) {
		free(copy);
		return dfmt_fail(err, DFMT_E_NOMEM, "VMCOREINFO", DFMT_NONE,
			DFMT_NONE);
	}
	blocks[notes->nr_blocks++] = copy;
	*text = copy;
	*len = room;
	return DFMT_OK;
}

enum dfmt_status
dfmt_notes_finish(struct dfmt_notes *notes, struct dfmt_err *err)
{
	if (!notes->nr_notes)
		return DFMT_OK;
	notes->cpus = calloc(notes->nr_notes, sizeof(*notes->cpus));
	if (!notes->cpus)
		return dfmt_fail(err, DFMT_E_NOMEM, "CPUs of the notes",
			DFMT_NONE, DFMT_NONE);
	take_prstatus(notes);
	take_qemu(notes);
	enum dfmt_status st = DFMT_OK;
	for (size_t i = 0; i < notes->nr_notes && st == DFMT_OK; i++) {
		const struct dfmt_note *n = &notes->notes[i];

		if (!notes->vmcoreinfo && !strcmp(n->name, "VMCOREINFO"))
			st = take_text(notes, n, &notes->vmcoreinfo,
				&notes->vmcoreinfo_len, err);
		else if (!notes->vmcoreinfo_xen &&
			 !strcmp(n->name, "VMCOREINFO_XEN"))
			st = take_text(notes, n, &notes->vmcoreinfo_xen,
				&notes->vmcoreinfo_xen_len, err);
	}
	return st;
}

void
dfmt_notes_fini(struct dfmt_notes *notes)
{
	for (size_t i = 0; i < notes->nr_blocks; i++)
		free(notes->blocks[i]);
	free(notes->blocks);
	free(notes->notes);
	free(notes->cpus);
}
