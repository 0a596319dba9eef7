# SPDX-License-Identifier: MIT
"""The lab in seconds: a hypervisor with the dump writer, a domain 0 that does
nothing (tiny.S), NVMe disks that do as they are told.

A Light is one such machine and its folder.  It is booted, died and looked at;
what was seen ends in facts.json, the machine's memory in machine.raw.
"""
import hashlib
import json
import os
import re
import shutil
import signal
import subprocess
import time

import nbd
import take

HERE = os.path.dirname(os.path.abspath(__file__))
# How a dump ends on the console.
RESULT = r"xdump: (?:dump complete|nothing is written|[^\r\n]*: \d+ pages)[^\r\n]*"
PANIC = "Panic on CPU|Hardware Dom0 crashed"
BASE = 0xffffffff80100000
# A PC of 3.5 GiB or more has what is above 3 GiB from 4 GiB on.
HOLE_FROM, HOLE = 7 << 29, 3 << 30
SLOT = 4  # of the first controller; the eject register is the PIIX4's
EJECT = 0xae08


def run(*command):
    return subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          text=True, check=False)


def digest(path):
    h = hashlib.sha256()
    with open(path, "rb") as f:
        while part := f.read(1 << 20):
            h.update(part)
    return h.hexdigest()


class Disk:
    """A namespace: its file, its controller, and how QEMU reaches it."""

    def __init__(self, path, serial, nsid, how):
        self.path, self.serial, self.nsid = path, serial, nsid
        self.how = how  # of -drive
        self.server = None


