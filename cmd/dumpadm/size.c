/* SPDX-License-Identifier: MIT */
/*
 * How large a dump device should be.  The shares of memory are what the real
 * dumps showed, rounded to the safe side: a dump that does not fit loses what
 * is worth least, so this is advice and not a limit.
 */
#include "cmd/dumpadm/adm.h"

#include "cmd/common/text.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define MIB (UINT64_C(1) << 20)

/* What a content takes of the memory, in 1/1000, and at least. */
struct content {
	const char *name, *what;
	unsigned int share;
	uint64_t least;
};

static const struct content contents[] = {
	{ "hypervisor", "the hypervisor and its page tables", 15, 64 * MIB },
	{ "kernel", "that and the control domain's kernel", 250, 256 * MIB },
	{ "control", "that and the control domain's programs", 500, 512 * MIB },
	{ "all", "all memory, guests included", 1000, 0 },
};

/* LZ4 by 32 KiB reached 2.5 on real dumps; memory full of data may not. */
#define RATIO 2u

bool
adm_need(uint64_t memory, const char *content, struct adm_need *need_out)
{
	const struct content *c = NULL;
	struct adm_need need = { .memory = memory };

	for (size_t i = 0; i < sizeof(contents) / sizeof(contents[0]); i++) {
		if (strcmp(contents[i].name, content) == 0)
			c = &contents[i];
	}
	if (c == NULL)
		return false;
	need.content = memory / 1000 * c->share;
	if (need.content < c->least)
		need.content = c->least < memory ? c->least : memory;
	need.pages = need.content / RATIO;
	need.around = 32 * MIB + need.content / 1000;
	need.total = (need.pages + need.around + MIB - 1) / MIB * MIB;
	*need_out = need;
	return true;
}

static const char *
content_what(const char *name)
{
	for (size_t i = 0; i < sizeof(contents) / sizeof(contents[0]); i++) {
		if (strcmp(contents[i].name, name) == 0)
			return contents[i].what;
	}
	return name;
}

static uint64_t
memory_here(void)
{
	return (uint64_t)sysconf(_SC_PHYS_PAGES) *
	       (uint64_t)sysconf(_SC_PAGESIZE);
}

static void
print_need(const struct adm_need *need, const struct adm_options *opt)
{
	char a[CMD_SIZE_TEXT], b[CMD_SIZE_TEXT];

	(void)printf("%s is enough for a dump of content %s\n",
		cmd_size_text(need->total, a), opt->content);
	(void)printf("  %-8s of memory%s\n", cmd_size_text(need->memory, a),
		opt->memory == 0 ? " in this machine" : "");
	(void)printf("  %-8s of it to be dumped: %s\n",
		cmd_size_text(need->content, a), content_what(opt->content));
	(void)printf("  %-8s compressed, at a ratio of %u (2.5 is usual)\n",
		cmd_size_text(need->pages, a), RATIO);
	(void)printf("  %-8s around it: two labels of 4K, %s triage record, "
		     "symbols and types, index\n",
		cmd_size_text(need->around, a),
		cmd_size_text(DFMT_TRIAGE_LEN, b));
}

static enum cmd_status
judge_device(const char *path, const struct adm_need *need,
	struct cmd_error *err)
{
	char a[CMD_SIZE_TEXT], b[CMD_SIZE_TEXT];
	struct cmd_device dev;
	enum cmd_status st = cmd_device_open(&dev, path, CMD_DEVICE_READ, err);

	if (st != CMD_OK)
		return st;
	(void)fflush(stdout);
	if (dev.len < need->total)
		st = cmd_fail(err, CMD_FAILED,
			"%s has %s: too small, %s are recommended (a dump that "
			"does not fit keeps what is worth most)",
			path, cmd_size_text(dev.len, a),
			cmd_size_text(need->total, b));
	else
		(void)printf("%s has %s: enough\n", path,
			cmd_size_text(dev.len, a));
	cmd_device_close(&dev);
	return st;
}

enum cmd_status
adm_size(const char *path, const struct adm_options *opt, struct cmd_error *err)
{
	struct adm_need need;

	if (!adm_need(opt->memory != 0 ? opt->memory : memory_here(),
		    opt->content, &need))
		return cmd_fail(err, CMD_OPEN,
			"content %s is not one of hypervisor, kernel, control, "
			"all",
			opt->content);
	print_need(&need, opt);
	return path == NULL ? CMD_OK : judge_device(path, &need, err);
}
