#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Types the reference session into mdb and holds the answers against it.

    session.py [--show] MDB FILE...

One mdb for the whole session, on a terminal as a user has it: each command of
session.txt is typed at the prompt, the next when the prompt is back.  With
--show the transcript is printed.  Exit status 1 says that a line was not what
it must be; which one is said.
"""
import fcntl
import os
import pty
import re
import select
import struct
import sys
import termios
import time

PROMPT = '> '
PATIENCE = 60  # seconds for an answer


def read_session(path):
    """[(command, [lines wanted])]"""
    steps = []
    for line in open(path, encoding='utf-8').read().splitlines():
        if line.startswith('#'):
            continue
        if line.startswith(PROMPT):
            steps.append((line[len(PROMPT):], []))
        else:
            steps[-1][1].append(line)
    return steps


class Terminal:
    """A program on a terminal so large that it folds and pages nothing."""

    def __init__(self, argv):
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack('HHHH', 1000, 400, 0, 0))
            os.environ['TERM'] = 'dumb'
            os.execv(argv[0], argv)

    def until_prompt(self):
        text, end = '', time.monotonic() + PATIENCE
        while time.monotonic() < end:
            if not select.select([self.fd], [], [], 1)[0]:
                continue
            try:
                text += os.read(self.fd, 65536).decode(errors='replace')
            except OSError:
                break
            lines = text.replace('\r', '').split('\n')
            if lines[-1] == PROMPT:
                return lines[:-1]
        sys.exit('session: no prompt after: %r' % text[-300:])

    def type(self, line):
        os.write(self.fd, line.encode() + b'\n')

    def close(self):
        os.write(self.fd, b'\x04')
        try:
            while os.read(self.fd, 65536):
                pass
        except OSError:  # how a terminal says that nobody is there any more
            pass
        return os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])


def pattern(line):
    return re.compile('.*'.join(map(re.escape, line.rstrip().split('...'))) + '$')


def first_wrong(want, got):
    """The first wanted line that is not there, or the first that is too much."""
    at, cut = 0, False
    for line in want:
        if line == '...':
            cut = True
            continue
        while cut and at < len(got) and not pattern(line).match(got[at].rstrip()):
            at += 1
        if at == len(got) or not pattern(line).match(got[at].rstrip()):
            return 'wanted %r, got %r' % (line, got[at] if at < len(got) else 'the end')
        at, cut = at + 1, False
    if not cut and at < len(got):
        return 'nothing more wanted, got %r' % got[at]
    return None


def main():
    args = sys.argv[1:]
    show = args[:1] == ['--show']
    args = args[show:]
    term = Terminal([args[0], '-S'] + args[1:])
    greeting = term.until_prompt()
    wrong = []
    if show:
        print('\n'.join(greeting))
    modules = re.sub(r'\s+', ' ', ' '.join(greeting)).strip()
    wanted = ('Loading modules: [ unix genunix specfs dtrace xpv_psm scsi_vhci ufs ip hook neti sctp arp usba '
              'fctl nca lofs zfs random sppp ptm nfs md logindmux xpv ]')
    if modules != wanted:
        wrong.append('greeting: wanted %r, got %r' % (wanted, modules))
    for command, want in read_session(os.path.join(os.path.dirname(__file__), 'session.txt')):
        term.type(command)
        got = term.until_prompt()
        if got and command in got[0]:  # the terminal's echo
            got = got[1:]
        if show:
            print(PROMPT + command)
            print('\n'.join(got))
        bad = first_wrong(want, got)
        if bad:
            wrong.append('%s: %s' % (command, bad))
    if term.close() != 1:  # one command reads what is not there
        wrong.append('mdb did not end with status 1')
    for line in wrong:
        print('session: ' + line, file=sys.stderr)
    sys.exit(bool(wrong))


main()
