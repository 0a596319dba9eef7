/* SPDX-License-Identifier: MIT */
/*
 * Output with one buffer.  On a terminal lines go out as they are complete,
 * so that they stay in order with what is written on stderr; elsewhere the
 * buffer is emptied when it is full and at the end of each statement.
 *
 * The pager counts lines, not screen rows of wrapped lines counted by the
 * terminal: a line longer than the screen is wide counts for several.
 */
#include "mdb/shell/sink.h"

#include "mdb/base/alloc.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#ifdef MDB_TINY
#define BUF_LEN 64
#else
#define BUF_LEN 65536
#endif
#define DEFAULT_WIDTH 80
#define DEFAULT_ROWS 24

enum pager_state {
	PAGER_ON = 0,
	PAGER_FREE,    /* c: no more prompts in this statement */
	PAGER_DISCARD, /* q: this command's output is not wanted */
	PAGER_ABORT,   /* a: nor the rest of the statement */
};

struct mdb_sink {
	struct mdb_buf buf;
	int fd; /* -1: memory */
	int log_fd;
	bool terminal;
	bool broken; /* nothing more can be written */
	int error;   /* why, unless the reader has gone */
	bool in_line;
	bool paging;
	int key_fd;
	enum pager_state pager;
	unsigned int rows, width;
	unsigned int row, column; /* on the current page */
};

static struct mdb_sink *
create(int fd)
{
	struct mdb_sink *sink = mdb_xalloc(sizeof(*sink));

	mdb_buf_init(&sink->buf);
	sink->fd = fd;
	sink->log_fd = -1;
	sink->key_fd = -1;
	sink->width = DEFAULT_WIDTH;
	sink->rows = DEFAULT_ROWS;
	return sink;
}

static void
measure(struct mdb_sink *sink)
{
	struct winsize size;

	if (!sink->terminal || ioctl(sink->fd, TIOCGWINSZ, &size) != 0)
		return;
	if (size.ws_col > 0)
		sink->width = size.ws_col;
	if (size.ws_row > 1)
		sink->rows = size.ws_row;
}

struct mdb_sink *
mdb_sink_create(int fd)
{
	struct mdb_sink *sink = create(fd);

	sink->terminal = isatty(fd) == 1;
	measure(sink);
	return sink;
}

struct mdb_sink *
mdb_sink_create_memory(void)
{
	return create(-1);
}

void
mdb_sink_destroy(struct mdb_sink *sink)
{
	if (sink == NULL)
		return;
	mdb_sink_flush(sink);
	mdb_buf_fini(&sink->buf);
	free(sink);
}

