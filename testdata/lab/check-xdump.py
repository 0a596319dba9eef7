#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Hold what the light lab saw (xdump.py) to what must be.

    check-xdump.py MDB LAB-DIR [NAME...]

Prints `not ok` and `skipped` lines and ends with "N passed, N failed, N
skipped".
"""
import glob
import json
import os
import re
import sys

import faults
import judge
import replay
from questions import Check

COMPLETE = "completeness: nothing is lost"
INCOMPLETE = "the dump is (not complete|cut off)"


class Row:
    def __init__(self, bin_dir, path):
        self.bin, self.path = bin_dir, path
        self.name = os.path.basename(path).removeprefix("xdump-")
        with open(f"{path}/facts.json") as f:
            self.facts = json.load(f)
        with open(f"{path}/console.log", errors="replace") as f:
            self.console = f.read()
        self.dump = next(iter(sorted(glob.glob(f"{path}/vmcore.*"))), None)

    def at_panic(self):
        """The console from the last panic on."""
        at = max(self.console.rfind("Panic on CPU"), self.console.rfind("Hardware Dom0 crashed"))
        return self.console[max(at, 0):]


def check_end(check, row):
    """Xen went on as it was told: to its halt, interrupts off."""
    f = row.facts
    check.that(f"{row.name} halt", f.get("halt") and all(f["halt"]) and any(f["off"]),
               f"{f.get('halt')} {f.get('off')}")


def check_disks(check, row, but=()):
    """No byte of any disk has changed, `but` for those."""
    before, after = row.facts["before"], row.facts["after"]
    changed = {n for n in before if before[n] != after.get(n)}
    check.same(f"{row.name} disks changed", changed, but)


def check_dump(check, row, whole):
    """savecore takes it, mdb opens it and says the same of it."""
    code, said = row.facts["savecore"]
    check.that(f"{row.name} savecore", code == 0 and row.dump and
               bool(re.search(INCOMPLETE, said)) != whole, said)
    if not row.dump:
        return
    status = judge.mdb(row.bin, row.dump, "::status")
    check.that(f"{row.name} status", (COMPLETE in status) == whole and
               "operating system: Xen" in status, status[:600])
    check.that(f"{row.name} types", "types of xpv: proven" in status
               or not whole and "of another build" not in status, status[-600:])
    check_panic(check, row, status)
    got = judge.pages(row.bin, row.dump, f"{row.path}/machine.raw")
    check_pages(check, row.name, got, 9000 if whole else 1000)
    check_theirs(check, row, got["differ"])


def check_panic(check, row, status):
    """What Xen printed is what mdb says."""
    said = re.search(r"Panic on CPU (\d+):[\r\n]+\(XEN\) ([^\r\n]*)", row.console)
    text = said.group(2) if said else "panicked: CPU 0, running vcpu 0 of domain 0"
    check.that(f"{row.name} panic", text in status, f"no {text!r} in {status[:400]!r}")
    ring = judge.mdb(row.bin, row.dump, "::xenmsg")
    text = said.group(2) if said else "Hardware Dom0 crashed"
    check.that(f"{row.name} console", text in ring, ring[-300:])
    stack = judge.mdb(row.bin, row.dump, "$C")
    check.that(f"{row.name} stack", "xdump_crash" in stack, stack[:400])


def check_pages(check, name, got, least):
    """The machine's memory, but for a few."""
    check.that(f"{name} pages", got["same"] is not None and got["same"] >= least and
               len(got["differ"]) < 1000, f"{got['same']} same, {len(got['differ'])} differ, "
               f"{got['bad']} bad")


def check_theirs(check, row, frames):
    """Those that differ are the hypervisor's own, which goes on meanwhile.  The
    machines of a row are alike: its dump is asked about all of them."""
    odd = judge.not_ours(row.bin, row.dump, sorted(set(frames)))
    check.that(f"{row.name} pages that differ", not odd, f"{odd[:3]}")


