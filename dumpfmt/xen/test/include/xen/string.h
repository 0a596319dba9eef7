/* SPDX-License-Identifier: MIT */
/* On the host: C's own. */
#include <string.h>
