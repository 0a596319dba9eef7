/* SPDX-License-Identifier: MIT */
/*
 * The command line: xdump=UUID[,option...]
 *
 *	UUID			of the label (dumpadm label prints it)
 *	pci=SSSS:BB:DD.F	where the controller is: a hint, looked at first
 *	content=hv|dom0|dom0-all	hypervisor; and dom0's kernel (default);
 *				and all of dom0
 *	content=guests		hypervisor, dom0's kernel and all guests: only
 *				with key=
 *	key=HEX64		encrypted to this public key (dumpadm keygen)
 *	limit=SECONDS		the dump ends then (default 120)
 *	overwrite		an unsaved dump may be overwritten
 *	dry-run			do all but write
 *	partition		the label is in a partition of our type
 *	serial			where no disk is written, the triage record
 *				goes over the serial line
 *
 * Off when it is not given.  A word that is not known leaves it off, and so
 * does one given twice.
 *
 * Xen takes at most 127 bytes of a word of its command line and says nothing of
 * the rest (common/kernel.c, parse_params(), 4.17 to 4.20).  So xdump= may be
 * given more than once: all of their words count.  One that may have been cut
 * leaves it off: of limit=600,dry-run it might be the last word that is gone.
 *
 * XDUMP_POLICY, of the build, says in the same words what the command line may
 * ask for at most: content= the widest, dom0 when it is not given; key= the
 * only one.  A policy that says anything else leaves it off.
 */
#include "xdump-impl.h"

#include <xen/init.h>
#include <xen/lib.h>
#include <xen/param.h>
#include <xen/string.h>

#define LIMIT_S 120u
#define LIMIT_MAX_S 3600u
#define CONTENT(class) (1u << (class))
#define DIGITS_MAX 8u /* of a number: it fits 32 bits */
/* The longest is key=; one byte more than it has. */
#define WORD_MAX (sizeof("key=") + 2ul * DFMT_KEY_LEN)

#ifndef XDUMP_POLICY
#define XDUMP_POLICY "content=guests"
#endif

/* Which words there were. */
enum {
	WORD_UUID = 1u << 0,
	WORD_PLACE = 1u << 1,
	WORD_CONTENT = 1u << 2,
	WORD_KEY = 1u << 3,
	WORD_LIMIT = 1u << 4,
	WORD_OVERWRITE = 1u << 5,
	WORD_DRY_RUN = 1u << 6,
	WORD_PARTITION = 1u << 7,
	WORD_SERIAL = 1u << 8,
};

static const char __initconst opt_policy[] = XDUMP_POLICY;
static char __initdata opt_xdump[320];
static bool __initdata opt_cut;

/* What is behind one xdump=, or "no" for no-xdump: none of those before it. */
static int __init
opt_take(const char *s)
{
	size_t used = strlen(opt_xdump), len = strlen(s);

	if (len == 0 || !strcmp(s, "no")) {
		opt_xdump[0] = 0;
		opt_cut = false;
		return 0;
	}
	if (sizeof("xdump=") + len >= MAX_PARAM_SIZE ||
		used + 1 + len >= sizeof(opt_xdump)) {
		opt_cut = true;
		return 0;
	}
	if (used > 0)
		opt_xdump[used++] = ',';
	memcpy(opt_xdump + used, s, len + 1);
	return 0;
}
custom_param("xdump", opt_take);

static int __init
hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* 32 digits with four dashes in their places, and nothing else. */
static bool __init
uuid_parse(const char *s, uint8_t *out)
{
	for (unsigned int i = 0; i < 16; i++) {
		int high, low;

		if (i == 4 || i == 6 || i == 8 || i == 10)
			if (*s++ != '-')
				return false;
		high = hex_digit(s[0]);
		low = high < 0 ? -1 : hex_digit(s[1]);
		if (low < 0)
			return false;
		out[i] = (uint8_t)(high << 4 | low);
		s += 2;
	}
	return *s == 0;
}

/* A number up to the character that ends it; *s is then behind that. */
static bool __init
number_parse(const char **s, unsigned int base, uint32_t max, char end,
	uint32_t *v_out)
{
	uint32_t v = 0;
	unsigned int n;

	for (n = 0; n < DIGITS_MAX; n++) {
		int digit = hex_digit((*s)[n]);

		if (digit < 0 || digit >= (int)base)
			break;
		v = v * base + (uint32_t)digit;
	}
	if (n == 0 || v > max || (*s)[n] != end)
		return false;
	*s += n + 1;
	*v_out = v;
	return true;
}

static bool __init
place_parse(const char *s, struct xdump_config *c)
{
	uint32_t seg, bus, dev, fn;

	if (!number_parse(&s, 16, 0xffff, ':', &seg) ||
		!number_parse(&s, 16, 255, ':', &bus) ||
		!number_parse(&s, 16, 31, '.', &dev) ||
		!number_parse(&s, 16, 7, 0, &fn))
		return false;
	c->segment = (uint16_t)seg;
	c->bdf = (uint16_t)(bus << 8 | dev << 3 | fn);
	c->has_place = true;
	return true;
}

