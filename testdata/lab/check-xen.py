#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Ask mdb about every Xen dump of the lab, nothing else given, and compare
with what Xen and its dom0 said themselves.

    check-xen.py MDB LAB-DIR [NAME...]

LAB-DIR holds one folder per boot (see xen.py).  Prints `not ok` and `skipped`
lines and ends with "N passed, N failed, N skipped".
"""
import difflib
import json
import os
import re
import sys

from questions import (Check, Guest, Mdb, ask, check_log, check_modules,
                       check_stacks, check_symbols, check_tasks, check_whatis,
                       frame_names, number, ordered, taken)
import written
from unmarked import check_unmarked


class XenGuest(Guest):
    """One folder of the Xen lab: the oracles."""

    def __init__(self, path):
        super().__init__(path)
        # The mode of xen.py.
        self.how = self.text("mode").strip()
        # What Xen's panic printed, the crash kernel's words cut off.
        self.panic = re.search(r"Panic on CPU (\d+):[\r\n]+\(XEN\) (.*)", self.console)

    def info(self, key):
        return re.search(rf"^{key} *: (.*?) *$", self.text("xl-info"), re.M).group(1)

    def table(self, name):
        """The rows of xl's tables, split at blanks."""
        return [line.split() for line in self.text(name).splitlines()[1:]]

    def call_trace(self):
        """The functions that Xen's last trace is sure of: where it stood (R)
        and what frame pointers name (F)."""
        if not self.panic:
            return []
        # Xen prints no trace of a CPU that was in a guest; those that debug keys
        # made stand before dom0 is ready.
        at = self.console.rfind("LAB: ready", 0, self.panic.start())
        text = self.console[at:self.panic.start()]
        return [f.split("#")[-1] for f in re.findall(r"\] [RF] ([^+\s]+)\+", text)]

    def key(self, letter):
        """What the debug key printed on the serial line."""
        at = self.console.find(f"LAB: key {letter}")
        return self.console[at:self.console.find("LAB: key", at + 8)]

    def said_after(self):
        """Xen's lines on the serial line after dom0 had read the ring, until the
        crash kernel's, or until Xen wrote the dump."""
        at = self.console.find("LAB: ready")
        end = self.console.find("xdump: dumping to" if is_written(self) else "Linux version", at)
        return xen_lines(self.console[at:end if end > 0 else None])


def is_written(guest):
    """Is its dump what Xen wrote itself?"""
    return os.path.exists(f"{guest.path}/machine.elf")


def xen_lines(text):
    return [line.rstrip() for line in text.splitlines() if line.startswith("(XEN)")]


# No world says why, but the writer does.
SHUTDOWNS = {"overflow": "Hardware domain crashed", "watchdog": "Hardware domain's watchdog"}


def check_status(check, guest, mdb, name):
    out = mdb.run("::status")
    check.that(f"{name} status Xen", guest.info("xen_version") in out, out[:400])
    check.that(f"{name} status dom0", guest.release in out,
               f"no {guest.release} in {out[:400]!r}")
    if guest.panic:
        check.that(f"{name} status panic", guest.panic.group(2).strip() in out,
                   f"no {guest.panic.group(2)!r} in {out[:400]!r}")
    elif guest.how in SHUTDOWNS:
        check.that(f"{name} status panic", SHUTDOWNS[guest.how] in out, out[:400])
    elif guest.how == "dom0-panic":
        check.that(f"{name} status panic", guest.panic_message() in out,
                   f"no {guest.panic_message()!r} in {out[:400]!r}")


def check_objects(check, guest, mdb, name):
    names = {r["name"] for r in mdb.rows("::modinfo")}
    check.that(f"{name} modinfo", "xpv" in names, f"{names}")
    out = mdb.run("::objects")
    check.that(f"{name} objects", "vmlinux" in out and "xpv" in out, out[:300])


# What Xen's sources say must be on the way to the panic, whatever its own
# trace of a release build is sure of; innermost first.
PATHS = {
    "hypercall": ["panic", "fatal_trap", "do_nmi", "handle_ist_exception",
                  "self_nmi", "handle_keypress", "do_sysctl", "pv_hypercall",
                  "lstar_enter"],
    "nmi-key": ["panic", "fatal_trap", "do_nmi", "handle_ist_exception",
                "self_nmi", "handle_keypress"],
    "nmi-idle": ["panic", "fatal_trap", "do_nmi", "handle_ist_exception"],
    "dom0-panic": ["hwdom_shutdown", "domain_shutdown", "do_sched_op",
                   "pv_hypercall", "lstar_enter"],
    "watchdog": ["hwdom_shutdown", "domain_shutdown", "execute_timer", "timer_softirq_action",
                 "process_softirqs"],
    "writes": ["panic", "fatal_trap", "do_nmi", "handle_ist_exception"],
    "overflow": ["hwdom_shutdown", "domain_shutdown", "asm_domain_crash_synchronous"],
}