def check_fault(check, row):
    fault = faults.FAULTS[row.name.removeprefix("fault-")]
    check.that(f"{row.name} boot", re.search(fault.boots, row.console),
               f"no {fault.boots!r} on the console")
    said = row.at_panic()
    good = re.search(fault.says, said) if fault.says else "xdump: " not in said
    check.that(f"{row.name} said", good, f"not {fault.says!r}: {said[-300:]!r}")
    check_end(check, row)
    check_disks(check, row, ["dump"] if fault.dump else [])
    if fault.dump:
        check_dump(check, row, fault.dump == "whole")


def check_matrix(check, row):
    said = row.at_panic()
    check.that(f"{row.name} said", re.search(faults.DONE, said), said[-300:])
    check_end(check, row)
    check_disks(check, row, ["dump"])
    check_dump(check, row, True)
    cpus = judge.mdb(row.bin, row.dump, "::status")
    check.that(f"{row.name} CPUs", f"CPUs: {row.facts['row']['smp']} online" in cpus, cpus[:300])


def check_one_cut(check, name, cut, whole):
    """Nothing of it, and it says so; or a part, and that is the machine's."""
    check.that(f"{name} other disk", cut["other"], "changed")
    if not cut["opened"]:
        check.that(f"{name} refused", re.search(r"savecore: .*no dump|no .*dump", cut["savecore"]),
                   cut["savecore"])
        return
    is_whole = COMPLETE in cut["status"]
    n = cut["same"] + len(cut["differ"])
    check.that(f"{name} says what it has", bool(re.search(INCOMPLETE, cut["savecore"])) != is_whole
               and (n == whole if is_whole else n <= whole),
               f"{n} of {whole}: {cut['savecore']} {cut['status'][:300]}")
    check_pages(check, name, cut, 0)


def total(row):
    got = judge.pages(row.bin, row.dump, f"{row.path}/machine.raw")
    return got["same"] + len(got["differ"])


def theirs(seen):
    return [f for s in seen for f in s.get("differ", ())]


def check_cuts(check, row):
    cuts = row.facts["cuts"]
    check_dump(check, row, True)
    check_theirs(check, row, theirs(cuts))
    whole = total(row)
    for i, cut in enumerate(cuts):
        check_one_cut(check, f"{row.name} {i} at {cut['moment']:.2f} s", cut, whole)
    opened = [c for c in cuts if c["opened"]]
    part = [c for c in opened if COMPLETE not in c["status"]]
    check.that(f"{row.name} in the middle", len(part) * 4 >= len(cuts),
               f"{len(part)} of {len(cuts)} cuts left a part of a dump")


def check_row(check, row):
    for i, panic in enumerate(row.facts["panics"]):
        name = f"{row.name} {i}"
        check.that(f"{name} said", any(re.search(faults.DONE, s) for s in panic["said"]),
                   f"{panic['said']}")
        check.that(f"{name} saved", panic["opened"] and COMPLETE in panic["status"],
                   panic["savecore"])
        if panic["opened"]:
            check_pages(check, name, panic, 9000)
    check_theirs(check, row, theirs(row.facts["panics"]))
    check_disks(check, row, ["dump"])


def check_log(check, row):
    check_dump(check, row, True)
    replay.check(check, row.bin, row.path, row.name, 200)


def ask(check, row):
    if row.name.startswith("fault-"):
        check_fault(check, row)
    elif row.name in SPECIAL:
        SPECIAL[row.name](check, row)
    else:
        check_matrix(check, row)


SPECIAL = {"cuts": check_cuts, "log": check_log, "row": check_row}


def main():
    program, lab = sys.argv[1:3]
    only = sys.argv[3:]
    check = Check()
    folders = sorted(os.path.dirname(p) for p in glob.glob(f"{lab}/xdump-*/.done"))
    if not folders:
        check.say("skipped", "xdump", f"no dump of the light lab in {lab}: make setup-lab lab")
    for folder in folders:
        if only and os.path.basename(folder) not in only:
            continue
        ask(check, Row(os.path.dirname(os.path.abspath(program)), folder))
    check.end()


main()