class Light:
    def __init__(self, cache, bin_dir, out, hv="4.17.5-xdump", xen=None):
        self.bin, self.out = bin_dir, os.path.abspath(out)
        self.xen = xen or f"{cache}/xen-{hv}/xen"
        self.disks, self.facts = {}, {"hv": hv}
        self.uuid, self.machine = None, None
        self.smp, self.mem, self.options, self.dom0 = 2, 128, "", "i"
        self.noreboot, self.slot = True, SLOT
        self.subsystem = False  # all controllers are one's, and namespaces all theirs
        shutil.rmtree(self.out, ignore_errors=True)
        os.makedirs(self.out)
        self.tiny = make_tiny(cache)

    # ---- disks ----

    def add(self, name, serial="LAB-1", nsid=1, how="format=raw", server=False, **rule):
        """A namespace over the file of that name; with a server, over that."""
        path = f"{self.out}/{name}.img"
        disk = Disk(path, serial, nsid, f"file={path},{how}")
        if server:
            sock = f"{self.out}/{name}.sock"
            disk.server = nbd.Server(sock, path, **rule)
            disk.how = f"file=nbd+unix:///?socket={sock},{how}"
        self.disks[name] = disk
        return disk

    def labelled(self, name="dump", size="64M", **where):
        """One that is labelled; the last of them is Xen's."""
        said = run(f"{self.bin}/dumpadm", "label", "-s", size, f"{self.out}/{name}.img").stdout
        self.uuid = re.search(r"uuid ([0-9a-f-]{36})", said).group(1)
        return self.add(name, **where)

    def noise(self, name="other", mib=4, **where):
        """dom0's: nobody may change it."""
        with open(f"{self.out}/{name}.img", "wb") as f:
            f.write(os.urandom(1 << 16) * (mib * 16))
        return self.add(name, **{"nsid": 2, **where})

    def digests(self):
        return {n: digest(d.path) for n, d in self.disks.items()}

    def drives(self):
        options, serials = [], []
        if self.subsystem:
            options = ["-device", "nvme-subsys,id=sub0"]
        for name, d in self.disks.items():
            if d.serial not in serials:
                serial = "LAB-0" if self.subsystem else d.serial
                options += ["-device", f"nvme,id=nvme{len(serials)},serial={serial},"
                            f"addr={SLOT + len(serials)}"
                            f"{',subsys=sub0' if self.subsystem else ''}"]
                serials.append(d.serial)
            options += ["-drive", f"{d.how},if=none,id={name}", "-device",
                        f"nvme-ns,drive={name},bus=nvme{serials.index(d.serial)},nsid={d.nsid}"]
        return options

    # ---- the machine ----

    def boot(self, wait=120):
        """Until dom0 says that it is there."""
        dom0_mem = 40
        xen = (f"com1=115200,8n1 console=com1 loglvl=all guest_loglvl=all "
               f"{'noreboot ' if self.noreboot else ''}dom0_mem={dom0_mem}M,max:{dom0_mem}M "
               f"nmi=fatal dom0_max_vcpus=1 dom0_vcpus_pin bootscrub=0 "
               f"xdump={self.uuid}{self.options}")
        ram = f"{self.out}/machine.raw"
        self.facts["before"] = self.digests()
        self.machine = take.Machine(self.out, [
            "-cpu", "max,-la57,-smap", "-m", str(self.mem), "-smp", str(self.smp),
            "-object", f"memory-backend-file,id=ram,size={self.mem}M,mem-path={ram},share=on",
            "-machine", "memory-backend=ram", "-kernel", self.xen, "-append", xen,
            "-initrd", f"{self.tiny} {self.dom0}"] + self.drives())
        self.wait_for(f"LAB: ready|{PANIC}", wait)

    def wait_for(self, pattern, seconds):
        self.machine.wait_for(pattern, seconds)

    def console(self):
        return self.machine.console()

    def monitor(self, line):
        return self.machine.monitor(line)

    def nmi(self):
        self.monitor("nmi")
        self.wait_for(PANIC, 30)

    def over(self, seconds=150):
        """The writer's last line, and what Xen does then."""
        begin = time.time()
        self.wait_for(RESULT, seconds)
        self.facts["seconds"] = round(time.time() - begin, 1)
        if self.noreboot:
            self.wait_halt()
        else:
            self.facts["exit"] = self.machine.proc.wait(30)

    def wait_halt(self):
        """Xen's halt: every CPU waits, the panicking one with interrupts off."""
        for _ in range(50):
            regs = self.monitor("info registers -a")
            states = re.findall(r"RFL=(\w+).*?HLT=(\d)", regs, re.S)
            self.facts["halt"] = [bool(int(h)) for _, h in states]
            self.facts["off"] = [not int(f, 16) & 0x200 for f, _ in states]
            if all(self.facts["halt"]) and any(self.facts["off"]):
                return
            time.sleep(0.1)

    def eject(self, controller=0):
        """The controller is pulled, with nobody asked."""
        self.monitor(f"device_del nvme{controller}")
        self.monitor(f"o /w {EJECT} {1 << (SLOT + controller)}")

    def kill(self):
        """Power cut: QEMU gets no time for anything."""
        self.machine.proc.send_signal(signal.SIGKILL)
        self.machine.proc.wait()

    def close(self):
        if self.machine:
            self.machine.close()
        for d in self.disks.values():
            if d.server:
                d.server.close()
                d.server = None

    # ---- what came of it ----

    def savecore(self, name="dump"):
        """It marks the dump as saved: what is on the disks is noted before."""
        self.facts["after"] = self.digests()
        done = run(f"{self.bin}/savecore", self.disks[name].path, self.out)
        self.facts["savecore"] = [done.returncode, done.stdout]

    def finish(self):
        if "after" not in self.facts:
            self.facts["after"] = self.digests()
        raw = f"{self.out}/machine.raw"
        if os.path.exists(raw):
            spread(raw)
            take.settle(raw)
        for d in self.disks.values():
            os.unlink(d.path)
        with open(f"{self.out}/facts.json", "w") as f:
            json.dump(self.facts, f, indent=1)


def spread(raw):
    """From QEMU's file of its memory to the machine's addresses."""
    size = os.path.getsize(raw)
    if size < HOLE_FROM:
        return
    with open(raw, "r+b") as f:
        os.truncate(raw, size + (4 << 30) - HOLE)
        at = size
        while at > HOLE:
            at -= 1 << 20
            part = os.pread(f.fileno(), 1 << 20, at)
            if part.strip(b"\0"):
                os.pwrite(f.fileno(), part, at + (4 << 30) - HOLE)
                os.pwrite(f.fileno(), bytes(1 << 20), at)


def make_tiny(cache):
    """tiny.S, built; beside the cache's other things."""
    source, out = f"{HERE}/tiny.S", f"{cache}/tiny"
    if not os.path.exists(out) or os.path.getmtime(out) < os.path.getmtime(source):
        subprocess.run([os.environ.get("CC", "gcc"), "-nostdlib", "-static", "-no-pie",
                        f"-Wl,-Ttext-segment={BASE:#x}", "-Wl,--build-id=none",
                        "-o", f"{out}.tmp", source], check=True)
        os.rename(f"{out}.tmp", out)
    return out