# The same of a domain 0 that is a hardware guest.
HVM_PATHS = {
    "hypercall": PATHS["hypercall"][:-2] + ["hvm_hypercall", "svm_vmexit_handler"],
    "dom0-panic": PATHS["dom0-panic"][:-2] + ["hvm_hypercall", "svm_vmexit_handler"],
}


def path_of(guest):
    kinds = {d["domid"]: d["config"]["c_info"]["type"]
             for d in json.loads(guest.text("xl-list-l"))}
    special = HVM_PATHS if kinds[0] != "pv" else {}
    return special.get(guest.how, PATHS[guest.how])


def bare(symbols):
    """Xen's static functions by their bare name, split ones whole."""
    return [s.split("#")[-1].removesuffix(".cold") for s in symbols]


def check_panic_stack(check, guest, mdb, name):
    """$C holds what Xen's own trace is sure of, in order; nothing is guessed,
    and a panic in a hypercall goes on to the user's registers."""
    if guest.how == "run":
        return
    rows = mdb.rows("$C")
    got = bare(frame_names(rows))
    for kind, want in ("trace", guest.call_trace()), ("path", path_of(guest)):
        check.that(f"{name} $C {kind}", ordered(want, got, set()),
                   f"want {want} got {got}")
    bad = [r["symbol"] for r in rows if r["guess"]]
    check.that(f"{name} $C exact", not bad, f"guessed: {bad}")
    if guest.how in CROSSING:
        check_crossing(check, rows, guest.how, name)


# From the hypervisor to the user of dom0.
CROSSING = {
    "hypercall": ["do_sysctl", "privcmd_ioctl", "__x64_sys_ioctl", "do_syscall_64",
                  "entry_SYSCALL_64_after_hwframe"],
    # Xen cannot put dom0's page fault onto dom0's stack, which is at its end.
    "overflow": ["asm_domain_crash_synchronous"] + ["lab_overflow"] * 15
                + ["do_one_initcall", "do_init_module", "do_syscall_64",
                   "entry_SYSCALL_64_after_hwframe"],
    "dom0-panic": ["do_sched_op", "panic", "sysrq_handle_crash", "ksys_write",
                   "do_syscall_64", "entry_SYSCALL_64_after_hwframe"],
}


def check_crossing(check, rows, how, name):
    objects = [r["object"] for r in rows if r.get("object")]
    functions = bare(frame_names(rows))
    check.that(f"{name} $C both worlds",
               "xpv" in objects and "vmlinux" in objects
               and objects.index("xpv") < objects.index("vmlinux"), f"{objects}")
    check.that(f"{name} $C to the user", ordered(CROSSING[how], functions, set())
               and rows[-1]["end"] == "user mode",
               f"{functions} end {rows[-1]['end']!r}")


def cpu_stack(mdb, cpu):
    return mdb.rows(f"{cpu}::pcpustack")[0]["stack"]


def check_cpu_stacks(check, guest, mdb, name):
    """Every physical CPU's stack ends where it must."""
    for cpu in range(int(guest.info("nr_cpus"))):
        rows = cpu_stack(mdb, cpu)
        bad = [r["symbol"] for r in rows if r["guess"]]
        check.that(f"{name} pcpustack {cpu}", rows and not bad
                   and rows[-1]["end"] in ("user mode", "outermost function"),
                   f"{bare(frame_names(rows))} guessed {bad} "
                   f"end {rows[-1]['end']!r} {rows[-1]['why']!r}")


def check_cpu_places(check, guest, mdb, name):
    """Each physical CPU is where QEMU showed it when it took the dump."""
    if is_written(guest):
        return                  # the machine went on
    for block in guest.text("registers").split("CPU#")[1:]:
        cpu = int(re.match(r"\d+", block).group(0))
        want = int(re.search(r"RIP=([0-9a-f]+)", block).group(1), 16)
        first = cpu_stack(mdb, cpu)[0]
        check.that(f"{name} pcpu {cpu} rip", number(first["pc"]) == want,
                   f"{first} want {want:x}")


