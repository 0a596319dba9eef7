#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Hold our disassembler against objdump, instruction by instruction.

  compare.py [-t TABLE] [-s SECTION]... DIS_TEST FILE...

objdump says where each instruction of the sections (.text if none is named)
begins; DIS_TEST (mdb/stack/dis_test) disassembles the same bytes.  Lengths
must be equal; texts must be equal once both are normalised:

  - prefixes that do nothing are dropped; rep is repz
  - a size that objdump leaves to the registers is added
  - numbers are compared as bits of the operand's width, targets as addresses
  - the names that AT&T has twice (cqto, cqtd; loope, loopz) are made one

What still differs is put into classes (registers and numbers blanked).  A
class in TABLE is known and reviewed; any other makes the exit status 1.
"""
import argparse
import collections
import os
import re
import subprocess
import sys
import tempfile

IDLE = {'data16', 'addr32', 'addr16', 'data32', 'cs', 'ds', 'es', 'ss', 'fs',
        'gs', 'rex', '{evex}', '{vex}', '{vex3}'}
KEPT = {'lock', 'repz', 'repnz', 'rep', 'bnd', 'notrack', 'xacquire',
        'xrelease'}
STRINGS = ('movs', 'cmps', 'stos', 'lods', 'scas', 'ins', 'outs')
# The same instruction under objdump's name and ours.
NAMES = {'cqto': 'cqtd', 'loope': 'loopz', 'loopne': 'loopnz',
         'int1': 'icebp', 'pushf': 'pushfq', 'popf': 'popfq',
         'sysexitl': 'sysexit', 'iretl': 'iret', 'fs2xm1': 'f2xm1'}
NAMES32 = dict(NAMES, pushf='pushfl', popf='popfl', pusha='pushal',
               popa='popal')
WIDTH = {'b': 8, 'w': 16, 'l': 32, 'q': 64}
NUMBER = re.compile(r'-?0x[0-9a-f]+')


def split_operands(text):
    out, depth, start = [], 0, 0
    for k, c in enumerate(text):
        if c == '(':
            depth += 1
        elif c == ')':
            depth -= 1
        elif c == ',' and depth == 0:
            out.append(text[start:k])
            start = k + 1
    if text:
        out.append(text[start:])
    return out


def prefixes(words):
    kept = []
    while len(words) > 1 and (words[0] in IDLE or words[0] in KEPT or
                              words[0].startswith('rex.')):
        w = words.pop(0)
        if w in KEPT:
            kept.append('repz' if w == 'rep' else w)
    return kept


def read_number(text, bits):
    return int(text, 16) & ((1 << bits) - 1)


def normal_operand(op, bits, imm_bits):
    """One operand with its number as unsigned bits, and its usual parts."""
    op = re.sub(r',%[re]iz,\d', '', op.replace('%ds:', ''))
    op = op.replace('()', '')
    op = op.replace(',1)', ')').replace('%db', '%dr').replace('%rip)', '%pc)')
    op = op.replace('+0x', '0x')
    m = NUMBER.search(op)
    if not m:
        return op
    width = imm_bits if '$' in op else bits
    if re.search(r'[(,]%(e..|r\d+d)\b', op):
        width = 32
    return '%s%x%s' % (op[:m.start()], read_number(m.group(), width),
                       op[m.end():])


def theirs(text, bits):
    """objdump's line: prefixes, name, operands, address beside it."""
    text = text.split(' <')[0] if ' # ' not in text and '#' not in text \
        else text
    aside = None
    if '#' in text:
        text, comment = text.split('#', 1)
        aside = int(comment.split()[0], 16)
    text = text.strip()
    text = re.sub(r' <[^>]*>', '', text)
    text = text.replace(',pt', '').replace(',pn', '')
    words = text.split()
    kept = prefixes(words)
    name = words[0]
    ops = split_operands(words[1]) if len(words) > 1 else []
    if name[:4] in STRINGS or name[:3] == 'ins':
        if name.rstrip('bwlq') in STRINGS or name in STRINGS:
            ops = [re.sub(r'%es:(\(%.?di\))', r'\1', o) for o in ops]
            if name[:4] in ('cmps', 'scas'):
                ops.reverse()
    if name == 'bound':
        ops.reverse()
    if name == 'int3':
        name, ops = 'int', ['$0x3']
    if name == 'xlat':
        ops = []
    if re.match(r'(rol|ror|rcl|rcr|shl|shr|sal|sar)[bwlq]?$', name) and \
            len(ops) == 1:
        ops.insert(0, '$0x1')
    m = re.match(r'cmov([a-z]+)$', name)
    if m:
        cc = {'p': 'pe', 'np': 'po'}.get(m.group(1), m.group(1))
        name = 'cmov.' + cc
    m = re.match(r'fcmov([a-z]+)$', name)
    if m:
        name = 'fcmov.' + m.group(1)
    name = (NAMES if bits == 64 else NAMES32).get(name, name)
    if name == 'movabs':
        name = 'mov'
    return kept, name, ops, aside


