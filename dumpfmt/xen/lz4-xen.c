/* SPDX-License-Identifier: MIT */
/*
 * LZ4's own source inside Xen, whose headers, forced upon every file, have
 * other ideas of these words.
 */
#include <xen/types.h>
#include <xen/string.h>

#undef KB
#undef MB
#undef GB
#undef inline
#undef always_inline
#undef likely
#undef unlikely
#undef assert

#include "lz4.inc"
