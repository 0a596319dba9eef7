/* SPDX-License-Identifier: MIT */
/*
 * What clang-tidy cannot see: mdb_fail() and mdb_context() return the status
 * that they are given.  Included ahead of each file of the debugger; without
 * it every failure might be a success with nothing stored.
 */
#ifndef TESTDATA_LINT_H
#define TESTDATA_LINT_H

#include <mdb/status.h>

#define mdb_fail(cx, st, ...) ((void)mdb_fail(cx, st, __VA_ARGS__), (st))
#define mdb_context(cx, st, ...) ((void)mdb_context(cx, st, __VA_ARGS__), (st))

#endif
