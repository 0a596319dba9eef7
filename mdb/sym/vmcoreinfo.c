/* SPDX-License-Identifier: MIT */
/* Reading the lines of VMCOREINFO. */
#include "mdb/sym/vmcoreinfo.h"

#include <stdio.h>
#include <string.h>

/* One line: key and value. */
struct line {
	const char *key, *value;
	size_t key_len, value_len;
};

/* The line at *pos, which moves on; false at the end. */
static bool
line_next(const char *text, size_t len, size_t *pos, struct line *line)
{
	while (*pos < len && text[*pos] != '\0') {
		const char *start = text + *pos;
		size_t rest = len - *pos;
		const char *end = memchr(start, '\n', rest);
		size_t n = end != NULL ? (size_t)(end - start) : rest;
		const char *eq = memchr(start, '=', n);

		*pos += end != NULL ? n + 1 : n;
		if (eq == NULL)
			continue;
		line->key = start;
		line->key_len = (size_t)(eq - start);
		line->value = eq + 1;
		line->value_len = n - line->key_len - 1;
		return true;
	}
	return false;
}

static size_t
cap(size_t len)
{
	return len < MDB_VMCOREINFO_MAX ? len : MDB_VMCOREINFO_MAX;
}

bool
mdb_vmcoreinfo_get(const char *text, size_t len, const char *key,
	const char **value_out, size_t *value_len_out)
{
	size_t key_len = strlen(key);
	bool found = false;
	struct line line;
	size_t pos = 0;

	len = cap(len);
	while (line_next(text, len, &pos, &line)) {
		if (line.key_len != key_len ||
			memcmp(line.key, key, key_len) != 0)
			continue;
		*value_out = line.value;
		*value_len_out = line.value_len;
		found = true;
	}
	return found;
}

static int
digit_of(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return 16;
}

/* The whole of s as a number; overflow is not one. */
static bool
number_parse(const char *s, size_t len, unsigned int base, uint64_t *value_out)
{
	bool negative = base == 10 && len > 0 && s[0] == '-';
	uint64_t v = 0;

	if (negative) {
		s++;
		len--;
	}
	if (len > 2 && s[0] == '0' && s[1] == 'x') {
		base = 16;
		s += 2;
		len -= 2;
	}
	if (len == 0)
		return false;
	for (size_t i = 0; i < len; i++) {
		unsigned int d = (unsigned int)digit_of(s[i]);

		if (d >= base || v > (UINT64_MAX - d) / base)
			return false;
		v = v * base + d;
	}
	*value_out = negative ? -v : v;
	return true;
}

static bool
is_hex(const char *key, size_t len)
{
	static const char symbol[] = "SYMBOL(";
	static const char offset[] = "KERNELOFFSET";

	return (len > strlen(symbol) &&
		       memcmp(key, symbol, strlen(symbol)) == 0) ||
	       (len == strlen(offset) && memcmp(key, offset, len) == 0);
}

bool
mdb_vmcoreinfo_number(const char *text, size_t len, const char *key,
	uint64_t *value_out)
{
	const char *value;
	size_t n;

	if (!mdb_vmcoreinfo_get(text, len, key, &value, &n))
		return false;
	return number_parse(value, n, is_hex(key, strlen(key)) ? 16 : 10,
		value_out);
}

bool
mdb_vmcoreinfo_symbol(const char *text, size_t len, const char *name,
	uint64_t *value_out)
{
	char key[160];
	int n = snprintf(key, sizeof(key), "SYMBOL(%s)", name);

	if (n < 0 || (size_t)n >= sizeof(key))
		return false;
	return mdb_vmcoreinfo_number(text, len, key, value_out);
}

void
mdb_vmcoreinfo_each_symbol(const char *text, size_t len,
	void (*fn)(void *arg, const char *name, size_t name_len,
		uint64_t value),
	void *arg)
{
	const size_t skip = strlen("SYMBOL(");
	struct line line;
	size_t pos = 0;

	len = cap(len);
	while (line_next(text, len, &pos, &line)) {
		uint64_t value;

		if (!is_hex(line.key, line.key_len) ||
			line.key[line.key_len - 1] != ')' ||
			!number_parse(line.value, line.value_len, 16, &value))
			continue;
		fn(arg, line.key + skip, line.key_len - skip - 1, value);
	}
}
