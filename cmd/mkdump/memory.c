/* SPDX-License-Identifier: MIT */
/* Memory: frames, the cursor, virtual placement, the data directives. */
#include "mkdump.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- byte strings ------------------------------------------------------- */

void
mk_bytes_add(struct mk_bytes *b, const void *p, size_t len)
{
	if (!len)
		return;
	if (b->len + len > b->room) {
		b->room = 2 * (b->len + len);
		b->p = realloc(b->p, b->room);
		if (!b->p) {
			(void)fputs("mkdump: out of memory\n", stderr);
			exit(1);
		}
	}
	memcpy(b->p + b->len, p, len);
	b->len += len;
}

void
mk_bytes_int(struct mk_bytes *b, uint64_t v, unsigned int size)
{
	uint8_t le[8];

	for (unsigned int i = 0; i < size; i++)
		le[i] = (uint8_t)(v >> 8 * i);
	mk_bytes_add(b, le, size);
}

void
mk_bytes_zero(struct mk_bytes *b, size_t len)
{
	while (len--)
		mk_bytes_add(b, "", 1);
}

/* ---- frames ------------------------------------------------------------- */

/* Where pfn is, or would be. */
static size_t
frame_index(const struct mk *m, uint64_t pfn)
{
	size_t lo = 0, hi = m->nr_frames;

	while (lo < hi) {
		size_t mid = (lo + hi) / 2;

		if (m->frames[mid]->pfn < pfn)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

const struct mk_frame *
mk_frame_find(const struct mk *m, uint64_t pfn)
{
	size_t i = frame_index(m, pfn);

	return i < m->nr_frames && m->frames[i]->pfn == pfn ? m->frames[i]
							    : NULL;
}

struct mk_frame *
mk_frame(struct mk *m, uint64_t pfn)
{
	size_t i = frame_index(m, pfn);

	if (i < m->nr_frames && m->frames[i]->pfn == pfn)
		return m->frames[i];
	struct mk_frame *f = calloc(1, sizeof(*f));
	/* NOLINTNEXTLINE(bugprone-sizeof-expression): pointers are meant */
	m->frames = mk_grow(m->frames, m->nr_frames, sizeof(*m->frames));
	if (!f)
		mk_die(m, "out of memory");
	f->pfn = pfn;
	f->codec = m->codec;
	for (size_t k = m->nr_frames; k > i; k--)
		m->frames[k] = m->frames[k - 1];
	m->frames[i] = f;
	m->nr_frames++;
	return f;
}

void
mk_memory_reset(struct mk *m)
{
	for (size_t i = 0; i < m->nr_frames; i++)
		free(m->frames[i]);
	free(m->frames);
	m->frames = NULL;
	m->nr_frames = 0;
}

static void
write_at(struct mk *m, uint64_t paddr, const uint8_t *p, size_t len)
{
	while (len) {
		size_t in = paddr % MK_PAGE;
		size_t n = MK_PAGE - in < len ? MK_PAGE - in : len;

		memcpy(mk_frame(m, paddr / MK_PAGE)->bytes + in, p, n);
		paddr += n;
		p += n;
		len -= n;
	}
}

void
mk_poke(struct mk *m, uint64_t paddr, uint64_t v, unsigned int size)
{
	uint8_t le[8];

	for (unsigned int i = 0; i < size; i++)
		le[i] = (uint8_t)(v >> 8 * i);
	write_at(m, paddr, le, size);
}

uint64_t
mk_peek(const struct mk *m, uint64_t paddr, unsigned int size)
{
	uint64_t v = 0;

	for (unsigned int i = 0; i < size; i++) {
		const struct mk_frame *f =
			mk_frame_find(m, (paddr + i) / MK_PAGE);

		if (f)
			v |= (uint64_t)f->bytes[(paddr + i) % MK_PAGE] << 8 * i;
	}
	return v;
}

void
mk_emit(struct mk *m, const void *bytes, size_t len)
{
	if (m->sink) {
		mk_bytes_add(m->sink, bytes, len);
		return;
	}
	write_at(m, m->cursor, bytes, len);
	m->cursor += len;
}

void
mk_emit_int(struct mk *m, uint64_t v, unsigned int size)
{
	uint8_t le[8];

	for (unsigned int i = 0; i < size; i++)
		le[i] = (uint8_t)(v >> 8 * i);
	mk_emit(m, le, size);
}

void
mk_exclude(struct mk *m, uint64_t paddr, uint64_t len, bool untouched)
{
	if (len / MK_PAGE > 1 << 20)
		mk_die(m, "excluded: too much memory");
	for (uint64_t a = paddr; a < paddr + len; a += MK_PAGE) {
		if (!untouched || !mk_frame_find(m, a / MK_PAGE))
			mk_frame(m, a / MK_PAGE)->excluded = true;
	}
}

/* ---- virtual placement -------------------------------------------------- */

uint64_t
mk_phys(struct mk *m, uint64_t vaddr)
{
	/* The latest placement that covers it. */
	for (size_t i = m->nr_places; i-- > 0;) {
		const struct mk_place *p = &m->places[i];

		if (vaddr >= p->vaddr && vaddr - p->vaddr < p->len)
			return p->paddr + (vaddr - p->vaddr);
	}
	if (m->last)
		mk_die(m, "%#llx is placed nowhere (place, map)",
			(unsigned long long)vaddr);
	return vaddr & 0xffffffff;
}

static void
go_virtual(struct mk *m, uint64_t vaddr)
{
	m->cursor = mk_phys(m, vaddr);
	m->virt = vaddr - m->cursor;
}

/* ---- directives --------------------------------------------------------- */

static void
fill(struct mk *m, uint64_t len, uint8_t byte)
{
	if (len > 1 << 28)
		mk_die(m, "fill: too long");
	while (len--)
		mk_emit(m, &byte, 1);
}

/* Bytes that no codec shortens: a linear congruence of Knuth's. */
static void
noise(struct mk *m, uint64_t len, uint64_t seed)
{
	if (len > 1 << 28)
		mk_die(m, "noise: too long");
	while (len--) {
		seed = seed * UINT64_C(6364136223846793005) +
		       UINT64_C(1442695040888963407);
		uint8_t byte = (uint8_t)(seed >> 56);
		mk_emit(m, &byte, 1);
	}
}

static void
align(struct mk *m, uint64_t n)
{
	uint64_t at = m->sink ? m->sink->len : m->cursor;

	if (!n || n > 1 << 24)
		mk_die(m, "align N");
	fill(m, (n - at % n) % n, 0);
}

static void
file_bytes(struct mk *m, const char *path)
{
	FILE *f = fopen(path, "rb");
	uint8_t buf[4096];
	size_t n;

	if (!f)
		mk_die(m, "cannot read %s", path);
	while ((n = fread(buf, 1, sizeof(buf), f)) > 0)
		mk_emit(m, buf, n);
	(void)fclose(f);
}

static void
string(struct mk *m, const char *w, const char *s)
{
	struct mk_bytes b = mk_text(m, s, true);

	if (!strcmp(w, "lstr8"))
		mk_emit_int(m, b.len, 1);
	mk_emit(m, b.p, b.len);
	if (!strcmp(w, "strz"))
		mk_emit_int(m, 0, 1);
	free(b.p);
}

static bool
data_list(struct mk *m, const struct mk_token *t, size_t nr)
{
	const char *w = t[0].text;

	if (!strcmp(w, "str") || !strcmp(w, "strz") || !strcmp(w, "lstr8")) {
		for (size_t i = 1; i < nr; i++)
			string(m, w, t[i].text);
		return true;
	}
	unsigned int size = !strcmp(w, "u8")			     ? 1
			    : !strcmp(w, "u16")			     ? 2
			    : !strcmp(w, "u32")			     ? 4
			    : !strcmp(w, "u64") || !strcmp(w, "ref") ? 8
								     : 0;
	if (!size)
		return false;
	for (size_t i = 1; i < nr; i++)
		mk_emit_int(m, mk_expr(m, t[i].text), size);
	return true;
}

static bool
data_place(struct mk *m, const struct mk_token *t, size_t nr)
{
	const char *w = t[0].text;

	if (!strcmp(w, "at") && nr == 2) {
		m->cursor = mk_expr(m, t[1].text);
		m->virt = 0;
	} else if (!strcmp(w, "vat") && nr == 2) {
		go_virtual(m, mk_expr(m, t[1].text));
	} else if (!strcmp(w, "place") && nr == 4) {
		struct mk_place p = { mk_expr(m, t[1].text),
			mk_expr(m, t[2].text), mk_expr(m, t[3].text) };

		m->places = mk_grow(m->places, m->nr_places, sizeof(p));
		m->places[m->nr_places++] = p;
	} else if (!strcmp(w, "excluded") && (nr == 3 || nr == 4)) {
		mk_exclude(m, mk_expr(m, t[1].text), mk_expr(m, t[2].text),
			mk_word(t, nr, "untouched"));
	} else if (!strcmp(w, "label") && nr == 2) {
		mk_label_set(m, t[1].text, m->cursor + m->virt);
	} else if (!strcmp(w, "equ") && nr == 3) {
		mk_label_set(m, t[1].text, mk_expr(m, t[2].text));
	} else {
		return false;
	}
	return true;
}

bool
mk_data(struct mk *m, const struct mk_token *t, size_t nr)
{
	const char *w = t[0].text;
	size_t len = strlen(w);

	if (nr == 1 && len > 1 && w[len - 1] == ':') {
		char *name = mk_dup(w, len - 1);

		mk_label_set(m, name, m->cursor + m->virt);
		free(name);
		return true;
	}
	if (data_list(m, t, nr) || data_place(m, t, nr))
		return true;
	if (!strcmp(w, "align") && nr == 2)
		align(m, mk_expr(m, t[1].text));
	else if (!strcmp(w, "fill") && nr == 3)
		fill(m, mk_expr(m, t[1].text), (uint8_t)mk_expr(m, t[2].text));
	else if (!strcmp(w, "zero") && nr == 2)
		fill(m, mk_expr(m, t[1].text), 0);
	else if (!strcmp(w, "noise") && nr == 3)
		noise(m, mk_expr(m, t[1].text), mk_expr(m, t[2].text));
	else if (!strcmp(w, "incbin") && nr == 2)
		file_bytes(m, t[1].text);
	else if (!strcmp(w, "skip") && nr == 2 && !m->sink)
		m->cursor += mk_expr(m, t[1].text);
	else
		return false;
	return true;
}
