/* SPDX-License-Identifier: MIT */
/*
 * LZ4's own source inside Xen, whose headers, forced upon every file, have
 * other ideas of these words.  In one file with its only user, so that what
 * that does not use is left out.
 */
#define LZ4LIB_VISIBILITY static __attribute__((__unused__))

#include <xen/string.h>
#include <xen/types.h>

#undef KB
#undef MB
#undef GB
#undef inline
#undef always_inline
#undef likely
#undef unlikely
#undef assert

#pragma GCC diagnostic ignored "-Wunused-function"
#include "lz4.inc"
#include "writer-lz4.inc"
