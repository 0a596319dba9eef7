/* SPDX-License-Identifier: MIT */
/*
 * dumpadm: makes a device, a partition or a file a place for dumps, says what
 * is on it, and takes that back.
 *
 * Exit status: 0; 1 when it could not be done or the device is not as it
 * should be; 2 when nothing could be opened or the command line was wrong.
 */
#include "cmd/common/key.h"
#include "cmd/common/text.h"
#include "cmd/dumpadm/adm.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>

static const char usage_text[] =
	"usage: dumpadm label [--force] [--overwrite] [-p purpose] [-s size "
	"[-b bytes]] device\n"
	"       dumpadm show [-v] [-o json] device\n"
	"       dumpadm list [-o json] [device ...]\n"
	"       dumpadm size [-m memory] [-c content] [device]\n"
	"       dumpadm clear [--force] device\n"
	"       dumpadm keygen file    a secret key; prints the public one\n"
	"       dumpadm status [-o json]\n"
	"       dumpadm register\n"
	"\n"
	"  --force       also over a filesystem or an unsaved dump\n"
	"  --overwrite   a later panic may overwrite an unsaved dump\n"
	"  -p purpose    what the device is for, at most 64 bytes\n"
	"  -s size       make a file of that size (64M, 2G)\n"
	"  -b bytes      for a disk with sectors of 4096 instead of 512\n"
	"  -m memory     of the machine, instead of this one's\n"
	"  -c content    hypervisor, kernel (default), control, all\n"
	"  -o json       one object for each device\n"
	"  -v            say more\n"
	"  -h, --help    print this\n"
	"\n"
	"status and register speak to the Xen hypervisor below: what would "
	"come of a\n"
	"panic; and where domain 0's own pages are told from its processes'.\n";

enum {
	LONG_FORCE = 256,
	LONG_OVERWRITE,
	LONG_HELP
};

static const struct option long_options[] = {
	{ "force", no_argument, NULL, LONG_FORCE },
	{ "overwrite", no_argument, NULL, LONG_OVERWRITE },
	{ "help", no_argument, NULL, LONG_HELP },
	{ NULL, 0, NULL, 0 },
};

static enum cmd_status
take_size(const char *text, uint64_t *size, struct cmd_error *err)
{
	if (!cmd_parse_size(text, size) || *size == 0)
		return cmd_fail(err, CMD_OPEN, "%s is not a size", text);
	return CMD_OK;
}

static enum cmd_status
take_option(struct adm_options *opt, int c, struct cmd_error *err)
{
	switch (c) {
	case LONG_FORCE:
		opt->force = true;
		return CMD_OK;
	case LONG_OVERWRITE:
		opt->overwrite = true;
		return CMD_OK;
	case 'p':
		opt->purpose = optarg;
		return CMD_OK;
	case 's':
		opt->has_size = true;
		return take_size(optarg, &opt->size, err);
	case 'b':
		if (strcmp(optarg, "512") != 0 && strcmp(optarg, "4096") != 0)
			return cmd_fail(err, CMD_OPEN,
				"-b %s: sectors are of 512 or 4096 bytes",
				optarg);
		opt->sector = optarg[0] == '4' ? 4096 : 512;
		return CMD_OK;
	case 'm':
		return take_size(optarg, &opt->memory, err);
	case 'c':
		opt->content = optarg;
		return CMD_OK;
	case 'v':
		opt->verbose = true;
		return CMD_OK;
	case 'o':
		opt->json = strcmp(optarg, "json") == 0;
		return opt->json ? CMD_OK
				 : cmd_fail(err, CMD_OPEN,
					   "-o %s: json is the one format",
					   optarg);
	default:
		return cmd_fail(err, CMD_OPEN, "try dumpadm --help");
	}
}

static enum cmd_status
run(const char *verb, char *const *operands, size_t nr,
	const struct adm_options *opt, struct cmd_error *err)
{
	if (strcmp(verb, "list") == 0)
		return adm_list(operands, nr, opt, err);
	if (strcmp(verb, "status") == 0 && nr == 0)
		return adm_status(opt, err);
	if (strcmp(verb, "register") == 0 && nr == 0)
		return adm_register(err);
	if (strcmp(verb, "size") == 0 && nr <= 1)
		return adm_size(nr == 1 ? operands[0] : NULL, opt, err);
	if (strcmp(verb, "label") == 0 && nr == 1)
		return adm_label(operands[0], opt, err);
	if (strcmp(verb, "show") == 0 && nr == 1)
		return adm_show(operands[0], opt, err);
	if (strcmp(verb, "clear") == 0 && nr == 1)
		return adm_clear(operands[0], opt, err);
	if (strcmp(verb, "keygen") == 0 && nr == 1)
		return cmd_key_make(operands[0], err);
	return cmd_fail(err, CMD_OPEN,
		"label, show, list, size or clear, and one device, keygen and a "
		"file, status or register (dumpadm --help says how)");
}

int
main(int argc, char **argv)
{
	struct adm_options opt = { .content = "kernel" };
	enum cmd_status st = CMD_OK;
	struct cmd_error err;
	int c;

	while (st == CMD_OK && (c = getopt_long(argc, argv, "p:s:b:m:c:o:vh",
					long_options, NULL)) != -1) {
		if (c == 'h' || c == LONG_HELP) {
			(void)fputs(usage_text, stdout);
			return 0;
		}
		st = take_option(&opt, c, &err);
	}
	if (st == CMD_OK && optind == argc)
		st = cmd_fail(&err, CMD_OPEN,
			"say what to do (dumpadm --help says how)");
	if (st == CMD_OK)
		st = run(argv[optind], argv + optind + 1,
			(size_t)(argc - optind - 1), &opt, &err);
	if (fflush(stdout) != 0 && st == CMD_OK)
		st = cmd_fail_errno(&err, CMD_FAILED, "writing the output");
	if (st != CMD_OK)
		cmd_print_error("dumpadm", &err);
	return (int)st;
}
