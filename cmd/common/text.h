/* SPDX-License-Identifier: MIT */
/* Sizes, ids, times and JSON strings as text. */
#ifndef CMD_COMMON_TEXT_H
#define CMD_COMMON_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* "64M", "1.5G", "4096": bytes, or K M G T P of 1024; false: not a size. */
bool cmd_parse_size(const char *text, uint64_t *size_out);

/* "641.3M"; buf of at least CMD_SIZE_TEXT. */
#define CMD_SIZE_TEXT 24
const char *cmd_size_text(uint64_t size, char *buf);

/* 32 hexadecimal digits with the dashes of a UUID. */
#define CMD_ID_TEXT 40
const char *cmd_id_text(const uint8_t *id, char *buf);
bool cmd_id_is_zero(const uint8_t *id);

/* "2026-11-25T19:42:47Z", or "unknown" for 0. */
#define CMD_TIME_TEXT 32
const char *cmd_time_text(uint64_t sec, char *buf);

/* "text" quoted for JSON. */
void cmd_json_string(FILE *out, const char *text);

/* Text of a file, without what steers a terminal. */
void cmd_put_text(FILE *out, const char *text);

#endif
