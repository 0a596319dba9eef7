/* SPDX-License-Identifier: MIT */
/* Inside Xen: the writer's <stdint.h>. */
#include <xen/types.h>
#ifndef UINT64_MAX
#define UINT64_MAX (~0ul)
#endif
#ifndef SIZE_MAX
#define SIZE_MAX (~0ul)
#endif
#ifndef UINT64_C
#define UINT64_C(c) c##ul
#endif
