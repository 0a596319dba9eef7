# SPDX-License-Identifier: MIT
"""What check-lab.py and check-xen.py share: the tally, a guest's oracles, a
dump open in mdb, and the questions that every Linux is asked.
"""
import difflib
import json
import os
import re
import subprocess
import sys

TIMEOUT = 60
# What has run between the oracle and the dump, or may come and go.
PASSING = re.compile(r"kworker|insmod|kexec|sleep|cat$|rcu_preempt|rcu_sched|"
                     r"ext4lazyinit|lab-kthread|lab-writes|sh$|xl$|taskset$|init$|exe$")


class Check:
    """The tally of all assertions."""

    def __init__(self):
        self.counts = {"ok": 0, "not ok": 0, "skipped": 0}

    def say(self, verdict, name, why=""):
        self.counts[verdict] += 1
        if verdict != "ok":
            print(f"{verdict} {name}: {why}")
            sys.stdout.flush()

    def that(self, name, good, why=""):
        self.say("ok" if good else "not ok", name, why)

    def same(self, name, got, want):
        """Two sets: what is missing and what is too much."""
        got, want = set(got), set(want)
        missing, extra = sorted(want - got), sorted(got - want)
        why = []
        if missing:
            why.append(f"{len(missing)} missing, as {missing[:3]}")
        if extra:
            why.append(f"{len(extra)} too much, as {extra[:3]}")
        self.that(name, not why, "; ".join(why))

    def end(self):
        c = self.counts
        print(f"{c['ok']} passed, {c['not ok']} failed, {c['skipped']} skipped")
        sys.exit(c["not ok"] != 0)


class Guest:
    """One folder of the lab: the oracles."""

    def __init__(self, path):
        self.path = path
        self.name = os.path.basename(path)
        self.console = self.text("console.log")
        self.mode = re.search(r"LAB: mode (\w+) (\S+)", self.console)
        self.release = self.mode.group(2) if self.mode else None
        self.mode = self.mode.group(1) if self.mode else None

    def text(self, name):
        try:
            with open(f"{self.path}/{name}", errors="replace") as f:
                return f.read()
        except FileNotFoundError:
            return ""

    def dumps(self):
        """The files to open, with the parts of a split dump together."""
        names = sorted(n for n in os.listdir(self.path)
                       if n.startswith(("dump.", "vmcore"))
                       and n != "vmcoreinfo")
        groups = {}
        for n in names:
            part = re.match(r"(vmcore\.[sS])\d$", n)
            groups.setdefault(part.group(1) if part else n, []).append(n)
        return groups

    def tasks(self):
        """(tid, tgid, state, comm) from the guest's /proc."""
        for line in self.text("ps").splitlines():
            tid, tgid, _, state, comm = line.split(" ", 4)
            yield int(tid), int(tgid), state, comm

    def modules(self):
        for line in self.text("modules").splitlines():
            f = line.split()
            yield f[0], int(f[5], 16)

    def symbols(self):
        for line in self.text("kallsyms").splitlines():
            f = line.split()
            obj = f[3].strip("[]") if len(f) > 3 else "vmlinux"
            if not obj.startswith(("bpf", "__builtin")):
                yield int(f[0], 16), f[2], obj

    def stacks(self):
        tid, frames = None, []
        for line in self.text("stacks").splitlines():
            if line.startswith("# "):
                if tid is not None:
                    yield tid, frames
                tid, frames = int(line[2:]), []
            else:
                m = re.match(r"\[<0>\] ([^+\s]+)\+", line)
                if m:
                    frames.append(m.group(1))
        if tid is not None:
            yield tid, frames

    def panic_message(self):
        m = re.search(r"Kernel panic - not syncing: (.*)", self.console)
        return m.group(1).strip() if m else None

    def panic_trace(self):
        """The functions of the last trace before the panic's end line."""
        at = self.console.find("Kernel panic - not syncing")
        if at < 0:
            return None
        text = self.console
        start = text.find("Call Trace:", at)
        before = text.rfind("Call Trace:", 0, at)
        if start < 0 or "Oops" in text[before:at] or "BUG" in text[:at]:
            start = before
        if start < 0:
            return None
        frames = []
        for line in text[start:].splitlines()[1:]:
            line = re.sub(r"^\[ *[\d.]+\] ?", "", line.strip())
            line = re.sub(r"^\[ *T\d+\] ?", "", line.strip())
            if line.startswith("</TASK>") or "end trace" in line:
                break
            m = re.match(r"(?:RIP: \w+:)?([\w.]+)\+0x", line)
            if m:
                frames.append(m.group(1))
        return frames