static bool __init
content_parse(const char *s, struct xdump_config *c)
{
	uint32_t hv = CONTENT(DFMT_CLASS_HYPERVISOR);
	uint32_t dom0 =
		hv | CONTENT(DFMT_CLASS_PAGETABLE) | CONTENT(DFMT_CLASS_KERNEL);

	if (!strcmp(s, "hv"))
		c->content = hv;
	else if (!strcmp(s, "dom0"))
		c->content = dom0;
	else if (!strcmp(s, "dom0-all"))
		c->content = dom0 | CONTENT(DFMT_CLASS_USER);
	else if (!strcmp(s, "guests"))
		c->content = dom0 | CONTENT(DFMT_CLASS_GUEST);
	else
		return false;
	return true;
}

static bool __init
key_parse(const char *s, struct xdump_config *c)
{
	for (unsigned int i = 0; i < sizeof(c->key); i++) {
		int high = hex_digit(s[0]);
		int low = high < 0 ? -1 : hex_digit(s[1]);

		if (low < 0)
			return false;
		c->key[i] = (uint8_t)(high << 4 | low);
		s += 2;
	}
	c->has_key = *s == 0;
	return c->has_key;
}

static bool __init
limit_parse(const char *s, struct xdump_config *c)
{
	return number_parse(&s, 10, LIMIT_MAX_S, 0, &c->limit_s) &&
	       c->limit_s > 0;
}

/* A word with a value: which one, or 0. */
static uint32_t __init
value_parse(const char *word, struct xdump_config *c)
{
	if (!strncmp(word, "pci=", 4))
		return place_parse(word + 4, c) ? WORD_PLACE : 0;
	if (!strncmp(word, "content=", 8))
		return content_parse(word + 8, c) ? WORD_CONTENT : 0;
	if (!strncmp(word, "key=", 4))
		return key_parse(word + 4, c) ? WORD_KEY : 0;
	if (!strncmp(word, "limit=", 6))
		return limit_parse(word + 6, c) ? WORD_LIMIT : 0;
	return uuid_parse(word, c->uuid) ? WORD_UUID : 0;
}

static uint32_t __init
word_parse(const char *word, struct xdump_config *c)
{
	if (!strcmp(word, "overwrite")) {
		c->overwrite = true;
		return WORD_OVERWRITE;
	}
	if (!strcmp(word, "dry-run")) {
		c->dry_run = true;
		return WORD_DRY_RUN;
	}
	if (!strcmp(word, "partition")) {
		c->partition = true;
		return WORD_PARTITION;
	}
	if (!strcmp(word, "serial")) {
		c->serial = true;
		return WORD_SERIAL;
	}
	return value_parse(word, c);
}

/*
 * The word at the front of the list, and the list behind it, or NULL.  Of one
 * that is too long so much that it is none.
 */
static const char *__init
word_next(const char *list, char *word)
{
	unsigned int len = 0;

	for (; *list && *list != ','; list++)
		if (len < WORD_MAX)
			word[len++] = *list;
	word[len] = 0;
	return *list ? list + 1 : NULL;
}

/* Which words there are; 0: said on the console which is wrong. */
static uint32_t __init
words_parse(const char *list, struct xdump_config *c)
{
	char word[WORD_MAX + 1];
	uint32_t words = 0, one;

	memset(c, 0, sizeof(*c));
	c->limit_s = LIMIT_S;
	(void)content_parse("dom0", c);
	while (list != NULL) {
		list = word_next(list, word);
		one = word_parse(word, c);
		if (one == 0 || words & one) {
			printk(XENLOG_ERR "xdump: \"%s\" is %s\n", word,
				one ? "given twice" : "not understood");
			return 0;
		}
		words |= one;
	}
	return words;
}

/* NULL, or what the build does not allow. */
static const char *__init
policy_breach(const char *policy, const struct xdump_config *c)
{
	struct xdump_config p;
	uint32_t words = words_parse(policy, &p), allowed;

	if (words == 0 || words & ~(WORD_CONTENT | WORD_KEY))
		return "the build's policy is not understood";
	allowed = p.content;
	if (allowed & CONTENT(DFMT_CLASS_GUEST))
		allowed |= CONTENT(DFMT_CLASS_USER);
	if (c->content & ~allowed)
		return "the build's policy does not allow that content";
	if (p.has_key &&
		(!c->has_key || memcmp(p.key, c->key, sizeof(p.key)) != 0))
		return "the build's policy demands another key";
	return NULL;
}

/* NULL, or why it stays off. */
static const char *__init
line_parse(const char *line, const char *policy, struct xdump_config *c)
{
	static const uint8_t none[16];
	const char *why;

	if (opt_cut)
		return "the command line is cut: an xdump= has at most 126 bytes, give more than one";
	if (words_parse(line, c) == 0)
		return "the command line is not understood";
	why = policy_breach(policy, c);
	if (why != NULL)
		return why;
	if (!memcmp(c->uuid, none, sizeof(none)))
		return "the command line names no label";
	if ((c->content & CONTENT(DFMT_CLASS_GUEST)) && !c->has_key)
		return "content=guests needs key=: guests are dumped encrypted or not at all";
	return NULL;
}

static bool __init
config_make(const char *policy, struct xdump_config *c)
{
	const char *why;

	memset(c, 0, sizeof(*c));
	if (opt_xdump[0] == 0 && !opt_cut)
		return false;
	why = line_parse(opt_xdump, policy, c);
	if (why != NULL) {
		memset(c, 0, sizeof(*c));
		xdump_off(why);
		return false;
	}
	c->enabled = true;
	return true;
}

bool __init
xdump_config_parse(struct xdump_config *c)
{
	return config_make(opt_policy, c);
}
