#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Boot one lab guest in QEMU (software emulation) and take its dumps.

    take.py --cache CACHE --out DIR [options] SERIES MODE [DUMP...]

SERIES is a kernel of setup.sh, MODE what the guest does (testdata/lab/init).
Each DUMP is an option string of the monitor's dump-guest-memory: "elf", "p",
"z", "l", "s"; for mode kdump the dump is the copy of /proc/vmcore.
DIR then holds console.log, the dumps and the guest's own words about itself
(ps, modules, kallsyms, stacks, maps, dmesg, ...): the oracles.
"""
import argparse
import os
import re
import shutil
import socket
import subprocess
import sys
import threading
import time

ORACLE_MB = 64
PANIC = "end Kernel panic"


def die(msg):
    sys.exit(f"take: {msg}")


class Crashed(SystemExit):
    """QEMU itself died of a signal."""


class Machine:
    """A running QEMU: its console log, its serial line and its monitor."""

    def __init__(self, out, options):
        """options: QEMU's, but for those of the lines."""
        self.out = out
        self.log = f"{out}/console.log"
        ser, mon = f"{out}/ser.sock", f"{out}/mon.sock"
        cmd = [os.environ.get("QEMU", "qemu-system-x86_64"), "-accel", "tcg,thread=multi",
               "-vga", "none", "-display", "none", "-no-reboot", "-net", "none",
               "-chardev", f"socket,id=ser0,path={ser},server=on,wait=off",
               "-serial", "chardev:ser0",
               "-monitor", f"unix:{mon},server=on,wait=off"] + options
        self.proc = subprocess.Popen(cmd, stdin=subprocess.DEVNULL,
                                     stderr=subprocess.DEVNULL)
        self.ser = connect(ser, self.proc)
        open(self.log, "wb").close()
        threading.Thread(target=self.keep_log, daemon=True).start()
        self.mon = connect(mon, self.proc)
        self.prompt()

    def keep_log(self):
        """And in console.times, when what came: seconds, bytes before it."""
        begin, at = time.monotonic(), 0
        with open(self.log, "ab", buffering=0) as f, \
                open(f"{self.out}/console.times", "w", buffering=1) as times:
            try:
                while part := self.ser.recv(65536):
                    f.write(part)
                    times.write(f"{time.monotonic() - begin:.3f} {at}\n")
                    at += len(part)
            except OSError:
                pass

    def prompt(self):
        got = b""
        self.mon.settimeout(120)
        while not got.endswith(b"(qemu) "):
            part = self.mon.recv(65536)
            if not part:
                break
            got += part
        return got.decode(errors="replace")

    def monitor(self, line):
        try:
            self.mon.sendall(line.encode() + b"\n")
            return self.prompt()
        except ConnectionError:
            self.proc.wait(10)
            self.check_crashed()
            raise

    def check_crashed(self):
        if self.proc.poll() is not None and self.proc.returncode < 0:
            raise Crashed(f"take: {self.out}: QEMU died of signal "
                          f"{-self.proc.returncode}")

    def console(self):
        with open(self.log, "rb") as f:
            return f.read().decode(errors="replace")

    def wait_for(self, pattern, seconds):
        end = time.time() + seconds
        while time.time() < end:
            if re.search(pattern, self.console()):
                return
            if self.proc.poll() is not None:
                time.sleep(0.2)
                if re.search(pattern, self.console()):
                    return
                self.check_crashed()
                die(f"{self.out}: guest ended before {pattern!r}")
            time.sleep(0.2)
        die(f"{self.out}: no {pattern!r} in {seconds} s")

    def close(self):
        if self.proc.poll() is None:
            self.proc.terminate()
        self.proc.wait()
        for path in f"{self.out}/ser.sock", f"{self.out}/mon.sock":
            if os.path.exists(path):
                os.unlink(path)


class Guest(Machine):
    """One with two disks for what it says of itself and for its vmcore."""

    def __init__(self, args, machine, disk="virtio-blk-pci"):
        """machine: QEMU's options for what it boots."""
        self.disks = [f"{args.out}/oracle.img", f"{args.out}/vmcore.img"]
        sizes = [ORACLE_MB << 20, (args.mem + 64) << 20]
        for path, size in zip(self.disks, sizes):
            with open(path, "wb") as f:
                f.truncate(size)
        options = ["-cpu", args.cpu, "-m", str(args.mem), "-smp", str(args.smp)] + machine
        for i, path in enumerate(self.disks):
            options += ["-drive", f"file={path},if=none,id=disk{i},format=raw,cache=unsafe",
                        "-device", f"{disk},drive=disk{i}"]
        super().__init__(args.out, options)

    def close(self):
        super().close()
        for path in self.disks:
            if os.path.exists(path):
                os.unlink(path)


def connect(path, proc):
    for _ in range(100):
        s = socket.socket(socket.AF_UNIX)
        try:
            s.connect(path)
            return s
        except OSError:
            s.close()
            if proc.poll() is not None:
                die("qemu does not start")
            time.sleep(0.1)
    die(f"no {path}")


