/* SPDX-License-Identifier: MIT */
/*
 * Fuzzes the hypervisor's command line: the first line of the input is the
 * build's policy, the rest Xen's line.  What it comes to stays within the
 * policy, which is read here a second time and in another way.
 */
#include "config_fixture.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void
must(bool is_so)
{
	if (!is_so)
		abort();
}

/* How much: 0 the hypervisor, 3 guests. */
static int
level(uint32_t content)
{
	uint32_t hv = 1u << 1, dom0 = hv | 1u << 2 | 1u << 3;

	must(content == hv || content == dom0 || content == (dom0 | 1u << 4) ||
		content == (dom0 | 1u << 5));
	return content == hv		     ? 0
	       : content == dom0	     ? 1
	       : content == (dom0 | 1u << 4) ? 2
					     : 3;
}

/* Behind NAME in one of the policy's words; NULL: there is none. */
static const char *
find(const char *policy, const char *name)
{
	const char *at = strstr(policy, name);

	return at != NULL && (at == policy || at[-1] == ',') ? at + strlen(name)
							     : NULL;
}

static int
allowed(const char *policy)
{
	static const char *const names[] = { "hv", "dom0", "dom0-all",
		"guests" };
	const char *value = find(policy, "content=");
	size_t len = value != NULL ? strcspn(value, ",") : 0;

	if (value == NULL)
		return 1;
	for (int i = 0; i < 4; i++)
		if (strlen(names[i]) == len && !memcmp(names[i], value, len))
			return i;
	return -1;
}

static bool
same_key(const char *policy, const struct xdump_config *c)
{
	const char *value = find(policy, "key=");

	if (value == NULL)
		return true;
	for (uint32_t i = 0; i < DFMT_KEY_LEN; i++, value += 2) {
		unsigned int byte;

		if (sscanf(value, "%2x", &byte) != 1 || byte != c->key[i])
			return false;
	}
	return c->has_key;
}

static void
check(bool enabled, const char *policy, const struct xdump_config *c)
{
	static const struct xdump_config zero;

	must(enabled == c->enabled);
	if (!enabled) {
		must(!memcmp(c, &zero, sizeof(zero)));
		return;
	}
	must(level(c->content) <= allowed(policy));
	must(same_key(policy, c));
	must(c->has_key || !(c->content & 1u << DFMT_CLASS_GUEST));
	must(c->limit_s >= 1 && c->limit_s <= 3600);
	must(memcmp(c->uuid, zero.uuid, sizeof(zero.uuid)) != 0);
	must(off == NULL);
}

/* A string as long as it is, not a byte more. */
static char *
string(const uint8_t *data, size_t len)
{
	char *s = malloc(len + 1);

	must(s != NULL);
	memcpy(s, data, len);
	s[len] = 0;
	return s;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	const uint8_t *end = len ? memchr(data, '\n', len) : NULL;
	size_t policy_len = end != NULL ? (size_t)(end - data) : 0;
	size_t skip = end != NULL ? policy_len + 1 : 0;
	char *policy = string(data, policy_len);
	char *line = string(data + skip, len - skip);
	struct xdump_config c;
	bool enabled = boot(line, policy, &c);

	check(enabled, policy, &c);
	must(enabled || off != NULL || opt_xdump[0] == 0);
	/* Once more without what Xen cuts, and where a sanitizer sees the end.
	 */
	opt_cut = false;
	off = NULL;
	console[0] = 0;
	enabled = line_parse(line, policy, &c) == NULL;
	c.enabled = enabled;
	if (enabled)
		check(true, policy, &c);
	free(line);
	free(policy);
	return 0;
}
