/* SPDX-License-Identifier: MIT */
/* Text: files, lines, tokens, blocks, macros; hands each line to its family. */
#include "mkdump.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void
mk_die(const struct mk *m, const char *fmt, ...)
{
	va_list ap;

	if (m->at)
		(void)fprintf(stderr, "%s:%d: ", m->at->file, m->at->number);
	else
		(void)fputs("mkdump: ", stderr);
	va_start(ap, fmt);
	(void)vfprintf(stderr, fmt, ap);
	va_end(ap);
	(void)fputc('\n', stderr);
	exit(1);
}

void *
mk_grow(void *p, size_t nr, size_t size)
{
	/* Doubles at each power of two. */
	if (nr & (nr - 1))
		return p;
	p = realloc(p, (nr ? 2 * nr : 1) * size);
	if (!p) {
		(void)fputs("mkdump: out of memory\n", stderr);
		exit(1);
	}
	return p;
}

char *
mk_dup(const char *s, size_t len)
{
	char *p = strndup(s, len);

	if (!p) {
		(void)fputs("mkdump: out of memory\n", stderr);
		exit(1);
	}
	return p;
}

static void
line_add(struct mk_lines *l, struct mk_line line)
{
	l->lines = mk_grow(l->lines, l->nr, sizeof(*l->lines));
	l->lines[l->nr++] = line;
}

static void
include(struct mk *m, struct mk_lines *l, const char *from, const char *line,
	int depth)
{
	const char *open = strchr(line, '"');
	const char *close = open ? strchr(open + 1, '"') : NULL;
	const char *slash = strrchr(from, '/');
	char path[4096];

	if (!close)
		mk_die(m, "include \"FILE\"");
	if (depth >= MK_DEPTH)
		mk_die(m, "files include each other");
	(void)snprintf(path, sizeof(path), "%.*s%.*s",
		slash ? (int)(slash - from + 1) : 0, from,
		(int)(close - open - 1), open + 1);
	struct mk_lines more = mk_lines_read(m, path, depth + 1);
	for (size_t i = 0; i < more.nr; i++)
		line_add(l, more.lines[i]);
	free(more.lines);
}

struct mk_lines
mk_lines_read(struct mk *m, const char *path, int depth)
{
	struct mk_lines l = { 0 };
	FILE *f = fopen(path, "r");
	char *buf = NULL;
	size_t room = 0;
	ssize_t len;
	int number = 0;
	char *file = mk_dup(path, strlen(path));

	if (!f)
		mk_die(m, "cannot read %s", path);
	while ((len = getline(&buf, &room, f)) >= 0) {
		while (len && (buf[len - 1] == '\n' || buf[len - 1] == '\r'))
			len--;
		struct mk_line line = { mk_dup(buf, (size_t)len), file,
			++number };
		m->at = &line;
		const char *p = line.text + strspn(line.text, " \t");
		if (!strncmp(p, "include ", 8))
			include(m, &l, path, p, depth);
		else
			line_add(&l, line);
	}
	m->at = NULL;
	free(buf);
	(void)fclose(f);
	if (!number)
		free(file);
	return l;
}

/* ---- tokens ------------------------------------------------------------- */

static const char *
token_end(struct mk *m, const char *p)
{
	if (*p != '"')
		return p + strcspn(p, " \t");
	for (p++; *p && *p != '"'; p++) {
		if (*p == '\\' && p[1])
			p++;
	}
	if (!*p)
		mk_die(m, "string without an end");
	return p + 1;
}

size_t
mk_tokens(struct mk *m, const char *line, struct mk_token *tokens)
{
	size_t nr = 0;

	for (const char *p = line;;) {
		p += strspn(p, " \t");
		if (!*p || *p == '#')
			return nr;
		if (nr == MK_TOKENS)
			mk_die(m, "more than %d words", MK_TOKENS);
		const char *end = token_end(m, p);
		struct mk_token *t = &tokens[nr++];
		t->is_string = *p == '"';
		t->text = t->is_string ? mk_dup(p + 1, (size_t)(end - p - 2))
				       : mk_dup(p, (size_t)(end - p));
		p = end;
	}
}

