/* SPDX-License-Identifier: MIT */
/*
 * config.c on the host, built with the headers in test/include, for its test
 * and its fuzz target; and what Xen does with a line before config.c sees of it
 * (common/kernel.c, parse_params(), 4.17 to 4.20).
 */
#ifndef CONFIG_FIXTURE_H
#define CONFIG_FIXTURE_H

#include "config.c"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

static char console[4096];
static const char *off; /* why, or NULL */

void
printk(const char *format, ...)
{
	size_t used = strlen(console);
	va_list args;

	va_start(args, format);
	(void)vsnprintf(console + used, sizeof(console) - used, format, args);
	va_end(args);
}

void
xdump_off(const char *why)
{
	off = why;
}

/* One word of the line.  The value is as long as it is, not a byte more. */
static void
xen_word(char *word)
{
	char *equals = strchr(word, '='), *value;
	bool is_no = !strncmp(word, "no-", 3);

	if (equals != NULL)
		*equals = 0;
	if (strcmp(word + (is_no ? 3 : 0), test_param.name) != 0)
		return;
	/* Xen refuses no-NAME=VALUE. */
	if (is_no && equals != NULL && equals[1] != 0)
		return;
	value = strdup(is_no ? "no" : equals != NULL ? equals + 1 : "");
	if (value == NULL)
		abort();
	if (test_param.take(value) != 0)
		abort();
	free(value);
}

static void
xen_line(const char *line)
{
	char word[MAX_PARAM_SIZE];

	while (*line) {
		size_t len = strcspn(line, " ");

		(void)snprintf(word, sizeof(word), "%.*s", (int)len, line);
		if (len > 0)
			xen_word(word);
		line += len + strspn(line + len, " ");
	}
}

/* Xen boots with this line. */
static bool
boot(const char *line, const char *policy, struct xdump_config *c)
{
	memset(opt_xdump, 0, sizeof(opt_xdump));
	opt_cut = false;
	console[0] = 0;
	off = NULL;
	memset(c, 0xa5, sizeof(*c));
	xen_line(line);
	return config_make(policy, c);
}

#endif
