# SPDX-License-Identifier: MIT
"""What drgn says of a dump, as JSON, for diff-drgn.py to compare with.

    drgn -c DUMP -s VMLINUX [-s MODULE...] diff-oracle.py OUT.json [NAMES]

NAMES is a file of struct names.  Runs inside drgn (0.0.22 or 0.3).
"""
import json
import random
import sys

from drgn import FaultError, TypeKind
from drgn.helpers.linux.list import list_for_each_entry
from drgn.helpers.linux.pid import for_each_task
from drgn.helpers.linux.printk import get_dmesg

random.seed(20)


def tasks():
    idle = []
    for task in for_each_task(prog):
        yield task
    return idle


def show_task(task):
    try:
        state = task.member_("__state")
    except LookupError:
        state = task.state
    return {"pid": task.pid.value_(), "tgid": task.tgid.value_(),
            "comm": task.comm.string_().decode(errors="replace"),
            "addr": task.value_(), "state": state.value_()}


def show_stack(task):
    try:
        trace = prog.stack_trace(task)
    except (ValueError, LookupError, FaultError) as e:
        return {"error": str(e)}
    frames = []
    for frame in trace:
        try:
            pc = frame.pc
        except LookupError:
            pc = 0
        frames.append({"pc": pc, "name": frame.name or "",
                       "inline": frame.is_inline})
    return {"frames": frames}


def modules():
    for mod in list_for_each_entry("struct module", prog["modules"].address_of_(),
                                   "list"):
        try:
            layout = mod.core_layout
            base, size = layout.base.value_(), layout.size.value_()
        except AttributeError:
            layout = mod.mem[0]
            base, size = layout.base.value_(), layout.size.value_()
        yield {"name": mod.name.string_().decode(), "addr": mod.value_(),
               "base": base, "size": size}


def members(t):
    out = []
    for m in t.members or []:
        if m.name is None:
            out += [[n, o + m.bit_offset, b] for n, o, b in members(m.type)] \
                if m.type.kind in (TypeKind.STRUCT, TypeKind.UNION,
                                   TypeKind.CLASS) else []
        else:
            out.append([m.name, m.bit_offset, m.bit_field_size or 0])
    return out


def structs(names):
    for name in names:
        try:
            t = prog.type("struct " + name)
        except LookupError:
            continue
        if t.is_complete():
            yield {"name": name, "size": t.size, "members": members(t)}


def read8(addr):
    try:
        return prog.read(addr, 8).hex()
    except FaultError:
        return None


def reads(count):
    """Addresses in text, data, modules, stacks, slab pages and vmalloc."""
    init = prog["init_task"].address_of_().value_()
    text = prog.symbol("_stext").address
    tasks = [t for t in for_each_task(prog)]
    mods = list(modules())
    for _ in range(count):
        kind = random.randrange(6)
        if kind == 0:
            a = text + random.randrange(0xc00000)
        elif kind == 1:
            a = init + random.randrange(-0x80000, 0x80000)
        elif kind == 2 and mods:
            m = random.choice(mods)
            a = m["base"] + random.randrange(m["size"])
        elif kind == 3:
            t = random.choice(tasks)
            a = t.stack.value_() + random.randrange(0x4000)
        elif kind == 4:
            t = random.choice(tasks)
            a = t.value_() + random.randrange(0x2000)
        else:
            t = random.choice(tasks)
            a = (t.value_() & ~0xffffff) + random.randrange(0x1000000)
        a &= ~7
        yield [a, read8(a)]


def main():
    names = []
    if len(sys.argv) > 2:
        with open(sys.argv[2]) as f:
            names = f.read().split()
    all_tasks = list(tasks())
    out = {
        "tasks": [show_task(t) for t in all_tasks],
        "stacks": {hex(t.value_()): show_stack(t) for t in all_tasks},
        "modules": list(modules()),
        "dmesg": get_dmesg(prog).decode(errors="replace").splitlines(),
        "structs": list(structs(names)),
        "reads": list(reads(1000)),
        "syms": {n: prog.symbol(n).address for n in
                 ("_text", "_stext", "init_task", "jiffies", "schedule")},
    }
    with open(sys.argv[1], "w") as f:
        json.dump(out, f, indent=0)
    print(len(out["tasks"]), "tasks", len(out["modules"]), "modules",
          len(out["structs"]), "structs")


main()
