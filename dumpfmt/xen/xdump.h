/* SPDX-License-Identifier: MIT */
/*
 * The hypervisor's side of a dump: what its other files call.  docs/XEN.md.
 */
#ifndef XDUMP_H
#define XDUMP_H

#include <xen/kexec.h>

/*
 * The machine is dead.  Writes the dump, if a device was found at boot, and
 * returns: the caller goes on as it would have (kexec, reboot, halt).  Takes no
 * lock, enables no interrupt.
 */
void xdump_crash(enum crash_reason reason);

/*
 * Is a dump being made by this CPU?  Then it has panicked again, and whoever
 * holds what panic() waits for stands still.
 */
bool xdump_is_mine(void);

/*
 * Would a panic be dumped?  Then memory of a domain that is gone is scrubbed
 * also where Xen takes it for itself.
 */
bool xdump_is_on(void);

/*
 * A machine check: nothing where no dump is being made.  Else it does
 * not return, neither on the CPU that dumps nor on one that was stopped.
 */
void xdump_machine_check(void);

/* The console's ring, for its end in the triage record (console.c). */
struct xdump_ring {
	const char *text;
	uint32_t len;	   /* a power of two */
	uint32_t producer; /* counts on; the newest byte is before it */
};
void xdump_console_ring(struct xdump_ring *ring_out);

/*
 * A CPU that stands still had called others and waited for them (smp.c): nobody
 * is called any more, and the next caller need not wait.
 */
void xdump_calls_forget(void);

#endif
