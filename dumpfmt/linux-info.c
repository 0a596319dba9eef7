/* SPDX-License-Identifier: MIT */
/* VMCOREINFO, as far as it is needed to tell frames apart: see dfmt-linux.h. */
#include "dfmt-linux.h"

#include <string.h>

#define FRAME_LEN 4096u
#define ORDERS_MAX 32u

enum need {
	MAY,
	MUST,
};

/* What a number must be to be taken. */
enum kind {
	ANY,
	OFFSET1, /* of a field of 1 byte in a page structure */
	OFFSET4, /* of 4 */
	OFFSET8, /* of 8 */
	BIT,
	TYPE,	 /* a mapcount: 32 bits, negative */
	ADDRESS, /* of the kernel's half */
};

static const struct {
	const char *key;
	uint8_t base, need, kind;
} words[DFMT_LX_NR] = {
	[DFMT_LX_PAGESIZE] = { "PAGESIZE", 10, MUST, ANY },
	[DFMT_LX_PAGE_LEN] = { "SIZE(page)", 10, MUST, ANY },
	[DFMT_LX_FLAGS] = { "OFFSET(page.flags)", 10, MUST, OFFSET8 },
	[DFMT_LX_REFCOUNT] = { "OFFSET(page._refcount)", 10, MUST, OFFSET4 },
	[DFMT_LX_MAPCOUNT] = { "OFFSET(page._mapcount)", 10, MUST, OFFSET4 },
	[DFMT_LX_MAPPING] = { "OFFSET(page.mapping)", 10, MUST, OFFSET8 },
	[DFMT_LX_LRU] = { "OFFSET(page.lru)", 10, MUST, OFFSET8 },
	[DFMT_LX_PRIVATE] = { "OFFSET(page.private)", 10, MUST, OFFSET8 },
	[DFMT_LX_HEAD] = { "OFFSET(page.compound_head)", 10, MUST, OFFSET8 },
	[DFMT_LX_DTOR] = { "OFFSET(page.compound_dtor)", 10, MAY, OFFSET1 },
	[DFMT_LX_BIT_LRU] = { "NUMBER(PG_lru)", 10, MUST, BIT },
	[DFMT_LX_BIT_SWAPCACHE] = { "NUMBER(PG_swapcache)", 10, MUST, BIT },
	[DFMT_LX_BIT_SWAPBACKED] = { "NUMBER(PG_swapbacked)", 10, MUST, BIT },
	[DFMT_LX_BIT_SLAB] = { "NUMBER(PG_slab)", 10, MAY, BIT },
	[DFMT_LX_BIT_HWPOISON] = { "NUMBER(PG_hwpoison)", 10, MAY, BIT },
	[DFMT_LX_BIT_HUGETLB] = { "NUMBER(PG_hugetlb)", 10, MAY, BIT },
	[DFMT_LX_HEAD_MASK] = { "NUMBER(PG_head_mask)", 10, MUST, ANY },
	[DFMT_LX_BUDDY] = { "NUMBER(PAGE_BUDDY_MAPCOUNT_VALUE)", 10, MUST,
		TYPE },
	[DFMT_LX_SLAB] = { "NUMBER(PAGE_SLAB_MAPCOUNT_VALUE)", 10, MAY, TYPE },
	[DFMT_LX_HUGETLB] = { "NUMBER(PAGE_HUGETLB_MAPCOUNT_VALUE)", 10, MAY,
		TYPE },
	[DFMT_LX_HUGETLB_DTOR] = { "NUMBER(HUGETLB_PAGE_DTOR)", 10, MAY, ANY },
	[DFMT_LX_ORDERS] = { "LENGTH(zone.free_area)", 10, MUST, ANY },
	[DFMT_LX_SECTIONS] = { "SYMBOL(mem_section)", 16, MUST, ADDRESS },
	[DFMT_LX_SECTION_LEN] = { "SIZE(mem_section)", 10, MUST, ANY },
	[DFMT_LX_SECTION_MAP] = { "OFFSET(mem_section.section_mem_map)", 10,
		MUST, ANY },
	[DFMT_LX_ROOT] = { "SYMBOL(init_top_pgt)", 16, MUST, ADDRESS },
	[DFMT_LX_LEVEL5] = { "NUMBER(pgtable_l5_enabled)", 10, MAY, ANY },
};

struct span {
	const char *at;
	size_t len;
};

static int
digit_of(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : 16;
}

