/* SPDX-License-Identifier: MIT */
/*
 * mdb: the debugger's program.  Takes the command line apart, opens the dump,
 * and feeds commands to a session: those of -e, those of a terminal, or those
 * of standard input.
 *
 * Exit status: 0; 1 when a command failed; 2 when nothing could be opened or
 * the command line was wrong.
 */
#include "mdb/base/alloc.h"
#include "mdb/dcmd/dcmd.h"
#include "mdb/mem/memory.h"
#include "mdb/shell/edit.h"
#include "mdb/shell/load.h"
#include "mdb/shell/session.h"
#include "mdb/world/target.h"

#include <ctype.h>
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define VERSION "1.0"
#define EXIT_OPEN 2

static const char usage_text[] =
	"usage: mdb [options] [symbols] dump ...   the parts of a split dump\n"
	"       mdb [options] N                    unix.N and vmcore.N\n"
	"\n"
	"  -e commands   run these and exit (may be given several times)\n"
	"  -o option     set an option: json, pager, ignoreeof, repeatlast,\n"
	"                array_mem_limit=N, array_str_limit=N; +o clears one\n"
	"  --key file    the secret key of an encrypted dump (dumpadm keygen)\n"
	"  -f            take the dump as raw memory if no format matches\n"
	"  -I path       directories of macro files, joined by ':'\n"
	"  -L path       directories of modules, joined by ':'\n"
	"  -s distance   a symbol may lie so far below an address\n"
	"  -S            do not read ~/.mdbrc\n"
	"  -P prompt     the prompt\n"
	"  --stats       print what it cost on standard error at the end\n"
	"  -V, --version print the version\n"
	"  -h, --help    print this\n";

/* What the command line says. */
struct args {
	const char **commands; /* of -e */
	size_t nr_commands;
	const char **settings; /* of -o ("+" first for +o) */
	size_t nr_settings;
	const char **operands;
	size_t nr_operands;
	const char *macro_path;
	const char *module_path;
	const char *prompt;
	const char *distance;
	const char *key;
	bool raw, no_rc, stats;
	char *symbols, *core; /* of `mdb N`; owned */
};

/* The one thing that a signal handler can reach. */
static volatile sig_atomic_t interrupted;

static void
on_interrupt(int signal_number)
{
	(void)signal_number;
	interrupted = 1;
}

static void
handle_signal(int signal_number, void (*handler)(int))
{
	struct sigaction action = { .sa_handler = handler };

	(void)sigemptyset(&action.sa_mask);
	(void)sigaction(signal_number, &action, NULL);
}

/* ---- the command line ----------------------------------------------------
 */

static void
append(const char ***list, size_t *count, const char *text)
{
	*list = mdb_xrealloc(*list, *count + 1, sizeof(**list));
	(*list)[(*count)++] = text;
}

enum {
	LONG_HELP = 256,
	LONG_VERSION,
	LONG_STATS,
	LONG_KEY
};

static const struct option long_options[] = {
	{ "help", no_argument, NULL, LONG_HELP },
	{ "version", no_argument, NULL, LONG_VERSION },
	{ "stats", no_argument, NULL, LONG_STATS },
	{ "key", required_argument, NULL, LONG_KEY },
	{ "raw", no_argument, NULL, 'f' },
	{ NULL, 0, NULL, 0 },
};

/* -1: go on; else the exit status. */
static int
take_option(struct args *a, int c)
{
	switch (c) {
	case 'e':
		append(&a->commands, &a->nr_commands, optarg);
		return -1;
	case 'o':
		append(&a->settings, &a->nr_settings, optarg);
		return -1;
	case LONG_KEY:
		a->key = optarg;
		return -1;
	case 'f':
		a->raw = true;
		return -1;
	case 'I':
		a->macro_path = optarg;
		return -1;
	case 'L':
		a->module_path = optarg;
		return -1;
	case 'P':
		a->prompt = optarg;
		return -1;
	case 's':
		a->distance = optarg;
		return -1;
	case 'S':
		a->no_rc = true;
		return -1;
	case LONG_STATS:
		a->stats = true;
		return -1;
	case 'v':
	case 'V':
	case LONG_VERSION:
		(void)puts("mdb " VERSION);
		return 0;
	case 'h':
	case LONG_HELP:
		(void)fputs(usage_text, stdout);
		return 0;
	default:
		(void)fputs("mdb: try mdb --help\n", stderr);
		return EXIT_OPEN;
	}
}

