/* SPDX-License-Identifier: MIT */
/* What the hypervisor says of its dumps, for people or JSON; registration. */
#include "cmd/dumpadm/adm.h"
#include "cmd/dumpadm/hypfs.h"

#include "cmd/common/text.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* The entries, in the order in which they are printed. */
static const char *const names[] = { "state", "disk", "label", "range",
	"content", "memory", "estimate", "fits", "waiting", "last", "dom0",
	"version" };
#define NR_NAMES (sizeof(names) / sizeof(names[0]))

struct said {
	char text[NR_NAMES][ADM_ENTRY_TEXT];
};

static const char *
text_of(const struct said *s, const char *name)
{
	for (size_t i = 0; i < NR_NAMES; i++) {
		if (strcmp(names[i], name) == 0)
			return s->text[i];
	}
	return "";
}

static bool
number_of(const struct said *s, const char *name, uint64_t *out)
{
	const char *text = text_of(s, name);
	char *end;

	errno = 0;
	*out = strtoull(text, &end, 10);
	return errno == 0 && end != text && *end == '\0' && *text != '-';
}

static enum cmd_status
said_take(const struct adm_hypfs *fs, struct said *s, struct cmd_error *err)
{
	for (size_t i = 0; i < NR_NAMES; i++) {
		int rc = fs->read(fs->arg, names[i], s->text[i],
			sizeof(s->text[i]));

		if (rc == 0)
			continue;
		errno = rc;
		if (i > 0 && rc == ENOENT)
			(void)snprintf(s->text[i], sizeof(s->text[i]),
				"unknown");
		else if (rc == ENOENT)
			return cmd_fail(err, CMD_FAILED,
				"this hypervisor has no dump writer");
		else if (rc == ENOSYS)
			return cmd_fail(err, CMD_FAILED,
				"this hypervisor has no hypfs: whether it has a "
				"dump writer is not known");
		else
			return cmd_fail_errno(err, CMD_OPEN,
				"/xdump/%s of the hypervisor", names[i]);
	}
	return CMD_OK;
}

/* ---- for people ---------------------------------------------------------- */

static void
line(const char *name, const char *text)
{
	(void)printf("%-10s ", name);
	cmd_put_text(stdout, text);
	(void)putchar('\n');
}

static void
print_sizes(const struct said *s)
{
	char a[CMD_SIZE_TEXT], b[CMD_SIZE_TEXT];
	uint64_t n, m;

	if (number_of(s, "range", &n))
		line("range", cmd_size_text(n, a));
	if (!number_of(s, "memory", &n) || !number_of(s, "estimate", &m)) {
		line("size", "not known yet");
		return;
	}
	(void)printf("%-10s about %s of %s would be written, before compression"
		     "%s\n",
		"size", cmd_size_text(m, a), cmd_size_text(n, b),
		strcmp(text_of(s, "fits"), "no") == 0
			? ": the range is too small for this machine, what is "
			  "worth least would be missing"
			: "");
}

static void
print_people(const struct said *s)
{
	bool off = strncmp(text_of(s, "state"), "off", 3) == 0;

	line("state", text_of(s, "state"));
	if (!off) {
		line("disk", text_of(s, "disk"));
		line("label", text_of(s, "label"));
		line("content", text_of(s, "content"));
		print_sizes(s);
		line("dump", strcmp(text_of(s, "waiting"), "yes") == 0
				     ? "waiting: savecore has not taken it"
				     : "none waiting");
		line("last", text_of(s, "last"));
		line("domain 0", text_of(s, "dom0"));
	}
	line("writer", text_of(s, "version"));
}

/* ---- for machines -------------------------------------------------------- */

static void
print_json(const struct said *s)
{
	for (size_t i = 0; i < NR_NAMES; i++) {
		uint64_t n;

		(void)printf("%c\"%s\":", i == 0 ? '{' : ',', names[i]);
		if (number_of(s, names[i], &n) && i > 0)
			(void)printf("%" PRIu64, n);
		else
			cmd_json_string(stdout, s->text[i]);
	}
	(void)printf("}\n");
}

enum cmd_status
adm_status_print(const struct adm_hypfs *fs, bool json, struct cmd_error *err)
{
	struct said s;
	enum cmd_status st = said_take(fs, &s, err);

	if (st != CMD_OK)
		return st;
	if (json)
		print_json(&s);
	else
		print_people(&s);
	return strncmp(text_of(&s, "state"), "ready", 5) == 0
		       ? CMD_OK
		       : cmd_fail(err, CMD_FAILED,
				 "the hypervisor would write no dump");
}

/* ---- registration -------------------------------------------------------- */

enum cmd_status
adm_register_text(const struct adm_hypfs *fs, const char *text, size_t len,
	struct cmd_error *err)
{
	char said[ADM_ENTRY_TEXT] = "";
	int rc = fs->write(fs->arg, "vmcoreinfo", text, len);

	if (rc == ENOENT)
		return cmd_fail(err, CMD_FAILED,
			"this hypervisor has no dump writer");
	if (rc == ENODEV)
		return cmd_fail(err, CMD_FAILED,
			"the hypervisor's dump writer is off (dumpadm status "
			"says why)");
	if (rc != 0 && fs->read(fs->arg, "dom0", said, sizeof(said)) == 0 &&
		rc == EINVAL)
		return cmd_fail(err, CMD_FAILED, "the hypervisor refuses: %s",
			said);
	errno = rc;
	if (rc != 0)
		return cmd_fail_errno(err, CMD_OPEN,
			"/xdump/vmcoreinfo of the hypervisor");
	return CMD_OK;
}

/* ---- the commands -------------------------------------------------------- */

enum cmd_status
adm_status(const struct adm_options *opt, struct cmd_error *err)
{
	struct adm_xen xen;
	enum cmd_status st = adm_xen_open(&xen, err);

	if (st == CMD_OK)
		st = adm_status_print(&xen.hypfs, opt->json, err);
	adm_xen_close(&xen);
	return st;
}

enum cmd_status
adm_register(struct cmd_error *err)
{
	char text[ADM_NOTE_TEXT];
	struct adm_xen xen;
	size_t len;
	enum cmd_status st = adm_xen_open(&xen, err);

	if (st == CMD_OK)
		st = adm_vmcoreinfo("/proc/kcore", text, &len, err);
	if (st == CMD_OK)
		st = adm_register_text(&xen.hypfs, text, len, err);
	adm_xen_close(&xen);
	return st;
}
