/* SPDX-License-Identifier: MIT */
/* Failures of the dump programs as one line of text.  See error.h. */
#include "cmd/common/error.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum cmd_status
cmd_fail(struct cmd_error *err, enum cmd_status st, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(err->text, sizeof(err->text), fmt, ap);
	va_end(ap);
	return st;
}

enum cmd_status
cmd_fail_errno(struct cmd_error *err, enum cmd_status st, const char *fmt, ...)
{
	int saved = errno;
	size_t len;
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(err->text, sizeof(err->text), fmt, ap);
	va_end(ap);
	len = strlen(err->text);
	(void)snprintf(err->text + len, sizeof(err->text) - len, ": %s",
		strerror(saved));
	return st;
}

enum cmd_status
cmd_fail_dfmt(struct cmd_error *err, enum cmd_status st, const char *what,
	const struct dfmt_err *why)
{
	const char *reason =
		why->sys_errno != 0 ? strerror(why->sys_errno) : why->detail;

	return cmd_fail(err, st, "%s: %s%s%s", what,
		why->what != NULL ? why->what : dfmt_status_name(why->status),
		*reason != '\0' ? ": " : "", reason);
}

/* What a file says must not steer the terminal. */
static void
put_line(const char *program, const char *kind, const char *text)
{
	(void)fprintf(stderr, "%s: %s", program, kind);
	for (const char *p = text; *p != '\0'; p++) {
		unsigned char c = (unsigned char)*p;

		if (c < 0x20 || c == 0x7f)
			(void)fprintf(stderr, "\\x%02x", c);
		else
			(void)fputc(c, stderr);
	}
	(void)fputc('\n', stderr);
}

void
cmd_print_error(const char *program, const struct cmd_error *err)
{
	put_line(program, "", err->text);
}

void
cmd_warn(const char *program, const char *fmt, ...)
{
	char text[640];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	put_line(program, "warning: ", text);
}
