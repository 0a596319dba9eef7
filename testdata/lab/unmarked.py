# SPDX-License-Identifier: MIT
"""What mdb says of a hypervisor without its xen-syms is what it says with it,
unless it is marked as unproven or refused.

The file is found in the lab's cache by build-id: one with DWARF is an oracle
for members, any for where data lies.
"""
import functools
import glob
import json
import os
import re
import subprocess

from questions import Mdb

# All that a type or a variable of the hypervisor goes into.
COMMANDS = [
    "$C", "::domain", "::domain -v", "::vcpu", "::vcpu -v", "::pcpu",
    "::pcpustack -a", "::xensched -v", "::xentimers", "::xentimers -v",
    "::evtchn -a -v", "::gnttab -v", "::gnttab -m", "::gnttab -s",
    "::xenheap -v", "::xenirq -a -v", "::iommu", "::rcu -v", "::xenpage -s",
    "::xenmsg -a", "::hypercall", "xenver::print",
    "::walk domain | ::print struct domain",
    "::walk vcpu | ::print struct vcpu",
    "::walk evtchn | ::print struct evtchn",
    "::walk irq_desc | ::print struct irq_desc",
    "::walk timer | ::print struct timer",
    "::walk vcpu | ::whatis", "::walk domain | ::whatis",
    "::walk timer | ::whatis",
]


@functools.lru_cache(None)
def readelf(option, path):
    return subprocess.run(["readelf", option, path], stdout=subprocess.PIPE,
                          stderr=subprocess.DEVNULL, text=True, check=False).stdout


def xen_syms(cache, build_id):
    """The xen-syms of that build in the cache, or None."""
    for path in sorted(glob.glob(f"{cache}/xen-*/xen-syms")):
        if f"Build ID: {build_id}" in readelf("-n", path):
            return path
    return None


class Answer:
    """The rows of a command, and the reason where it ended early."""

    def __init__(self):
        self.rows, self.error = [], None

    def add(self, row):
        if list(row) == ["error"] and isinstance(row["error"], dict):
            self.error = row["error"]["message"]
        else:
            self.rows.append(row)


MARK = "answer "


def answers(mdb):
    """To all commands, in one session."""
    asked = []
    for command in COMMANDS:
        asked += [f"::echo {MARK}", command]
    out = []
    for line in mdb.run(*asked, js=True).splitlines():
        row = json.loads(line)
        if list(row) == ["text"] and row["text"].startswith(MARK.strip()):
            out.append(Answer())
        else:
            out[-1].add(row)
    if len(out) != len(COMMANDS):
        raise RuntimeError(f"{len(out)} answers to {len(COMMANDS)} commands")
    return out


def is_refused(value):
    return value is None or (isinstance(value, dict) and list(value) == ["error"])


def unequal(ours, theirs, path):
    """Unmarked values of ours that theirs contradicts."""
    if is_refused(ours):
        return
    if isinstance(ours, dict) and isinstance(theirs, dict):
        doubted = ours.get("unproven", [])
        for key, value in ours.items():
            if key == "unproven" or key in doubted:
                continue
            if key in theirs:
                yield from unequal(value, theirs[key], f"{path}.{key}")
            elif list(leaves(value)):
                yield f"{path}.{key} {value!r} is nothing"
    elif isinstance(ours, list) and isinstance(theirs, list):
        if len(ours) != len(theirs):
            yield f"{path}: {len(ours)} elements for {len(theirs)}"
        for i, (a, b) in enumerate(zip(ours, theirs)):
            yield from unequal(a, b, f"{path}[{i}]")
    elif ours != theirs and not is_doubted(ours) and not is_less(ours, theirs):
        yield f"{path} {ours!r} is {theirs!r}"


def is_less(ours, theirs):
    """A list in words that lacks the rest."""
    return isinstance(ours, str) and str(theirs).startswith(ours + ", ")


def is_doubted(value):
    """A line of text has its marks in it, or says what is not known."""
    return isinstance(value, str) and re.search(
        r"\w\?(\W|$)|(^|\W)\?[\w(]|not found|not known| is unknown$|<[a-z ]+>$"
        r"| is in the direct map,", value)


def leaves(value):
    """Its unmarked values."""
    if isinstance(value, dict):
        for key, inner in value.items():
            if key != "unproven" and key not in value.get("unproven", []):
                yield from leaves(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from leaves(inner)
    elif value is not None:
        yield value


def differences(ours, theirs):
    """Of two answers.  One that ended with a reason may lack the rest."""
    for i, (a, b) in enumerate(zip(ours.rows, theirs.rows)):
        yield from unequal(a, b, f"row {i}")
    if len(ours.rows) > len(theirs.rows) and not theirs.error:
        yield f"{len(ours.rows)} rows for {len(theirs.rows)}"


def is_silent(mdb, command):
    mdb.run(command)
    return not mdb.said


def compare(alone, informed):
    """Each command, what is unmarked and wrong, and the answers."""
    for command, ours, theirs in zip(COMMANDS, answers(alone), answers(informed)):
        wrong = list(differences(ours, theirs))
        if (len(ours.rows) < len(theirs.rows) and not ours.error
                and is_silent(alone, command)):
            wrong.append(f"{len(ours.rows)} rows for {len(theirs.rows)}, no word of it")
        yield command, wrong, ours, theirs


def check_unmarked(check, guest, mdb, name):
    cache = os.environ.get("LAB_CACHE") or f"{guest.path}/../../lab-cache"
    build_id = re.search(r"build-id (\w+)", mdb.run("::status")).group(1)
    syms = xen_syms(cache, build_id)
    if not syms:
        check.say("skipped", f"{name} unmarked",
                  f"no xen-syms of build-id {build_id} in {cache}")
        return
    for command, wrong, ours, theirs in compare(mdb, Mdb(mdb.program, [syms, *mdb.paths])):
        check.that(f"{name} unmarked {command}", not wrong,
                   f"{len(wrong)} values, as {wrong[:3]}")
        check.that(f"{name} informed {command}", theirs.rows or not ours.rows,
                   f"no answer with {syms}: {theirs.error}")
