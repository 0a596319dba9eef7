# SPDX-License-Identifier: MIT
"""A recorded log of writes, as a device that lost its power would have kept
it: all up to a flush, and of those behind it any, in any order, one of them
perhaps torn.  What savecore and mdb show then must be true.
"""
import os
import random
import shutil
import struct
import tempfile

import judge

FLUSHED = (1 << 64) - 1
SECTOR = 512


def events(path):
    """(offset, bytes) of each write; None for a flush."""
    with open(path, "rb") as f:
        while head := f.read(16):
            offset, n = struct.unpack("<QQ", head)
            yield None if n == FLUSHED else (offset, f.read(n))


def torn(rng, offset, data):
    """Some of its sectors."""
    for at in range(0, len(data), SECTOR):
        if rng.random() < 0.5:
            yield offset + at, data[at:at + SECTOR]


def survivors(rng, log):
    """The writes that are on the medium after a cut; is that all of them?"""
    cut = rng.randrange(1, len(log) + 1)
    flushed = max((i for i in range(cut) if log[i] is None), default=0)
    sure = [e for e in log[:flushed] if e]
    loose = [e for e in log[flushed:cut] if e]
    keep = rng.choice((0.1, 0.5, 0.9, 1.0))
    kept = [e for e in loose if rng.random() < keep]
    rng.shuffle(kept)
    writes = sure + kept
    if kept and rng.random() < 0.5:
        writes = writes[:-1] + list(torn(rng, *kept[-1]))
    return writes


def image(before, path, writes):
    shutil.copyfile(before, path)
    with open(path, "r+b") as f:
        for offset, data in writes:
            f.seek(offset)
            f.write(data)


def check_one(check, name, got, truth):
    """Not more than was saved, and nothing that differs from the machine but
    what differs in the whole dump."""
    if not got["opened"]:
        check.that(f"{name} refused", "no " in got["savecore"], got["savecore"])
        return
    false = set(got["differ"]) - set(truth["differ"])
    check.that(f"{name} pages", not false, f"{[hex(f) for f in sorted(false)[:3]]}")
    n = got["same"] + len(got["differ"])
    whole = len(truth["differ"]) + truth["same"]
    says = "completeness: nothing is lost" in got["status"]
    check.that(f"{name} says what it has", n == whole if says else n <= whole,
               f"{n} of {whole}: {got['savecore']} {got['status'][:400]}")


def check(check_, bin_dir, path, name, count):
    log = list(events(f"{path}/log"))
    raw = f"{path}/machine.raw"
    truth = judge.pages(bin_dir, f"{path}/vmcore.0", raw)
    rng, opened, part = random.Random(1), 0, 0
    with tempfile.TemporaryDirectory() as folder:
        for i in range(count):
            device = f"{folder}/dump.img"
            image(f"{path}/before", device, survivors(rng, log))
            dump, said = judge.saved(bin_dir, device, folder)
            got = {"opened": dump is not None, "savecore": said}
            if dump:
                got |= judge.pages(bin_dir, dump, raw)
                got["status"] = judge.mdb(bin_dir, dump, "::status")
                os.unlink(dump)
                opened += 1
                part += got["same"] + len(got["differ"]) < truth["same"]
            check_one(check_, f"{name} {i}", got, truth)
    check_.that(f"{name} parts", opened * 2 > count and part * 4 > count,
                f"{opened} opened, {part} of them parts, of {count}")
