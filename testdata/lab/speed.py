#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""From panic to dump: what Xen wrote itself beside a crash kernel, each in its
folder of the lab (xen.py with --xdump, and with --kdump).

    speed.py LZOPAGES XDUMP-FOLDER KDUMP-FOLDER

Times are those at which the line came on the serial console.  How the crash
kernel makes its dump, as it is or by makedumpfile, is the row's (init-common).
"""
import bisect
import os
import re
import subprocess
import sys


class Console:
    def __init__(self, folder):
        with open(f"{folder}/console.log", "rb") as f:
            self.text = f.read()
        with open(f"{folder}/console.times") as f:
            rows = [line.split() for line in f]
        self.at = [int(r[1]) for r in rows]
        self.seconds = [float(r[0]) for r in rows]

    def when(self, pattern, after=0):
        """Seconds when the line that holds it came, and where that is."""
        m = re.search(pattern, self.text[after:])
        if not m:
            sys.exit(f"speed: no {pattern!r} on the console")
        at = after + m.start()
        return self.seconds[bisect.bisect_right(self.at, at) - 1], at


def main():
    lzopages, ours, kdump = sys.argv[1:]
    c = Console(ours)
    panic, at = c.when(rb"Panic on CPU|Hardware Dom0 crashed")
    done, _ = c.when(rb"xdump: dump complete", at)
    k = Console(kdump)
    kpanic, kat = k.when(rb"Panic on CPU|Hardware Dom0 crashed")
    begun, bat = k.when(rb"LAB: copying", kat)
    kdone, vat = k.when(rb"LAB: vmcore \d+", bat)
    copied = re.match(rb"LAB: vmcore (\d+)", k.text[vat:]).group(1)
    said = subprocess.run([lzopages, f"{ours}/vmcore.0"], stdout=subprocess.PIPE,
                          text=True, check=True).stdout
    lzo = int(said.split()[-1])
    size = os.path.getsize(f"{ours}/vmcore.0")
    print(f"panic to dump, ours: {done - panic:.1f} s")
    print(f"panic to dump, crash kernel: {kdone - kpanic:.1f} s, "
          f"{begun - kpanic:.1f} s of it the second boot, "
          f"{kdone - begun:.1f} s its dump of {int(copied)} bytes")
    print(f"ratio: {(kdone - kpanic) / (done - panic):.1f}")
    print(f"size, ours: {size} bytes; the same pages in LZO: {lzo} bytes ({said.strip()})")


main()
