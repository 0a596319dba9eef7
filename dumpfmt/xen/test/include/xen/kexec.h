/* SPDX-License-Identifier: MIT */
/* On the host: why Xen died. */
#ifndef XEN_KEXEC_H
#define XEN_KEXEC_H

#include <xen/types.h>

enum crash_reason {
	CRASHREASON_PANIC,
	CRASHREASON_HWDOM,
	CRASHREASON_WATCHDOG,
};

#endif
