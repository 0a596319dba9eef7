/* SPDX-License-Identifier: MIT */
/* On the host: nothing is thrown away after boot. */
#ifndef XEN_INIT_H
#define XEN_INIT_H

#include <xen/types.h>

#define __init
#define __initdata
#define __initconst

#endif
