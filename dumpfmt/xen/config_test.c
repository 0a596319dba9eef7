/* SPDX-License-Identifier: MIT */
/*
 * The hypervisor's command line and the build's policy: each option, each way
 * to get it wrong, and that no line asks for more than the build allows.
 */
#include "config_fixture.h"

#include <setjmp.h>

#include <cmocka.h>

#define UUID "4142b864-0ecd-490b-a434-5914c3e4abd6"
#define KEY "00112233445566778899aabbccddeeff0123456789abcdef0123456789abcdef"
#define KEY_UPPER \
	"00112233445566778899AABBCCDDEEFF0123456789ABCDEF0123456789ABCDEF"
#define KEY_OTHER \
	"00112233445566778899aabbccddeeff0123456789abcdef0123456789abcdee"
#define KEY_ZERO \
	"0000000000000000000000000000000000000000000000000000000000000000"
#define ALL "content=guests"

#define HV (1u << DFMT_CLASS_HYPERVISOR)
#define DOM0 (HV | 1u << DFMT_CLASS_PAGETABLE | 1u << DFMT_CLASS_KERNEL)
#define DOM0_ALL (DOM0 | 1u << DFMT_CLASS_USER)
#define GUESTS (DOM0 | 1u << DFMT_CLASS_GUEST)

static const uint8_t uuid[16] = { 0x41, 0x42, 0xb8, 0x64, 0x0e, 0xcd, 0x49,
	0x0b, 0xa4, 0x34, 0x59, 0x14, 0xc3, 0xe4, 0xab, 0xd6 };
static const struct xdump_config zero;

static void
on(const char *line, const char *policy, struct xdump_config *c)
{
	if (!boot(line, policy, c))
		fail_msg("\"%s\" under \"%s\": %s; %s", line, policy,
			off ? off : "off", console);
	assert_true(c->enabled);
	assert_null(off);
	assert_string_equal(console, "");
}

/* why: what it must say; NULL: it was not asked for, and says nothing. */
static void
stays_off(const char *line, const char *policy, const char *why)
{
	struct xdump_config c;

	if (boot(line, policy, &c))
		fail_msg("\"%s\" under \"%s\" is taken", line, policy);
	assert_memory_equal(&c, &zero, sizeof(c));
	if (why == NULL) {
		assert_null(off);
		assert_string_equal(console, "");
	} else if (off == NULL ||
		   (!strstr(off, why) && !strstr(console, why))) {
		fail_msg("\"%s\" under \"%s\": %s; %s", line, policy,
			off ? off : "nothing", console);
	}
}

static void
test_off_when_not_asked_for(void **state)
{
	(void)state;
	stays_off("", ALL, NULL);
	stays_off("console=com1 loglvl=all", ALL, NULL);
	stays_off("xdump", ALL, NULL);
	stays_off("xdump=", ALL, NULL);
	stays_off("no-xdump", ALL, NULL);
	stays_off("xdump=no", ALL, NULL);
	stays_off("xdump-test=" UUID, ALL, NULL);
	stays_off("no-xdump=" UUID, ALL, NULL);
	stays_off("xdump=" UUID ",key=" KEY " no-xdump", ALL, NULL);
	stays_off("xdump=rubbish xdump=", ALL, NULL);
}

static void
test_label_alone_is_the_default(void **state)
{
	struct xdump_config c;

	(void)state;
	on("console=com1 xdump=" UUID " loglvl=all", ALL, &c);
	assert_memory_equal(c.uuid, uuid, sizeof(uuid));
	assert_int_equal(c.content, DOM0);
	assert_int_equal(c.limit_s, 120);
	assert_false(c.dry_run || c.overwrite || c.partition || c.serial);
	assert_false(c.has_key || c.has_place);
	on("xdump=4142B864-0ECD-490B-A434-5914C3E4ABD6", ALL, &c);
	assert_memory_equal(c.uuid, uuid, sizeof(uuid));
}

