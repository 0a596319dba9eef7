/* SPDX-License-Identifier: MIT */
/* Inside Xen: the writer's <stdbool.h>. */
#include <xen/types.h>
