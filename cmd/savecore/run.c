/* SPDX-License-Identifier: MIT */
/*
 * A save from beginning to end: which dump, which number, the work, and the
 * steps that make it visible.  Whatever fails leaves either the part for the
 * next run to go on with (a native copy) or nothing (a conversion).
 */
#include "cmd/savecore/save.h"

#include "cmd/common/convert.h"
#include "cmd/common/elfcore.h"
#include "cmd/common/text.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

struct job {
	const struct save_options *opt;
	struct cmd_device dev;
	struct cmd_native n;
	const char *dir;
	int dir_fd;
	uint32_t number;
	struct cmd_output out;
	struct save_result result;
	bool keep_part;
};

static void
say(const struct job *j, const char *text)
{
	if (j->opt->verbose)
		(void)fprintf(stderr, "savecore: %s\n", text);
}

static const uint8_t *
save_key(const struct save_options *opt)
{
	return opt->key.given ? opt->key.secret : NULL;
}

/* ---- the directory -------------------------------------------------------
 */

/* Two savecores in one directory would write one part. */
static enum cmd_status
open_directory(struct job *j, struct cmd_error *err)
{
	j->dir_fd = open(j->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (j->dir_fd < 0)
		return cmd_fail_errno(err, CMD_OPEN, "%s", j->dir);
	if (flock(j->dir_fd, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK)
		return cmd_fail(err, CMD_FAILED,
			"another savecore is at work in %s", j->dir);
	return CMD_OK;
}

static enum cmd_status
choose_number(struct job *j, struct cmd_error *err)
{
	bool garbage;
	enum cmd_status st =
		save_bounds_read(j->dir_fd, &j->number, &garbage, err);

	if (st == CMD_OK && garbage)
		cmd_warn("savecore",
			"%s/bounds makes no sense: the next free number is %u",
			j->dir, j->number);
	return st;
}

static enum cmd_status
open_part(struct job *j, bool resume, struct cmd_error *err)
{
	char name[32];
	enum cmd_status st;

	(void)snprintf(name, sizeof(name), "vmcore.%u", j->number);
	st = cmd_output_open_at(&j->out, j->dir_fd, j->dir, name, resume, err);
	if (st == CMD_OK)
		j->out.minfree = j->opt->has_minfree
					 ? j->opt->minfree
					 : save_minfree_read(j->dir_fd);
	return st;
}

/* Before hours of copying: would it fit? */
static enum cmd_status
check_room(struct job *j, struct cmd_error *err)
{
	char a[CMD_SIZE_TEXT], b[CMD_SIZE_TEXT], c[CMD_SIZE_TEXT];
	uint64_t room = cmd_output_room(&j->out), has = 0, need;
	struct stat info;

	if (!j->n.has_end || j->opt->zstd || j->opt->elf)
		return CMD_OK;
	if (fstat(j->out.fd, &info) == 0)
		has = (uint64_t)info.st_blocks * 512;
	need = j->n.end_len + j->out.minfree;
	if (has + room >= need)
		return CMD_OK;
	return cmd_fail(err, CMD_FAILED,
		"%s: the dump needs %s, there are %s free and %s are to stay "
		"so",
		j->dir, cmd_size_text(j->n.end_len, a), cmd_size_text(room, b),
		cmd_size_text(j->out.minfree, c));
}

/* ---- names ---------------------------------------------------------------
 */

static enum cmd_status
publish_core(struct job *j, struct cmd_error *err)
{
	if (fchmod(j->out.fd, 0600) != 0)
		return cmd_fail_errno(err, CMD_FAILED, "%s/%s", j->dir,
			j->out.part);
	return cmd_output_rename(&j->out, err);
}

static enum cmd_status
write_symbols(struct job *j, const struct dfmt *d, const char *path, bool *made,
	struct cmd_error *err)
{
	struct cmd_output out;
	enum cmd_status st;
	char name[32];

	(void)snprintf(name, sizeof(name), "unix.%u", j->number);
	st = cmd_output_open_at(&out, j->dir_fd, j->dir, name, false, err);
	if (st != CMD_OK)
		return st;
	st = save_unix(d, path, &out, made, err);
	if (st == CMD_OK && *made)
		st = cmd_output_rename(&out, err);
	cmd_output_close(&out, false);
	return st;
}

/* unix.N from what was saved, then bounds. */
static enum cmd_status
publish_rest(struct job *j, bool *made_out, struct cmd_error *err)
{
	const struct dfmt_options options = {
		.no_mmap = true,
		.key = save_key(j->opt),
	};
	char path[4200];
	const char *paths[] = { path };
	struct dfmt_err why = { 0 };
	struct dfmt *d = NULL;
	enum cmd_status st = CMD_OK;

	*made_out = false;
	(void)snprintf(path, sizeof(path), "%s/vmcore.%u", j->dir, j->number);
	if (dfmt_open(paths, 1, &options, &d, &why) != DFMT_OK)
		return cmd_fail_dfmt(err, CMD_FAILED, path, &why);
	/* An ELF core does not carry symbols; the dump it was made of may. */
	if (j->opt->elf) {
		dfmt_close(d);
		paths[0] = j->dev.path;
		if (dfmt_open(paths, 1, &options, &d, &why) != DFMT_OK)
			return cmd_fail_dfmt(err, CMD_FAILED, paths[0], &why);
	}
	st = write_symbols(j, d, paths[0], made_out, err);
	dfmt_close(d);
	if (st == CMD_OK && !*made_out)
		say(j, "no symbols are known: no unix.N is made");
	if (st == CMD_OK)
		st = save_bounds_write(j->dir_fd, j->dir, j->number + 1, err);
	return st;
}

static void
report(const struct job *j, bool made, uint64_t len)
{
	char size[CMD_SIZE_TEXT];

	(void)printf("%s/vmcore.%u: %s", j->dir, j->number,
		cmd_size_text(len, size));
	if (made)
		(void)printf(", symbols in unix.%u", j->number);
	if (j->result.resumed != 0)
		(void)printf(", %s of it from an earlier run",
			cmd_size_text(j->result.resumed, size));
	(void)putchar('\n');
	(void)fflush(stdout);
}

/* ---- native to native ----------------------------------------------------
 */

static enum cmd_status
copy_native(struct job *j, struct cmd_error *err)
{
	enum cmd_status st = check_room(j, err);

	j->keep_part = true;
	if (st == CMD_OK && j->opt->zstd)
		st = save_recode(&j->n, &j->out, j->opt, &j->result, err);
	else if (st == CMD_OK)
		st = save_copy(&j->n, &j->out, j->opt, &j->result, err);
	if (st == CMD_OK && j->result.growing && !j->opt->force)
		return cmd_fail(err, CMD_FAILED,
			"%s is being written now: run savecore again when it "
			"is done (%s/%s is kept, nothing is marked)",
			j->dev.path, j->dir, j->out.part);
	if (st == CMD_OK)
		st = cmd_output_sync(&j->out, j->result.len, err);
	if (st != CMD_OK)
		return st;
	/* From here on the part is whole, or worth nothing. */
	j->keep_part = false;
	return save_verify(&j->out, j->opt, &j->result, err);
}

static enum cmd_status
mark_saved(struct job *j, struct cmd_error *err)
{
	if (!j->n.labelled)
		return CMD_OK;
	if (j->result.growing) {
		cmd_warn("savecore",
			"%s is being written now: it is not marked as saved",
			j->dev.path);
		return CMD_OK;
	}
	if (j->result.nr_read_errors != 0) {
		cmd_warn("savecore",
			"%s could not be read everywhere: it is not marked as "
			"saved (dumpadm label --force gives it up)",
			j->dev.path);
		return CMD_OK;
	}
	say(j, "marking the device as saved");
	return save_mark(&j->n, err);
}

static enum cmd_status
save_native(struct job *j, struct cmd_error *err)
{
	bool made = false;
	enum cmd_status st = choose_number(j, err);

	if (st == CMD_OK)
		st = open_part(j, true, err);
	if (st == CMD_OK)
		st = copy_native(j, err);
	if (st == CMD_OK)
		st = publish_core(j, err);
	if (st == CMD_OK)
		st = publish_rest(j, &made, err);
	if (st == CMD_OK) {
		report(j, made, j->result.len);
		save_say_missing(&j->n, &j->result);
		st = mark_saved(j, err);
	}
	return st;
}

/* A run that was stopped after the rename: the rest of its steps. */
static enum cmd_status
finish_earlier(struct job *j, struct cmd_error *err)
{
	bool made = false;
	enum cmd_status st;

	(void)printf("%s/vmcore.%u is this dump already\n", j->dir, j->number);
	(void)fflush(stdout);
	st = publish_rest(j, &made, err);
	return st == CMD_OK ? mark_saved(j, err) : st;
}

/* ---- other formats -------------------------------------------------------
 */

static enum cmd_status
verify_elf(struct job *j, const struct dfmt *d, struct cmd_error *err)
{
	const struct dfmt_options options = { .no_mmap = true };
	char path[4400];
	const char *paths[] = { path };
	struct dfmt_err why = { 0 };
	struct dfmt *copy = NULL;
	enum cmd_status st;

	(void)posix_fadvise(j->out.fd, 0, 0, POSIX_FADV_DONTNEED);
	(void)snprintf(path, sizeof(path), "%s/%s", j->dir, j->out.part);
	if (dfmt_open(paths, 1, &options, &copy, &why) != DFMT_OK)
		return cmd_fail_dfmt(err, CMD_FAILED, path, &why);
	st = cmd_compare(d, copy, j->opt->verbose, err);
	dfmt_close(copy);
	return st;
}

static enum cmd_status
no_memory(const struct job *j, struct cmd_error *err)
{
	return cmd_fail(err, CMD_FAILED,
		"%s: no memory in the dump can be read", j->dev.path);
}

static enum cmd_status
convert_elf(struct job *j, const struct dfmt *d, struct cmd_error *err)
{
	struct cmd_elf_stats stats = { 0 };
	enum cmd_status st =
		cmd_elf_write(d, &j->out, j->opt->verbose, &stats, err);

	j->result.len = stats.len;
	if (st == CMD_OK && stats.nr_pages == 0)
		st = no_memory(j, err);
	if (st == CMD_OK && stats.nr_lost != 0)
		cmd_warn("savecore",
			"%llu pages are lost in it: they are in no segment",
			(unsigned long long)stats.nr_lost);
	return st == CMD_OK ? verify_elf(j, d, err) : st;
}

static enum cmd_status
convert_native(struct job *j, const struct dfmt *d, struct cmd_error *err)
{
	const struct cmd_convert_options options = {
		.verbose = j->opt->verbose,
		.zstd = j->opt->zstd,
		.level = j->opt->level,
	};
	struct cmd_convert_stats stats = { 0 };
	enum cmd_status st =
		cmd_native_write(d, &j->out, &options, &stats, err);

	if (st == CMD_OK &&
		stats.nr_data + stats.nr_fill + stats.nr_repeat == 0)
		st = no_memory(j, err);
	if (st != CMD_OK)
		return st;
	if (stats.nr_lost != 0)
		cmd_warn("savecore", "%llu pages are lost in it",
			(unsigned long long)stats.nr_lost);
	j->result.len = stats.len;
	j->result.any_bytes = true;
	return save_verify(&j->out, j->opt, &j->result, err);
}

static enum cmd_status
convert(struct job *j, const struct dfmt *d, struct cmd_error *err)
{
	bool made = false;
	enum cmd_status st = choose_number(j, err);

	if (st == CMD_OK)
		st = open_part(j, false, err);
	if (st == CMD_OK)
		st = j->opt->elf ? convert_elf(j, d, err)
				 : convert_native(j, d, err);
	if (st == CMD_OK)
		st = publish_core(j, err);
	if (st == CMD_OK)
		st = publish_rest(j, &made, err);
	if (st == CMD_OK)
		report(j, made, j->result.len);
	return st;
}

static enum cmd_status
save_converted(struct job *j, struct cmd_error *err)
{
	const struct dfmt_options options = {
		.no_mmap = true,
		.key = save_key(j->opt),
	};
	struct dfmt_err why = { 0 };
	const struct dfmt_native *native;
	struct dfmt *d = NULL;
	enum cmd_status st;

	if (dfmt_open(&j->dev.path, 1, &options, &d, &why) != DFMT_OK)
		return cmd_fail_dfmt(err, CMD_OPEN, j->dev.path, &why);
	native = dfmt_native_get(d);
	if (j->n.found &&
		(native == NULL || memcmp(native->dump_id, j->n.triage.id,
					   DFMT_ID_LEN) != 0))
		st = cmd_fail(err, CMD_FAILED,
			"%s: the dump cannot be read as one", j->dev.path);
	else
		st = cmd_key_check(d, j->dev.path, err);
	if (st == CMD_OK)
		st = convert(j, d, err);
	dfmt_close(d);
	return st == CMD_OK ? mark_saved(j, err) : st;
}

/* ---- the whole -----------------------------------------------------------
 */

static enum cmd_status
run(struct job *j, struct cmd_error *err)
{
	const struct cmd_native *n = &j->n;

	if (n->label_state.conflict)
		return cmd_fail(err, CMD_FAILED,
			"%s has two labels of different devices", j->dev.path);
	if (n->torn && !j->opt->force)
		return cmd_fail(err, CMD_FAILED,
			"%s: %s (-f saves what is there)", j->dev.path,
			n->label_state.why != NULL ? n->label_state.why
						   : "its label is torn");
	if (n->labelled && n->label.range_len > j->dev.len)
		cmd_warn("savecore",
			"%s is cut off: it ends at %" PRIu64
			" bytes, its label says %" PRIu64,
			j->dev.path, j->dev.len, n->label.range_len);
	if (n->labelled && !n->found) {
		(void)printf("%s: no dump\n", j->dev.path);
		return CMD_OK;
	}
	if (cmd_native_saved(n) && !j->opt->force) {
		(void)printf("%s: the dump was saved already\n", j->dev.path);
		return CMD_OK;
	}
	if (n->encrypted && j->opt->zstd && !j->opt->key.given)
		return cmd_fail(err, CMD_OPEN,
			"%s is encrypted: -z needs its key (--key)",
			j->dev.path);
	if (!n->found || j->opt->elf || (n->encrypted && j->opt->key.given))
		return save_converted(j, err);
	if (n->labelled && !j->opt->force &&
		save_find(j->dir_fd, n->triage.id, &j->number))
		return finish_earlier(j, err);
	return save_native(j, err);
}

enum cmd_status
save_run(const char *device, const char *dir, const struct save_options *opt,
	struct cmd_error *err)
{
	struct job j = {
		.opt = opt,
		.dir = dir,
		.dir_fd = -1,
		.out = { .fd = -1, .dir_fd = -1 },
	};
	enum cmd_status st =
		cmd_device_open(&j.dev, device, CMD_DEVICE_READ, err);

	if (st == CMD_OK)
		st = open_directory(&j, err);
	if (st == CMD_OK)
		st = cmd_native_open(&j.n, &j.dev, err);
	if (st == CMD_OK)
		st = run(&j, err);
	cmd_output_close(&j.out, j.keep_part);
	if (j.dir_fd >= 0)
		(void)close(j.dir_fd);
	cmd_device_close(&j.dev);
	return st;
}