static void
test_each_option(void **state)
{
	struct xdump_config c;

	(void)state;
	on("xdump=" UUID ",overwrite", ALL, &c);
	assert_true(c.overwrite && !c.dry_run && !c.partition && !c.serial);
	on("xdump=" UUID ",dry-run", ALL, &c);
	assert_true(c.dry_run && !c.overwrite && !c.partition && !c.serial);
	on("xdump=" UUID ",partition", ALL, &c);
	assert_true(c.partition && !c.overwrite && !c.dry_run && !c.serial);
	on("xdump=serial," UUID, ALL, &c);
	assert_true(c.serial && !c.overwrite && !c.dry_run && !c.partition);
	on("xdump=" UUID ",limit=1", ALL, &c);
	assert_int_equal(c.limit_s, 1);
	on("xdump=limit=3600," UUID, ALL, &c);
	assert_int_equal(c.limit_s, 3600);
	on("xdump=" UUID ",pci=ffff:e0:1f.7", ALL, &c);
	assert_true(c.has_place);
	assert_int_equal(c.segment, 0xffff);
	assert_int_equal(c.bdf, 0xe0ff);
	on("xdump=" UUID ",pci=0:0:2.0", ALL, &c);
	assert_int_equal(c.segment, 0);
	assert_int_equal(c.bdf, 0x10);
}

static void
test_each_content(void **state)
{
	struct xdump_config c;

	(void)state;
	on("xdump=" UUID ",content=hv", ALL, &c);
	assert_int_equal(c.content, HV);
	on("xdump=" UUID ",content=dom0", ALL, &c);
	assert_int_equal(c.content, DOM0);
	on("xdump=" UUID ",content=dom0-all", ALL, &c);
	assert_int_equal(c.content, DOM0_ALL);
	on("xdump=" UUID ",content=guests,key=" KEY, ALL, &c);
	assert_int_equal(c.content, GUESTS);
}

static void
test_key(void **state)
{
	struct xdump_config c, upper;

	(void)state;
	on("xdump=" UUID ",key=" KEY, ALL, &c);
	assert_true(c.has_key);
	for (uint32_t i = 0; i < sizeof(c.key); i++) {
		char hex[3];

		(void)snprintf(hex, sizeof(hex), "%02x", c.key[i]);
		assert_memory_equal(hex, &KEY[2 * i], 2);
	}
	on("xdump=" UUID ",key=" KEY_UPPER, ALL, &upper);
	assert_memory_equal(&upper, &c, sizeof(c));
}

static const char *const malformed[] = {
	/* Words that are none, the ends of words, words with an end. */
	"",
	",",
	"dry",
	"dry-runs",
	"dry_run",
	"dry-run=1",
	"DRY-RUN",
	"overwrit",
	"overwrite=",
	"partitions",
	"seria",
	"serial=1",
	"no-dry-run",
	"content",
	"key",
	"limit",
	"pci",
	"rubbish",
	"label=1",
	"=",
	" =",
	"\t",
	"\xff",
	/* Content. */
	"content=",
	"content=h",
	"content=hvx",
	"content=HV",
	"content=dom",
	"content=dom0-",
	"content=dom0-al",
	"content=dom0-alls",
	"content=guest",
	"content=guests ",
	"content==hv",
	"content=hv+guests",
	"content=0x3f",
	/* Numbers. */
	"limit=",
	"limit=0",
	"limit=00000000",
	"limit=3601",
	"limit=-1",
	"limit=+1",
	"limit=1s",
	"limit=0x10",
	"limit=1.",
	"limit=a",
	"limit=4294967297",
	"limit=18446744073709551617",
	"limit=000000001",
	/* Places. */
	"pci=",
	"pci=:",
	"pci=0",
	"pci=0:0",
	"pci=0:0:2",
	"pci=0:0:2.",
	"pci=0:0:.0",
	"pci=0::2.0",
	"pci=:0:2.0",
	"pci=::.",
	"pci=00:02.0",
	"pci=10000:0:2.0",
	"pci=0:100:2.0",
	"pci=0:0:20.0",
	"pci=0:0:2.8",
	"pci=0:0:2.0x",
	"pci=0:0:2.0.",
	"pci=0.0.2.0",
	"pci=0x0:0:2.0",
	"pci=-1:0:2.0",
	"pci=0:0:2:0",
	"pci=100000000:0:2.0",
	"pci=10000000000000000:0:2.0",
	"pci=0:0:10000000000000002.0",
	/* Keys. */
	"key=",
	"key=0",
	"key=none",
	"key=" KEY "0",
	"key=" KEY "00",
	"key=0x" KEY,
	"key=g0112233445566778899aabbccddeeff"
	"0123456789abcdef0123456789abcdef",
	"key=00112233445566778899aabbccddeeff0123456789abcdef0123456789abcde",
	"key=00112233445566778899aabbccddeeff0123456789abcdef0123456789abcdeg",
	"key=00112233445566778899aabbccddeeff0123456789abcdef0123456789abcd",
	"key= 0112233445566778899aabbccddeeff0123456789abcdef0123456789abcdef",
	/* Labels: these are not words of another kind. */
	"4142b864-0ecd-490b-a434-5914c3e4abd",
	"{" UUID "}",
	UUID "0",
	UUID "-",
	"4142b8640ecd490ba4345914c3e4abd6",
	"4142b864-0ecd-490b-a4345914c3e4abd6",
	"4142b864-0ecd-490b-a434-5914c3e4abdg",
	"4142b8640-ecd-490b-a434-5914c3e4abd6",
	"4142b864:0ecd:490b:a434:5914c3e4abd6",
	"-142b864-0ecd-490b-a434-",
};

