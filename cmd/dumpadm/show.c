/* SPDX-License-Identifier: MIT */
/* What a dump device holds: its label and the dump on it, for people or JSON.
 */
#include "cmd/dumpadm/adm.h"

#include "cmd/common/text.h"
#include "dfmt-crypt.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

struct sight {
	struct cmd_device dev;
	struct cmd_native n;
	struct dfmt *dump; /* NULL: it cannot be opened as one */
	const struct dfmt_native *native;
};

static enum cmd_status
look(struct sight *s, const char *path, struct cmd_error *err)
{
	const struct dfmt_options options = { .no_mmap = true };
	enum cmd_status st =
		cmd_device_open(&s->dev, path, CMD_DEVICE_READ, err);

	s->dump = NULL;
	s->native = NULL;
	if (st == CMD_OK)
		st = cmd_native_open(&s->n, &s->dev, err);
	if (st == CMD_OK && s->n.found &&
		dfmt_open(&path, 1, &options, &s->dump, NULL) == DFMT_OK)
		s->native = dfmt_native_get(s->dump);
	return st;
}

static void
look_away(struct sight *s)
{
	dfmt_close(s->dump);
	cmd_device_close(&s->dev);
}

static const char *
label_word(const struct cmd_native *n)
{
	const struct dfmt_label_state *state = &n->label_state;

	if (state->conflict)
		return "conflict";
	if (n->labelled)
		return state->first && state->last ? "whole" : "half";
	if (state->newer)
		return "newer";
	return state->magic ? "torn" : "none";
}

static const char *
dump_word(const struct cmd_native *n)
{
	if (!n->found)
		return "none";
	if (!n->labelled)
		return n->torn ? "waiting" : "file";
	return cmd_native_saved(n) ? "saved" : "waiting";
}

static const char *
end_word(const struct cmd_native *n)
{
	static const char *const words[] = { "complete",
		"cut: the device was too small", "cut: the time limit was hit",
		"cut: the device failed", "cut: a panic inside the writer",
		"cut: the writer was told to stop" };

	if (!n->has_end)
		return "no end record";
	return n->end_status < sizeof(words) / sizeof(words[0])
		       ? words[n->end_status]
		       : "ended for a reason of a later version";
}

/* ---- for people ----------------------------------------------------------
 */

static void
field(const char *name, const char *value)
{
	(void)printf("%-10s ", name);
	cmd_put_text(stdout, value);
	(void)putchar('\n');
}

static void
print_label(const struct sight *s, bool verbose)
{
	const struct dfmt_label *label = &s->n.label;
	char text[128], size[CMD_SIZE_TEXT];

	(void)snprintf(text, sizeof(text), "%s%s%s", label_word(&s->n),
		s->n.label_state.why != NULL ? ": " : "",
		s->n.label_state.why != NULL ? s->n.label_state.why : "");
	field("label", text);
	if (!s->n.labelled)
		return;
	field("uuid", cmd_id_text(label->uuid, text));
	if (label->purpose[0] != '\0')
		field("purpose", label->purpose);
	field("range", cmd_size_text(label->range_len, size));
	if (!verbose)
		return;
	field("created", cmd_time_text(label->created_sec, text));
	(void)printf("%-10s %" PRIu64 " (%u-byte sectors, change %" PRIu64
		     ")\n",
		"bytes", label->range_len, label->sector_len, label->change);
	field("copies", s->n.label_state.first && s->n.label_state.last
				? "first and last"
			: s->n.label_state.first ? "first only"
						 : "last only");
	field("overwrite", label->overwrite
				   ? "an unsaved dump may be overwritten"
				   : "an unsaved dump is kept");
}

/* The id of the key that the dump is encrypted to; NULL: it is not. */
static const char *
key_word(const struct sight *s, char *text)
{
	if (s->native == NULL || !s->native->encrypted)
		return NULL;
	return s->native->has_keys ? dfmt_key_id_text(s->native->key_id, text)
				   : "unknown: its record is lost";
}

static void
print_dump(const struct sight *s, bool verbose)
{
	char text[128];

	field("dump", dump_word(&s->n));
	if (!s->n.found)
		return;
	field("id", cmd_id_text(s->n.triage.id, text));
	field("when", cmd_time_text(s->n.time_sec, text));
	if (s->native != NULL && s->native->reason != NULL)
		field("why", s->native->reason);
	field("state", end_word(&s->n));
	if (key_word(s, text) != NULL)
		field("encrypted", key_word(s, text));
	if (cmd_native_saved(&s->n))
		field("saved", cmd_time_text(s->n.label.saved_sec, text));
	if (s->n.has_end)
		field("length", cmd_size_text(s->n.end_len, text));
	if (!verbose)
		return;
	(void)printf("%-10s %" PRIu64 "\n", "generation", s->n.generation);
	(void)printf("%-10s %" PRIu64 "\n", "offset", s->n.base);
	if (s->native != NULL && s->native->missing != NULL)
		field("missing", s->native->missing);
}

/* ---- for machines --------------------------------------------------------
 */

static void
json_text(const char *name, const char *value)
{
	(void)printf(",\"%s\":", name);
	cmd_json_string(stdout, value);
}

