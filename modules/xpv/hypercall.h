/* SPDX-License-Identifier: MIT */
/* The arguments of hypercalls; their names and operations: <mdb/stack.h>. */
#ifndef XPV_HYPERCALL_H
#define XPV_HYPERCALL_H

#include <stddef.h>
#include <stdint.h>

#define XPV_HYPERCALL_ARGS 5

/* What argument i, from 0, of a hypercall is called; NULL: it has none. */
const char *xpv_hypercall_arg(uint64_t number, size_t i);

#endif
