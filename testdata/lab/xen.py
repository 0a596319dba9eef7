#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Boot one hypervisor with a Linux dom0 in QEMU and take its dumps.

    xen.py --cache CACHE --out DIR --xen FILE --branch 4.17 [options] MODE [DUMP...]

MODE is what happens when dom0 is up:
    run         nothing: the machine runs
    nmi-key     the key N on Xen's serial line: an NMI in a tasklet of CPU 0
    nmi-idle    an NMI from outside, on whatever CPU 0 does
    hypercall   the key N by dom0's hypercall: a panic with both worlds
    dom0-panic  sysrq-c in dom0
    watchdog    dom0 arms its watchdog and is silent
    overflow    dom0's kernel overflows a stack (module labcrash)
    writes      dom0 writes to its disk until an NMI, as nmi-idle
Each DUMP is one of take.py's, taken when that is over; --kdump has Xen start
a crash kernel instead, and the dump is its copy of /proc/vmcore; --xdump has
Xen write the dump itself, to a labelled disk: vmcore.0 is what
savecore takes off it, machine.elf the machine as it was when that was over.
DIR then holds console.log, with Xen's own traces and the answers of its debug
keys, the dumps, and what dom0 said (take.py; xl-list, xl-dmesg, ...).
"""
import argparse
import hashlib
import os
import re
import subprocess
import time

import busy
import gpt
import region
import take

DIED = "Panic on CPU|Kernel panic|Hardware Dom0 crashed"
PANICKED = {
    "nmi-key": "Panic on CPU", "nmi-idle": "Panic on CPU",
    "hypercall": "Panic on CPU", "dom0-panic": "Hardware Dom0 crashed",
    "watchdog": "watchdog rebooting machine",
    "overflow": "Hardware Dom0 crashed", "writes": "Panic on CPU",
}
DOM0_MODE = {"hypercall": "hypercall", "dom0-panic": "panic",
             "watchdog": "watchdog", "overflow": "oops labhow=overflow",
             "writes": "idle labwrites=/dev/nvme0n2"}
# A PVH dom0 must have an IOMMU, and disks that go through it: its addresses
# are not the machine's.
PVH_MACHINE = ["-machine", "q35", "-device", "amd-iommu"]
IOMMUS = {"intel": "intel-iommu,intremap=on", "amd": "amd-iommu,intremap=on"}
PVH_DISK = "virtio-blk-pci,iommu_platform=on,disable-legacy=on"


# How a dump ends on the console.
WRITTEN = r"xdump: (dump complete|nothing is written|[^\r\n]*: \d+ pages)"
SENT = r"xdump: that was the triage record"


def labelled(args):
    """The namespace for the dump; returns its label's UUID."""
    said = subprocess.run([f"{args.bin}/dumpadm", "label", "-s", args.xdump,
                           "-b", str(args.xdump_sector), f"{args.out}/nvme.img"],
                          stdout=subprocess.PIPE, text=True, check=True).stdout
    if args.xdump_partition:
        gpt.make(f"{args.out}/nvme.img", int(args.xdump_sector))
    if args.xdump_serial:
        with open(f"{args.out}/nvme.img", "r+b") as f:
            f.write(bytes(4096))
            f.seek(-4096, os.SEEK_END)
            f.write(bytes(4096))
    return re.search(r"uuid ([0-9a-f-]{36})", said).group(1)


def leave_dump(args, uuid):
    """One that nobody has taken: without a dom0 Xen panics by itself."""
    with open(f"{args.out}/nothing", "wb") as f:
        f.write(bytes(65536))
    subprocess.run([os.environ.get("QEMU", "qemu-system-x86_64"), "-accel", "tcg,thread=multi",
                    "-cpu", args.cpu, "-m", "256", "-display", "none", "-no-reboot", "-net", "none",
                    "-serial", f"file:{args.out}/console-before.log",
                    "-kernel", args.xen, "-initrd", f"{args.out}/nothing",
                    "-append", f"com1=115200,8n1 console=com1 xdump={uuid}",
                    "-device", "nvme,id=nvme0,serial=LAB-1", *drive(args, "nvme", "ns1"),
                    "-device", "nvme-ns,drive=ns1,bus=nvme0,nsid=1"],
                   stdin=subprocess.DEVNULL, timeout=120, check=True)


def encrypted(args):
    """The options that say whom the dump is for, and what is in it."""
    options = f",content={args.xdump_content}" if args.xdump_content else ""
    if args.xdump_key:
        public = subprocess.run([f"{args.bin}/dumpadm", "keygen", f"{args.out}/key"],
                                stdout=subprocess.PIPE, text=True, check=True).stdout
        options += f",key={public.strip()}"
    return options


def options(args):
    return ",partition" * args.xdump_partition + ",serial" * args.xdump_serial


def drive(args, name, ident):
    slow = f",throttling.bps-write={busy.SPEED}" if args.xdump_slow and ident == "ns1" else ""
    return ["-drive", f"file={args.out}/{name}.img,if=none,id={ident},format=raw{slow}"]


