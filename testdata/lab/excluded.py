#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Which of dom0's frames the hypervisor's writer left out, against what the
kernel's page structures say in the whole machine's dump, read by mdb and
judged by makedumpfile's rules for -d 31 (its manual page) alone.

    excluded.py BIN-DIR FOLDER [MIB]

FOLDER is one of the Xen lab (vmcore.0, machine.elf, VMCOREINFO in it); MIB is
dom0's memory.  Prints a table: what was left out and what was kept, by kind; a
frame of the kernel that was left out is listed, and the exit status is 1.
"unheld" are pages that nobody counts: on a CPU's list of free ones, whose
lengths mdb knows (struct per_cpu_pages), or the rest of several pages.
"""
import collections
import re
import struct
import subprocess
import sys
import tempfile

# Of a page's flags, by release (include/linux/page-flags.h).
BITS = {"6.1": {"lru": 4, "slab": 9, "swapcache": 10, "swapbacked": 19},
        "6.12": {"lru": 5, "swapcache": 10, "swapbacked": 17}}
ISA_END = 0x100


def frames_in(dumpconv, dump):
    """Machine frames that are in a native dump."""
    with tempfile.TemporaryDirectory(dir=".") as tmp:
        subprocess.run([dumpconv, "-O", "elf", dump, f"{tmp}/elf"], check=True,
                       stdout=subprocess.DEVNULL)
        with open(f"{tmp}/elf", "rb") as f:
            data = f.read(1 << 20)
    phoff, = struct.unpack_from("<Q", data, 32)
    size, number = struct.unpack_from("<HH", data, 54)
    frames = set()
    for i in range(number):
        kind, = struct.unpack_from("<I", data, phoff + i * size)
        paddr, filesz = struct.unpack_from("<QQ", data, phoff + i * size + 24)
        if kind == 1:
            frames.update(range(paddr >> 12, (paddr + filesz) >> 12))
    return frames


def ask(mdb, dump, commands):
    return subprocess.run([mdb, dump], input="\n".join(commands) + "\n", text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                          check=True).stdout


def machine_frames(mdb, dump, count):
    """Of dom0's own frame numbers, by its direct map."""
    out = ask(mdb, dump, [f"{0xffff888000000000 + pfn * 4096:x}::vtop" for pfn in range(count)])
    return {(int(v, 16) - 0xffff888000000000) >> 12: int(m, 16) >> 12
            for v, m in re.findall(r"virtual (\w+) mapped to machine address (\w+)", out)}


def page_structures(mdb, dump, count):
    words = []
    out = ask(mdb, dump, [f"ffffea0000000000,0t{count * 8}/J"])
    for line in out.splitlines():
        words += [int(w, 16) for w in line.split(":")[-1].split()]
    if len(words) != count * 8:
        sys.exit(f"excluded: {len(words)} words of page structures")
    return [words[i:i + 8] for i in range(0, len(words), 8)]


class Page:
    """struct page of 64 bytes, Linux 6.1 and 6.12 (pahole)."""

    def __init__(self, words, bits):
        self.bits = bits
        self.flags, self.head, _, self.mapping, _, self.private = words[:6]
        self.mapcount = words[6] & 0xffffffff
        self.refcount = words[6] >> 32
        self.lru = words[1:3]

    def bit(self, name):
        return self.flags >> self.bits[name] & 1


def kinds(pages, release):
    """One word for each page, tails as their heads."""
    old = release == "6.1"
    free = set()
    for pfn, p in enumerate(pages):
        is_buddy = p.mapcount == 0xffffff7f if old else p.mapcount >> 24 == 0xf0
        if is_buddy and p.refcount == 0:
            free.update(range(pfn, pfn + (1 << p.private)))
    result = []
    for pfn, p in enumerate(pages):
        if p.head & 1 and pfn not in free:
            p = pages[(p.head - 1 - 0xffffea0000000000) // 64]
        slab = p.bit("slab") if old else p.mapcount >> 24 == 0xf5
        if pfn in free:
            kind = "free"
        elif slab:
            kind = "slab"
        elif p.mapping & 1 and (p.mapcount < 0xf0000000 or p.mapcount == 0xffffffff):
            kind = "anon"
        elif p.bit("lru") or (p.bit("swapcache") and p.bit("swapbacked")):
            kind = "cache"
        elif p.refcount == 0 and p.mapcount == 0xffffffff:
            kind = "unheld"
        elif p.mapping:
            kind = "mapping"
        else:
            kind = "kernel"
        result.append(kind)
    return result


def main():
    bins, folder = sys.argv[1:3]
    count = int(sys.argv[3] if len(sys.argv) > 3 else 320) * 256
    with open(f"{folder}/console.log", errors="replace") as f:
        release = re.search(r"LAB: mode \w+ (\d+\.\d+)", f.read()).group(1)
    there = frames_in(f"{bins}/dumpconv", f"{folder}/vmcore.0")
    frames = machine_frames(f"{bins}/mdb", f"{folder}/machine.elf", count)
    words = page_structures(f"{bins}/mdb", f"{folder}/machine.elf", count)
    judged = kinds([Page(w, BITS[release]) for w in words], release)
    table = collections.Counter()
    wrong = []
    for pfn, kind in enumerate(judged):
        # The hole below 1 MiB is nobody's memory.
        if frames.get(pfn, 0) < ISA_END:
            table[kind, "not memory"] += 1
            continue
        kept = frames[pfn] in there
        table[kind, "kept" if kept else "left out"] += 1
        if not kept and kind in ("kernel", "slab"):
            wrong.append(pfn)
    for (kind, what), n in sorted(table.items()):
        print(f"{kind:8} {what:10} {n}")
    for pfn in wrong[:20]:
        print(f"left out, but the kernel's: {pfn:#x}")
    sys.exit(1 if wrong else 0)


main()
