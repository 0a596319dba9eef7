#!/bin/bash
# SPDX-License-Identifier: MIT
# The goldcloth dump device cut at 200 places, through the programs: savecore
# and mdb open what there is and say what is missing; an address reads as in
# the whole dump or not at all; what reads once reads in every longer cut.
set -u
case $O in /*) bin=$O/bin ;; *) bin=$PWD/$O/bin ;; esac
tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT
cd "$tmp" || exit 1

"$bin/dumpadm" label -s 1M device >/dev/null && "$bin/goldcloth" device >/dev/null ||
	{ echo "not ok cut: no dump"; exit 1; }
python3 - "$bin" <<'P'
import os
import random
import subprocess
import sys

BIN = sys.argv[1]
ADDRESSES = ['ffbf3f38', 'ffbf3fc8', 'c5a0901c', 'c5a0ade0', 'f50454b8', 'ccad8fc0', 'f4c76e94', 'ffbe1100',
             'ccad1f80', 'c5a71a80', 'c617cac0']
WORDS = '; '.join('%s/X' % a for a in ADDRESSES)


def run(*argv):
    p = subprocess.run(argv, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60)
    if p.returncode < 0:
        sys.exit('not ok cut: %s died by signal %d' % (' '.join(argv), -p.returncode))
    return p.returncode, p.stdout, p.stderr


def values(path):
    """{address: word} of what reads; the rest has to be said to be unreadable."""
    _, out, err = run(BIN + '/mdb', '-S', '-e', WORDS, path)
    got = {}
    for line in out.splitlines():
        head, _, rest = line.partition(':')
        if rest.split():
            got[head.split('+')[0].strip()] = rest.split()[0]
    return got


def check(length, whole, before):
    data = device[:length]
    open('cut', 'wb').write(data)
    os.utime('cut', (10**9, 10**9))  # old: savecore waits for one that may still grow
    status, out, err = run(BIN + '/mdb', '-S', '-e', '::status', 'cut')
    if length < 8:
        return status == 2 and err.count('\n') == 1, 'mdb on less than a magic', before
    if status != 0 or 'missing: ' not in out and 'complete' not in out:
        return False, 'mdb ::status: %d %s %s' % (status, out, err), before
    got = values('cut')
    for address, word in got.items():
        if whole.get(address) != word:
            return False, '%s reads %s, whole %s' % (address, word, whole.get(address)), before
    lost = set(before) - set(got)
    if lost:
        return False, 'no longer reads: %s' % lost, before
    subprocess.run(['rm', '-rf', 'crash'])
    subprocess.run(['mkdir', 'crash'])
    status, out, err = run(BIN + '/savecore', '-f', 'cut', 'crash')
    if (status, length < 4096) not in ((0, False), (1, True)) or 'cut' not in err:
        return False, 'savecore: %d %s' % (status, err), before
    if os.path.exists('crash/vmcore.0'):
        if values('crash/vmcore.0') != got:
            return False, 'what was saved reads otherwise', before
    elif length >= 65536:
        return False, 'savecore saved nothing: %s' % err, before
    return True, '', got


device = open('device', 'rb').read()
whole = values('device')
# Where the dump ends: what lies behind it is empty to the second label.
end = len(device[:-8192].rstrip(b'\0'))
random.seed(5)
lengths = sorted(set([0, 1, 7, 8, 100, 4095, 4096, 4097, 65535, 65536, 65537] +
                     [random.randrange(65536) for _ in range(40)] +
                     [random.randrange(65536, end + 4096) for _ in range(150)]))
before = {}
for length in lengths:
    ok, why, before = check(length, whole, before)
    if not ok:
        sys.exit('not ok cut at %d: %s' % (length, why))
if len(whole) != len(ADDRESSES) or before != whole:
    sys.exit('not ok cut: the whole dump reads %s, the last cut %s' % (whole, before))
print('ok cut at %d places' % len(lengths))
P
