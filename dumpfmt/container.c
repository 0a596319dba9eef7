/* SPDX-License-Identifier: MIT */
/* Where files compressed as a whole are recognised; this build knows none. */
#include "dfmt-impl.h"

enum dfmt_status
dfmt_container_open(struct dfmt_source *base, struct dfmt_source **src_out,
	struct dfmt_err *err)
{
	(void)base;
	(void)src_out;
	(void)err;
	return DFMT_E_FORMAT;
}
