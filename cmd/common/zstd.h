/* SPDX-License-Identifier: MIT */
/* zstd frames as the writer's codec, in memory that is handed to it. */
#ifndef CMD_COMMON_ZSTD_H
#define CMD_COMMON_ZSTD_H

#include "dfmt-writer.h"

#define CMD_ZSTD_LEVEL 3

/* Levels 1, 3 (also for 0), 6, 9 and 19; the next lower of these is taken. */
struct dfmt_writer_codec cmd_zstd_codec(int level);

#endif
