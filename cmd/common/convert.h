/* SPDX-License-Identifier: MIT */
/* A dump of any format written as a native one, by the real writer. */
#ifndef CMD_COMMON_CONVERT_H
#define CMD_COMMON_CONVERT_H

#include "cmd/common/output.h"

struct cmd_convert_options {
	bool verbose;
	bool zstd;	     /* else LZ4 */
	int level;	     /* of zstd */
	uint32_t block;	     /* bytes of a block, or 0: the codec's usual one */
	uint32_t nr_threads; /* in all; 0: one for each CPU of this host */
};

struct cmd_convert_stats {
	uint64_t nr_data, nr_fill, nr_repeat, nr_lost; /* frames */
	uint64_t len;				       /* of the file */
	uint8_t dump_id[16];
};

/* Writes d to out and makes it stable. */
enum cmd_status cmd_native_write(const struct dfmt *d, struct cmd_output *out,
	const struct cmd_convert_options *opt,
	struct cmd_convert_stats *stats_out, struct cmd_error *err);

#endif
