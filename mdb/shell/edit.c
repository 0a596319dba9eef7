/* SPDX-License-Identifier: MIT */
/*
 * readline at work.  ^C during editing gives the line up: our own getc
 * notices the interrupted read and ends the line, which is then thrown away.
 *
 * The history is a file of its own mode, 0600, of at most so many lines.
 */
#include "mdb/shell/edit.h"

#include "mdb/base/alloc.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <readline/history.h>
#include <readline/readline.h>

#define HISTORY_LINES 1000

struct mdb_edit {
	struct mdb_session *session;
	char *history_path; /* or NULL: none is kept */
};

/* readline's hooks take no argument: whose line is being edited. */
static struct mdb_session *editing;

static bool
was_interrupted(void)
{
	return editing != NULL && editing->interrupted != NULL &&
	       *editing->interrupted != 0;
}

static int
get_key(FILE *in)
{
	unsigned char c;
	ssize_t n;

	do {
		if (was_interrupted())
			return '\n';
		n = read(fileno(in), &c, 1);
	} while (n < 0 && errno == EINTR);
	return n == 1 ? c : EOF;
}

/* What all of them begin with. */
static char *
common_prefix(char *const *list)
{
	size_t len = strlen(list[0]);

	for (size_t i = 1; list[i] != NULL; i++) {
		size_t n = 0;

		while (n < len && list[i][n] == list[0][n])
			n++;
		len = n;
	}
	return mdb_xstrndup(list[0], len);
}

/*
 * readline replaces the text from `start` on, our candidates go from `from`:
 * drops what comes before, or adds what is missing.
 */
static void
shift(char **word, const char *line, size_t start, size_t from)
{
	struct mdb_buf b;

	mdb_buf_init(&b);
	if (from > start)
		mdb_buf_add(&b, line + start, from - start);
	if (from + strlen(*word) >= start)
		mdb_buf_puts(&b, from < start ? *word + (start - from) : *word);
	free(*word);
	*word = mdb_buf_steal(&b);
}

static char **
attempt(const char *text, int start, int end)
{
	char *line = mdb_xstrndup(rl_line_buffer, (size_t)end);
	size_t from, count = 0;
	char **found, **list = NULL;

	(void)text;
	rl_attempted_completion_over = 1;
	found = mdb_complete(editing, line, &from);
	for (; found != NULL && found[count] != NULL; count++)
		shift(&found[count], line, (size_t)start, from);
	if (count > 0) {
		list = mdb_xarray(count + 2, sizeof(*list));
		list[0] = common_prefix(found);
		memcpy(list + 1, found, count * sizeof(*list));
	}
	/* More is to come: behind "xpv`", and the quote of an odd name. */
	if (count == 1 && (strchr(list[0], '#') != NULL ||
				  list[0][strlen(list[0]) - 1] == '`'))
		rl_completion_suppress_append = 1;
	free(found);
	free(line);
	return list;
}

static char *
history_path(void)
{
	const char *home = getenv("HOME");
	struct mdb_buf b;

	if (home == NULL || home[0] != '/')
		return NULL;
	mdb_buf_init(&b);
	mdb_buf_printf(&b, "%s/.mdb_history", home);
	return mdb_buf_steal(&b);
}

struct mdb_edit *
mdb_edit_create(struct mdb_session *s)
{
	struct mdb_edit *edit = mdb_xalloc(sizeof(*edit));

	edit->session = s;
	edit->history_path = history_path();
	editing = s;
	rl_readline_name = "mdb";
	rl_catch_signals = 0;
	rl_getc_function = get_key;
	rl_attempted_completion_function = attempt;
	rl_basic_word_break_characters = " \t\n|;,+*%()<!&^~=#:$/\"'";
	rl_completion_append_character = ' ';
	using_history();
	stifle_history(HISTORY_LINES);
	if (edit->history_path != NULL)
		(void)read_history(edit->history_path);
	return edit;
}

/* Made here with its mode, so that it is never readable by others. */
static void
save_history(const char *path)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);

	if (fd < 0)
		return;
	(void)fchmod(fd, 0600);
	(void)close(fd);
	(void)write_history(path);
	(void)chmod(path, 0600);
}

void
mdb_edit_destroy(struct mdb_edit *edit)
{
	if (edit == NULL)
		return;
	if (edit->history_path != NULL)
		save_history(edit->history_path);
	free(edit->history_path);
	free(edit);
	clear_history();
	editing = NULL;
}

static void
remember(const char *line)
{
	HIST_ENTRY *last =
		history_length == 0
			? NULL
			: history_get(history_base + history_length - 1);

	if (line[0] == '\0' || (last != NULL && strcmp(last->line, line) == 0))
		return;
	add_history(line);
}

char *
mdb_edit_line(struct mdb_edit *edit)
{
	struct mdb_session *s = edit->session;
	char *line;

	do {
		line = readline(s->opts.prompt);
		if (was_interrupted()) {
			*s->interrupted = 0;
			free(line);
			(void)fputs("\n", stdout);
			line = mdb_xstrdup("");
		}
		if (line == NULL)
			(void)fputs("\n", stdout);
	} while (line == NULL && s->opts.ignoreeof);
	(void)fflush(stdout);
	if (line != NULL)
		remember(line);
	if (line != NULL && s->log_fd >= 0) {
		mdb_sink_log_text(s->out, s->opts.prompt,
			strlen(s->opts.prompt));
		mdb_sink_log_text(s->out, line, strlen(line));
		mdb_sink_log_text(s->out, "\n", 1);
	}
	return line;
}