static void
json_number(const char *name, uint64_t value)
{
	(void)printf(",\"%s\":%" PRIu64, name, value);
}

static void
json_dump(const struct sight *s)
{
	char text[CMD_ID_TEXT];

	json_text("id", cmd_id_text(s->n.triage.id, text));
	json_number("time", s->n.time_sec);
	json_number("generation", s->n.generation);
	json_number("offset", s->n.base);
	json_text("state", end_word(&s->n));
	if (key_word(s, text) != NULL)
		json_text("encrypted_to", key_word(s, text));
	if (s->n.has_end)
		json_number("length", s->n.end_len);
	if (cmd_native_saved(&s->n))
		json_number("saved_time", s->n.label.saved_sec);
	if (s->native != NULL && s->native->reason != NULL)
		json_text("why", s->native->reason);
	if (s->native != NULL && s->native->missing != NULL)
		json_text("missing", s->native->missing);
}

static void
print_json(const struct sight *s)
{
	const struct dfmt_label *label = &s->n.label;
	char text[CMD_ID_TEXT];

	(void)printf("{\"device\":");
	cmd_json_string(stdout, s->dev.path);
	json_number("bytes", s->dev.len);
	json_text("label", label_word(&s->n));
	if (s->n.labelled) {
		json_text("uuid", cmd_id_text(label->uuid, text));
		json_text("purpose", label->purpose);
		json_number("range", label->range_len);
		json_number("sector", label->sector_len);
		json_number("created", label->created_sec);
		json_number("change", label->change);
		(void)printf(",\"overwrite\":%s",
			label->overwrite ? "true" : "false");
	}
	json_text("dump", dump_word(&s->n));
	if (s->n.found)
		json_dump(s);
	(void)printf("}\n");
}

/* ---- the commands --------------------------------------------------------
 */

enum cmd_status
adm_show(const char *path, const struct adm_options *opt, struct cmd_error *err)
{
	struct sight s = { 0 };
	enum cmd_status st = look(&s, path, err);
	char size[CMD_SIZE_TEXT], text[128];

	if (st == CMD_OK && opt->json) {
		print_json(&s);
	} else if (st == CMD_OK) {
		(void)snprintf(text, sizeof(text), "%s, %s",
			s.dev.block ? "block device" : "file",
			cmd_size_text(s.dev.len, size));
		field(path, text);
		print_label(&s, opt->verbose);
		print_dump(&s, opt->verbose);
	}
	if (st == CMD_OK && !s.n.labelled)
		st = cmd_fail(err, CMD_FAILED, "%s has no whole label", path);
	look_away(&s);
	return st;
}

static void
list_row(const struct sight *s, bool json)
{
	char size[CMD_SIZE_TEXT], when[CMD_TIME_TEXT];

	if (json) {
		print_json(s);
		return;
	}
	(void)printf("%-24s %8s %-8s %-8s %-20s ", s->dev.path,
		cmd_size_text(s->dev.len, size), label_word(&s->n),
		dump_word(&s->n),
		s->n.found ? cmd_time_text(s->n.time_sec, when) : "-");
	cmd_put_text(stdout, s->n.labelled ? s->n.label.purpose : "");
	(void)putchar('\n');
}

static enum cmd_status
list_one(const char *path, bool all, const struct adm_options *opt,
	struct cmd_error *err)
{
	struct sight s = { 0 };
	enum cmd_status st = look(&s, path, err);

	if (st == CMD_OK && (all || s.n.label_state.magic))
		list_row(&s, opt->json);
	look_away(&s);
	return st;
}

/* Every block device of the machine; those that cannot be read are not ours. */
static enum cmd_status
list_devices(const struct adm_options *opt, struct cmd_error *err)
{
	FILE *file = fopen("/proc/partitions", "re");
	char line[256], name[128], path[160];

	if (file == NULL)
		return cmd_fail_errno(err, CMD_OPEN, "/proc/partitions");
	while (fgets(line, sizeof(line), file) != NULL) {
		struct cmd_error ignored;

		if (sscanf(line, "%*u %*u %*u %127s", name) != 1)
			continue;
		(void)snprintf(path, sizeof(path), "/dev/%s", name);
		(void)!list_one(path, false, opt, &ignored);
	}
	(void)fclose(file);
	return CMD_OK;
}

enum cmd_status
adm_list(char *const *paths, size_t nr_paths, const struct adm_options *opt,
	struct cmd_error *err)
{
	enum cmd_status worst = CMD_OK;

	if (!opt->json)
		(void)printf("%-24s %8s %-8s %-8s %-20s %s\n", "DEVICE", "SIZE",
			"LABEL", "DUMP", "WHEN", "PURPOSE");
	if (nr_paths == 0)
		return list_devices(opt, err);
	for (size_t i = 0; i < nr_paths; i++) {
		enum cmd_status st = list_one(paths[i], true, opt, err);

		if (st != CMD_OK) {
			cmd_print_error("dumpadm", err);
			worst = st;
		}
	}
	if (worst != CMD_OK)
		return cmd_fail(err, worst, "not all devices could be read");
	return CMD_OK;
}