def ours(text):
    notes = re.findall(r' <(0x[0-9a-f]+)>', text)
    text = text.split('<')[0].strip()
    words = text.split()
    kept = prefixes(words)
    name = words[0]
    m = re.match(r'cmov([wlq])\.(.*)$', name)
    if m:
        name = 'cmov.' + m.group(2) + m.group(1)
    return (kept, name, split_operands(words[1]) if len(words) > 1 else [],
            [int(n, 16) for n in notes])


def same_name(a, b):
    """objdump's a, or that with the size that ours, b, always has."""
    if a == b:
        return True
    if b[:-1] == a and b[-1] in 'bwlq':
        return True
    # an integer of 16 bits in memory: AT&T has an s, Solaris nothing
    return a == b + 's' and b.startswith('fi')


def same(od, me, bits):
    okept, oname, oops, aside = theirs(od, bits)
    mkept, mname, mops, notes = ours(me)
    if oname == 'xchg' and mname == 'nop' and \
            oops in (['%ax', '%ax'], ['%eax', '%eax']):
        return True
    if oname == '(bad)' and mname == '.byte':
        return True
    if sorted(okept) != sorted(mkept) or not same_name(oname, mname):
        return False
    if len(mops) == 1 and re.match(r'[+-]0x[0-9a-f]+$', mops[0]):
        return len(oops) == 1 and notes == [int(oops[0], 16)]
    if aside is not None and '(%rip)' in od and aside not in notes:
        return False
    if aside is not None and '(%eip)' in od:
        aside = None
    width = WIDTH.get(mname[-1], 64)
    if mname == 'int' or len(oops) != len(mops):
        width = 8
    a = [normal_operand(o, bits, width) for o in oops]
    b = [normal_operand(o, bits, width) for o in mops]
    return a == b


def blank(text):
    text = re.sub(r'\s*<[^>]*>', '', text)
    text = re.sub(r'\s*#.*', '', text)
    text = re.sub(r'%(?:[re]?[abcd]x|[re]?[sd]i|[re]?[sb]p|[abcd][lh]|'
                  r'[sd]il|[sb]pl|r\d+[dwb]?)\b', '%r', text)
    text = re.sub(r'%([xyz]mm|k|mm)\d+', r'%\1', text)
    text = re.sub(r'-?\b0x[0-9a-f]+', 'N', text)
    text = re.sub(r'\b[0-9a-f]{5,16}$', 'T', text)
    text = re.sub(r'[+-]N', 'N', text)
    return re.sub(r'\s+', ' ', text).strip()


def read_table(path):
    known = {}
    if path:
        for line in open(path):
            if line.strip() and not line.startswith(('#', ' ', '\t')):
                left, right = line.rstrip('\n').split(' => ')
                known[(left.strip(), right.strip())] = 0
    return known


def sections_of(path, wanted):
    out = subprocess.run(['objdump', '-h', '-w', path], check=True,
                         capture_output=True, text=True).stdout
    for line in out.splitlines():
        f = line.split()
        if len(f) > 4 and f[0].isdigit() and f[1] in wanted and \
                'CODE' in line:
            yield f[1], int(f[3], 16)