/* False when the reader has gone. */
static bool
write_all(int fd, const char *data, size_t len)
{
	while (len > 0) {
		ssize_t n = write(fd, data, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return false;
		data += n;
		len -= (size_t)n;
	}
	return true;
}

void
mdb_sink_flush(struct mdb_sink *sink)
{
	if (sink->fd < 0 || sink->buf.len == 0)
		return;
	if (!sink->broken &&
		!write_all(sink->fd, sink->buf.data, sink->buf.len)) {
		sink->broken = true;
		sink->error = errno == EPIPE ? 0 : errno;
	}
	mdb_buf_reset(&sink->buf);
}

bool
mdb_sink_done(const struct mdb_sink *sink)
{
	return sink->broken || sink->pager >= PAGER_DISCARD;
}

bool
mdb_sink_aborted(const struct mdb_sink *sink)
{
	return sink->pager == PAGER_ABORT;
}

bool
mdb_sink_has_style(const struct mdb_sink *sink)
{
	const char *term = getenv("TERM");

	return sink->terminal && term != NULL && strcmp(term, "dumb") != 0;
}

int
mdb_sink_error(const struct mdb_sink *sink)
{
	return sink->error;
}

unsigned int
mdb_sink_width(const struct mdb_sink *sink)
{
	return sink->width;
}

bool
mdb_sink_in_line(const struct mdb_sink *sink)
{
	return sink->in_line;
}

const char *
mdb_sink_text(const struct mdb_sink *sink)
{
	return sink->buf.len == 0 ? "" : sink->buf.data;
}

void
mdb_sink_clear(struct mdb_sink *sink)
{
	mdb_buf_reset(&sink->buf);
}

void
mdb_sink_log(struct mdb_sink *sink, int fd)
{
	sink->log_fd = fd;
}

void
mdb_sink_log_text(struct mdb_sink *sink, const char *text, size_t len)
{
	if (sink->log_fd >= 0 && !write_all(sink->log_fd, text, len))
		sink->log_fd = -1;
}

void
mdb_sink_page(struct mdb_sink *sink, bool on, int key_fd)
{
	sink->paging = on && sink->terminal;
	sink->key_fd = key_fd;
}

void
mdb_sink_begin_statement(struct mdb_sink *sink)
{
	measure(sink);
	sink->pager = PAGER_ON;
	sink->row = 0;
	sink->column = 0;
}

void
mdb_sink_begin_command(struct mdb_sink *sink)
{
	if (sink->pager != PAGER_DISCARD)
		return;
	sink->pager = PAGER_ON;
	sink->row = 0;
}

/* One key, as it is pressed; 'a' when none can be had (^C, end of file). */
static char
read_key(int fd)
{
	struct termios saved, raw;
	char key = 'a';

	if (tcgetattr(fd, &saved) != 0)
		return 'c';
	raw = saved;
	raw.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
	raw.c_cc[VMIN] = 1;
	raw.c_cc[VTIME] = 0;
	(void)tcsetattr(fd, TCSADRAIN, &raw);
	if (read(fd, &key, 1) != 1)
		key = 'a';
	(void)tcsetattr(fd, TCSADRAIN, &saved);
	return key;
}

/* Takes one answer; true when it was one of those offered. */
static bool
answer(struct mdb_sink *sink, char key)
{
	switch (key) {
	case ' ':
		sink->row = 0;
		return true;
	case '\r':
	case '\n':
	case 'n':
	case 'N':
		sink->row = sink->rows - 2;
		return true;
	case 'c':
	case 'C':
		sink->pager = PAGER_FREE;
		return true;
	case 'q':
	case 'Q':
		sink->pager = PAGER_DISCARD;
		return true;
	case 'a':
	case 'A':
	case 4: /* ^D */
		sink->pager = PAGER_ABORT;
		return true;
	default:
		return false;
	}
}

static void
ask(struct mdb_sink *sink)
{
	static const char prompt[] = ">> More [<space>, <cr>, q, n, c, a] ? ";
	static const char erase[] = "\r\033[K";

	mdb_sink_flush(sink);
	if (!write_all(sink->fd, prompt, sizeof(prompt) - 1))
		sink->broken = true;
	while (!sink->broken && !answer(sink, read_key(sink->key_fd)))
		;
	if (!write_all(sink->fd, erase, sizeof(erase) - 1))
		sink->broken = true;
}

/* What a line, or a part of one, takes of the page. */
static void
count_rows(struct mdb_sink *sink, const char *data, size_t len)
{
	bool ends = len > 0 && data[len - 1] == '\n';

	sink->column += (unsigned int)(ends ? len - 1 : len);
	if (!ends)
		return;
	sink->row += 1;
	if (sink->column > sink->width)
		sink->row += (sink->column - 1) / sink->width;
	sink->column = 0;
}

static void
put(struct mdb_sink *sink, const char *data, size_t len)
{
	/* Asked only when there is more to show. */
	if (sink->paging && sink->pager == PAGER_ON &&
		sink->row + 1 >= sink->rows)
		ask(sink);
	if (mdb_sink_done(sink))
		return;
	mdb_buf_add(&sink->buf, data, len);
	mdb_sink_log_text(sink, data, len);
	sink->in_line = data[len - 1] != '\n';
	if (sink->terminal ? !sink->in_line : sink->buf.len >= BUF_LEN)
		mdb_sink_flush(sink);
	count_rows(sink, data, len);
}

void
mdb_sink_write(struct mdb_sink *sink, const char *data, size_t len)
{
	while (len > 0) {
		const char *newline = memchr(data, '\n', len);
		size_t n = newline == NULL ? len : (size_t)(newline - data) + 1;

		put(sink, data, n);
		data += n;
		len -= n;
	}
}

void
mdb_sink_puts(struct mdb_sink *sink, const char *text)
{
	mdb_sink_write(sink, text, strlen(text));
}