#define NR(array) (sizeof(array) / sizeof((array)[0]))

/* Past Xen's own parser, which takes no blanks: as the policy is read, too. */
static void
refused(const char *list)
{
	struct xdump_config c;

	console[0] = 0;
	if (line_parse(list, ALL, &c) == NULL)
		fail_msg("\"%s\" is taken", list);
	assert_non_null(strstr(console, "\" is not understood\n"));
}

static void
test_malformed_words_are_refused(void **state)
{
	struct xdump_config c;
	char list[256];

	(void)state;
	for (size_t i = 0; i < NR(malformed); i++) {
		const char *bad = malformed[i];

		(void)snprintf(list, sizeof(list), UUID ",%s", bad);
		refused(list);
		(void)snprintf(list, sizeof(list), "%s," UUID, bad);
		refused(list);
		(void)snprintf(list, sizeof(list), "limit=9,%s," UUID, bad);
		refused(list);
		(void)snprintf(list, sizeof(list), "xdump=" UUID ",%s", bad);
		if (strchr(bad, ' ') == NULL && strlen(list) < 127)
			stays_off(list, ALL, "not understood");
	}
	/* The words around them are not to blame. */
	console[0] = 0;
	assert_null(line_parse("limit=9," UUID, ALL, &c));
	assert_string_equal(console, "");
}

static void
test_word_of_any_length_is_refused(void **state)
{
	char list[1024];

	(void)state;
	for (size_t len = 1; len < 900; len++) {
		(void)snprintf(list, sizeof(list), UUID ",key=%s%0*d", KEY,
			(int)len, 0);
		refused(list);
		(void)snprintf(list, sizeof(list), UUID ",%0*d", (int)len, 0);
		refused(list);
	}
}

static void
test_twice_is_refused(void **state)
{
	static const char *const words[] = { "overwrite", "dry-run",
		"partition", "serial", "limit=5", "content=hv", "pci=0:0:2.0",
		"key=" KEY, UUID };
	char line[512];

	(void)state;
	for (size_t i = 0; i < NR(words); i++) {
		(void)snprintf(line, sizeof(line), "xdump=%s xdump=%s",
			words[i], words[i]);
		stays_off(line, ALL, "\" is given twice");
	}
	stays_off("xdump=" UUID ",limit=5,dry-run,limit=6", ALL,
		"\"limit=6\" is given twice");
	stays_off("xdump=" UUID ",content=hv,content=guests", ALL,
		"given twice");
	stays_off("xdump=" UUID " xdump=11111111-0ecd-490b-a434-5914c3e4abd6",
		ALL, "given twice");
	stays_off("xdump=" UUID " xdump=key=" KEY " xdump=key=" KEY_OTHER, ALL,
		"given twice");
	/* A good one and one that is none, in both orders. */
	stays_off("xdump=" UUID " xdump=key=" KEY " xdump=key=1", ALL,
		"\"key=1\" is not understood");
	stays_off("xdump=" UUID " xdump=key=1 xdump=key=" KEY, ALL,
		"\"key=1\" is not understood");
}

