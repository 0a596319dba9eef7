/* SPDX-License-Identifier: MIT */
/* Progress of long work.  See progress.h. */
#include "cmd/common/progress.h"

#include "cmd/common/text.h"

#include <stdio.h>
#include <time.h>
#include <unistd.h>

#define BAR_WIDTH 40u
#define BAR_EVERY_MS 200u
#define LINE_EVERY_PERCENT 10u

uint64_t
cmd_now_ms(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

void
cmd_progress_start(struct cmd_progress *p, const char *what, uint64_t total,
	bool verbose)
{
	*p = (struct cmd_progress){
		.what = what,
		.total = total,
		.bar = isatty(STDERR_FILENO) == 1,
		.start_ms = cmd_now_ms(),
	};
	p->lines = verbose && !p->bar;
}

static unsigned int
percent(const struct cmd_progress *p, uint64_t done)
{
	if (p->total == 0)
		return 0;
	return done >= p->total
		       ? 100u
		       : (unsigned int)((double)done * 100 / (double)p->total);
}

static void
draw_bar(const struct cmd_progress *p, uint64_t done)
{
	unsigned int filled = percent(p, done) * BAR_WIDTH / 100;
	char size[CMD_SIZE_TEXT];
	char bar[BAR_WIDTH + 1];

	for (unsigned int i = 0; i < BAR_WIDTH; i++)
		bar[i] = i < filled ? '#' : '.';
	bar[BAR_WIDTH] = '\0';
	(void)fprintf(stderr, "\r%s [%s] %3u%% %s ", p->what, bar,
		percent(p, done), cmd_size_text(done, size));
}

void
cmd_progress_set(struct cmd_progress *p, uint64_t done)
{
	uint64_t now;

	if (p->bar) {
		now = cmd_now_ms();
		if (now - p->shown_ms < BAR_EVERY_MS)
			return;
		p->shown_ms = now;
		draw_bar(p, done);
	} else if (p->lines &&
		   percent(p, done) >= p->shown_percent + LINE_EVERY_PERCENT) {
		p->shown_percent = percent(p, done) / LINE_EVERY_PERCENT *
				   LINE_EVERY_PERCENT;
		(void)fprintf(stderr, "%s: %u%%\n", p->what, p->shown_percent);
	}
}

void
cmd_progress_end(struct cmd_progress *p, uint64_t done)
{
	uint64_t ms = cmd_now_ms() - p->start_ms;
	char size[CMD_SIZE_TEXT], speed[CMD_SIZE_TEXT];

	if (p->bar)
		(void)fprintf(stderr, "\r\033[K");
	if (p->bar || p->lines)
		(void)fprintf(stderr, "%s: %s in %.1f s, %s/s\n", p->what,
			cmd_size_text(done, size), (double)ms / 1000,
			cmd_size_text(done * 1000 / (ms + 1), speed));
}
