/* SPDX-License-Identifier: MIT */
/*
 * Expressions over 64-bit numbers and labels, and text with values in it.
 *
 * Operators, loosest first: |  ^  &  << >>  + -  * / %  unary - ~ ( ).
 * phys(E) is the machine address of a virtual one, u64(E) what memory holds
 * at a machine address.
 */
#include "mkdump.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct cursor {
	struct mk *m;
	const char *p;
	const char *whole;
	int depth;
};

static uint64_t level_or(struct cursor *c);

static uint32_t
name_hash(const char *name, size_t len)
{
	uint32_t hash = 2166136261; /* FNV-1a */

	for (size_t i = 0; i < len; i++)
		hash = (hash ^ (unsigned char)name[i]) * 16777619;
	return hash;
}

static struct mk_label *
label_find(struct mk *m, const char *name, size_t len)
{
	uint32_t hash = name_hash(name, len);

	for (size_t i = 0; i < m->nr_labels; i++) {
		struct mk_label *l = &m->labels[i];

		if (l->hash == hash && !strncmp(l->name, name, len) &&
			!l->name[len])
			return l;
	}
	return NULL;
}

void
mk_label_set(struct mk *m, const char *name, uint64_t value)
{
	struct mk_label *l = label_find(m, name, strlen(name));

	if (!l) {
		m->labels = mk_grow(m->labels, m->nr_labels, sizeof(*l));
		l = &m->labels[m->nr_labels++];
		*l = (struct mk_label){ .name = mk_dup(name, strlen(name)),
			.hash = name_hash(name, strlen(name)),
			.first = ~value };
	}
	/* A name that is set again in a pass (repeat) only moves once. */
	if (l->pass != m->pass) {
		m->moved = m->moved || l->first != value;
		l->first = value;
	}
	l->value = value;
	l->pass = m->pass;
}

static uint64_t
name_value(struct cursor *c)
{
	const char *start = c->p;

	while (isalnum((unsigned char)*c->p) || *c->p == '_' || *c->p == '.')
		c->p++;
	size_t len = (size_t)(c->p - start);
	if (*c->p == '(') {
		c->p++;
		uint64_t v = level_or(c);
		if (*c->p++ != ')')
			mk_die(c->m, "%s: ) expected", c->whole);
		if (len == 4 && !strncmp(start, "phys", 4))
			return mk_phys(c->m, v);
		if (len == 3 && !strncmp(start, "u64", 3))
			return mk_peek(c->m, v, 8);
		mk_die(c->m, "%s: no such function", c->whole);
	}
	const struct mk_label *l = label_find(c->m, start, len);
	if (l)
		return l->value;
	if (c->m->last)
		mk_die(c->m, "%.*s is not defined", (int)len, start);
	c->m->moved = true;
	return 0;
}

static uint64_t
level_atom(struct cursor *c)
{
	if (++c->depth > 200)
		mk_die(c->m, "%s: too deep", c->whole);
	if (*c->p == '-' || *c->p == '~') {
		char op = *c->p++;
		uint64_t v = level_atom(c);
		return op == '-' ? -v : ~v;
	}
	if (*c->p == '(') {
		c->p++;
		uint64_t v = level_or(c);
		if (*c->p++ != ')')
			mk_die(c->m, "%s: ) expected", c->whole);
		return v;
	}
	if (isdigit((unsigned char)*c->p)) {
		char *end;
		uint64_t v = strtoull(c->p, &end, 0);
		c->p = end;
		return v;
	}
	if (*c->p == '\'' && c->p[1] && c->p[2] == '\'') {
		c->p += 3;
		return (unsigned char)c->p[-2];
	}
	if (!isalpha((unsigned char)*c->p) && *c->p != '_' && *c->p != '.')
		mk_die(c->m, "%s: not an expression", c->whole);
	return name_value(c);
}

static uint64_t
level_product(struct cursor *c)
{
	uint64_t v = level_atom(c);

	while (*c->p == '*' || *c->p == '/' || *c->p == '%') {
		char op = *c->p++;
		uint64_t w = level_atom(c);

		if (op == '*')
			v *= w;
		else if (!w && c->m->last)
			mk_die(c->m, "%s: division by zero", c->whole);
		else if (w)
			v = op == '/' ? v / w : v % w;
	}
	return v;
}

static uint64_t
level_sum(struct cursor *c)
{
	uint64_t v = level_product(c);

	while (*c->p == '+' || *c->p == '-') {
		char op = *c->p++;
		uint64_t w = level_product(c);

		v = op == '+' ? v + w : v - w;
	}
	return v;
}

static uint64_t
level_shift(struct cursor *c)
{
	uint64_t v = level_sum(c);

	while (!strncmp(c->p, "<<", 2) || !strncmp(c->p, ">>", 2)) {
		bool left = *c->p == '<';
		c->p += 2;
		uint64_t w = level_sum(c);

		v = w > 63 ? 0 : left ? v << w : v >> w;
	}
	return v;
}

static uint64_t
level_and(struct cursor *c)
{
	uint64_t v = level_shift(c);

	while (*c->p == '&') {
		c->p++;
		v &= level_shift(c);
	}
	return v;
}

static uint64_t
level_or(struct cursor *c)
{
	uint64_t v = level_and(c);

	while (*c->p == '|' || *c->p == '^') {
		char op = *c->p++;
		uint64_t w = level_and(c);

		v = op == '|' ? v | w : v ^ w;
	}
	return v;
}

uint64_t
mk_expr(struct mk *m, const char *text)
{
	struct cursor c = { m, text, text, 0 };
	uint64_t v = level_or(&c);

	if (*c.p)
		mk_die(m, "%s: not an expression from \"%s\" on", text, c.p);
	return v;
}

/* ---- text --------------------------------------------------------------- */

static int
hex_digit(int c)
{
	return isdigit(c) ? c - '0' : isxdigit(c) ? tolower(c) - 'a' + 10 : -1;
}

/* One escape at p (behind the backslash); returns what is behind it. */
static const char *
escape(struct mk *m, const char *p, char *out)
{
	static const char from[] = "nrt0\\\"", to[] = "\n\r\t\0\\\"";
	const char *at = strchr(from, *p);

	if (*p == 'x' && hex_digit(p[1]) >= 0 && hex_digit(p[2]) >= 0) {
		*out = (char)(hex_digit(p[1]) * 16 + hex_digit(p[2]));
		return p + 3;
	}
	if (!*p || !at)
		mk_die(m, "unknown escape in a string");
	*out = to[at - from];
	return p + 1;
}

/* %{E} in hex, %{E,d} in decimal. */
static const char *
value(struct mk *m, const char *p, struct mk_bytes *out)
{
	const char *end = strchr(p, '}');
	char buf[32];

	if (!end)
		mk_die(m, "%%{ without }");
	bool decimal = end - p > 2 && !strncmp(end - 2, ",d", 2);
	char *e = mk_dup(p, (size_t)(end - p) - (decimal ? 2 : 0));
	int n = snprintf(buf, sizeof(buf), decimal ? "%" PRIu64 : "%" PRIx64,
		mk_expr(m, e));
	free(e);
	mk_bytes_add(out, buf, (size_t)n);
	return end + 1;
}

struct mk_bytes
mk_text(struct mk *m, const char *s, bool escapes)
{
	struct mk_bytes out = { 0 };

	while (*s) {
		char c = *s;

		if (c == '%' && s[1] == '{') {
			s = value(m, s + 2, &out);
			continue;
		}
		s++;
		if (c == '\\' && escapes)
			s = escape(m, s, &c);
		mk_bytes_add(&out, &c, 1);
	}
	return out;
}
