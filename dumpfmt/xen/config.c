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
 * Off when it is not given.  A word that is not known leaves it off.
 *
 * XDUMP_POLICY, of the build, says in the same words what the command line may
 * ask for at most: content= the widest, key= the only one.
 */
#include "xdump-impl.h"

#include <xen/init.h>
#include <xen/lib.h>
#include <xen/param.h>
#include <xen/string.h>

#define LIMIT_S 120u
#define LIMIT_MAX_S 3600u
#define CONTENT(class) (1u << (class))

#ifndef XDUMP_POLICY
#define XDUMP_POLICY "content=guests"
#endif

static char __initdata opt_policy[] = XDUMP_POLICY;
static char __initdata opt_xdump[320];
string_param("xdump", opt_xdump);

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

static bool __init
place_parse(const char *s, struct xdump_config *c)
{
	const char *end;
	unsigned long seg = simple_strtoul(s, &end, 16), bus, dev, fn;

	if (*end != ':')
		return false;
	bus = simple_strtoul(end + 1, &end, 16);
	if (*end != ':')
		return false;
	dev = simple_strtoul(end + 1, &end, 16);
	if (*end != '.')
		return false;
	fn = simple_strtoul(end + 1, &end, 16);
	if (*end || seg > 0xffff || bus > 255 || dev > 31 || fn > 7)
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
	const char *end;
	unsigned long v = simple_strtoul(s, &end, 10);

	if (*end || v == 0 || v > LIMIT_MAX_S)
		return false;
	c->limit_s = (uint32_t)v;
	return true;
}

static bool __init
word_parse(const char *word, struct xdump_config *c)
{
	if (!strncmp(word, "pci=", 4))
		return place_parse(word + 4, c);
	if (!strncmp(word, "content=", 8))
		return content_parse(word + 8, c);
	if (!strncmp(word, "key=", 4))
		return key_parse(word + 4, c);
	if (!strncmp(word, "limit=", 6))
		return limit_parse(word + 6, c);
	if (!strcmp(word, "overwrite"))
		c->overwrite = true;
	else if (!strcmp(word, "dry-run"))
		c->dry_run = true;
	else if (!strcmp(word, "partition"))
		c->partition = true;
	else if (!strcmp(word, "serial"))
		c->serial = true;
	else
		return uuid_parse(word, c->uuid);
	return true;
}

static bool __init
words_parse(char *word, struct xdump_config *c)
{
	memset(c, 0, sizeof(*c));
	c->limit_s = LIMIT_S;
	(void)content_parse("dom0", c);
	while (word != NULL) {
		char *comma = strchr(word, ',');

		if (comma != NULL)
			*comma++ = 0;
		if (!word_parse(word, c)) {
			printk(XENLOG_ERR "xdump: \"%s\" is not understood\n",
				word);
			return false;
		}
		word = comma;
	}
	return true;
}

/* NULL, or what the build does not allow. */
static const char *__init
policy_breach(const struct xdump_config *c)
{
	struct xdump_config p;
	uint32_t allowed;

	if (!words_parse(opt_policy, &p))
		return "the build's policy is not understood";
	allowed = p.content;
	if (allowed & CONTENT(DFMT_CLASS_GUEST))
		allowed |= CONTENT(DFMT_CLASS_USER);
	if (c->content & ~allowed)
		return "the build's policy does not allow that content";
	if (p.has_key && (!c->has_key || memcmp(p.key, c->key, sizeof(p.key))))
		return "the build's policy demands another key";
	return NULL;
}

bool __init
xdump_config_parse(struct xdump_config *c)
{
	static const uint8_t none[16];
	const char *why;

	if (opt_xdump[0] == 0) {
		memset(c, 0, sizeof(*c));
		return false;
	}
	if (!words_parse(opt_xdump, c)) {
		xdump_off("the command line is not understood");
		return false;
	}
	why = policy_breach(c);
	if (why != NULL) {
		xdump_off(why);
		return false;
	}
	if (!memcmp(c->uuid, none, sizeof(none))) {
		xdump_off("the command line names no label");
		return false;
	}
	if ((c->content & CONTENT(DFMT_CLASS_GUEST)) && !c->has_key) {
		xdump_off(
			"content=guests needs key=: guests are dumped encrypted or not at all");
		return false;
	}
	c->enabled = true;
	return true;
}