def disk_nvme(args):
    sector = f"logical_block_size={args.xdump_sector},physical_block_size={args.xdump_sector}"
    return (["-device", "nvme,id=nvme0,serial=LAB-1"]
            + drive(args, "nvme", "ns1")
            + ["-device", f"nvme-ns,drive=ns1,bus=nvme0,nsid=1,{sector}"]
            + drive(args, "other", "ns2")
            + ["-device", f"nvme-ns,drive=ns2,bus=nvme0,nsid=2,{sector}"])


def disk_ahci(args):
    return (["-device", "ahci,id=ahci0"]
            + drive(args, "nvme", "ns1")
            + ["-device", "ide-hd,drive=ns1,bus=ahci0.2,serial=LAB-1"]
            + drive(args, "other", "ns2")
            + ["-device", "ide-hd,drive=ns2,bus=ahci0.4,serial=LAB-2"])


def disk_virtio(args):
    """Behind the lab's own, which dom0 knows by their order."""
    modern = "virtio-blk-pci,disable-legacy=on"
    return (drive(args, "nvme", "ns1")
            + ["-device", f"{modern},drive=ns1,serial=LAB-1,addr=0x10"]
            + drive(args, "other", "ns2")
            + ["-device", f"{modern},drive=ns2,serial=LAB-2,addr=0x11"])


DISKS = {"nvme": disk_nvme, "ahci": disk_ahci, "virtio": disk_virtio}


def disks(args):
    """The one for the dump and one of dom0's, which nobody may change."""
    with open(f"{args.out}/other.img", "wb") as f:
        f.write(os.urandom(1 << 20) * 8)
    return DISKS[args.xdump_disk](args) + (busy.options(args.out) if args.xdump_slow else [])


def start(args):
    kernel = f"{args.cache}/kernel-{args.series}"
    kind = "-xdump" if args.xdump else "-makedumpfile" if args.makedumpfile else ""
    initrd = f"{args.cache}/xen-{args.series}-{args.branch}{kind}.gz"
    if args.makedumpfile:
        os.environ["CRASH_PROGRAMS"] = "makedumpfile"
    take.make_initrd("xen-mkinitrd.sh", kernel,
                     f"{args.cache}/xen-tools-{args.branch}", initrd,
                     *([f"{args.bin}/dumpadm"] if args.xdump else []))
    xen = (f"com1=115200,8n1 console=com1 noreboot loglvl=all guest_loglvl=all "
           f"dom0_mem={args.dom0_mem}M,max:{args.dom0_mem}M nmi=fatal "
           f"dom0_vcpus_pin {' '.join(args.xen_append)}")
    linux = f"console=hvc0 panic=0 lab={DOM0_MODE.get(args.mode, 'idle')} {' '.join(args.append)}"
    if args.pvh:
        xen += " dom0=pvh"
    if args.xdump:
        linux += f" labsecret={os.urandom(7).hex()}"
        uuid = labelled(args)
        if args.xdump_waiting:
            leave_dump(args, uuid)
        xen += f" xdump={uuid}{options(args)}{encrypted(args)}"
    if args.kdump:
        xen += f" crashkernel={args.crashkernel}"
        linux += " labkdump=1" + (" labmakedumpfile=1" if args.makedumpfile else "")
    # A comma would end the module's name.
    linux = linux.strip().replace(",", ",,")
    machine = ["-kernel", args.xen, "-append", xen,
               "-initrd", f"{kernel}/vmlinuz {linux},{initrd}"]
    if args.iommu:
        machine = ["-machine", "q35,kernel-irqchip=split" if args.iommu == "intel" else "q35",
                   "-device", IOMMUS[args.iommu]] + machine
    if args.xdump:
        machine += disks(args)
    if args.mode == "watchdog":
        machine += ["-no-shutdown"]
    if args.pvh:
        return take.Guest(args, machine + PVH_MACHINE, PVH_DISK)
    return take.Guest(args, machine)


def keep_xdump(guest, args):
    """The dump that Xen wrote, as savecore takes it off the disk."""
    if os.path.exists(f"{args.out}/dump.elf"):
        os.rename(f"{args.out}/dump.elf", f"{args.out}/machine.elf")
    if args.xdump_serial:
        with open(f"{args.out}/dumpconv", "w") as f:
            subprocess.run([f"{args.bin}/dumpconv", "--serial", guest.log, f"{args.out}/triage.0"],
                           stdout=f, stderr=f, check=False)
        return
    if args.xdump_partition:
        gpt.extract(f"{args.out}/nvme.img")
    with open(f"{args.out}/savecore", "w") as f:
        subprocess.run([f"{args.bin}/savecore", f"{args.out}/nvme.img", args.out],
                       stdout=f, stderr=f, check=False)
        if args.xdump_key:
            # What is asked is the dump decrypted; beside it as it was saved.
            os.rename(f"{args.out}/vmcore.0", f"{args.out}/locked")
            subprocess.run([f"{args.bin}/dumpconv", "-O", "native", "--key", f"{args.out}/key",
                            f"{args.out}/locked", f"{args.out}/vmcore.0"],
                           stdout=f, stderr=f, check=False)


