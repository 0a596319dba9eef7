#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Take the light lab (light.py): hypervisors that die in seconds, with disks
that fail, power that is cut, a hundred panics in a row.

    [FULL=1] xdump.py --cache CACHE --bin BIN OUT [NAME...]

Each row leaves a folder OUT/xdump-NAME; one that is there is not taken again.
LAB_JOBS (2) rows are taken at a time: most of it is waiting.
check-xdump.py asks about them.
"""
import argparse
import concurrent.futures
import os
import sys
import time
import traceback

import faults
import light
import many
import matrix
import take


def survived(fault, new):
    """The lab after the fault, again where QEMU itself does not survive it."""
    for left in reversed(range(fault.tries)):
        lab = new()
        try:
            fault.run(lab)
            return lab
        except take.Crashed as e:
            if left == 0:
                raise
            print(f"{e}: once more")
        finally:
            lab.close()


def fault_row(name):
    def take_it(new):
        lab = survived(faults.FAULTS[name], new)
        if faults.FAULTS[name].dump:
            lab.savecore()
        lab.finish()
    return take_it


def rows(full, cache):
    """name: what takes it, given what makes a Light."""
    table = {f"fault-{n}": fault_row(n) for n in faults.FAULTS}
    table |= matrix.rows(full, cache)
    table |= many.rows(full)
    return table


def take_row(args, name, row):
    out = f"{args.out}/xdump-{name}"
    if os.path.exists(f"{out}/.done"):
        return True
    begin = time.time()
    try:
        row(lambda sub="", **more: light.Light(args.cache, args.bin, out + sub,
                                               **{"xen": args.xen, **more}))
    except (Exception, SystemExit):
        traceback.print_exc()
        print(f"lab: xdump-{name} fails")
        return False
    open(f"{out}/.done", "w").close()
    print(f"xdump: {name} in {time.time() - begin:.0f} s")
    sys.stdout.flush()
    return True


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--cache", required=True)
    p.add_argument("--bin", default="build/release/bin")
    p.add_argument("--xen", help="this hypervisor for every row")
    p.add_argument("out")
    p.add_argument("names", nargs="*")
    args = p.parse_args()
    table = rows(bool(os.environ.get("FULL") or args.names), args.cache)
    names = [n.removeprefix("xdump-") for n in args.names]
    wanted = [n for n in table if not names or n in names]
    light.make_tiny(args.cache)
    jobs = int(os.environ.get("LAB_JOBS") or 2)
    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        good = list(pool.map(lambda n: take_row(args, n, table[n]), wanted))
    sys.exit(not all(good))


main()