const char *
mk_option(const struct mk_token *t, size_t nr, const char *key)
{
	size_t len = strlen(key);

	for (size_t i = 0; i < nr; i++) {
		if (!strncmp(t[i].text, key, len) && t[i].text[len] == '=')
			return t[i].text + len + 1;
	}
	return NULL;
}

bool
mk_word(const struct mk_token *t, size_t nr, const char *word)
{
	for (size_t i = 0; i < nr; i++) {
		if (!t[i].is_string && !strcmp(t[i].text, word))
			return true;
	}
	return false;
}

/* ---- blocks ------------------------------------------------------------- */

static bool
first_word_is(const char *line, const char *word)
{
	size_t len = strlen(word);

	line += strspn(line, " \t");
	return !strncmp(line, word, len) &&
	       (!line[len] || isspace((unsigned char)line[len]));
}

size_t
mk_block(struct mk *m, const struct mk_lines *lines, size_t i)
{
	static const char *const openers[] = { "macro", "repeat", "note",
		"vmcoreinfo", "vmcoreinfo_xen", "text" };
	int depth = 1;

	for (size_t k = i; k < lines->nr; k++) {
		const char *line = lines->lines[k].text;

		if (first_word_is(line, "end") && --depth == 0)
			return k - i;
		for (size_t w = 0; w < sizeof(openers) / sizeof(*openers); w++)
			depth += first_word_is(line, openers[w]);
	}
	mk_die(m, "block without an end");
}

static void
macro_define(struct mk *m, const struct mk_token *t, size_t nr,
	struct mk_lines body)
{
	if (nr < 2)
		mk_die(m, "macro NAME PARAMETER...");
	for (size_t i = 0; i < m->nr_macros; i++) {
		if (!strcmp(m->macros[i].name, t[1].text))
			return; /* an earlier pass defined it */
	}
	struct mk_macro mac = { .name = t[1].text, .body = body };
	for (size_t i = 2; i < nr; i++) {
		mac.params = mk_grow(mac.params, mac.nr_params, sizeof(char *));
		mac.params[mac.nr_params++] = t[i].text;
	}
	m->macros = mk_grow(m->macros, m->nr_macros, sizeof(mac));
	m->macros[m->nr_macros++] = mac;
}

/* Replaces each ${PARAM} of one line. */
static char *
substitute(const struct mk_macro *mac, const struct mk_token *args,
	const char *line)
{
	struct mk_bytes out = { 0 };

	while (*line) {
		size_t i, len = 0;

		for (i = 0; i < mac->nr_params; i++) {
			len = strlen(mac->params[i]);
			if (!strncmp(line, "${", 2) &&
				!strncmp(line + 2, mac->params[i], len) &&
				line[2 + len] == '}')
				break;
		}
		if (i < mac->nr_params) {
			mk_bytes_add(&out, args[i].text, strlen(args[i].text));
			line += len + 3;
		} else {
			mk_bytes_add(&out, line++, 1);
		}
	}
	mk_bytes_add(&out, "", 1);
	return (char *)out.p;
}

static bool
macro_call(struct mk *m, const struct mk_token *t, size_t nr, int depth)
{
	const struct mk_macro *mac = NULL;
	struct mk_lines body = { 0 };
	const struct mk_line *caller = m->at;

	for (size_t i = 0; i < m->nr_macros; i++) {
		if (!strcmp(m->macros[i].name, t[0].text))
			mac = &m->macros[i];
	}
	if (!mac)
		return false;
	if (nr - 1 != mac->nr_params)
		mk_die(m, "%s takes %zu words", mac->name, mac->nr_params);
	for (size_t i = 0; i < mac->body.nr; i++) {
		struct mk_line line = mac->body.lines[i];

		line.text = substitute(mac, t + 1, line.text);
		line_add(&body, line);
	}
	mk_execute(m, &body, depth + 1);
	m->at = caller;
	return true;
}

static void
repeat(struct mk *m, const struct mk_token *t, size_t nr,
	const struct mk_lines *body, int depth)
{
	if (nr != 3)
		mk_die(m, "repeat NAME COUNT");
	uint64_t count = mk_expr(m, t[2].text);
	if (count > 1 << 22)
		mk_die(m, "repeat: too often");
	for (uint64_t i = 0; i < count; i++) {
		mk_label_set(m, t[1].text, i);
		mk_execute(m, body, depth + 1);
	}
}

