#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Ask mdb about every lab dump and compare with what the guest said itself.

    check-lab.py MDB CMPDUMP LAB-DIR [NAME...]

LAB-DIR holds one folder per boot (see take.py).  Prints `ok`, `not ok` and
`skipped` lines and ends with "N passed, N failed, N skipped".
"""
import os
import subprocess
import sys

from questions import (Check, Guest, Mdb, ask, check_log, check_modules, check_panic,
                       check_registers, check_stacks, check_status,
                       check_symbols, check_tasks, check_whatis, taken)

CHECKS = [check_status, check_tasks, check_modules, check_log, check_stacks,
          check_panic, check_symbols, check_registers, check_whatis]


def check_dump(check, guest, program, key, names, full):
    mdb = Mdb(program, [f"{guest.path}/{n}" for n in names])
    name = f"{guest.name}/{key}"
    if "686" in guest.release:
        mdb.run("::objects")
        check.that(f"{name} 32-bit", "no kernel" in mdb.said, mdb.said)
        return
    ask(check, CHECKS if full else CHECKS[:2], guest, mdb, name)


def check_forms(check, guest, cmpdump):
    """All forms of one dump hold the same bytes."""
    groups = guest.dumps()
    ref = "vmcore" if "vmcore" in groups else "dump.elf"
    forms = ["+".join(f"{guest.path}/{n}" for n in names)
             for key, names in groups.items() if key not in (ref, "dump.p")]
    if not forms or ref not in groups:
        return
    p = subprocess.run([cmpdump, f"{guest.path}/{ref}"] + forms,
                       stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                       check=False, timeout=600)
    for line in p.stdout.decode().splitlines():
        if ": same " in line:
            check.that(f"{guest.name} form {os.path.basename(line.split(':')[0])}",
                       line.endswith("bad 0"), line)


def main():
    program, cmpdump, lab = sys.argv[1:4]
    check = Check()
    only = sys.argv[4:]
    folders = [f for f in taken(lab)
               if not os.path.basename(f).startswith(("xen-", "xdump-"))]
    if not folders:
        check.say("skipped", "lab", f"no dump in {lab}: make setup-lab lab")
    for folder in folders:
        guest = Guest(folder)
        if only and guest.name not in only:
            continue
        check_forms(check, guest, cmpdump)
        for i, (key, names) in enumerate(guest.dumps().items()):
            check_dump(check, guest, program, key, names, i == 0)
    check.end()


main()
