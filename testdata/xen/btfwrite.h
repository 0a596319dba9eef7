/* SPDX-License-Identifier: MIT */
/*
 * Types of any container written as BTF: only what is asked for and what that
 * refers to, each once.  Format: Linux include/uapi/linux/btf.h, 6.0.
 */
#ifndef TESTDATA_XEN_BTFWRITE_H
#define TESTDATA_XEN_BTFWRITE_H

#include "mdb/base/buf.h"
#include "mdb/sym/types.h"

struct btfwrite;

struct btfwrite *btfwrite_create(struct mdb_types *types);
void btfwrite_destroy(struct btfwrite *w);
/* The type of the container with this id; its id in what is written. */
uint32_t btfwrite_type(struct btfwrite *w, uint32_t id);
void btfwrite_var(struct btfwrite *w, const char *name, uint32_t id);
void btfwrite_finish(struct btfwrite *w, struct mdb_buf *out);

#endif
