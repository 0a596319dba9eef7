# SPDX-License-Identifier: MIT
"""The secrets that the lab plants (worker.c), looked for in all that a dump
holds once it is unpacked.
"""
import mmap
import os
import re
import subprocess
import tempfile

PLACES = ["a process's memory", "a file of tmpfs"]
DOMAINS = {"pv": 16, "pvh": 32, "gone": 48} # added to dom0's seed (xen-init)
ALL = (1 << 64) - 1


def secret(seed, place):
    """The 32 bytes of a place, as worker.c makes them."""
    out = b""
    for i in range(4):
        v = (seed + place * 4 + i + 1) * 0x9e3779b97f4a7c15 & ALL
        v = (v ^ v >> 30) * 0xbf58476d1ce4e5b9 & ALL
        v = (v ^ v >> 27) * 0x94d049bb133111eb & ALL
        out += (v ^ v >> 31).to_bytes(8, "little")
    return out


def planted(guest):
    """name -> 32 bytes, of what dom0 was told to hold."""
    seed = re.search(r"labsecret=([0-9a-f]+)", guest.text("cmdline"))
    return {place: secret(int(seed.group(1), 16), i)
            for i, place in enumerate(PLACES)} if seed else {}


def planted_in(guest, domain):
    """The same of a domain."""
    seed = re.search(r"labsecret=([0-9a-f]+)", guest.text("cmdline"))
    return {f"{domain}: {place}": secret(int(seed.group(1), 16) + DOMAINS[domain], i)
            for i, place in enumerate(PLACES)} if seed else {}


def hits(path, needles):
    """name -> how often it is in the file."""
    found = dict.fromkeys(needles, 0)
    with open(path, "rb") as f, mmap.mmap(f.fileno(), 0, access=mmap.ACCESS_READ) as m:
        for name, needle in needles.items():
            at = m.find(needle)
            while at >= 0:
                found[name] += 1
                at = m.find(needle, at + 1)
    return found


def hits_in_dump(dumpconv, dump, needles):
    """The same of a native dump, all of its pages unpacked."""
    with tempfile.TemporaryDirectory(dir=os.path.dirname(dump)) as tmp:
        subprocess.run([dumpconv, "-O", "elf", dump, f"{tmp}/elf"], check=True,
                       stdout=subprocess.DEVNULL)
        return hits(f"{tmp}/elf", needles)
