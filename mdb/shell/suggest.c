/* SPDX-License-Identifier: MIT */
/*
 * Edit distance over names of bounded length.  A name is near when a third of
 * its letters, and at least one, would have to change.
 */
#include "mdb/shell/suggest.h"

#include <string.h>

#define NAME_MAX_LEN 48

void
mdb_suggest_init(struct mdb_suggest *s, const char *wanted)
{
	*s = (struct mdb_suggest){ .wanted = wanted };
}

static size_t
min3(size_t a, size_t b, size_t c)
{
	size_t m = a < b ? a : b;

	return m < c ? m : c;
}

/* Both at most NAME_MAX_LEN long. */
static size_t
distance(const char *a, size_t nr_a, const char *b, size_t nr_b)
{
	size_t row[3][NAME_MAX_LEN + 1];
	size_t *before = row[0], *last = row[1], *cur = row[2];

	for (size_t j = 0; j <= nr_b; j++)
		last[j] = j;
	for (size_t i = 1; i <= nr_a; i++) {
		size_t *spare = before;

		cur[0] = i;
		for (size_t j = 1; j <= nr_b; j++) {
			size_t same = a[i - 1] == b[j - 1] ? 0 : 1;

			cur[j] = min3(last[j] + 1, cur[j - 1] + 1,
				last[j - 1] + same);
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] &&
				a[i - 2] == b[j - 1] && before[j - 2] < cur[j])
				cur[j] = before[j - 2] + 1;
		}
		before = last;
		last = cur;
		cur = spare;
	}
	return last[nr_b];
}

void
mdb_suggest_offer(struct mdb_suggest *s, const char *name)
{
	size_t len = strlen(s->wanted), name_len = strlen(name);
	size_t limit = (len + 2) / 3, d;

	if (len > NAME_MAX_LEN || name_len > NAME_MAX_LEN)
		return;
	d = distance(s->wanted, len, name, name_len);
	if (d > limit || (s->best != NULL && d >= s->distance))
		return;
	s->best = name;
	s->distance = d;
}
