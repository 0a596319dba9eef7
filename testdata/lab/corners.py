#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The dark corners of the writer inside Xen: faults, second panics, machine
checks, CPUs that never answer, a hypervisor that is no longer what it was.

    corners.py --xen FILE --bin DIR --out DIR [CASE...]

FILE is a hypervisor built with XDUMP_TEST=1, which brings all this about when
it is told so (dumpfmt/xen/test/test-hooks.c).  It needs no dom0: without one
Xen panics by itself once it is up.  Each case must say what it should on the
console, leave on the disk what it should, and reboot as Xen was told.
Ends with "N passed, N failed, N skipped".
"""
import argparse
import concurrent.futures
import os
import re
import shutil
import subprocess
import time

from questions import Check

COMPLETE = r"xdump: dump complete: \d+ pages \(0 lost\)"
ENDED = (r"xdump: a panic inside the dump: it ends here[\s\S]*"
         r"xdump: the writer panicked: \d+ pages")
WHOLE = "dump: complete"
SECOND = "dump: a second panic ended it"
NONE = None
INTEL = ["-machine", "q35", "-device", "intel-iommu,intremap=on"]
AMD = ["-machine", "q35", "-device", "amd-iommu,intremap=on"]

# name: CPUs, machine, what the console must say, what mdb says of the dump
# (None: there is none), what else mdb must say.
CASES = {
    "none": (1, [], [COMPLETE], WHOLE, []),
    "page-fault": (2, [], [r"FATAL PAGE FAULT", COMPLETE], WHOLE,
                   ["do_page_fault", "#PF page fault"]),
    "double-fault": (1, [], [r"DOUBLE FAULT -- system shutdown", COMPLETE], WHOLE,
                     ["do_double_fault"]),
    "watchdog": (2, [], [r"Watchdog timer detects that CPU\d is stuck!", COMPLETE],
                 WHOLE, ["fatal_trap", "nmi_watchdog_tick", "do_nmi"]),
    "second-panic": (4, [], [r"xdump-test: a second one", ENDED], SECOND, []),
    "third-panic": (2, [], [r"xdump-test: a third one",
                            r"xdump: a third panic: the dump has no end record"],
                    "the dump ended without an end record", []),
    "fault": (2, [], [r"FATAL PAGE FAULT", ENDED], SECOND, []),
    "call": (2, [], [r"xdump-test: called", COMPLETE], WHOLE, ["die_called"]),
    "all-panic": (4, [], [COMPLETE], WHOLE, []),
    "all-nmi": (4, [], [r"xdump-test: an NMI", r"xdump: CPU \d does not answer", COMPLETE],
                WHOLE, ["CPUs that did not answer:"]),
    "helper-fault": (2, [], [r"FATAL PAGE FAULT", COMPLETE], WHOLE, []),
    "mce": (2, [], [r"Machine check inside the dump", ENDED], SECOND, []),
    "stopped-mce": (4, [], [r"xdump: 1 machine checks on stopped CPUs", COMPLETE], WHOLE, []),
    "stuck-cpu": (4, [], [r"xdump: CPU 3 does not answer", COMPLETE], WHOLE,
                  [r"CPUs that did not answer: 3; what they wrote to may have changed"]),
    "code": (2, [], [r"xdump: nothing is written: its own code or configuration has changed"],
             NONE, []),
    "config": (2, [], [r"xdump: nothing is written: its own code or configuration has changed"],
               NONE, []),
    "broken": (1, [], [r"xdump: dump complete: \d+ pages \(4 lost\)"], WHOLE,
               ["4 lost when it was written"]),
    "iommu": (1, INTEL, [r"xdump: nothing is written: an IOMMU does not answer"], NONE, []),
    "none-intel": (2, INTEL, [r"I/O virtualisation enabled", COMPLETE], WHOLE, []),
    "none-amd": (2, AMD, [r"I/O virtualisation enabled", COMPLETE], WHOLE, []),
}


def boot(args, case, out):
    """One boot to its end; the console, or None: it did not end."""
    cpus, machine, *_ = CASES[case]
    said = subprocess.run([f"{args.bin}/dumpadm", "label", "-s", "64M", f"{out}/nvme.img"],
                          stdout=subprocess.PIPE, text=True, check=True).stdout
    uuid = re.search(r"uuid ([0-9a-f-]{36})", said).group(1)
    word = case.split("-")[0] if machine else case
    with open(f"{out}/nothing", "wb") as f:
        f.write(bytes(65536))
    cmd = [os.environ.get("QEMU", "qemu-system-x86_64"), *machine,
           "-accel", "tcg,thread=multi", "-cpu", "max,-la57,-smap", "-m", "512",
           "-smp", str(cpus), "-vga", "none", "-display", "none", "-no-reboot",
           "-net", "none", "-serial", f"file:{out}/console.log", "-monitor", "none",
           "-kernel", args.xen, "-initrd", f"{out}/nothing",
           "-append", f"com1=115200,8n1 console=com1 loglvl=all "
                      f"xdump={uuid} xdump-test={word}",
           "-device", "nvme,id=nvme0,serial=LAB-1",
           "-drive", f"file={out}/nvme.img,if=none,id=ns1,format=raw",
           "-device", "nvme-ns,drive=ns1,bus=nvme0,nsid=1"]
    try:
        subprocess.run(cmd, timeout=args.wait, check=True, stdin=subprocess.DEVNULL,
                       stderr=subprocess.DEVNULL)
    except subprocess.TimeoutExpired:
        return None
    with open(f"{out}/console.log", "rb") as f:
        return f.read().decode(errors="replace")


def check_dump(args, check, case, out):
    *_, whole, words = CASES[case]
    saved = subprocess.run([f"{args.bin}/savecore", f"{out}/nvme.img", out],
                           stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                           text=True, check=False).stdout
    dump = f"{out}/vmcore.0"
    if whole is NONE:
        check.that(f"corners {case} no dump", "no dump" in saved
                   and not os.path.exists(dump), saved)
        return
    said = subprocess.run([f"{args.bin}/mdb", "-e", "::status; $C", dump],
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          text=True, check=False).stdout
    for word in [whole, "operating system: Xen", "xdump_crash", *words]:
        check.that(f"corners {case} mdb {word}", word in said, said[:2000])


def run(args, check, case):
    out = f"{args.out}/{case}"
    shutil.rmtree(out, ignore_errors=True)
    os.makedirs(out)
    begin = time.time()
    console = boot(args, case, out)
    check.that(f"corners {case} reboots", console is not None,
               f"not within {args.wait} s")
    if console is None:
        return
    for pattern in ["xdump: ready: nvme LAB-1/1", *CASES[case][2]]:
        check.that(f"corners {case} says {pattern}", re.search(pattern, console),
                   re.findall(r"xdump: .*", console))
    check_dump(args, check, case, out)
    print(f"corners: {case} in {time.time() - begin:.0f} s")
    os.unlink(f"{out}/nvme.img")


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--xen", required=True)
    p.add_argument("--bin", default="build/release/bin")
    p.add_argument("--out", required=True)
    p.add_argument("--wait", type=int, default=120, help="seconds for each")
    p.add_argument("cases", nargs="*")
    args = p.parse_args()
    check = Check()
    if not os.path.exists(args.xen):
        check.say("skipped", "corners", f"no {args.xen}: make setup-lab XEN=4.17.5-xdumptest")
        check.end()
    jobs = int(os.environ.get("LAB_JOBS") or 2)
    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        list(pool.map(lambda case: run(args, check, case), args.cases or CASES))
    check.end()


main()
