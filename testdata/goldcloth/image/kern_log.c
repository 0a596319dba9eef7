/* SPDX-License-Identifier: MIT */
/*
 * The message log: a STREAMS queue whose messages hang from each other by
 * b_next; each is a block with a log_ctl and, behind b_cont, one with text.
 */
#include "kern.h"

#define TEXT_LEN 96
#define BOOT_TIME 1176230000

struct message {
	mblk_t ctl_block;
	dblk_t ctl_data;
	mblk_t text_block;
	dblk_t text_data;
	log_ctl_t ctl;
	char text[TEXT_LEN];
};

enum {
#define MSG(seconds, string) +1
	NR_MESSAGES = 0
#include "messages.def"
#undef MSG
		,
	BASE = __COUNTER__ + 1
};

static struct message messages[NR_MESSAGES];

#define BLOCK(next, prev, cont, from, len, db)                             \
	{                                                                  \
		.b_next = (next), .b_prev = (prev), .b_cont = (cont),      \
		.b_rptr = (unsigned char *)(from),                         \
		.b_wptr = (unsigned char *)(from) + (len), .b_datap = (db) \
	}

#define DATA(from, len, block, type)                                    \
	{                                                               \
		.db_base = (unsigned char *)(from),                     \
		.db_lim = (unsigned char *)(from) + (len), .db_ref = 1, \
		.db_type = (type), .db_mblk = (block)                   \
	}

#define AFTER(i) ((i) + 1 == NR_MESSAGES ? 0 : &messages[(i) + 1].ctl_block)
#define BEFORE(i) ((i) == 0 ? 0 : &messages[(i)-1].ctl_block)

#define SLOT(i, seconds, string)                                               \
	[i] = {                                                                \
		.ctl_block = BLOCK(AFTER(i), BEFORE(i),                        \
			&messages[i].text_block, &messages[i].ctl,             \
			sizeof(log_ctl_t), &messages[i].ctl_data),             \
		.ctl_data = DATA(&messages[i].ctl, sizeof(log_ctl_t),          \
			&messages[i].ctl_block, 1),                            \
		.text_block = BLOCK(0, 0, 0, messages[i].text, sizeof(string), \
			&messages[i].text_data),                               \
		.text_data = DATA(messages[i].text, TEXT_LEN,                  \
			&messages[i].text_block, 0),                           \
		.ctl = { .level = 0,                                           \
			.flags = 0x20,                                         \
			.seq_no = (i) + 1,                                     \
			.ltime = (seconds)*100,                                \
			.ttime = BOOT_TIME + (seconds) },                      \
		.text = string,                                                \
	},

#define MSG(seconds, string) SLOT(__COUNTER__ - BASE, seconds, string)

AT(0xc5e10000)
static struct message messages[NR_MESSAGES] = {
#include "messages.def"
};

AT(0xc5e08140)
static queue_t recentq = {
	.q_first = &messages[0].ctl_block,
	.q_last = &messages[NR_MESSAGES - 1].ctl_block,
	.q_count = NR_MESSAGES * TEXT_LEN,
	.q_maxpsz = -1,
	.q_hiwat = 0x10000,
};
AT(0xc5e08240) static queue_t consq = { .q_maxpsz = -1 };

IN(genunix) queue_t *log_recentq = &recentq;
IN(genunix) queue_t *log_consq = &consq;
IN(genunix) queue_t *log_intrq = &consq;
IN(genunix) queue_t *log_backlogq = &consq;
IN(genunix) int log_msgid = 1;