static void
test_without_a_label_is_refused(void **state)
{
	(void)state;
	stays_off("xdump=dry-run", ALL, "names no label");
	stays_off("xdump=key=" KEY, ALL, "names no label");
	stays_off("xdump=00000000-0000-0000-0000-000000000000", ALL,
		"names no label");
}

static void
test_guests_need_a_key(void **state)
{
	(void)state;
	stays_off("xdump=" UUID ",content=guests", ALL, "needs key=");
	stays_off("xdump=content=guests," UUID ",dry-run", ALL, "needs key=");
}

static void
test_words_of_several(void **state)
{
	struct xdump_config c;

	(void)state;
	on("xdump=" UUID ",key=" KEY " console=com1 "
	   "xdump=content=guests,limit=600,dry-run xdump=pci=0:0:2.0",
		ALL, &c);
	assert_int_equal(c.content, GUESTS);
	assert_int_equal(c.limit_s, 600);
	assert_true(c.dry_run && c.has_key && c.has_place);
	assert_memory_equal(c.uuid, uuid, sizeof(uuid));
	/* Those behind no-xdump are a line of their own. */
	on("xdump=rubbish,overwrite no-xdump xdump=" UUID, ALL, &c);
	assert_false(c.overwrite);
}

/* Good words, with so many zeros in them that do not count. */
static void
padded(char *line, size_t len, int zeros)
{
	int w[5];

	for (int i = 0; i < 5; i++) {
		w[i] = zeros < 7 ? zeros + 1 : 8;
		zeros -= w[i] - 1;
	}
	(void)snprintf(line, len,
		"xdump=" UUID ",overwrite,serial,partition,content=hv,"
		"limit=%0*d,pci=%0*x:%0*x:%0*x.%0*x",
		w[0], 9, w[1], 1, w[2], 2, w[3], 3, w[4], 4);
}

/* Wherever Xen cuts a word: it stays off, or all of it was there. */
static void
test_what_xen_cuts_is_off(void **state)
{
	struct xdump_config c;
	char line[256];
	size_t shortest = sizeof(line), longest = 0;

	(void)state;
	for (int zeros = 0; zeros <= 35; zeros++) {
		padded(line, sizeof(line), zeros);
		strcat(line, ",dry-run");
		if (strlen(line) >= 127) {
			stays_off(line, ALL, "the command line is cut");
			longest = strlen(line);
			continue;
		}
		on(line, ALL, &c);
		assert_true(c.dry_run && c.limit_s == 9);
		assert_int_equal(c.bdf, 2 << 8 | 3 << 3 | 4);
		if (shortest == sizeof(line))
			shortest = strlen(line);
	}
	/* The cut was before, in, and behind the last word. */
	assert_true(shortest < 127 && longest >= 127 + strlen(",dry-run"));
}

static void
test_over_long_is_off(void **state)
{
	char line[2048] = "xdump=" UUID;
	struct xdump_config c;

	(void)state;
	on(line, ALL, &c);
	/* More than there is room for; none of them is cut by Xen. */
	for (int i = 0; i < 8; i++)
		(void)snprintf(line + strlen(line), sizeof(line) - strlen(line),
			" xdump=%0100d", i);
	stays_off(line, ALL, "the command line is cut");
	strcat(line, " no-xdump");
	stays_off(line, ALL, NULL);
	strcat(line, " xdump=" UUID);
	on(line, ALL, &c);
}

static void
test_policy_of_content(void **state)
{
	static const char *const names[] = { "hv", "dom0", "dom0-all",
		"guests" };
	static const uint32_t bits[] = { HV, DOM0, DOM0_ALL, GUESTS };
	char line[256], policy[64];
	struct xdump_config c;

	(void)state;
	for (size_t most = 0; most < NR(names); most++)
		for (size_t i = 0; i < NR(names); i++) {
			(void)snprintf(policy, sizeof(policy), "content=%s",
				names[most]);
			(void)snprintf(line, sizeof(line),
				"xdump=content=%s xdump=" UUID ",key=" KEY,
				names[i]);
			if (i > most) {
				stays_off(line, policy,
					"does not allow that content");
				continue;
			}
			on(line, policy, &c);
			assert_int_equal(c.content, bits[i]);
		}
	/* What is not said is the default, which a policy may forbid too. */
	stays_off("xdump=" UUID, "content=hv", "does not allow that content");
	on("xdump=" UUID, "content=dom0", &c);
	on("xdump=" UUID ",key=" KEY, "key=" KEY, &c);
	stays_off("xdump=content=dom0-all xdump=" UUID ",key=" KEY, "key=" KEY,
		"does not allow that content");
}

