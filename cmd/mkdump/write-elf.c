/* SPDX-License-Identifier: MIT */
/*
 * Writes ELF cores and raw images.  Without `segment` lines each run of frames
 * becomes one PT_LOAD, excluded frames behind it its tail; with them, the
 * segments are as said, and bytes that two share are in the file once.
 */
#include "mkdump.h"

#include <stdlib.h>
#include <string.h>

struct elf_out {
	bool is_64;
	uint64_t phoff;
	uint64_t phnum;
	uint64_t data;
	struct mk_bytes headers;
};

static void
segments_auto(struct mk *m)
{
	struct mk_segment *s = NULL;

	for (size_t i = 0; i < m->nr_frames; i++) {
		const struct mk_frame *f = m->frames[i];
		uint64_t at = f->pfn * MK_PAGE;

		if (!s || s->paddr + s->memsz != at ||
			(!f->excluded && s->filesz != s->memsz)) {
			m->segments = mk_grow(m->segments, m->nr_segments,
				sizeof(*s));
			s = &m->segments[m->nr_segments++];
			*s = (struct mk_segment){ .type = 1, .paddr = at };
		}
		s->memsz += MK_PAGE;
		if (!f->excluded)
			s->filesz = s->memsz;
	}
}

static void
memory_write(struct mk *m, uint64_t paddr, uint64_t len, uint64_t off)
{
	for (size_t i = 0; i < m->nr_frames; i++) {
		const struct mk_frame *f = m->frames[i];
		uint64_t at = f->pfn * MK_PAGE;
		uint64_t from = at > paddr ? at : paddr;
		uint64_t end =
			at + MK_PAGE < paddr + len ? at + MK_PAGE : paddr + len;

		if (from < end && !f->excluded)
			mk_pwrite(m, off + (from - paddr),
				f->bytes + (from - at), end - from);
	}
}

/* Where an earlier segment has the same memory, or UINT64_MAX. */
static uint64_t
shared_offset(const struct mk *m, size_t i)
{
	const struct mk_segment *s = &m->segments[i];

	for (size_t k = 0; k < i && !s->copy; k++) {
		const struct mk_segment *o = &m->segments[k];

		if (o->type == 1 && s->paddr >= o->paddr &&
			s->paddr + s->filesz <= o->paddr + o->filesz)
			return o->offset + (s->paddr - o->paddr);
	}
	return UINT64_MAX;
}

static uint64_t
place_segments(struct mk *m, uint64_t off)
{
	for (size_t i = 0; i < m->nr_segments; i++) {
		struct mk_segment *s = &m->segments[i];

		if (s->has_offset)
			continue;
		s->offset = shared_offset(m, i);
		if (s->offset != UINT64_MAX)
			continue;
		s->offset = off;
		memory_write(m, s->paddr, s->filesz, off);
		off += s->filesz;
	}
	return off;
}

static void
header_word(struct elf_out *o, uint64_t v)
{
	mk_bytes_int(&o->headers, v, o->is_64 ? 8 : 4);
}

static void
phdr(struct elf_out *o, const struct mk_segment *s)
{
	struct mk_bytes *b = &o->headers;

	mk_bytes_int(b, s->type, 4);
	if (o->is_64)
		mk_bytes_int(b, 7, 4);
	header_word(o, s->offset);
	header_word(o, s->vaddr);
	header_word(o, s->paddr);
	header_word(o, s->filesz);
	header_word(o, s->memsz);
	if (!o->is_64)
		mk_bytes_int(b, 7, 4);
	header_word(o, 0);
}

static void
ehdr(const struct mk *m, struct elf_out *o)
{
	static const uint8_t ident[] = { 0x7f, 'E', 'L', 'F' };
	struct mk_bytes *b = &o->headers;

	mk_bytes_add(b, ident, 4);
	mk_bytes_int(b, o->is_64 ? 2 : 1, 1);
	mk_bytes_int(b, 1, 1);
	mk_bytes_int(b, 1, 1);
	mk_bytes_zero(b, 9);
	mk_bytes_int(b, 4, 2);
	mk_bytes_int(b, m->is_i386 ? 3 : 62, 2);
	mk_bytes_int(b, 1, 4);
	header_word(o, 0);
	header_word(o, o->phoff);
	/* Section 0 lies between the ELF header and the program headers. */
	header_word(o, m->xnum ? (o->is_64 ? 64 : 52) : 0);
	mk_bytes_int(b, 0, 4);
	mk_bytes_int(b, o->is_64 ? 64 : 52, 2);
	mk_bytes_int(b, o->is_64 ? 56 : 32, 2);
	mk_bytes_int(b, m->xnum ? 0xffff : o->phnum, 2);
	mk_bytes_int(b, o->is_64 ? 64 : 40, 2);
	mk_bytes_int(b, m->xnum, 2);
	mk_bytes_int(b, 0, 2);
}

static void
section_0(const struct elf_out *o, struct mk_bytes *b)
{
	size_t start = b->len;

	mk_bytes_zero(b, o->is_64 ? 44 : 28);
	mk_bytes_int(b, o->phnum, 4);
	mk_bytes_zero(b, (o->is_64 ? 64 : 40) - (b->len - start));
}

void
mk_write_elf(struct mk *m)
{
	struct elf_out o = { .is_64 = m->format == MK_ELF64 };
	struct mk_segment note = { .type = 4 };

	if (!m->nr_segments)
		segments_auto(m);
	o.phoff = (o.is_64 ? 64 : 52) + (m->xnum ? (o.is_64 ? 64 : 40) : 0);
	o.phnum = m->nr_segments + (m->notes.len != 0);
	note.offset = o.phoff + o.phnum * (o.is_64 ? 56 : 32);
	note.filesz = note.memsz = m->notes.len;
	o.data =
		(note.offset + m->notes.len + MK_PAGE - 1) & -(uint64_t)MK_PAGE;
	uint64_t end = place_segments(m, o.data);
	ehdr(m, &o);
	if (m->xnum)
		section_0(&o, &o.headers);
	if (m->notes.len)
		phdr(&o, &note);
	for (size_t i = 0; i < m->nr_segments; i++)
		phdr(&o, &m->segments[i]);
	mk_pwrite(m, 0, o.headers.p, o.headers.len);
	mk_pwrite(m, note.offset, m->notes.p, m->notes.len);
	if (end > o.data)
		mk_pwrite(m, end - 1, "", 0);
	free(o.headers.p);
	mk_label_set(m, "file.phdrs", o.phoff);
	mk_label_set(m, "file.notes", note.offset);
	mk_label_set(m, "file.data", o.data);
}

void
mk_write_raw(struct mk *m)
{
	for (size_t i = 0; i < m->nr_frames; i++)
		mk_pwrite(m, m->frames[i]->pfn * MK_PAGE, m->frames[i]->bytes,
			MK_PAGE);
}
