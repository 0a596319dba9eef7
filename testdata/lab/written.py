# SPDX-License-Identifier: MIT
"""What is asked of a dump that Xen wrote itself, beyond what every dump of a
Xen host is asked: is it whole, is it the machine's memory, and has nothing
else been written.
"""
import re
import subprocess


def check_said(check, guest, mdb, name):
    """The console's last line about it, and savecore's."""
    said = re.search(r"xdump: (.*?): (\d+) pages \((\d+) lost\)", guest.console)
    check.that(f"{name} written", said and said.group(1) == "dump complete"
               and said.group(3) == "0", f"{said and said.group(0)}")
    check.that(f"{name} savecore", "vmcore.0" in guest.text("savecore"),
               guest.text("savecore"))


def check_other(check, guest, mdb, name):
    """dom0's namespace of the same controller is what it was."""
    digests = guest.text("other").split()
    check.that(f"{name} other namespace", len(digests) == 2
               and len(set(digests)) == 1, f"{digests}")


def check_pages(check, guest, mdb, name):
    """Each page is the machine's when all was over, but for the hypervisor's
    own: the writer's memory, stacks, the console."""
    cmpdump = mdb.program.replace("/mdb", "/cmpdump")
    out = subprocess.run([cmpdump, "-a", f"{guest.path}/vmcore.0",
                          f"{guest.path}/machine.elf"], stdout=subprocess.PIPE,
                         stderr=subprocess.PIPE, text=True, check=False)
    tally = re.search(r"same (\d+) excluded (\d+) bad (\d+)", out.stdout)
    frames = [int(f, 16) for f in re.findall(r"^(0x[0-9a-f]+): differs", out.stderr, re.M)]
    check.that(f"{name} pages", tally and int(tally.group(1)) > 50000
               and int(tally.group(3)) == len(frames) < 1000,
               f"{out.stdout} {out.stderr[-200:]}")
    said = mdb.run("; ".join(f"{0xffff830000000000 + f:x}::whatis" for f in frames))
    ours = [line for line in said.splitlines()
            if "hypervisor" in line or "stack of CPU" in line or "Xen heap" in line]
    check.that(f"{name} pages that differ", len(ours) == len(frames),
               f"{len(frames)} differ: {[l for l in said.splitlines() if l not in ours][:3]}")


QUESTIONS = [check_said, check_other, check_pages]