def check_domains(check, guest, mdb, name):
    """ID, memory (MiB) and vCPUs of xl list."""
    want = {(int(r[-5]), int(r[-4]), int(r[-3])) for r in guest.table("xl-list")}
    got = {(number(r["id"]), number(r["tot_pages"]) // 256, number(r["vcpus"]))
           for r in mdb.rows("::domain")}
    check.same(f"{name} domain", got, want)


def check_vcpus(check, guest, mdb, name):
    """xl vcpu-list: which vCPUs there are, and where the pinned ones run."""
    want = {(r[-8], r[-7]) for r in guest.table("xl-vcpu-list")}
    rows = [r for r in mdb.rows("::vcpu") if str(r["domain"]) != "idle"]
    check.same(f"{name} vcpu", {(str(r["domain"]), str(r["id"])) for r in rows}, want)
    bad = [r for r in rows if str(r["domain"]) == "0"
           and number(r["cpu"]) != number(r["id"])]
    check.that(f"{name} vcpu pinned", not bad, f"{bad[:2]}")
    bad = [r for r in rows if r["state"] not in
           ("running", "runnable", "blocked", "offline")]
    if bad and not_exact(mdb) and all(r["state"] == "?" for r in bad):
        check.say("skipped", f"{name} vcpu states", FOREIGN)
    else:
        check.that(f"{name} vcpu states", not bad, f"{len(bad)} unknown, as {bad[:1]}")


# What mdb owns not to know may stay unknown where no types of just this build
# are there; what it says must still be right.
FOREIGN = "mdb has no types of this build and says that it does not know"


def not_exact(mdb):
    return "types of xpv: exact" not in mdb.run("::status")


def check_kinds(check, guest, mdb, name):
    """PV or PVH, of each domain, as xl list -l has it."""
    want = {d["domid"]: d["config"]["c_info"]["type"].upper()
            for d in json.loads(guest.text("xl-list-l"))}
    rows = mdb.rows("::domain")
    got = {number(r["id"]): (r["type"] or "").upper() for r in rows}
    if not any(got.values()) and set(got) == set(want) and not_exact(mdb):
        check.say("skipped", f"{name} domain types", FOREIGN)
    else:
        check.that(f"{name} domain types", got == want, f"{got} want {want}")


def check_pcpus(check, guest, mdb, name):
    rows = mdb.rows("::pcpu")
    check.that(f"{name} pcpu", len(rows) == int(guest.info("nr_cpus")), f"{rows}")


def check_ring(check, guest, mdb, name):
    """The ring holds the lines that dom0 read of it, less the oldest that newer
    ones have overwritten, and then what the serial line showed."""
    got = [r["message"].rstrip() for r in mdb.rows("::xenmsg")]
    old = [line.rstrip() for line in guest.text("xl-dmesg").splitlines()]
    # The oldest line may be the rest of one.
    starts = [i for i in range(len(old)) if old[i].endswith(got[0])
              and old[i + 1:] == got[1:len(old) - i]]
    check.that(f"{name} xenmsg", starts and len(old) - starts[0] > 50,
               f"begins {got[:2]}, {len(old)} lines read, {len(got)} in the dump")
    if not starts:
        return
    # The emulated line drops characters now and then; some lines may have come
    # between dom0's reading and its saying that it is ready.
    # What the writer said stands behind the dump.
    new = [line for line in guest.said_after() if "xdump: " not in line]
    rest = [line for line in xen_lines("\n".join(got[len(old) - starts[0]:]))
            if "xdump: " not in line]
    rest = rest[-len(new):] if new else []
    ratio = difflib.SequenceMatcher(None, "\n".join(rest), "\n".join(new)).ratio()
    check.that(f"{name} xenmsg after", rest == new or ratio > 0.9,
               f"{ratio:.2f}: {len(rest)} lines, {len(new)} on the line")


def check_events(check, guest, mdb, name):
    """dom0's event channels as lsevtchn lists them: port, vCPU and kind."""
    want = set()
    for m in re.finditer(r"^ *(\d+): VCPU (\d+): (.*)$", guest.text("lsevtchn-0"), re.M):
        want.add((int(m.group(1)), int(m.group(2)), kind_of(m.group(3))))
    rows = mdb.rows("::evtchn -d 0")
    got = {(number(r["port"]), number(r["vcpu"]), r["state"]) for r in rows}
    check.same(f"{name} evtchn", {g for g in got if g[2] in KINDS.values()}, want)


KINDS = {"Virtual IRQ": "virq", "IPI": "ipi", "Physical IRQ": "pirq",
         "Interdomain (Connected)": "interdomain",
         "Interdomain (Waiting connection)": "unbound"}


def kind_of(text):
    return next(v for k, v in KINDS.items() if text.startswith(k))


# The serial line drops a character now and then, so a line of a key's answer
# may be lost, and one may be wrong.
def check_key(check, name, got, want, least):
    """Nearly all that the key printed is what mdb says."""
    bad = [w for w in want if w not in got]
    check.that(name, len(want) >= least and len(bad) <= len(want) // 20,
               f"{len(want)} in the log, not in mdb: {bad[:3]}")


def check_interrupts(check, guest, mdb, name):
    """Key i: number, vector, kind and who handles it."""
    want = set()
    for m in re.finditer(r"IRQ: +(\d+) vec:(\w\w) (\S+) .*?\} (?:in-flight=\d+ )?(.*)",
                         guest.key("i")):
        guests = re.match(r"(d\d+): *(\d+)", m.group(4))
        who = (" pirq ".join(guests.groups()) if guests
               else m.group(4).split("#")[-1].split("(")[0].strip())
        want.add((int(m.group(1)), int(m.group(2), 16), m.group(3), who))
    rows = mdb.rows("::xenirq")
    got = {(number(r["irq"]), number(r["vector"]), r["type"],
            re.split("[#`]", r["action"])[-1].split(" (")[0]) for r in rows}
    unknown = {number(r["irq"]) for r in rows if "is not found" in r["action"]}
    if unknown and not_exact(mdb):
        check.say("skipped", f"{name} xenirq pirqs", FOREIGN)
        want = {w for w in want if w[0] not in unknown}
    check_key(check, f"{name} xenirq", got, want, 10)


def check_heap(check, guest, mdb, name):
    """Key H: pages that are free in each zone, but for those that came and
    went since; the counters are Xen's own."""
    want = {int(z): int(n) for z, n in re.findall(
        r"zone=(\d+)\] -> (\d+) pages", guest.key("H")) if int(n)}
    rows = [r for r in mdb.rows("::xenheap") if r["zone"] is not None]
    got = {number(r["zone"]): number(r["frames"]) for r in rows}
    bad = [r for r in rows if number(r["frames"]) != number(r["counter"])]
    check.that(f"{name} xenheap counters", rows and not bad, f"{bad[:2]}")
    far = [(z, n, got.get(z)) for z, n in want.items()
           if abs(got.get(z, 0) - n) > 64]
    check.that(f"{name} xenheap", want and not far, f"{far[:3]} of {want}")


def check_grants(check, guest, mdb, name):
    """Key g: each active entry: whose, number, to whom, both frames."""
    want, owner = set(), None
    for line in guest.key("g").splitlines():
        m = re.search(r"grant-table for remote d(\d+)", line)
        owner = m.group(1) if m else owner
        m = re.search(r"\[0x(\w+)\] +(\d+) 0x(\w+) 0x\w+ +\d+ 0x(\w+)", line)
        if m:
            want.add((f"d{owner}", int(m.group(1), 16), f"d{m.group(2)}",
                      int(m.group(3), 16), int(m.group(4), 16)))
    got = {(r["domain"], number(r["ref"]), r["to"], number(r["mfn"]),
            number(r["gfn"])) for r in mdb.rows("::gnttab")}
    check.same(f"{name} gnttab", got, want)


def check_timers(check, guest, mdb, name):
    """Key a: the timers that are always there."""
    lasting = ("time_calibration", "plt_overflow", "mce_amd_work_fn")
    want = {(int(a, 16), f) for a, f in re.findall(
        r"timer=(\w+) cb=(?:\S+#)?(\w+)\(", guest.key("a")) if f in lasting}
    got = {(number(r["timer"]), re.split("[#`]", r["function"])[-1])
           for r in mdb.rows("::xentimers")}
    check.that(f"{name} xentimers", want and not want - got, f"{want - got}")


QUESTIONS = [check_status, check_objects, check_panic_stack, check_cpu_stacks,
             check_cpu_places, check_domains, check_vcpus, check_kinds, check_pcpus, check_ring,
             check_events, check_interrupts, check_heap, check_grants, check_timers,
             check_tasks, check_modules, check_log, check_stacks, check_symbols,
             check_whatis, check_unmarked]


def main():
    program, lab = sys.argv[1:3]
    only = sys.argv[3:]
    check = Check()
    folders = [f for f in taken(lab) if os.path.basename(f).startswith("xen-")]
    if not folders:
        check.say("skipped", "xen", f"no Xen dump in {lab}: make setup-lab lab")
    for folder in folders:
        guest = XenGuest(folder)
        if only and guest.name not in only:
            continue
        for key, names in guest.dumps().items():
            mdb = Mdb(program, [f"{guest.path}/{n}" for n in names])
            more = written.QUESTIONS if is_written(guest) else []
            if os.path.exists(f"{guest.path}/region"):
                more = written.BESIDE_KEXEC
            if os.path.exists(f"{guest.path}/console-before.log"):
                more = written.STANDING
            ask(check, QUESTIONS + more, guest, mdb, f"{guest.name}/{key}")
        if os.path.exists(f"{guest.path}/triage.0"):
            mdb = Mdb(program, [f"{guest.path}/triage.0"])
            ask(check, written.SENT, guest, mdb, f"{guest.name}/triage.0")
    check.end()


main()
