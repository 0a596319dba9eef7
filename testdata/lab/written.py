# SPDX-License-Identifier: MIT
"""What is asked of a dump that Xen wrote itself, beyond what every dump of a
Xen host is asked: is it whole, is it the machine's memory, and has nothing
else been written.
"""
import json
import os
import re
import subprocess

import secrets_planted
from questions import Mdb


def check_busy(check, guest, mdb, name):
    """A disk that takes its time is kept busy (busy.py)."""
    said = re.match(r"(\d+) writes, ([\d.]+) s, ([\d.]+) busy", guest.text("busy"))
    if os.path.exists(f"{guest.path}/nvme.trace"):
        check.that(f"{name} device busy", said and int(said.group(1)) > 50
                   and float(said.group(3)) >= 0.95 * float(said.group(2)), guest.text("busy"))


def check_said(check, guest, mdb, name):
    """The console's last line about it, and savecore's."""
    said = re.search(r"xdump: (.*?): (\d+) pages \((\d+) lost\)", guest.console)
    check.that(f"{name} written", said and said.group(1) == "dump complete"
               and said.group(3) == "0", f"{said and said.group(0)}")
    check.that(f"{name} savecore", "vmcore.0" in guest.text("savecore"),
               guest.text("savecore"))


def check_other(check, guest, mdb, name):
    """dom0's namespace of the same controller is what it was, or what dom0
    wrote."""
    if guest.how == "writes":
        check_writes(check, guest, name)
        return
    digests = guest.text("other").split()
    check.that(f"{name} other namespace", len(digests) == 2
               and len(set(digests)) == 1, f"{digests}")


BLOCK, NR_BLOCKS = 4096, 1024


