/* SPDX-License-Identifier: MIT */
/* Where the flattened form of makedumpfile are recognised; this build knows
 * none. */
#include "dfmt-impl.h"

enum dfmt_status
dfmt_flattened_open(struct dfmt_source *base, struct dfmt_source **src_out,
	struct dfmt_err *err)
{
	(void)base;
	(void)src_out;
	(void)err;
	return DFMT_E_FORMAT;
}