def bits_of(path):
    with open(path, 'rb') as f:
        return 64 if f.read(5)[4:5] == b'\x02' else 32


def listing(path, section, tmp):
    """objdump's instructions of a section: files of addresses and texts."""
    dump = os.path.join(tmp, 'objdump')
    with open(dump, 'w') as f:
        subprocess.run(['objdump', '-dwz', '-j', section, path], check=True,
                       stdout=f)
    raw = os.path.join(tmp, 'bytes')
    subprocess.run(['objcopy', '-O', 'binary', '-j', section, path, raw],
                   check=True)
    addrs = os.path.join(tmp, 'addresses')
    texts = os.path.join(tmp, 'texts')
    with open(dump, errors='replace') as src, open(addrs, 'w') as a, \
            open(texts, 'w') as t:
        for line in src:
            f = line.rstrip('\n').split('\t')
            if len(f) < 3 or not f[0].endswith(':'):
                continue
            a.write(f[0].strip()[:-1] + '\n')
            t.write('%d\t%s\n' % (len(f[1].split()), f[2]))
    return raw, addrs, texts


class Comparison:
    def __init__(self, known):
        self.known = known
        self.classes = collections.OrderedDict()
        self.count = self.lengths = 0
        self.seen = {}

    def differ(self, key, where, od, me):
        entry = self.classes.setdefault(key, [0, where, od, me])
        entry[0] += 1

    def one(self, where, olen, od, mlen, me, bits):
        self.count += 1
        # an objdump resynchronised in the middle of data ends early
        if olen != mlen:
            self.lengths += 1
            self.differ(('length ' + blank(od), blank(me)), where, od, me)
            return
        pair = (od, me)
        if pair in self.seen:
            ok = self.seen[pair]
        else:
            ok = same(od, me, bits)
            if len(self.seen) > 2000000:
                self.seen.clear()
            self.seen[pair] = ok
        if not ok:
            self.differ((blank(od), blank(me)), where, od, me)

    def run(self, dis, path, wanted):
        bits = bits_of(path)
        for section, base in sections_of(path, wanted):
            with tempfile.TemporaryDirectory() as tmp:
                raw, addrs, texts = listing(path, section, tmp)
                mine = os.path.join(tmp, 'mine')
                with open(addrs) as i, open(mine, 'w') as o:
                    subprocess.run([dis, str(bits), '%x' % base, raw],
                                   stdin=i, stdout=o, check=True)
                with open(texts) as t, open(mine) as m, open(addrs) as a:
                    for x, y, z in zip(t, m, a):
                        olen, od = x.rstrip('\n').split('\t')
                        mlen, me = y.rstrip('\n').split('\t')
                        self.one(z.strip(), int(olen), od, int(mlen), me,
                                 bits)

    def report(self):
        new = 0
        order = sorted(self.classes.items(), key=lambda kv: -kv[1][0])
        for key, (n, where, od, me) in order:
            if key in self.known:
                self.known[key] += n
                continue
            new += 1
            print('%7d  %s => %s' % (n, key[0], key[1]))
            print('         %s: %s | %s' % (where, od.strip(), me))
        reviewed = sum(self.known.values())
        print('%d instructions, %d lengths differ, %d texts differ in %d '
              'known classes, %d new classes' %
              (self.count, self.lengths, reviewed,
               sum(1 for v in self.known.values() if v), new))
        return new


def main():
    p = argparse.ArgumentParser(description=__doc__.split('\n')[0])
    p.add_argument('-t', metavar='TABLE')
    p.add_argument('-s', metavar='SECTION', action='append')
    p.add_argument('dis', metavar='DIS_TEST')
    p.add_argument('files', metavar='FILE', nargs='+')
    a = p.parse_args()
    c = Comparison(read_table(a.t))
    for path in a.files:
        c.run(a.dis, path, a.s or ['.text'])
    sys.exit(1 if c.report() else 0)


if __name__ == '__main__':
    main()
