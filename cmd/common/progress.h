/* SPDX-License-Identifier: MIT */
/* How far a long piece of work is: a bar on a terminal, lines with -v. */
#ifndef CMD_COMMON_PROGRESS_H
#define CMD_COMMON_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

struct cmd_progress {
	const char *what; /* "saving" */
	uint64_t total;	  /* bytes; 0: not known */
	bool bar;	  /* standard error is a terminal */
	bool lines;	  /* -v elsewhere */
	uint64_t start_ms, shown_ms;
	unsigned int shown_percent;
};

void cmd_progress_start(struct cmd_progress *p, const char *what,
	uint64_t total, bool verbose);
void cmd_progress_set(struct cmd_progress *p, uint64_t done);
void cmd_progress_end(struct cmd_progress *p, uint64_t done);

uint64_t cmd_now_ms(void);

#endif