/* Options may stand among the operands; +o NAME is one too. */
static int
parse_args(struct args *a, int argc, char **argv)
{
	int c, status = -1;

	while (status < 0 && optind < argc) {
		const char *word = argv[optind];

		if (word[0] == '+' && word[1] == 'o') {
			const char *name = word + 2;

			if (*name == '\0' && optind + 1 < argc)
				name = argv[++optind];
			append(&a->settings, &a->nr_settings, "+");
			append(&a->settings, &a->nr_settings, name);
			optind++;
			continue;
		}
		c = getopt_long(argc, argv, "+e:o:fI:L:P:s:SvVh", long_options,
			NULL);
		if (c >= 0)
			status = take_option(a, c);
		else if (optind < argc)
			append(&a->operands, &a->nr_operands, argv[optind++]);
	}
	return status;
}

/* ---- opening -------------------------------------------------------------
 */

/* Is this an ELF file with symbols rather than a dump? */
static bool
is_symbols(const char *path)
{
	unsigned char h[EI_NIDENT + 2];
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n;
	unsigned int type;

	if (fd < 0)
		return false;
	n = read(fd, h, sizeof(h));
	(void)close(fd);
	if (n != (ssize_t)sizeof(h) || memcmp(h, ELFMAG, SELFMAG) != 0)
		return false;
	type = h[EI_DATA] == ELFDATA2MSB
		       ? (unsigned int)h[EI_NIDENT] << 8 | h[EI_NIDENT + 1]
		       : (unsigned int)h[EI_NIDENT + 1] << 8 | h[EI_NIDENT];
	return type == ET_EXEC || type == ET_DYN || type == ET_REL;
}

static bool
is_number(const char *text)
{
	return *text != '\0' && strspn(text, "0123456789") == strlen(text);
}

static char *
numbered(const char *stem, const char *number)
{
	struct mdb_buf b;

	mdb_buf_init(&b);
	mdb_buf_printf(&b, "%s.%s", stem, number);
	return mdb_buf_steal(&b);
}

/* `mdb N`: the files that savecore wrote; unix.N need not be there. */
static void
expand_number(struct args *a)
{
	const char *n = a->operands[0];
	char *symbols = numbered("unix", n), *core = numbered("vmcore", n);

	if (access(core, F_OK) != 0) {
		char *compressed = numbered("vmdump", n);

		if (access(compressed, F_OK) == 0) {
			free(core);
			core = compressed;
		} else {
			free(compressed);
		}
	}
	a->symbols = symbols;
	a->core = core;
	a->nr_operands = 0;
	if (access(symbols, F_OK) == 0)
		append(&a->operands, &a->nr_operands, symbols);
	append(&a->operands, &a->nr_operands, core);
}

/* Whichever order they were named in: the symbols to the front. */
static void
symbols_first(const char **operands, size_t nr)
{
	for (size_t i = 1; i < nr; i++) {
		const char *symbols = operands[i];

		if (!is_symbols(symbols))
			continue;
		memmove(operands + 1, operands, i * sizeof(*operands));
		operands[0] = symbols;
		return;
	}
}

static bool
open_target(struct mdb_session *s, struct args *a)
{
	struct mdb_target_options options = {
		.debug_root = "/usr/lib/debug",
		.raw = a->raw,
		.key_path = a->key,
	};
	struct mdb_target *target;
	size_t first = 0;
	enum mdb_status st;

	if (a->nr_operands == 1 && is_number(a->operands[0]) &&
		access(a->operands[0], F_OK) != 0)
		expand_number(a);
	symbols_first(a->operands, a->nr_operands);
	if (is_symbols(a->operands[0]))
		options.symbols_path = a->operands[first++];
	if (first == a->nr_operands) {
		(void)fprintf(stderr,
			"mdb: %s is a program or symbol file: name the dump "
			"after it\n",
			a->operands[0]);
		return false;
	}
	options.dump_paths = a->operands + first;
	options.nr_dump_paths = a->nr_operands - first;
	st = mdb_target_open(&s->cx, &options, &target);
	if (st != MDB_OK) {
		mdb_session_error(s, &s->cx, st, NULL);
		return false;
	}
	mdb_session_set_target(s, target);
	return true;
}

/* ---- modules -------------------------------------------------------------
 */

static const char *
program_dir(char *buf, size_t len)
{
	ssize_t n = readlink("/proc/self/exe", buf, len - 1);
	char *slash;

	if (n <= 0)
		return ".";
	buf[n] = '\0';
	slash = strrchr(buf, '/');
	if (slash != NULL)
		*slash = '\0';
	return buf;
}

