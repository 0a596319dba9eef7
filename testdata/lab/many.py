# SPDX-License-Identifier: MIT
"""What is done many times: power cuts at random moments, a recorded log of
writes to be replayed with losses, panics in a row on one device.
"""
import os
import random
import shutil
import struct
import time

import judge

# How QEMU's cache treats a write: what it says is written is in the file, or
# in the host's memory.
CACHES = ("writethrough", "writeback", "none")
FLUSHED = (1 << 64) - 1


def base(lab):
    """An undisturbed dump: how long one takes here."""
    lab.labelled()
    lab.noise()
    lab.boot()
    lab.nmi()
    lab.wait_for("xdump: dumping to", 60)
    begin = time.time()
    lab.over()
    return time.time() - begin


def cut(new, number, rng, seconds):
    """One power cut; what could be saved, and is it true?"""
    lab = new(f"/{number}")
    cache = CACHES[number % len(CACHES)]
    try:
        lab.labelled(how=f"format=raw,cache={cache}")
        lab.noise()
        lab.boot()
        lab.nmi()
        lab.wait_for("xdump: dumping to", 60)
        moment = rng.random() * seconds
        time.sleep(moment)
        lab.kill()
    finally:
        lab.close()
    result = judge.judge(lab.bin, lab.disks["dump"].path, lab.out, f"{lab.out}/machine.raw")
    after = lab.digests()
    shutil.rmtree(lab.out)
    return result | {"cache": cache, "moment": moment,
                     "other": after["other"] == lab.facts["before"]["other"],
                     "changed": after["dump"] != lab.facts["before"]["dump"]}


def cuts(count):
    def take(new):
        lab, rng = new(), random.Random(count)
        try:
            seconds = base(lab)
        finally:
            lab.close()
        lab.facts["cuts"] = [cut(new, i, rng, seconds) for i in range(count)]
        lab.savecore()
        lab.finish()
    return take


def log(new):
    """Every write and flush of one dump, in the order of the device; the
    label's image from before."""
    lab, events = new(), []
    try:
        lab.labelled(server=True, log=events)
        lab.noise()
        shutil.copyfile(lab.disks["dump"].path, f"{lab.out}/before")
        lab.boot()
        lab.nmi()
        lab.over()
    finally:
        lab.close()
    with open(f"{lab.out}/log", "wb") as f:
        for event in events:
            if event is None:
                f.write(struct.pack("<QQ", 0, FLUSHED))
            else:
                f.write(struct.pack("<QQ", event[0], len(event[1])) + event[1])
    lab.savecore()
    lab.finish()


def one_of(lab, keep):
    try:
        lab.boot()
        lab.nmi()
        lab.over()
        said = lab.console()
    finally:
        lab.close()
    raw = f"{lab.out}/machine.raw"
    result = judge.judge(lab.bin, lab.disks["dump"].path, lab.out, raw, keep)
    if not keep:
        os.unlink(raw)
    return result | {"said": [line for line in said.splitlines() if "(XEN) xdump: " in line]}


def row_of(count):
    """Panic, save, and again, on one device; the last dump is kept."""
    def take(new):
        lab = new()
        lab.labelled()
        lab.noise()
        lab.facts["panics"] = [one_of(lab, i == count - 1) for i in range(count)]
        lab.finish()
    return take


def rows(full):
    return {"cuts": cuts(50 if full else 8), "log": log, "row": row_of(100 if full else 5)}
