/* SPDX-License-Identifier: MIT */
/*
 * Functions that have no safe use here become compile errors.  Force-included
 * by make; the standard headers come first so that they may still name them.
 */
#ifndef MDB_BANNED_H
#define MDB_BANNED_H

#include <ctype.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#pragma GCC poison strcpy strcat strncpy strncat sprintf vsprintf strtok gets
#pragma GCC poison atoi atol atoll longjmp

#endif