/* ---- settings ----------------------------------------------------------- */

static void
set_format(struct mk *m, const char *name)
{
	static const char *const names[] = { "elf64", "elf32", "kdump",
		"diskdump", "raw" };

	for (int i = 0; i < 5; i++) {
		if (!strcmp(name, names[i])) {
			m->format = (enum mk_format)i;
			return;
		}
	}
	mk_die(m, "format: %s is none of elf64 elf32 kdump diskdump raw", name);
}

static void
set_flat(struct mk *m, const struct mk_token *t, size_t nr)
{
	const char *record = mk_option(t, nr, "record");

	m->flat_record = record ? mk_expr(m, record) : 4096;
	m->flat_reverse = mk_word(t, nr, "reverse");
	m->flat_overlap = mk_word(t, nr, "overlap");
	m->flat_open = mk_word(t, nr, "noend");
	if (!m->flat_record)
		mk_die(m, "flat: record=0");
}

static void
set_split(struct mk *m, const struct mk_token *t, size_t nr)
{
	for (size_t i = 1; i < nr; i++) {
		m->splits = mk_grow(m->splits, m->nr_splits, sizeof(uint64_t));
		m->splits[m->nr_splits++] = mk_expr(m, t[i].text);
	}
}

static void
add_segment(struct mk *m, const struct mk_token *t, size_t nr)
{
	const char *v;

	if (nr < 3)
		mk_die(m,
			"segment PADDR MEMSZ [vaddr=] [filesz=] [offset=] [type=] [copy]");
	struct mk_segment s = { .paddr = mk_expr(m, t[1].text),
		.memsz = mk_expr(m, t[2].text),
		.type = 1 };
	s.filesz = s.memsz;
	if ((v = mk_option(t, nr, "vaddr")))
		s.vaddr = mk_expr(m, v);
	if ((v = mk_option(t, nr, "filesz")))
		s.filesz = mk_expr(m, v);
	if ((v = mk_option(t, nr, "type")))
		s.type = (uint32_t)mk_expr(m, v);
	if ((v = mk_option(t, nr, "offset"))) {
		s.offset = mk_expr(m, v);
		s.has_offset = true;
	}
	s.copy = mk_word(t, nr, "copy");
	m->segments = mk_grow(m->segments, m->nr_segments, sizeof(s));
	m->segments[m->nr_segments++] = s;
}

/* patchN OFFSET VALUE: kept as text, its names are of the finished file. */
static void
add_patch(struct mk *m, const struct mk_token *t, size_t nr)
{
	struct mk_patch p = { .line = m->at };

	p.size = (unsigned int)strtoul(t[0].text + strlen("patch"), NULL, 10) /
		 8;
	if (nr != 3 ||
		(p.size != 1 && p.size != 2 && p.size != 4 && p.size != 8))
		mk_die(m, "patch8|patch16|patch32|patch64 OFFSET VALUE");
	p.offset = t[1].text;
	p.value = t[2].text;
	m->patches = mk_grow(m->patches, m->nr_patches, sizeof(p));
	m->patches[m->nr_patches++] = p;
}

static bool
set_number(struct mk *m, const char *name, const char *value)
{
	static const char *const names[] = { "version", "width", "level",
		"max_pfn", "block_size", "status" };
	size_t i = 0;

	while (i < 6 && strcmp(name, names[i]) != 0)
		i++;
	if (i == 6) /* perhaps a macro: its word need be no number */
		return false;
	uint64_t v = mk_expr(m, value);
	if (i == 0)
		m->version = (int)v;
	else if (i == 1)
		m->width_32 = v == 32;
	else if (i == 2)
		m->level = (uint32_t)v;
	else if (i == 3)
		m->max_pfn = v;
	else if (i == 4)
		m->block_size = (uint32_t)v;
	else
		m->status = (int64_t)v;
	return true;
}

