/* SPDX-License-Identifier: MIT */
/* Inside Xen: the writer's <stddef.h>. */
#include <xen/types.h>
#ifndef offsetof
#define offsetof(a, b) __builtin_offsetof(a, b)
#endif
