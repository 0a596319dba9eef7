/* SPDX-License-Identifier: MIT */
/* Inside Xen: LZ4's <limits.h>. */
#include <xen/types.h>
