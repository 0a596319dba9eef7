# SPDX-License-Identifier: MIT
"""Every value in the task_struct of every task, as drgn reads it by DWARF.

    drgn -c DUMP -s VMLINUX print-oracle.py OUT.json

diff-print.py compares it with ::print.
"""
import json
import sys

from drgn import FaultError, Object, TypeKind
from drgn.helpers.linux.pid import for_each_task


def strip(t):
    while t.kind == TypeKind.TYPEDEF:
        t = t.type
    return t


def leaf(o, t):
    bits = o.bit_field_size_ or t.size * 8
    try:
        v = int(o.value_())
    except FaultError:
        return "fault"
    if t.kind == TypeKind.ENUM:
        return v
    return hex(v & (1 << bits) - 1)


def members(o, t):
    out = {}
    for m in t.members:
        at = {"address": o.address_ + m.bit_offset // 8}
        if m.bit_field_size:
            at["bit_offset"] = m.bit_offset % 8
            at["bit_field_size"] = m.bit_field_size
        v = value(Object(prog, m.type, **at))
        if m.name is None:
            out.update(v)
        else:
            out[m.name] = v
    return out


def array(o, t):
    n = t.length or 0
    element = strip(t.type)
    if element.kind == TypeKind.INT and element.name == "char":
        return prog.read(o.address_, n).split(b"\0")[0].decode("latin1")
    return [value(o[i]) for i in range(min(n, 32))] + ["..."] * (n > 32)


def value(o):
    t = strip(o.type_)
    if t.kind in (TypeKind.STRUCT, TypeKind.UNION):
        return members(o, t)
    return array(o, t) if t.kind == TypeKind.ARRAY else leaf(o, t)


out = {hex(task.value_()): value(task[0]) for task in for_each_task(prog)}
with open(sys.argv[1], "w") as f:
    json.dump(out, f)
