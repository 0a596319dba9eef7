/* SPDX-License-Identifier: MIT */
/*
 * dumpconv: a dump of any format that is read, written as a native dump or as
 * an ELF core that every other tool reads.
 *
 * Exit status: 0; 1 when it could not be written; 2 when nothing could be
 * opened or the command line was wrong.
 */
#include "cmd/common/convert.h"
#include "cmd/common/elfcore.h"
#include "cmd/common/key.h"
#include "cmd/common/serial.h"
#include "cmd/common/text.h"

#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static const char usage_text[] =
	"usage: dumpconv [-vz] [-O native|elf] dump ... out\n"
	"       dumpconv --serial log out\n"
	"\n"
	"  -O format     of out; default: elf for a native dump, native for\n"
	"                others\n"
	"  -z            a native dump with zstd instead of LZ4\n"
	"  -l level      of zstd, 1 to 19; default 3\n"
	"  -b size       of a native dump's blocks: 4K to 128K\n"
	"  -j threads    that compress; default: one for each CPU\n"
	"  --key file    the secret key of an encrypted dump\n"
	"  --serial      the log of a serial line has the triage record of a\n"
	"                panic that could write nothing else\n"
	"  --check       read the result back and compare all memory\n"
	"  -v            say what is done\n"
	"  -h, --help    print this\n";

enum {
	LONG_CHECK = 256,
	LONG_KEY,
	LONG_SERIAL
};

static const struct option long_options[] = {
	{ "help", no_argument, NULL, 'h' },
	{ "check", no_argument, NULL, LONG_CHECK },
	{ "key", required_argument, NULL, LONG_KEY },
	{ "serial", no_argument, NULL, LONG_SERIAL },
	{ NULL, 0, NULL, 0 },
};

struct args {
	const char *format; /* NULL: by what comes in */
	bool check;
	bool serial;
	struct cmd_key key;
	struct cmd_convert_options convert;
};

static enum cmd_status
take_number(const char *text, uint64_t least, uint64_t most, uint64_t *out,
	struct cmd_error *err)
{
	if (!cmd_parse_size(text, out) || *out < least || *out > most)
		return cmd_fail(err, CMD_OPEN,
			"%s is not from %" PRIu64 " to %" PRIu64, text, least,
			most);
	return CMD_OK;
}

static enum cmd_status
take_option(struct args *a, int c, struct cmd_error *err)
{
	enum cmd_status st = CMD_OK;
	uint64_t number = 0;

	switch (c) {
	case 'O':
		a->format = optarg;
		if (strcmp(optarg, "elf") != 0 && strcmp(optarg, "native") != 0)
			st = cmd_fail(err, CMD_OPEN,
				"-O %s: native or elf are the formats", optarg);
		return st;
	case 'z':
		a->convert.zstd = true;
		return st;
	case 'v':
		a->convert.verbose = true;
		return st;
	case LONG_SERIAL:
		a->serial = true;
		return st;
	case LONG_CHECK:
		a->check = true;
		return st;
	case LONG_KEY:
		return cmd_key_load(&a->key, optarg, err);
	case 'l':
		st = take_number(optarg, 1, 19, &number, err);
		a->convert.level = (int)number;
		return st;
	case 'b':
		st = take_number(optarg, 4096, 128u << 10, &number, err);
		a->convert.block = (uint32_t)number & ~4095u;
		return st;
	case 'j':
		st = take_number(optarg, 1, 64, &number, err);
		a->convert.nr_threads = (uint32_t)number;
		return st;
	default:
		return cmd_fail(err, CMD_OPEN, "try dumpconv --help");
	}
}

/* ---- the work ------------------------------------------------------------
 */

static enum cmd_status
to_elf(const struct dfmt *d, struct cmd_output *out, const struct args *a,
	struct cmd_error *err)
{
	struct cmd_elf_stats s = { 0 };
	enum cmd_status st = cmd_elf_write(d, out, a->convert.verbose, &s, err);

	if (st != CMD_OK)
		return st;
	if (s.nr_lost != 0)
		cmd_warn("dumpconv",
			"%" PRIu64 " pages are lost in the dump: they are in "
			"no segment",
			s.nr_lost);
	if (a->convert.verbose)
		(void)fprintf(stderr,
			"dumpconv: %" PRIu64 " segments, %" PRIu64
			" pages, %" PRIu64 " of them zero\n",
			s.nr_loads, s.nr_pages, s.nr_zero);
	return CMD_OK;
}

static enum cmd_status
to_native(const struct dfmt *d, struct cmd_output *out, const struct args *a,
	struct cmd_error *err)
{
	struct cmd_convert_stats s = { 0 };
	enum cmd_status st = cmd_native_write(d, out, &a->convert, &s, err);
	char size[CMD_SIZE_TEXT];

