#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The deepest stack of functions compiled with -fcallgraph-info=su.

    stack-use.py LIMIT ENTRY[,ENTRY...] [CALLER=CALLEE...] FILE.ci...

Adds up the frames along the deepest chain of calls from the entries, prints
it, and fails above LIMIT bytes, on recursion, and on a frame whose size the
compiler does not know.  Of calls through pointers those are counted that are
named as CALLER=CALLEE; others are the caller's callbacks.  What is not in the
files is listed, so that nothing is forgotten.
"""
import re
import sys

NODE = re.compile(r'node: { title: "([^"]+)" label: "([^"]*)"')
EDGE = re.compile(r'edge: { sourcename: "([^"]+)" targetname: "([^"]+)"')
SIZE = re.compile(r'(\d+) bytes \((\w+)')


def read(paths):
    frames, calls, unknown = {}, {}, set()
    for path in paths:
        # A static function's title carries its file, a global's does not.
        for line in open(path):
            node, edge = NODE.search(line), EDGE.search(line)
            if node and (size := SIZE.search(node.group(2))):
                frames[node.group(1)] = int(size.group(1))
                if size.group(2) == 'dynamic':
                    unknown.add(node.group(1))
            elif edge:
                calls.setdefault(edge.group(1), set()).add(edge.group(2))
    return frames, calls, unknown


def deepest(name, frames, calls, path, known):
    if name in path:
        sys.exit('stack-use: recursion: %s' % ' -> '.join(path + [name]))
    if name not in known:
        below = [deepest(c, frames, calls, path + [name], known)
                 for c in calls.get(name, ()) if c in frames]
        depth, chain = max(below, default=(0, []))
        # 8 bytes more for the return address of each call.
        known[name] = (frames[name] + 8 + depth, [name] + chain)
    return known[name]


def full_name(name, frames):
    found = [f for f in frames if f.split(':')[-1].split('.')[0] == name]
    if len(found) != 1:
        sys.exit('stack-use: %s is %d functions' % (name, len(found)))
    return found[0]


def main():
    limit, entries = int(sys.argv[1]), sys.argv[2].split(',')
    frames, calls, unknown = read([a for a in sys.argv[3:] if '=' not in a])
    for pair in (a for a in sys.argv[3:] if '=' in a):
        caller, callee = (full_name(n, frames) for n in pair.split('='))
        calls.setdefault(caller, set()).add(callee)
    if unknown:
        sys.exit('stack-use: no fixed size: %s' % ', '.join(sorted(unknown)))
    missing = [e for e in entries if e not in frames]
    if missing:
        sys.exit('stack-use: not in the files: %s' % ', '.join(missing))
    outside = sorted({c for cs in calls.values() for c in cs
                      if c not in frames and c != '__indirect_call'})
    known, bad = {}, False
    for entry in entries:
        depth, chain = deepest(entry, frames, calls, [], known)
        print('  STACK  %s: %d bytes of %d: %s' % (entry, depth, limit,
              ' -> '.join(c.split(':')[-1] for c in chain)))
        bad = bad or depth > limit
    print('  STACK  not counted: %s' % ', '.join(outside))
    sys.exit(bad)


main()