static void
load_modules(struct mdb_session *s, const struct args *a)
{
	char exe[4096];
	const char *dir = program_dir(exe, sizeof(exe));
	char *path =
		a->module_path == NULL ? NULL : mdb_xstrdup(a->module_path);
	struct mdb_buf built, installed;
	const char **dirs = NULL;
	size_t nr_dirs = 0;
	char *rest = NULL;

	mdb_buf_init(&built);
	mdb_buf_init(&installed);
	mdb_buf_printf(&built, "%s/../modules", dir);
	mdb_buf_printf(&installed, "%s/../lib/mdb/modules", dir);
	for (char *d = path == NULL ? NULL : strtok_r(path, ":", &rest);
		d != NULL; d = strtok_r(NULL, ":", &rest))
		append(&dirs, &nr_dirs, d);
	append(&dirs, &nr_dirs, built.data);
	append(&dirs, &nr_dirs, installed.data);
	mdb_load_modules(s, dirs, nr_dirs);
	mdb_buf_fini(&built);
	mdb_buf_fini(&installed);
	free(dirs);
	free(path);
}

/* ---- feeding the session -------------------------------------------------
 */

static void
read_rc(struct mdb_session *s)
{
	const struct mdb_source plain = { .name = "~/.mdbrc", .line = 1 };
	const char *home = getenv("HOME");
	struct mdb_buf path;
	char *line = NULL;
	size_t cap = 0;
	ssize_t len;
	FILE *file;

	if (home == NULL)
		return;
	mdb_buf_init(&path);
	mdb_buf_printf(&path, "%s/.mdbrc", home);
	file = fopen(path.data, "re");
	mdb_buf_fini(&path);
	if (file == NULL)
		return;
	for (struct mdb_source at = plain;
		!s->quit && (len = getline(&line, &cap, file)) > 0; at.line++)
		(void)!mdb_session_eval(s, line, (size_t)len, &at);
	free(line);
	(void)fclose(file);
}

static void
read_stdin(struct mdb_session *s)
{
	struct mdb_source at = { .name = "(stdin)", .line = 1 };
	char *line = NULL;
	size_t cap = 0;
	ssize_t len;

	while (!s->quit && !interrupted &&
		(len = getline(&line, &cap, stdin)) > 0) {
		(void)!mdb_session_eval(s, line, (size_t)len, &at);
		at.line++;
	}
	free(line);
}

static enum mdb_status
print_object(struct mdb_ctx *cx, struct mdb_object *object, void *arg)
{
	struct mdb_session *s = arg;

	mdb_sink_puts(s->out, mdb_escape_name(cx, object->name));
	mdb_sink_puts(s->out, " ");
	return MDB_OK;
}

/* A hypervisor and the module for it have one name, and are one to the user. */
static bool
is_hypervisor(const struct mdb_session *s, const char *name)
{
	for (const struct mdb_world *w = s->cx.target->worlds; w; w = w->next)
		if (w->kind == MDB_WORLD_XEN && w->objects != NULL &&
			strcmp(w->objects->name, name) == 0)
			return true;
	return false;
}

/*
 * The kernels that speak for themselves, then what was loaded for them.  Of
 * SunOS all modules, as mdb has it there; the hypervisor is the last.
 */
static void
print_modules(struct mdb_session *s)
{
	bool all = s->cx.target->worlds->kind == MDB_WORLD_ILLUMOS;

	mdb_sink_puts(s->out, "Loading modules: [ ");
	if (all)
		(void)!mdb_object_each(&s->cx, NULL, print_object, s);
	for (struct mdb_world *w = s->cx.target->worlds; w && !all; w = w->next)
		if (w->objects != NULL && w->kind != MDB_WORLD_XEN)
			(void)!print_object(&s->cx, w->objects, s);
	for (size_t i = 0; i < s->registry.nr_modules && !all; i++) {
		if (is_hypervisor(s, s->registry.modules[i]->name))
			continue;
		mdb_sink_puts(s->out, s->registry.modules[i]->name);
		mdb_sink_puts(s->out, " ");
	}
	for (struct mdb_world *w = s->cx.target->worlds; w && !all; w = w->next)
		if (w->objects != NULL && w->kind == MDB_WORLD_XEN)
			(void)!print_object(&s->cx, w->objects, s);
	mdb_sink_puts(s->out, "]\n");
	mdb_sink_flush(s->out);
}