class Refused(RuntimeError):
    """mdb will not read with types that the dump contradicts."""


class Mdb:
    """One dump open in mdb, a run per question."""

    def __init__(self, program, paths):
        self.program = program
        self.paths = paths
        self.said = ""             # its complaints in the last run

    def run(self, *commands, js=False):
        cmd = [self.program] + (["-o", "json"] if js else [])
        for c in commands:
            cmd += ["-e", c]
        p = subprocess.run(cmd + self.paths, stdout=subprocess.PIPE,
                           stderr=subprocess.PIPE, timeout=TIMEOUT,
                           stdin=subprocess.DEVNULL, check=False)
        self.said = p.stderr.decode(errors="replace")
        if p.returncode < 0:
            raise RuntimeError(f"signal {-p.returncode} in {commands}")
        return p.stdout.decode(errors="replace")

    def rows(self, *commands):
        out = []
        for line in self.run(*commands, js=True).splitlines():
            row = json.loads(line)
            if isinstance(row.get("error"), dict) and len(row) == 1:
                why = row["error"]["message"]
                kind = Refused if "of another build" in why else RuntimeError
                raise kind(f"{commands}: {why}")
            out.append(row)
        return out


def number(value):
    return int(value, 0) if isinstance(value, str) else value


def lasting(tasks):
    return {(a, b) for a, b in tasks if a == 1 or not PASSING.match(b)}


def check_status(check, guest, mdb, name):
    out = mdb.run("::status")
    check.that(f"{name} status release", guest.release in out,
               f"no {guest.release} in {out[:200]!r}")
    msg = guest.panic_message() if guest.mode != "idle" else None
    if msg:
        check.that(f"{name} status panic", msg.split(":")[0] in out,
                   f"no {msg!r} in {out[:400]!r}")


# An old makedumpfile leaves out pages of kernels it does not know: the lists
# then have holes, which the debugger must own up to.
def same_tasks(check, mdb, name, got, want):
    got, want = lasting(got), lasting(want)
    if "missing" in mdb.said and "excluded" in mdb.said:
        check.that(name, got < want, f"{got - want} too much")
    else:
        check.same(name, got, want)


def check_tasks(check, guest, mdb, name):
    tasks = list(guest.tasks())
    same_tasks(check, mdb, f"{name} ps",
               [(r["pid"], r["name"]) for r in mdb.rows("::ps") if r["pid"]],
               [(tid, c[:15]) for tid, tgid, _, c in tasks if tid == tgid])
    same_tasks(check, mdb, f"{name} threads",
               [(r["tid"], r["name"]) for r in mdb.rows("::thread") if r["tid"]],
               [(tid, c[:15]) for tid, _, _, c in tasks])


def check_modules(check, guest, mdb, name):
    # The hypervisor is listed as a module of its dom0.
    mods = [(r["name"], number(r["base"])) for r in mdb.rows("::modinfo")
            if r["name"] != "xpv"]
    want = list(guest.modules())
    if guest.mode == "oops":
        mods = [m for m in mods if m[0] != "labcrash"]
    check.same(f"{name} modules", mods, want)


def check_symbols(check, guest, mdb, name):
    want = {(a, n) for a, n, _ in guest.symbols()}
    got = set()
    for r in mdb.rows("::nm"):
        got.add((number(r["val"]), r["name"]))
    missing = want - got
    check.that(f"{name} symbols", len(want) > 50000 and not missing,
               f"{len(missing)} of {len(want)} missing, as "
               f"{[(hex(a), n) for a, n in sorted(missing)[:3]]}")


def check_log(check, guest, mdb, name):
    want = [re.sub(r"^\[ *[\d.]+\] (\[ *T\d+\] )?", "", line)
            for line in guest.text("dmesg").splitlines()]
    got = [r["message"] for r in mdb.rows("::msgbuf")]
    have = set()
    for g in got:
        have.update(g.splitlines())
    # Bytes that are no text come out otherwise on the two ways.
    missing = [w for w in want if w and w not in have and "\ufffd" not in w]
    check.that(f"{name} log", len(want) > 100 and not missing,
               f"{len(missing)} of {len(want)} lines missing, as {missing[:2]}")