def panic(guest, mode):
    if mode == "nmi-key":
        guest.ser.send(b"\x01\x01\x01")
        guest.wait_for("Serial input to Xen", 30)
        guest.ser.send(b"N")
    elif mode == "nmi-idle":
        guest.monitor("nmi")
    elif mode == "writes":
        guest.wait_for(r"LAB: wrote \d{3}", 60)
        guest.monitor("nmi")
    if mode in PANICKED:
        guest.wait_for(PANICKED[mode], 60)


def hold(guest, mode):
    """The last words are on the line, and the machine stands still."""
    if mode == "watchdog":
        # Xen reboots then, whatever it is told; QEMU does not.
        for _ in range(120):
            if "shutdown" in guest.monitor("info status"):
                return
            time.sleep(1)
        take.die(f"{guest.out}: it does not reboot")
    time.sleep(3 if mode in PANICKED else 1)
    guest.monitor("stop")


def spoil(args):
    """The label is gone: there is nothing that the writer may write to."""
    with open(f"{args.out}/nvme.img", "r+b") as f:
        f.write(bytes(65536))


def digest(args):
    """Of the namespace that is not for the dump, and of what is around a
    partition that is."""
    if not args.xdump:
        return "none"
    with open(f"{args.out}/other.img", "rb") as f:
        digest_of = hashlib.sha256(f.read())
    if args.xdump_serial:
        with open(f"{args.out}/nvme.img", "rb") as f:
            digest_of.update(f.read())
    if args.xdump_partition:
        digest_of.update(gpt.around(f"{args.out}/nvme.img"))
    return digest_of.hexdigest()


def run(args):
    guest = take.boot(args, start, DIED)
    try:
        before = digest(args)
        watched = args.xdump and args.kdump
        if args.xdump_spoil:
            spoil(args)
        if watched:
            watched = region.Region(guest, f"{args.xen}-syms")
        panic(guest, args.mode)
        written = args.xdump and args.mode != "run"
        if written:
            guest.wait_for(SENT if args.xdump_serial else WRITTEN, 300)
        if watched:
            watched.compare()
        if args.kdump:
            take.keep_vmcore(guest)
        else:
            hold(guest, args.mode)
            with open(f"{args.out}/registers", "w") as f:
                f.write(guest.monitor("info registers -a"))
            for how in args.dumps:
                take.qemu_dump(guest, how)
        after = digest(args)
        if args.xdump_slow:
            busy.note(args.out)
        if written:
            keep_xdump(guest, args)
        take.unpack_oracles(guest)
        os.chmod(args.out, 0o755)
        with open(f"{args.out}/mode", "w") as f:
            f.write(args.mode + "\n")
        with open(f"{args.out}/other", "w") as f:
            f.write(f"{before}\n{after}\n")
    finally:
        guest.close()


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--cache", required=True)
    p.add_argument("--out", required=True)
    p.add_argument("--xen", required=True, help="the hypervisor, unpacked")
    p.add_argument("--branch", required=True, help="the tools' branch, as 4.17")
    p.add_argument("--series", default="6.1", help="dom0's kernel")
    p.add_argument("--cpu", default="max,-la57,-smap")
    p.add_argument("--mem", type=int, default=768)
    p.add_argument("--dom0-mem", type=int, default=320)
    p.add_argument("--smp", type=int, default=2)
    p.add_argument("--append", action="append", default=[], help="for dom0's kernel")
    p.add_argument("--xen-append", action="append", default=[])
    p.add_argument("--crashkernel", default="192M")
    p.add_argument("--pvh", action="store_true", help="boot dom0 as PVH")
    p.add_argument("--iommu", choices=["intel", "amd"], help="all disks are behind one")
    p.add_argument("--wait", type=int, default=400, help="seconds for the boot")
    p.add_argument("--kdump", action="store_true")
    p.add_argument("--makedumpfile", action="store_true", help="by the crash kernel")
    p.add_argument("--xdump", help="size of the namespace for the dump (256M)")
    p.add_argument("--xdump-disk", choices=DISKS, default="nvme", help="its kind")
    p.add_argument("--xdump-sector", default=512, help="of NVMe, in bytes")
    p.add_argument("--xdump-partition", action="store_true", help="in one, not a whole disk")
    p.add_argument("--xdump-serial", action="store_true", help="the label is gone: the triage record alone")
    p.add_argument("--xdump-slow", action="store_true", help="NVMe as slow as busy.py says, traced")
    p.add_argument("--xdump-key", action="store_true", help="encrypt it")
    p.add_argument("--xdump-content", help="guests: of the others too, encrypted")
    p.add_argument("--xdump-waiting", action="store_true", help="it holds an unsaved dump")
    p.add_argument("--xdump-spoil", action="store_true",
                   help="its label is overwritten before the panic")
    p.add_argument("--bin", default="build/release/bin", help="dumpadm, savecore")
    p.add_argument("mode", choices=["run", *PANICKED])
    p.add_argument("dumps", nargs="*")
    args = p.parse_args()
    args.out = os.path.abspath(args.out)
    begin = time.time()
    run(args)
    print(f"xen: {os.path.basename(args.out)} in {time.time() - begin:.0f} s")


main()
