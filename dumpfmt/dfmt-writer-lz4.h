/* SPDX-License-Identifier: MIT */
/*
 * The writer's LZ4: liblz4 on a host, lz4.c built with LZ4_FREESTANDING where
 * there is no libc; the bytes are the same.
 */
#ifndef DFMT_WRITER_LZ4_H
#define DFMT_WRITER_LZ4_H

#include "dfmt-writer.h"

extern const struct dfmt_writer_codec dfmt_writer_lz4;

#endif