def frame_names(frames):
    """The kernel functions of a stack, innermost first."""
    return [f["symbol"] for f in frames if f["symbol"] and f["kind"] != "user"]


def check_stacks(check, guest, mdb, name):
    everyone = mdb.rows("::threadlist -v")
    rows = [r for r in everyone if number(r["tid"])]
    ours = {number(r["tid"]): frame_names(r.get("stack", [])) for r in rows}
    steady = {tid for tid, _, state, c in guest.tasks()
              if state in "SDITt" and tid != 1 and not PASSING.match(c)}
    bad = []
    for tid, want in guest.stacks():
        if tid in steady and want and ours.get(tid, [])[-len(want):] != want:
            bad.append((tid, want[:3], ours.get(tid, [])[:6]))
    check.that(f"{name} stacks", steady and not bad,
               f"{len(bad)} of {len(steady)} differ, as {bad[:2]}")
    bad = [(r["tid"], r["name"], [f["why"] or f["end"] for f in r.get("stack", ())][-1:])
           for r in everyone if r["state"] != "ZOMB" and
           (not r.get("stack") or any(f["guess"] for f in r["stack"])
            or r["stack"][-1]["end"] not in ("user mode", "outermost function"))]
    check.that(f"{name} stack ends", not bad,
               f"{len(bad)} of {len(everyone)} guessed or cut, as {bad[:3]}")


def ordered(needles, hay, symbols):
    """Are the needles in hay, in this order?  The console may have garbled
    one: a name that is no symbol may match one that looks like it."""
    it = iter(hay)
    return all(any(n == h or (n not in symbols and
                              difflib.SequenceMatcher(None, n, h).ratio() > 0.85)
                   for h in it) for n in needles)


def check_panic(check, guest, mdb, name):
    want = guest.panic_trace()
    if not want:
        return
    want = [n for n in want if not n.startswith(("dump_stack", "show_stack"))]
    got = frame_names(mdb.rows("$C"))
    symbols = {n for _, n, _ in guest.symbols()}
    check.that(f"{name} $C", ordered(want, got, symbols),
               f"want {want} got {got}")


# QEMU's names of the registers, and ours.
REGISTERS = {"RIP": "rip", "RSP": "rsp", "RBP": "rbp", "RAX": "rax",
             "RDI": "rdi", "R15": "r15", "RFL": "rflags", "CR3": "cr3"}


def check_registers(check, guest, mdb, name):
    """Each CPU's registers, as QEMU showed them when it took the dump."""
    blocks = guest.text("registers").split("CPU#")[1:]
    bad = []
    for block in blocks:
        cpu = int(re.match(r"\d+", block).group(0))
        row = mdb.rows(f"{cpu}::cpuregs")[0]
        for theirs, ours in REGISTERS.items():
            want = int(re.search(rf"{theirs} ?=([0-9a-f]+)", block).group(1), 16)
            if number(row[ours]) != want:
                bad.append((cpu, ours, row[ours], hex(want)))
    if blocks:
        check.that(f"{name} registers", not bad, f"{bad[:4]}")


def check_whatis(check, guest, mdb, name):
    lines = mdb.run("::walk task | ::whatis").splitlines()
    bad = [line for line in lines if not line.endswith(" task_struct")]
    check.that(f"{name} whatis", len(lines) > 30 and not bad,
               f"{len(bad)} of {len(lines)} tasks are otherwise, as {bad[:2]}")


def ask(check, questions, guest, mdb, name):
    """Each question of a dump; one that cannot be asked has failed, unless mdb
    refuses for want of types of just this hypervisor."""
    for fn in questions:
        try:
            fn(check, guest, mdb, name)
        except Refused as e:
            check.say("skipped", f"{name} {fn.__name__[6:]}", str(e)[:300])
        except (RuntimeError, KeyError, ValueError, TypeError, IndexError,
                subprocess.TimeoutExpired) as e:
            check.say("not ok", f"{name} {fn.__name__[6:]}",
                      f"{type(e).__name__}: {str(e)[:300]}")


def taken(lab):
    """The folders of boots that ended well."""
    names = os.listdir(lab) if os.path.isdir(lab) else []
    return sorted(f"{lab}/{n}" for n in names
                  if os.path.exists(f"{lab}/{n}/.done"))
