/* SPDX-License-Identifier: MIT */
/* What the hypercalls are called, and their arguments and operations. */
#ifndef XPV_HYPERCALL_H
#define XPV_HYPERCALL_H

#include <stddef.h>
#include <stdint.h>

enum xpv_op_place {
	XPV_OP_NONE = 0,
	XPV_OP_ARG,	/* the first argument is the operation's number */
	XPV_OP_POINTED, /* the first argument points to it: 4 bytes */
};

#define XPV_HYPERCALL_ARGS 5
#define XPV_HYPERCALL_MAX 64u /* numbers are below this */

struct xpv_hypercall_info {
	const char *name;
	const char *args[XPV_HYPERCALL_ARGS]; /* as many as are not NULL */
	enum xpv_op_place op_place;
	const char *const *ops; /* by number; NULL where there is none */
	size_t nr_ops;
	uint64_t op_mask; /* the bits of the argument that count; 0: all */
};

/* NULL: there is no such hypercall. */
const struct xpv_hypercall_info *xpv_hypercall_info(uint64_t number);
/* NULL: it has no such operation that has a name. */
const char *xpv_hypercall_op_name(const struct xpv_hypercall_info *info,
	uint64_t op);

#endif
