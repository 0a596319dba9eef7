#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Compares `::walk task | ::print task_struct` with print-oracle.py's answer.

    diff-print.py MDB DUMP ORACLE.json

Prints each difference and how many values agree; exits 1 on a difference.
"""
import json
import subprocess
import sys

mdb, dump, oracle = sys.argv[1:4]
want = json.load(open(oracle))
agree, differ = 0, []


def run(command, *options):
    return subprocess.run([mdb, *options, dump, "-e", command],
                          capture_output=True, text=True,
                          check=True).stdout.split("\n")[:-1]


def same(a, b):
    if isinstance(a, str) and isinstance(b, str) and a[:2] == b[:2] == "0x":
        return int(a, 16) == int(b, 16)
    return a == b


def compare(path, a, b):
    global agree
    if isinstance(a, dict) and isinstance(b, dict) and a.keys() == b.keys():
        for key in a:
            compare(f"{path}.{key}", a[key], b[key])
    elif isinstance(a, list) and isinstance(b, list) and len(a) == len(b):
        for i, (x, y) in enumerate(zip(a, b)):
            compare(f"{path}[{i}]", x, y)
    elif same(a, b):
        agree += 1
    else:
        differ.append((path, a, b))


addresses = run("::walk task")
values = [json.loads(v) for v in
          run("::walk task | ::print task_struct", "-o", "json")]
compare("tasks", sorted(addresses), sorted(want))
for address, v in zip(addresses, values):
    compare(address, v, want.get(address))
for path, a, b in differ[:40]:
    print(path, "mdb", str(a)[:60], "drgn", str(b)[:60])
print(f"{agree} values agree, {len(differ)} differ")
sys.exit(bool(differ))