static void
test_policy_of_key(void **state)
{
	static const char policy[] = "content=guests,key=" KEY;
	struct xdump_config c;

	(void)state;
	on("xdump=" UUID ",key=" KEY, policy, &c);
	on("xdump=" UUID ",key=" KEY_UPPER, policy, &c);
	on("xdump=" UUID ",key=" KEY, "key=" KEY_UPPER, &c);
	on("xdump=" UUID ",content=guests,key=" KEY, policy, &c);
	stays_off("xdump=" UUID, policy, "demands another key");
	stays_off("xdump=" UUID ",content=hv", policy, "demands another key");
	stays_off("xdump=" UUID ",dry-run,serial", policy,
		"demands another key");
	stays_off("xdump=" UUID ",key=" KEY_OTHER, policy,
		"demands another key");
	stays_off("xdump=" UUID " xdump=key=" KEY " xdump=key=" KEY_OTHER,
		policy, "given twice");
	stays_off("xdump=" UUID " xdump=key=" KEY_OTHER " xdump=key=" KEY,
		policy, "given twice");
	/* No key is not the key of zeros. */
	stays_off("xdump=" UUID, "key=" KEY_ZERO, "demands another key");
	/* Not another one behind no-xdump either. */
	stays_off("xdump=" UUID ",key=" KEY " no-xdump xdump=" UUID, policy,
		"demands another key");
}

static void
test_policy_not_understood_is_off(void **state)
{
	static const char *const bad[] = { "", ",", "contents=hv", "hv",
		"content=", "content=all", "content=hv,", ",content=hv",
		"content=hv,content=guests", "content=guests,content=hv",
		"key=" KEY ",key=" KEY_OTHER,
		"content=guests,key=", "content=guests;key=" KEY,
		"content=guests key=" KEY,
		/* Words of the line that limit nothing. */
		UUID, "content=guests," UUID, "dry-run", "content=hv,dry-run",
		"content=guests,overwrite", "content=guests,serial",
		"content=guests,limit=9", "content=guests,partition",
		"content=guests,pci=0:0:2.0" };

	(void)state;
	for (size_t i = 0; i < NR(bad); i++)
		stays_off("xdump=" UUID ",content=hv,key=" KEY, bad[i],
			"the build's policy is not understood");
}

/* The one that config.c is built with; parsing leaves it and the line whole. */
static void
test_policy_of_the_build(void **state)
{
	struct xdump_config c, again;

	(void)state;
	assert_string_equal(opt_policy, "content=guests");
	on("xdump=" UUID ",content=guests,key=" KEY, ALL, &c);
	assert_true(xdump_config_parse(&again));
	assert_memory_equal(&c, &again, sizeof(c));
	assert_true(xdump_config_parse(&again));
	assert_memory_equal(&c, &again, sizeof(c));
	stays_off("xdump=" UUID ",content=guests", ALL, "needs key=");
	assert_false(xdump_config_parse(&again));
	assert_memory_equal(&again, &zero, sizeof(zero));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_off_when_not_asked_for),
		cmocka_unit_test(test_label_alone_is_the_default),
		cmocka_unit_test(test_each_option),
		cmocka_unit_test(test_each_content),
		cmocka_unit_test(test_key),
		cmocka_unit_test(test_malformed_words_are_refused),
		cmocka_unit_test(test_word_of_any_length_is_refused),
		cmocka_unit_test(test_twice_is_refused),
		cmocka_unit_test(test_without_a_label_is_refused),
		cmocka_unit_test(test_guests_need_a_key),
		cmocka_unit_test(test_words_of_several),
		cmocka_unit_test(test_what_xen_cuts_is_off),
		cmocka_unit_test(test_over_long_is_off),
		cmocka_unit_test(test_policy_of_content),
		cmocka_unit_test(test_policy_of_key),
		cmocka_unit_test(test_policy_not_understood_is_off),
		cmocka_unit_test(test_policy_of_the_build),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
