/* SPDX-License-Identifier: MIT */
/* Sizes, ids, times and JSON strings as text.  See text.h. */
#include "cmd/common/text.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static const char units[] = "KMGTP";

/* What follows the number: nothing, or a unit with an optional "iB" or "B". */
static bool
unit_shift(const char *text, unsigned int *shift_out)
{
	const char *unit;

	*shift_out = 0;
	if (*text == '\0' || strcmp(text, "B") == 0)
		return true;
	unit = strchr(units, *text & ~0x20);
	if (unit == NULL || *unit == '\0')
		return false;
	*shift_out = 10u * (unsigned int)(unit - units + 1);
	return text[1] == '\0' || strcmp(text + 1, "B") == 0 ||
	       strcmp(text + 1, "iB") == 0;
}

bool
cmd_parse_size(const char *text, uint64_t *size_out)
{
	unsigned int shift;
	double value;
	char *end;

	value = strtod(text, &end);
	/* Neither hexadecimal nor exponents, signs nor infinity. */
	if (end == text || strspn(text, "0123456789.") != (size_t)(end - text))
		return false;
	if (!unit_shift(end, &shift))
		return false;
	value = ldexp(value, (int)shift);
	if (!(value >= 0) || value >= 0x1p63)
		return false;
	*size_out = (uint64_t)value;
	return true;
}

const char *
cmd_size_text(uint64_t size, char *buf)
{
	double value = (double)size;
	size_t unit = 0;

	if (size < 1024) {
		(void)snprintf(buf, CMD_SIZE_TEXT, "%" PRIu64, size);
		return buf;
	}
	for (value /= 1024; value >= 1024 && units[unit + 1] != '\0'; unit++)
		value /= 1024;
	(void)snprintf(buf, CMD_SIZE_TEXT,
		value == floor(value) ? "%.0f%c" : "%.1f%c", value,
		units[unit]);
	return buf;
}

const char *
cmd_id_text(const uint8_t *id, char *buf)
{
	char *p = buf;

	for (size_t i = 0; i < 16; i++) {
		if (i == 4 || i == 6 || i == 8 || i == 10)
			*p++ = '-';
		p += snprintf(p, 3, "%02x", id[i]);
	}
	return buf;
}

bool
cmd_id_is_zero(const uint8_t *id)
{
	static const uint8_t zero[16];

	return memcmp(id, zero, sizeof(zero)) == 0;
}

const char *
cmd_time_text(uint64_t sec, char *buf)
{
	time_t t = (time_t)sec;
	struct tm tm;

	if (sec == 0 || sec > 253402300799 || gmtime_r(&t, &tm) == NULL ||
		strftime(buf, CMD_TIME_TEXT, "%Y-%m-%dT%H:%M:%SZ", &tm) == 0)
		(void)snprintf(buf, CMD_TIME_TEXT, "unknown");
	return buf;
}

void
cmd_json_string(FILE *out, const char *text)
{
	(void)fputc('"', out);
	for (const char *p = text; *p != '\0'; p++) {
		unsigned char c = (unsigned char)*p;

		if (c == '"' || c == '\\')
			(void)fprintf(out, "\\%c", c);
		else if (c < 0x20 || c >= 0x7f)
			(void)fprintf(out, "\\u%04x", c);
		else
			(void)fputc(c, out);
	}
	(void)fputc('"', out);
}

void
cmd_put_text(FILE *out, const char *text)
{
	for (const char *p = text; *p != '\0'; p++) {
		unsigned char c = (unsigned char)*p;

		if (c < 0x20 || c == 0x7f)
			(void)fprintf(out, "\\x%02x", c);
		else
			(void)fputc(c, out);
	}
}
