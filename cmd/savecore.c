/* SPDX-License-Identifier: MIT */
/*
 * savecore: takes a dump off a device (or out of a file of any format that is
 * read) into a directory as unix.N, vmcore.N and bounds.
 *
 * Exit status: 0 when it was saved or there is nothing to save; 1 when it
 * could not be saved; 2 when nothing could be opened or the command line was
 * wrong.
 */
#include "cmd/common/text.h"
#include "cmd/savecore/save.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>

static const char usage_text[] =
	"usage: savecore [-vfz] [-O native|elf] [-n minfree] device [directory]\n"
	"       savecore -L device|directory\n"
	"\n"
	"  -v            say what is done\n"
	"  -f            save a dump that was saved before, that is being\n"
	"                written, or whose label is torn\n"
	"  -L            list the dump on a device, or those in a directory\n"
	"  -z            code the pages anew with zstd: slower, smaller\n"
	"  -O format     of vmcore.N: native (default) or elf\n"
	"  --key file    decrypt with the secret key in it; else an encrypted\n"
	"                dump is saved as it is\n"
	"  -n minfree    KiB that are to stay free in the directory (else what\n"
	"                its file minfree says)\n"
	"  -h, --help    print this\n";

enum {
	LONG_KEY = 256
};

static const struct option long_options[] = {
	{ "key", required_argument, NULL, LONG_KEY },
	{ "help", no_argument, NULL, 'h' },
	{ NULL, 0, NULL, 0 },
};

static enum cmd_status
take_minfree(struct save_options *opt, struct cmd_error *err)
{
	uint64_t size;

	if (!cmd_parse_size(optarg, &size))
		return cmd_fail(err, CMD_OPEN, "-n %s is not a size", optarg);
	/* A bare number is KiB, as in the file minfree. */
	opt->minfree = strspn(optarg, "0123456789") == strlen(optarg)
			       ? size << 10
			       : size;
	opt->has_minfree = true;
	return CMD_OK;
}

static enum cmd_status
take_option(struct save_options *opt, bool *list, int c, struct cmd_error *err)
{
	switch (c) {
	case 'v':
		opt->verbose = true;
		return CMD_OK;
	case 'f':
		opt->force = true;
		return CMD_OK;
	case 'L':
		*list = true;
		return CMD_OK;
	case 'z':
		opt->zstd = true;
		return CMD_OK;
	case 'n':
		return take_minfree(opt, err);
	case LONG_KEY:
		return cmd_key_load(&opt->key, optarg, err);
	case 'O':
		opt->elf = strcmp(optarg, "elf") == 0;
		if (opt->elf || strcmp(optarg, "native") == 0)
			return CMD_OK;
		return cmd_fail(err, CMD_OPEN,
			"-O %s: native or elf are the formats", optarg);
	default:
		return cmd_fail(err, CMD_OPEN, "try savecore --help");
	}
}

static enum cmd_status
run(const struct save_options *opt, bool list, char *const *operands, int nr,
	struct cmd_error *err)
{
	if (list && nr == 1)
		return save_list(operands[0], err);
	if (list || nr < 1 || nr > 2)
		return cmd_fail(err, CMD_OPEN,
			"name a device, and a directory if it is not this one "
			"(savecore --help says how)");
	if (opt->zstd && opt->elf)
		return cmd_fail(err, CMD_OPEN,
			"-z: an ELF core is not compressed");
	return save_run(operands[0], nr == 2 ? operands[1] : ".", opt, err);
}

int
main(int argc, char **argv)
{
	struct save_options opt = { .block = SAVE_ZSTD_BLOCK };
	enum cmd_status st = CMD_OK;
	struct cmd_error err;
	bool list = false;
	int c;

	while (st == CMD_OK && (c = getopt_long(argc, argv, "vfLzn:O:h",
					long_options, NULL)) != -1) {
		if (c == 'h') {
			(void)fputs(usage_text, stdout);
			return 0;
		}
		st = take_option(&opt, &list, c, &err);
	}
	if (st == CMD_OK)
		st = run(&opt, list, argv + optind, argc - optind, &err);
	if (fflush(stdout) != 0 && st == CMD_OK)
		st = cmd_fail_errno(&err, CMD_FAILED, "writing the output");
	if (st != CMD_OK)
		cmd_print_error("savecore", &err);
	return (int)st;
}
