/* SPDX-License-Identifier: MIT */
/* Inside Xen: the writer's <string.h>. */
#include <xen/types.h>
#include <xen/string.h>