static void
read_terminal(struct mdb_session *s)
{
	const struct mdb_source source = { .interactive = true };
	struct mdb_edit *edit = mdb_edit_create(s);
	char *line;

	print_modules(s);
	while (!s->quit && (line = mdb_edit_line(edit)) != NULL) {
		interrupted = 0;
		(void)!mdb_session_eval(s, line, strlen(line), &source);
		interrupted = 0;
		free(line);
	}
	mdb_edit_destroy(edit);
}

/* ---- the whole -----------------------------------------------------------
 */

static void
print_stats(const struct mdb_session *s, const struct timespec *start)
{
	const struct dfmt *dump =
		s->target == NULL ? NULL : mdb_memory_dump(s->target->memory);
	struct dfmt_stats d = { 0 };
	struct rusage usage;
	struct timespec now;

	if (dump != NULL)
		dfmt_stats_get(dump, &d);
	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	(void)getrusage(RUSAGE_SELF, &usage);
	(void)fprintf(stderr,
		"mdb: read %" PRIu64 " bytes of the file in %" PRIu64
		" reads; cache %" PRIu64 " hits, %" PRIu64 " misses, %" PRIu64
		" bytes; peak memory %ld KiB; "
		"%.1f ms\n",
		d.bytes_read, d.reads, d.cache_hits, d.cache_misses,
		d.cache_bytes, usage.ru_maxrss,
		(double)(now.tv_sec - start->tv_sec) * 1e3 +
			(double)(now.tv_nsec - start->tv_nsec) / 1e6);
}

static bool
apply_settings(struct mdb_session *s, const struct args *a)
{
	for (size_t i = 0; i < a->nr_settings; i++) {
		bool on = strcmp(a->settings[i], "+") != 0;
		enum mdb_status st;

		i += !on;
		st = mdb_session_set(&s->cx, s, a->settings[i], on);
		if (st != MDB_OK) {
			mdb_session_error(s, &s->cx, st, "-o");
			return false;
		}
	}
	if (a->prompt != NULL)
		(void)snprintf(s->opts.prompt, sizeof(s->opts.prompt), "%s",
			a->prompt);
	if (a->distance != NULL)
		s->opts.sym_distance = strtoull(a->distance, NULL, 0);
	if (a->macro_path != NULL)
		s->macro_path = mdb_xstrdup(a->macro_path);
	return true;
}

static void
feed(struct mdb_session *s, const struct args *a)
{
	if (!a->no_rc)
		read_rc(s);
	for (size_t i = 0; i < a->nr_commands && !s->quit && !interrupted; i++)
		(void)!mdb_session_eval(s, a->commands[i],
			strlen(a->commands[i]), NULL);
	if (a->nr_commands > 0 || s->quit)
		return;
	if (s->interactive)
		read_terminal(s);
	else
		read_stdin(s);
}

static int
run(struct args *a)
{
	struct mdb_session *s;
	struct timespec start;
	int status;

	(void)clock_gettime(CLOCK_MONOTONIC, &start);
	s = mdb_session_create(mdb_sink_create(STDOUT_FILENO),
		mdb_sink_create(STDERR_FILENO), &interrupted);
	s->interactive = a->nr_commands == 0 && isatty(STDIN_FILENO) == 1 &&
			 isatty(STDOUT_FILENO) == 1;
	mdb_sink_page(s->out, s->interactive, STDIN_FILENO);
	if (!apply_settings(s, a) || !open_target(s, a)) {
		mdb_session_destroy(s);
		return EXIT_OPEN;
	}
	/* Until here ^C ends the program: unpacking a dump may take long. */
	handle_signal(SIGINT, on_interrupt);
	mdb_builtin_register(&s->registry);
	load_modules(s, a);
	feed(s, a);
	mdb_sink_flush(s->out);
	if (a->stats)
		print_stats(s, &start);
	if (mdb_sink_error(s->out) != 0) {
		(void)fprintf(stderr, "mdb: writing the output: %s\n",
			strerror(mdb_sink_error(s->out)));
		s->nr_errors++;
	}
	status = s->nr_errors > 0 || interrupted ? 1 : 0;
	mdb_session_destroy(s);
	return status;
}

int
main(int argc, char **argv)
{
	struct args a = { 0 };
	int status = parse_args(&a, argc, argv);

	if (status < 0 && a.nr_operands == 0) {
		(void)fputs("mdb: name a dump (mdb --help says how)\n", stderr);
		status = EXIT_OPEN;
	}
	if (status < 0) {
		handle_signal(SIGPIPE, SIG_IGN);
		status = run(&a);
	}
	free(a.commands);
	free(a.settings);
	free(a.operands);
	free(a.symbols);
	free(a.core);
	return status;
}
