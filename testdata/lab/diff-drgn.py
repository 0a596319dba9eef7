#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Compare mdb's answers on a dump with those drgn gave (diff-oracle.py).

    diff-drgn.py MDB DUMP DRGN.json [NM]

NM is the output of nm on the dump's vmlinux: with it every symbol is compared
too, less the offset of address space randomisation.  Every kind of answer is
one assertion; a difference that is not the debugger's is named below, with
its reason.  Ends with "N passed, N failed, N skipped".
"""
import json
import re
import subprocess
import sys

# Struct members where BTF and DWARF rightly differ, or names that several
# structs of the kernel share (drgn and BTF may each pick another).
SHARED_NAMES = 8      # structs of one name with another size, at most
MARK = "5e5e5e5e"     # printed after each read, also one that fails


class Tally:
    """Assertions made so far."""

    def __init__(self):
        self.good = self.bad = 0

    def that(self, name, good, why):
        if good:
            self.good += 1
            print(f"ok {name}: {why}")
        else:
            self.bad += 1
            print(f"not ok {name}: {why}")


def ask(program, dump, lines, *options):
    p = subprocess.run([program, *options, dump], input="\n".join(lines) + "\n",
                       stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                       text=True, errors="replace", check=False, timeout=600)
    if p.returncode < 0:
        sys.exit(f"{program}: signal {-p.returncode}")
    return p.stdout.splitlines()


def rows(program, dump, command):
    out = []
    for line in ask(program, dump, [command], "-o", "json"):
        row = json.loads(line)
        if "error" not in row:
            out.append(row)
    return out


def number(value):
    return int(value, 0) if isinstance(value, str) else value


def show(items):
    return str(sorted(items)[:4])


def diff_sets(tally, name, got, want):
    tally.that(name, got == want,
               f"{len(want)} of drgn's; missing {show(want - got)}, "
               f"too much {show(got - want)}")


def diff_tasks(tally, program, dump, oracle):
    got = {(number(r["addr"]), number(r["tid"]), r["name"])
           for r in rows(program, dump, "::thread") if number(r["tid"])}
    want = {(t["addr"], t["pid"], t["comm"]) for t in oracle["tasks"]
            if t["pid"]}
    diff_sets(tally, "tasks", got, want)


def diff_modules(tally, program, dump, oracle):
    got = {(r["name"], number(r["base"]))
           for r in rows(program, dump, "::modinfo")}
    want = {(m["name"], m["base"]) for m in oracle["modules"]}
    diff_sets(tally, "modules", got, want)


def diff_log(tally, program, dump, oracle):
    want = [re.sub(r"^\[ *[\d.]+\] ", "", line) for line in oracle["dmesg"]]
    got = []
    for r in rows(program, dump, "::msgbuf"):
        got += r["message"].splitlines()
    want = [w for w in want if w.strip()]
    got = [g for g in got if g.strip()]
    tally.that("log", got == want,
               f"{len(want)} lines of drgn's, {len(got)} of ours; first other: "
               f"{next(((a, b) for a, b in zip(got, want) if a != b), None)}")


def diff_structs(tally, program, dump, oracle):
    lines, want = [], {}
    for s in oracle["structs"]:
        name = f"struct {s['name']}"
        want[f"sizeof ({name})"] = hex(s["size"]) if s["size"] else "0"
        lines.append(f"::sizeof {name}")
        for member, bits, width in s["members"][:12]:
            key = f"offsetof ({name}, {member})"
            want[key] = (hex(bits // 8) if bits // 8 else "0")
            if bits % 8:
                want[key] += f".{bits % 8}"
            lines.append(f"::offsetof {name} {member}")
    got = {}
    for line in ask(program, dump, lines):
        m = re.match(r"((?:sizeof|offsetof) \(.*?\)) = ([0-9a-fx.]+)", line)
        if m:
            got[m.group(1)] = m.group(2)
    other = {k: (v, got.get(k)) for k, v in want.items()
             if not same_number(got.get(k), v)}
    shared = {re.search(r"struct (\w+)", k).group(1) for k in other}
    tally.that("structs", len(want) > 500 and len(shared) <= SHARED_NAMES,
               f"{len(want)} numbers of {len(oracle['structs'])} structs; other: "
               f"{len(other)} in {len(shared)} structs, as {show(other.items())}")


def same_number(a, b):
    if a is None:
        return False
    (a, _, abit), (b, _, bbit) = a.partition("."), b.partition(".")
    return int(a, 16) == int(b, 16) and abit == bbit


def diff_reads(tally, program, dump, oracle):
    # QEMU writes segments with virtual address 0, which drgn believes.
    asked = [r for r in oracle["reads"] if r[0] >> 47]
    lines, got, addr = [], {}, None
    for a, _ in asked:
        lines += [f"{a:#x}=J", f"{a:#x}/J", f"{MARK}=X"]
    # A long label is a line of its own, and its value the next.
    label = False
    for line in ask(program, dump, lines):
        words = line.split()
        if words == [MARK] or not words:
            label = False
        elif words[-1].endswith(":"):
            label = True
        elif len(words) == 1 and not label:
            addr = int(words[0], 16)
        else:
            got[addr] = int(words[-1], 16)
            label = False
    bad, faults = [], 0
    for a, value in asked:
        want = None if value is None else int.from_bytes(
            bytes.fromhex(value), "little")
        faults += want is None
        if got.get(a) != want:
            bad.append((hex(a), want, got.get(a)))
    tally.that("reads", not bad, f"{len(asked)} reads, {faults} not in "
               f"the dump for drgn; {len(bad)} other, as {bad[:3]}")


def plain(name):
    """DWARF names the function, kallsyms the part of it that was compiled."""
    return re.sub(r"\.(cold|constprop|isra|part).*", "", name)


def diff_stacks(tally, program, dump, oracle):
    ours = {number(r["addr"]): [plain(f["symbol"]) for f in r.get("stack", [])
                                if f["symbol"]]
            for r in rows(program, dump, "::threadlist -v")}
    # A dead thread has given its stack back; drgn walks what is there now.
    dead = {t["addr"] for t in oracle["tasks"] if t["state"] & 0x80}
    bad, count = [], 0
    for addr, stack in oracle["stacks"].items():
        if int(addr, 16) in dead:
            continue
        want = [plain(f["name"]) for f in stack.get("frames", [])
                if not f["inline"] and re.match(r"[A-Za-z_]", f["name"])]
        got = ours.get(int(addr, 16), [])
        count += bool(want)
        if len(want) != len(got) or not all(map(same_func, want, got)):
            bad.append((addr, want, got))
    tally.that("stacks", count > 20 and not bad,
               f"{count} stacks, {len(bad)} other, as {bad[:2]}")


# Labels inside an entry, and the aliases of system calls.
def same_func(theirs, ours):
    if (theirs, ours) == ("asm_exc_nmi", "end_repeat_nmi"):
        return True
    return (theirs == ours or ours.startswith(theirs + "_") or
            re.sub(r"^__(do|se|x64)_sys", "", theirs) ==
            re.sub(r"^__(do|se|x64)_sys", "", ours))


def diff_symbols(tally, program, dump, oracle, nm):
    slide, want = None, set()
    with open(nm) as f:
        table = [line.split() for line in f]
    for f in table:
        if len(f) == 3 and f[2] == "_text":
            slide = oracle["syms"]["_text"] - int(f[0], 16)
    ours = {}
    for r in rows(program, dump, "::nm"):
        ours.setdefault(r["name"], set()).add(number(r["val"]))
    for f in table:
        # Only what kallsyms holds: text and data of the running kernel.
        if len(f) == 3 and f[1] in "tTdDbBrRwWvV" and f[2] in ours and \
                not f[2].startswith(".L"):
            addr = int(f[0], 16)     # per-CPU offsets do not move
            want.add((f[2], addr + slide if addr >> 32 else addr))
    bad = [(n, hex(a)) for n, a in want if a not in ours[n]]
    tally.that("symbols", len(want) > 50000 and len(bad) == 0,
               f"{len(want)} names in both, {len(bad)} elsewhere, as {bad[:3]}")


def main():
    program, dump = sys.argv[1:3]
    with open(sys.argv[3]) as f:
        oracle = json.load(f)
    tally = Tally()
    for fn in (diff_tasks, diff_modules, diff_log, diff_structs, diff_reads,
               diff_stacks):
        try:
            fn(tally, program, dump, oracle)
        except (KeyError, ValueError, json.JSONDecodeError) as e:
            tally.that(fn.__name__[5:], False, f"{type(e).__name__} {e}")
    if len(sys.argv) > 4:
        diff_symbols(tally, program, dump, oracle, sys.argv[4])
    print(f"{tally.good} passed, {tally.bad} failed, 0 skipped")
    sys.exit(tally.bad != 0)


main()
