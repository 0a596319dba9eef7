/* SPDX-License-Identifier: MIT */
/* On the host: Xen's tree has ours under this name. */
#include "../../../xdump.h"