static bool
setting(struct mk *m, const struct mk_token *t, size_t nr)
{
	const char *w = t[0].text;

	if (!strcmp(w, "format") && nr == 2)
		set_format(m, t[1].text);
	else if (!strcmp(w, "machine") && nr == 2)
		m->is_i386 = !strcmp(t[1].text, "i386");
	else if (!strcmp(w, "codec") && nr == 2) {
		if (!mk_codec_named(t[1].text, &m->codec))
			mk_die(m, "codec: none zlib lzo snappy zstd");
	} else if (!strcmp(w, "xnum"))
		m->xnum = true;
	else if (!strcmp(w, "one_bitmap"))
		m->one_bitmap = true;
	else if (!strcmp(w, "flat"))
		set_flat(m, t, nr);
	else if (!strcmp(w, "split"))
		set_split(m, t, nr);
	else if (!strcmp(w, "segment"))
		add_segment(m, t, nr);
	else if (!strncmp(w, "patch", 5))
		add_patch(m, t, nr);
	else if (!strcmp(w, "truncate") && nr == 2)
		m->truncate = t[1].text;
	else
		return nr == 2 && set_number(m, w, t[1].text);
	return true;
}

/* ---- execution ---------------------------------------------------------- */

static void
note_block(struct mk *m, const struct mk_token *t, size_t nr,
	const struct mk_lines *body, int depth)
{
	struct mk_bytes desc = { 0 };

	if (nr != 3 || m->sink)
		mk_die(m, "note \"NAME\" TYPE, not inside a note");
	uint32_t type = (uint32_t)mk_expr(m, t[2].text);
	m->sink = &desc;
	mk_execute(m, body, depth + 1);
	m->sink = NULL;
	mk_note_add(m, t[1].text, type, &desc);
}

static void
text_block(struct mk *m, const struct mk_lines *body)
{
	for (size_t i = 0; i < body->nr; i++) {
		const char *line = body->lines[i].text;

		m->at = &body->lines[i];
		struct mk_bytes b =
			mk_text(m, line + strspn(line, " \t"), false);
		mk_emit(m, b.p, b.len);
		mk_emit(m, "\n", 1);
		free(b.p);
	}
}

static void
info_block(struct mk *m, const char *name, const struct mk_lines *body)
{
	struct mk_bytes desc = { 0 };

	m->sink = &desc;
	text_block(m, body);
	m->sink = NULL;
	mk_note_add(m, name, 0, &desc);
}

static bool
block_line(struct mk *m, const struct mk_token *t, size_t nr,
	const struct mk_lines *body, int depth)
{
	const char *w = t[0].text;

	if (!strcmp(w, "macro"))
		macro_define(m, t, nr, *body);
	else if (!strcmp(w, "repeat"))
		repeat(m, t, nr, body, depth);
	else if (!strcmp(w, "note"))
		note_block(m, t, nr, body, depth);
	else if (!strcmp(w, "text"))
		text_block(m, body);
	else if (!strcmp(w, "vmcoreinfo"))
		info_block(m, "VMCOREINFO", body);
	else if (!strcmp(w, "vmcoreinfo_xen"))
		info_block(m, "VMCOREINFO_XEN", body);
	else
		return false;
	return true;
}

static bool
opens_block(const char *w)
{
	return !strcmp(w, "macro") || !strcmp(w, "repeat") ||
	       !strcmp(w, "note") || !strcmp(w, "text") ||
	       !strncmp(w, "vmcoreinfo", 10);
}

void
mk_execute(struct mk *m, const struct mk_lines *lines, int depth)
{
	struct mk_token *t = calloc(MK_TOKENS, sizeof(*t));

	if (!t || depth > MK_DEPTH)
		mk_die(m, "blocks too deep");
	for (size_t i = 0; i < lines->nr; i++) {
		m->at = &lines->lines[i];
		size_t nr = mk_tokens(m, lines->lines[i].text, t);

		if (!nr)
			continue;
		if (opens_block(t[0].text)) {
			struct mk_lines body = { lines->lines + i + 1, 0 };

			body.nr = mk_block(m, lines, i + 1);
			block_line(m, t, nr, &body, depth);
			i += body.nr + 1;
			continue;
		}
		if (!mk_data(m, t, nr) && !mk_cpu(m, t, nr) &&
			!mk_paging(m, t, nr) && !setting(m, t, nr) &&
			!macro_call(m, t, nr, depth))
			mk_die(m, "%s: unknown, or wrong number of words",
				t[0].text);
	}
	free(t);
}
