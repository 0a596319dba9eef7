# SPDX-License-Identifier: MIT
"""The crash kernel's region from outside: what it holds before the panic and
what it holds when the writer inside Xen has ended, page by page.

The machine is held where kexec_crash() begins, which Xen calls right behind
the writer, by a breakpoint of QEMU's own debug server.
"""
import os
import re
import subprocess

import take

PAGE = 4096


class Stub:
    """As much of GDB's remote protocol as a breakpoint takes."""

    def __init__(self, path, proc):
        self.sock = take.connect(path, proc)
        self.sock.settimeout(600)
        self.buf = b""

    def send(self, text):
        data = text.encode()
        self.sock.sendall(b"$%s#%02x" % (data, sum(data) & 0xff))

    def receive(self):
        while True:
            found = re.search(rb"\$([^#]*)#..", self.buf)
            if found:
                self.buf = self.buf[found.end():]
                self.sock.sendall(b"+")
                return found.group(1).decode(errors="replace")
            part = self.sock.recv(4096)
            if not part:
                take.die("the debug server has gone")
            self.buf += part

    def ask(self, text):
        """The answer; that the machine has stopped for us is none."""
        self.send(text)
        while (said := self.receive()).startswith("T"):
            pass
        return said


class Region:
    """Watches the region of a machine that is up, its crash kernel loaded."""

    def __init__(self, guest, xen_syms):
        said = re.search(r"Kdump: \d+MB \((\d+)kB\) at (0x[0-9a-f]+)", guest.console())
        if not said:
            take.die(f"{guest.out}: no crash kernel's region on the console")
        self.guest, self.size, self.at = guest, int(said.group(1)) << 10, said.group(2)
        names = subprocess.run(["nm", xen_syms], stdout=subprocess.PIPE, text=True,
                               check=True).stdout
        where = re.search(r"^([0-9a-f]+) T kexec_crash$", names, re.M).group(1)
        self.save("before")
        path = f"{guest.out}/gdb.sock"
        guest.monitor(f"gdbserver unix:{path},server=on,wait=off")
        self.stub = Stub(path, guest.proc)
        # One byte long, as an instruction: QEMU's own breakpoints need no memory.
        if self.stub.ask(f"Z1,{where},1") != "OK":
            take.die(f"{guest.out}: no breakpoint at kexec_crash")
        self.where = where
        self.stub.send("c")

    def save(self, name):
        self.guest.monitor(f'pmemsave {self.at} {self.size} "{self.guest.out}/region.{name}"')

    def compare(self):
        """The machine has stopped there: compare, note it, let it go on."""
        said = self.stub.receive()
        if not said.startswith("T05"):
            take.die(f"{self.guest.out}: stopped by {said} instead of at kexec_crash")
        self.save("after")
        differ = used = 0
        with open(f"{self.guest.out}/region.before", "rb") as a, \
                open(f"{self.guest.out}/region.after", "rb") as b:
            for _ in range(self.size // PAGE):
                one, other = a.read(PAGE), b.read(PAGE)
                differ += one != other
                used += any(one)
        with open(f"{self.guest.out}/region", "w") as f:
            f.write(f"{self.size // PAGE} pages, {used} used, {differ} differ\n")
        for name in "before", "after":
            os.unlink(f"{self.guest.out}/region.{name}")
        self.stub.ask(f"z1,{self.where},1")
        self.stub.send("D")