def check_writes(check, guest, name):
    """All that dom0 was told is written is there (worker writes); beside it at
    most the one that it was not told of any more."""
    with open(f"{guest.path}/other.img", "rb") as f:
        blocks = [f.read(BLOCK) for _ in range(2 * NR_BLOCKS)]
    last = max(map(int, re.findall(r"LAB: wrote (\d+)\r?\n", guest.console)), default=0)
    word = [int.from_bytes(b[:8], "little") for b in blocks]
    # Block i holds the greatest n with n % NR_BLOCKS == i: as told, or later.
    want = [last - (last - i) % NR_BLOCKS for i in range(NR_BLOCKS)]
    false = [i for i in range(NR_BLOCKS)
             if want[i] > 0 and (word[i] < want[i] or word[i] % NR_BLOCKS != i
                                 or blocks[i] != blocks[i][:8] * (BLOCK // 8))]
    check.that(f"{name} dom0's writes", last >= 100 and not false,
               f"{last} were told, {len(false)} blocks are not as told, as {false[:3]}")
    # The disk was one MiB, repeated: the second half is what nobody wrote.
    untouched = [i for i in range(NR_BLOCKS) if want[i] <= 0 and i > last + 64]
    odd = [i for i in untouched if blocks[i] != blocks[NR_BLOCKS + i]]
    period = [i for i in range(NR_BLOCKS, 2 * NR_BLOCKS)
              if blocks[i] != blocks[NR_BLOCKS + i % 256]]
    check.that(f"{name} beside dom0's writes", not odd and not period, f"{(odd + period)[:3]}")


def is_event(guest, mdb, frame):
    """A page of domain 0's that Xen writes to when it has an event for it: a
    word in the event array, its control block, the vCPU's word."""
    def words(program):
        return [w for w in program.run(f"{frame:x},200\\J").split() if ":" not in w]
    ours = words(mdb)
    theirs = words(Mdb(mdb.program, [f"{guest.path}/machine.elf"]))
    return len(ours) == len(theirs) == 512 and \
        sum(a != b for a, b in zip(ours, theirs)) <= 2


def check_pages(check, guest, mdb, name):
    """Each page is the machine's when all was over, but for the hypervisor's
    own: the writer's memory, stacks, the console, and events for domain 0."""
    cmpdump = mdb.program.replace("/mdb", "/cmpdump")
    out = subprocess.run([cmpdump, "-a", f"{guest.path}/vmcore.0",
                          f"{guest.path}/machine.elf"], stdout=subprocess.PIPE,
                         stderr=subprocess.PIPE, text=True, check=False)
    tally = re.search(r"same (\d+) excluded (\d+) bad (\d+)", out.stdout)
    frames = [int(f, 16) for f in re.findall(r"^(0x[0-9a-f]+): differs", out.stderr, re.M)]
    check.that(f"{name} pages", tally and int(tally.group(1)) > 20000
               and int(tally.group(3)) == len(frames) < 1000,
               f"{out.stdout} {out.stderr[-200:]}")
    said = mdb.run("; ".join(f"{0xffff830000000000 + f:x}::whatis" for f in frames))
    lines = said.splitlines()
    others = [(f, line) for f, line in zip(frames, lines)
              if not re.search("hypervisor|stack of CPU|Xen heap|the struct vcpu", line)]
    bad = [line for f, line in others if " of d0" not in line or not is_event(guest, mdb, f)]
    check.that(f"{name} pages that differ", len(lines) == len(frames) and len(others) <= 8
               and not bad, f"{len(frames)} differ, {len(lines)} are told: {bad[:3]}")


def check_state(check, guest, mdb, name):
    """What dom0 was told (dumpadm status) is what then came true."""
    told = json.loads(guest.text("xdump-status.json"))
    label = re.search(r" xdump=([0-9a-f-]{36})", guest.console).group(1)
    check.that(f"{name} state", told["state"] == "ready" and told["label"] == label
               and told["waiting"] == "no" and told["fits"] == "yes", f"{told}")
    raw = re.search(r"KiB of (\d+) KiB", guest.console)
    mib = told["estimate"] >> 20
    # It was made before there were guests.
    guests = ",content=guests" in guest.console
    check.that(f"{name} estimate", raw and (mib < int(raw.group(1)) / 1024 if guests else
               abs(int(raw.group(1)) / 1024 - mib) < mib / 10 + 4),
               f"{mib} MiB were estimated, it was {raw and raw.group(0)}")
    registered = "labunregistered" not in guest.text("cmdline")
    said = re.search(r"xdump: dom0 is (not )?registered", guest.console[guest.console.find("LAB: ready"):])
    check.that(f"{name} registered", said and bool(said.group(1)) != registered
               and told["dom0"].startswith("registered: Linux" if registered else "not"),
               f"{told['dom0']!r}, {said and said.group(0)!r}")


def check_standing(check, guest, mdb, name):
    """What dom0 is told of a range that is too small and holds a dump."""
    told = json.loads(guest.text("xdump-status.json"))
    label = re.search(r" xdump=([0-9a-f-]{36})", guest.console).group(1)
    check.that(f"{name} state", told["label"] == label
               and told["state"] == "nothing would be written: a dump that was not saved is there"
               and told["fits"] == "no" and told["waiting"] == "yes", f"{told}")
    said = re.search(r"xdump: ([^:\n]*): (\d+) pages", guest.text("console-before.log"))
    check.that(f"{name} last dump", said and f"{said.group(2)} pages" in told["last"],
               f"{told['last']!r}, {said and said.group(0)!r}")
    people = guest.text("xdump-status")
    check.that(f"{name} status", "too small for this machine" in people
               and "waiting: savecore has not taken it" in people, people)
    said = re.search(r"xdump: [^\n]*too small", guest.console)
    check.that(f"{name} said at boot", said, re.findall(r"xdump: .*", guest.console))


def check_secrets(check, guest, mdb, name):
    """What a process of dom0's holds is in the machine's memory, and in the
    dump only of a dom0 that did not register, or where all of it was asked for."""
    needles = secrets_planted.planted(guest)
    there = secrets_planted.hits(f"{guest.path}/machine.elf", needles)
    check.that(f"{name} secrets planted", needles and all(there.values()), f"{there}")
    found = secrets_planted.hits_in_dump(mdb.program.replace("/mdb", "/dumpconv"),
                                         f"{guest.path}/vmcore.0", needles)
    wanted = "labunregistered" in guest.text("cmdline") or ",content=dom0-all" in guest.console
    check.that(f"{name} secrets", all(bool(n) == wanted for n in found.values()), f"{found}")


def check_guests(check, guest, mdb, name):
    """What guests hold is in no dump, but for a running one's with
    content=guests: and of that not in what can be read without the key."""
    locked = f"{guest.path}/locked"
    wanted = ",content=guests" in guest.console
    for domain in secrets_planted.DOMAINS:
        if "LAB: secret" not in guest.text(f"console-lab-{domain}"):
            continue
        needles = secrets_planted.planted_in(guest, domain)
        there = secrets_planted.hits(f"{guest.path}/machine.elf", needles)
        check.that(f"{name} secrets of {domain} planted",
                   needles and all(there.values()), f"{there}")
        found = secrets_planted.hits_in_dump(mdb.program.replace("/mdb", "/dumpconv"),
                                             f"{guest.path}/vmcore.0", needles)
        check.that(f"{name} secrets of {domain}",
                   all(bool(n) == (wanted and domain != "gone") for n in found.values()),
                   f"{found}, in the machine {there}")
        if os.path.exists(locked):
            check_locked(check, guest, mdb, f"{name} secrets of {domain}", needles)


def check_locked(check, guest, mdb, name, needles):
    """Of the disk and of what savecore took without the key nothing is known."""
    raw = [secrets_planted.hits(f"{guest.path}/{f}", needles) for f in ("locked", "nvme.img")]
    check.that(f"{name} without the key", not any(n for f in raw for n in f.values()), f"{raw}")
    said = subprocess.run([mdb.program, "-S", "-e", "::status; 0x1000\\X", f"{guest.path}/locked"],
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          check=False).stdout
    check.that(f"{name} without the key, mdb", "encrypted to key" in said
               and "no key is given" in said and "Panic" not in said, said)


def check_region(check, guest, mdb, name):
    """Nothing of the crash kernel was touched, whatever came of the dump."""
    said = re.search(r"(\d+) pages, (\d+) used, (\d+) differ", guest.text("region"))
    check.that(f"{name} crash kernel's region", said and int(said.group(2)) > 2000
               and said.group(3) == "0", guest.text("region"))
    ended = re.search(r"xdump: (dump complete|nothing is written)", guest.console)
    check.that(f"{name} crash kernel after the writer", ended
               and guest.console.find("LAB: vmcore") > ended.start(), f"{ended}")


# What is the same a moment later, when the crash kernel takes the machine.
SAME = ["::domain", "::vcpu", "::ps", "::evtchn", "::xenirq", "::xentimers", "::xenheap",
        "::modinfo", "::iommu", "::p2m", "::msgbuf", "xenver::print"]


def after_panic(rows):
    """The frames of $C behind panic(): who called it."""
    at = max((i for i, r in enumerate(rows) if r["symbol"] == "panic"), default=len(rows))
    return [(r["symbol"], r["offset"], r["object"], r["end"]) for r in rows[at + 1:]]


def check_same_answers(check, guest, mdb, name):
    """What is said of the crash kernel's copy is said of our dump of the same
    panic."""
    if not name.endswith("/vmcore") or "xdump: nothing is written" in guest.console:
        return
    ours = Mdb(mdb.program, [f"{guest.path}/vmcore.0"])
    for command in SAME:
        want, got = mdb.run(command).splitlines(), ours.run(command).splitlines()
        check.that(f"{name} same answer {command}", got == want and len(want) > 1,
                   f"{[pair for pair in zip(want, got) if pair[0] != pair[1]][:2]} of {len(want)} {len(got)}")
    want, got = after_panic(mdb.rows("$C")), after_panic(ours.rows("$C"))
    check.that(f"{name} same answer $C", got == want and len(want) > 10, f"{want} {got}")


STANDING = [check_standing]
BESIDE_KEXEC = [check_region, check_other, check_same_answers]
QUESTIONS = [check_said, check_busy, check_other, check_pages, check_state, check_secrets, check_guests]


def check_sent(check, guest, mdb, name):
    """The record that came over the serial line: why, and who; nothing else
    is there, and no disk has changed."""
    check.that(f"{name} lines", guest.text("dumpconv") == "", guest.text("dumpconv"))
    why = re.search(r"Panic on CPU (\d+):\r?\n\(XEN\) ([^\r\n]+)", guest.console)
    said = mdb.run("::triage")
    check.that(f"{name} triage", why and f"panic message: {why.group(2)}" in said
               and f"panicked: CPU {why.group(1)}," in said, said[:400])
    words = said[said.find("end of the console:"):]
    check.that(f"{name} last words", why and why.group(2) in words
               and "xdump: nothing is written: no disk has the label" in words, said[-400:])
    status = mdb.run("::status")
    check.that(f"{name} status", "memory: 0 bytes present" in status
               and "it has no end record" in status, status)
    check_other(check, guest, mdb, name)


SENT = [check_sent]