/* The whole span is a number that fits: decimal ones may be negative. */
static bool
number_parse(struct span s, unsigned int base, uint64_t *out)
{
	uint64_t v = 0;
	bool minus = base == 10 && s.len > 0 && s.at[0] == '-';

	if (minus) {
		s.at++;
		s.len--;
	}
	if (s.len == 0)
		return false;
	for (size_t i = 0; i < s.len; i++) {
		int d = digit_of(s.at[i]);

		if (d >= (int)base || v > (UINT64_MAX - (uint64_t)d) / base)
			return false;
		v = v * base + (uint64_t)d;
	}
	if (minus && v > UINT64_MAX / 2)
		return false;
	*out = minus ? (uint64_t) - (int64_t)v : v;
	return true;
}

static bool
is_word(struct span s, const char *word)
{
	size_t i = 0;

	while (i < s.len && word[i] == s.at[i] && word[i])
		i++;
	return i == s.len && !word[i];
}

static void
release_take(struct span s, struct dfmt_linux_info *out)
{
	for (size_t i = 0; i < s.len && i + 1 < sizeof(out->release); i++)
		out->release[i] =
			s.at[i] > ' ' && s.at[i] < 127 ? s.at[i] : '?';
}

/* "key=value"; what is not asked for is nobody's business. */
static const char *
line_take(struct span line, struct dfmt_linux_info *out)
{
	struct span key = line, value;
	size_t n = 0;

	while (n < line.len && line.at[n] != '=')
		n++;
	if (n == line.len)
		return NULL;
	key.len = n;
	value.at = line.at + n + 1;
	value.len = line.len - n - 1;
	if (is_word(key, "OSRELEASE"))
		release_take(value, out);
	for (unsigned int i = 0; i < DFMT_LX_NR; i++) {
		if (!is_word(key, words[i].key))
			continue;
		if (out->has & 1u << i)
			return "it says one thing twice";
		if (!number_parse(value, words[i].base, &out->value[i]))
			return "it has a number that is none";
		out->has |= 1u << i;
	}
	return NULL;
}

static bool
one_is_sound(const struct dfmt_linux_info *o, unsigned int i)
{
	uint64_t v = o->value[i], len = o->value[DFMT_LX_PAGE_LEN];

	switch ((enum kind)words[i].kind) {
	case OFFSET1:
		return v < len;
	case OFFSET4:
		return v % 4 == 0 && v <= len - 4;
	case OFFSET8:
		return v % 8 == 0 && v <= len - 8;
	case BIT:
		return v < 64;
	case TYPE:
		return (int64_t)v < -1 && (int64_t)v >= -(1ll << 31);
	case ADDRESS:
		return v >= 0xffff800000000000u && v % 8 == 0;
	case ANY:
		break;
	}
	return true;
}

static bool
all_is_sound(const struct dfmt_linux_info *o)
{
	const uint64_t *v = o->value;
	uint64_t len = v[DFMT_LX_PAGE_LEN];

	if (v[DFMT_LX_PAGESIZE] != FRAME_LEN || len < 32 || len % 8 ||
		len > DFMT_LINUX_PAGE_MAX)
		return false;
	for (unsigned int i = 0; i < DFMT_LX_NR; i++)
		if ((o->has & 1u << i) && !one_is_sound(o, i))
			return false;
	return v[DFMT_LX_HEAD_MASK] != 0 && v[DFMT_LX_ORDERS] > 0 &&
	       v[DFMT_LX_ORDERS] <= ORDERS_MAX && v[DFMT_LX_LRU] <= len - 16 &&
	       v[DFMT_LX_SECTION_LEN] >= 8 &&
	       v[DFMT_LX_SECTION_LEN] <= FRAME_LEN &&
	       v[DFMT_LX_SECTION_MAP] <= v[DFMT_LX_SECTION_LEN] - 8 &&
	       v[DFMT_LX_ROOT] % FRAME_LEN == 0;
}

const char *
dfmt_linux_parse(const char *text, size_t len, struct dfmt_linux_info *out)
{
	size_t at = 0;

	memset(out, 0, sizeof(*out));
	if (len > DFMT_LINUX_TEXT_MAX)
		return "it is longer than a page";
	while (at < len && text[at]) {
		struct span line = { text + at, 0 };
		const char *why;

		while (at + line.len < len && text[at + line.len] &&
			text[at + line.len] != '\n')
			line.len++;
		why = line_take(line, out);
		if (why)
			return why;
		at += line.len + 1;
	}
	for (unsigned int i = 0; i < DFMT_LX_NR; i++)
		if (words[i].need == MUST && !(out->has & 1u << i))
			return "it does not say all that is needed";
	/* Slab memory is told by the one or the other. */
	if (!(out->has & (1u << DFMT_LX_BIT_SLAB | 1u << DFMT_LX_SLAB)))
		return "it does not say what slab memory looks like";
	if (out->value[DFMT_LX_LEVEL5])
		return "five levels of page tables";
	return all_is_sound(out) ? NULL : "it says what cannot be";
}
