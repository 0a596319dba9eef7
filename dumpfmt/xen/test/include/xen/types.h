/* SPDX-License-Identifier: MIT */
/* On the host: of Xen's header what its side of a dump is built with. */
#ifndef XEN_TYPES_H
#define XEN_TYPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#endif
