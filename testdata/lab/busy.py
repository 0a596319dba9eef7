# SPDX-License-Identifier: MIT
"""Was there always something for the disk to do?  QEMU's own trace of what its
NVMe controller was given and when it had done it.

A disk as fast as the host's would wait for emulated CPUs; this one is slowed
down (SPEED), as a real one is to real CPUs.
"""
import re

SPEED = 2000000  # bytes per second
EVENTS = ["pci_nvme_write", "pci_nvme_rw_complete_cb"]


def options(out):
    said = [word for event in EVENTS for word in ("-trace", event)]
    return said + ["-msg", "timestamp=on", "-D", f"{out}/nvme.trace"]


def events(out):
    """(seconds, is it a write's begin, which command) from the first write to
    the first namespace on: dom0 has no business there."""
    begun = False
    with open(f"{out}/nvme.trace", errors="replace") as f:
        for line in f:
            m = re.match(r"\d+@(\d+\.\d+):(\w+) cid (\d+)(.*)", line)
            begun = begun or bool(m and m.group(2) == EVENTS[0] and " nsid 1 " in m.group(4))
            if m and begun:
                yield float(m.group(1)), m.group(2) == EVENTS[0], m.group(3)


def measure(out):
    """How many writes; seconds from the first one's begin to the last one's
    end; seconds of these in which at least one was under way."""
    live, count, busy = set(), 0, 0.0
    first = last = end = end_busy = None
    for now, begins, which in events(out):
        first = now if first is None else first
        busy += now - last if live else 0
        last = now
        if begins:
            live.add(which)
            count += 1
        elif which in live:
            live.discard(which)
            end, end_busy = now, busy
    return count, end - first if end else 0, end_busy or 0


def note(out):
    count, seconds, busy = measure(out)
    with open(f"{out}/busy", "w") as f:
        f.write(f"{count} writes, {seconds:.3f} s, {busy:.3f} busy\n")