def unpack_oracles(guest):
    tar = subprocess.run(["gzip", "-dcq", guest.disks[0]],
                         stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    subprocess.run(["tar", "xf", "-", "-C", guest.out, "--no-same-owner"],
                   input=tar.stdout, check=True)


# The crash kernel says how much of the second disk it wrote.
def keep_vmcore(guest):
    guest.wait_for(r"LAB: vmcore \d+", 240)
    guest.proc.wait(60)
    size = int(re.search(r"LAB: vmcore (\d+)", guest.console()).group(1))
    os.truncate(guest.disks[1], size)
    os.rename(guest.disks[1], f"{guest.out}/vmcore")
    settle(f"{guest.out}/vmcore")


def qemu_dump(guest, how):
    flag = {"elf": "", "p": "-p ", "z": "-z ", "l": "-l ", "s": "-s "}[how]
    path = os.path.abspath(f"{guest.out}/dump.{how}")
    said = guest.monitor(f"dump-guest-memory {flag}{path}")
    if "Error" in said or not os.path.exists(path):
        why = re.findall(r"Error.*", said) or ["no file"]
        die(f"{guest.out}: dump-guest-memory {flag}: {why[0].strip()}")
    settle(path)


def settle(path):
    """Free pages, all zeros, need no room on the disk."""
    subprocess.run(["fallocate", "-d", path], check=False,
                   stderr=subprocess.DEVNULL)
    os.chmod(path, 0o644)


# A panic inside an interrupt: sysrq-c typed on the serial line.
def panic_irq(guest):
    guest.monitor("chardev-send-break ser0")
    time.sleep(0.3)
    guest.ser.send(b"c")
    guest.wait_for(PANIC, 60)


# An NMI inside an interrupt: sysrq-t prints for long, in the interrupt.
def panic_nmi(guest):
    guest.monitor("chardev-send-break ser0")
    time.sleep(0.3)
    guest.ser.send(b"t")
    guest.wait_for("sysrq: Show State", 30)
    guest.monitor("nmi")
    # The last line did not come on 5.10, its console being interrupted.
    guest.wait_for(f"Kernel Offset|{PANIC}", 60)


# Emulation now and then trips over code that patches itself: the guest dies
# on its way up.  That is a real panic, kept aside; the boot is tried again.
def boot(args, start, died=PANIC):
    """start(args) gives a Guest; `died` is what a dying one writes."""
    for _ in range(4):
        shutil.rmtree(args.out, ignore_errors=True)
        os.makedirs(args.out)
        guest = start(args)
        try:
            guest.wait_for(f"LAB: ready|{died}", args.wait)
        except BaseException:
            guest.close()
            raise
        if "LAB: ready" in guest.console():
            return guest
        print(f"take: {os.path.basename(args.out)}: the guest died early")
        time.sleep(1)
        qemu_dump(guest, "elf")
        guest.close()
        aside = f"{args.out}-early"
        shutil.rmtree(aside, ignore_errors=True)
        os.rename(args.out, aside)
    die(f"{args.out}: the guest does not come up")


def start(args):
    append = f"console=ttyS0,115200 panic=0 lab={args.guest_mode} {args.append}"
    if args.mode == "kdump":
        append += f" crashkernel={args.crashkernel}"
    root = f"{args.cache}/kernel-{args.series}"
    kdump = args.mode == "kdump"
    initrd = f"{args.cache}/{args.series}{'-kdump' if kdump else ''}.gz"
    make_initrd("mkinitrd.sh", root, initrd, *(["kdump"] if kdump else []))
    machine = ["-kernel", f"{root}/vmlinuz", "-initrd", initrd, "-append", append.strip()]
    if args.vmcoreinfo:
        machine += ["-device", "vmcoreinfo"]
    return Guest(args, machine)


def make_initrd(script, *args):
    here = os.path.dirname(os.path.abspath(__file__))
    subprocess.run(["bash", f"{here}/{script}", *args], check=True)


def run(args):
    guest = boot(args, start)
    try:
        if args.mode == "kdump":
            keep_vmcore(guest)
        elif args.mode in ("panic", "oops"):
            guest.wait_for(PANIC, 60)
        elif args.mode == "irq":
            panic_irq(guest)
        elif args.mode == "nmi":
            panic_nmi(guest)
        time.sleep(1)
        if args.dumps:
            guest.monitor("stop")
        with open(f"{args.out}/registers", "w") as f:
            if args.dumps:
                f.write(guest.monitor("info registers -a"))
        for how in args.dumps:
            qemu_dump(guest, how)
        unpack_oracles(guest)
        os.chmod(args.out, 0o755)
    finally:
        guest.close()


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--cache", required=True)
    p.add_argument("--out", required=True)
    p.add_argument("--cpu", default="max,-la57")
    p.add_argument("--mem", type=int, default=512)
    p.add_argument("--smp", type=int, default=2)
    p.add_argument("--append", default="")
    p.add_argument("--crashkernel", default="192M")
    p.add_argument("--wait", type=int, default=400, help="seconds for the boot")
    p.add_argument("--vmcoreinfo", action="store_true")
    p.add_argument("series")
    p.add_argument("mode", choices=["idle", "panic", "irq", "nmi", "oops",
                                    "kdump"])
    p.add_argument("dumps", nargs="*")
    args = p.parse_args()
    args.out = os.path.abspath(args.out)
    args.guest_mode = "idle" if args.mode == "irq" else args.mode
    start = time.time()
    run(args)
    print(f"take: {os.path.basename(args.out)} in {time.time() - start:.0f} s")


if __name__ == "__main__":
    main()