	if (st != CMD_OK)
		return st;
	if (s.nr_lost != 0)
		cmd_warn("dumpconv", "%" PRIu64 " pages are lost in the dump",
			s.nr_lost);
	if (a->convert.verbose)
		(void)fprintf(stderr,
			"dumpconv: %s; frames: %" PRIu64 " stored, %" PRIu64
			" filled, %" PRIu64 " repeated, %" PRIu64 " lost\n",
			cmd_size_text(s.len, size), s.nr_data, s.nr_fill,
			s.nr_repeat, s.nr_lost);
	return CMD_OK;
}

static enum cmd_status
check(const struct dfmt *d, const struct cmd_output *out, bool verbose,
	struct cmd_error *err)
{
	const struct dfmt_options options = { .no_mmap = true };
	char path[4400];
	const char *paths[] = { path };
	struct dfmt_err why = { 0 };
	struct dfmt *copy = NULL;
	enum cmd_status st;

	(void)snprintf(path, sizeof(path), "%s/%s", out->dir, out->part);
	if (dfmt_open(paths, 1, &options, &copy, &why) != DFMT_OK)
		return cmd_fail_dfmt(err, CMD_FAILED, path, &why);
	st = cmd_compare(d, copy, verbose, err);
	dfmt_close(copy);
	return st;
}

static bool
wants_elf(const struct dfmt *d, const struct args *a)
{
	struct dfmt_info info;

	if (a->format != NULL)
		return strcmp(a->format, "elf") == 0;
	dfmt_info_get(d, &info);
	return info.kind == DFMT_KIND_NATIVE;
}

static enum cmd_status
convert(const struct dfmt *d, const char *path, const struct args *a,
	struct cmd_error *err)
{
	struct cmd_output out;
	enum cmd_status st = cmd_output_open(&out, path, false, err);

	if (st != CMD_OK)
		return st;
	if (wants_elf(d, a) && a->convert.zstd)
		st = cmd_fail(err, CMD_OPEN,
			"-z: an ELF core is not compressed");
	else
		st = wants_elf(d, a) ? to_elf(d, &out, a, err)
				     : to_native(d, &out, a, err);
	if (st == CMD_OK && a->check)
		st = check(d, &out, a->convert.verbose, err);
	if (st == CMD_OK)
		st = cmd_output_rename(&out, err);
	cmd_output_close(&out, false);
	return st;
}

/* Writing over what is being read would be the end of both. */
static enum cmd_status
refuse_same(char *const *in, int nr, const char *out, struct cmd_error *err)
{
	struct stat a, b;

	if (stat(out, &b) != 0)
		return CMD_OK;
	if (!S_ISREG(b.st_mode))
		return cmd_fail(err, CMD_OPEN, "%s is not a regular file", out);
	for (int i = 0; i < nr; i++) {
		if (stat(in[i], &a) == 0 && a.st_dev == b.st_dev &&
			a.st_ino == b.st_ino)
			return cmd_fail(err, CMD_OPEN,
				"%s is the dump that is to be converted", out);
	}
	return CMD_OK;
}

static enum cmd_status
serial(char *log, const char *out, struct cmd_error *err)
{
	enum cmd_status st = refuse_same(&log, 1, out, err);

	return st == CMD_OK ? cmd_serial_convert(log, out, err) : st;
}

static enum cmd_status
run(char *const *operands, int nr, const struct args *a, struct cmd_error *err)
{
	const struct dfmt_options options = {
		.no_mmap = true,
		.key = a->key.given ? a->key.secret : NULL,
	};
	struct dfmt_err why = { 0 };
	const char *paths[64];
	struct dfmt *d = NULL;
	enum cmd_status st;

	if (a->serial && nr == 2)
		return serial(operands[0], operands[1], err);
	if (nr < 2 || nr > 64 || a->serial)
		return cmd_fail(err, CMD_OPEN,
			"name a dump and the file to make of it (dumpconv "
			"--help says how)");
	for (int i = 0; i < nr - 1; i++)
		paths[i] = operands[i];
	st = refuse_same(operands, nr - 1, operands[nr - 1], err);
	if (st != CMD_OK)
		return st;
	if (dfmt_open(paths, (size_t)nr - 1, &options, &d, &why) != DFMT_OK)
		return cmd_fail_dfmt(err, CMD_OPEN, paths[0], &why);
	st = cmd_key_check(d, paths[0], err);
	if (st == CMD_OK)
		st = convert(d, operands[nr - 1], a, err);
	dfmt_close(d);
	return st;
}

int
main(int argc, char **argv)
{
	struct args a = { 0 };
	enum cmd_status st = CMD_OK;
	struct cmd_error err;
	int c;

	while (st == CMD_OK && (c = getopt_long(argc, argv, "O:zvl:b:j:h",
					long_options, NULL)) != -1) {
		if (c == 'h') {
			(void)fputs(usage_text, stdout);
			return 0;
		}
		st = take_option(&a, c, &err);
	}
	if (st == CMD_OK)
		st = run(argv + optind, argc - optind, &a, &err);
	if (st != CMD_OK)
		cmd_print_error("dumpconv", &err);
	return (int)st;
}
