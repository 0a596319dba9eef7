# SPDX-License-Identifier: MIT
"""What may go wrong with the disk, at boot and at the panic, and what must
come of it.  Each fault does it to a Light (light.py); checkxdump.py holds what
was seen to what the table at the end says.
"""
import errno
import os
import shutil
import threading
import time

from nbd import FLUSH, READ, WRITE

LABEL = 4096  # bytes, first and last of the range


def die_and_look(lab):
    lab.nmi()
    lab.over()


def plain(lab):
    lab.boot()
    die_and_look(lab)


def off(lab):
    """Nothing is said at the panic: wait for Xen's own end alone."""
    lab.boot()
    lab.nmi()
    lab.wait_halt()


def changed(lab):
    """What the test itself did to a disk does not count."""
    lab.facts["before"] = lab.digests()


def poke(lab, name, offset, data):
    with open(lab.disks[name].path, "r+b") as f:
        f.seek(offset)
        f.write(data)


def clone(lab, source, target):
    shutil.copyfile(lab.disks[source].path, lab.disks[target].path)


# ---- the label ----

def unlabelled(lab):
    lab.noise("dump", nsid=1)
    lab.noise()
    lab.uuid = "01234567-89ab-4cde-8f01-23456789abcd"
    off(lab)


def foreign(lab):
    lab.labelled()
    lab.noise()
    lab.uuid = lab.uuid[:-1] + ("0" if lab.uuid[-1] != "0" else "1")
    off(lab)


def cloned_boot(lab, **where):
    lab.labelled()
    lab.noise(**{"nsid": 2, **where})
    clone(lab, "dump", "other")
    off(lab)


def cloned_boot_controller(lab):
    cloned_boot(lab, serial="LAB-2", nsid=1)


def cloned_panic(lab):
    """The copy is made while the machine runs."""
    lab.labelled()
    lab.noise(mib=64, serial="LAB-2", nsid=1)
    lab.boot()
    clone(lab, "dump", "other")
    changed(lab)
    die_and_look(lab)


def moved(lab):
    """The label is on the other namespace by then."""
    lab.labelled()
    lab.noise(mib=64)
    lab.boot()
    clone(lab, "dump", "other")
    poke(lab, "dump", 0, bytes(LABEL))
    changed(lab)
    die_and_look(lab)


def torn(lab):
    lab.labelled()
    lab.noise()
    lab.boot()
    poke(lab, "dump", 100, b"\xff")
    changed(lab)
    die_and_look(lab)


def relabelled(lab):
    lab.labelled()
    lab.noise()
    lab.boot()
    uuid = lab.uuid
    lab.labelled("else")
    shutil.move(lab.disks.pop("else").path, lab.disks["dump"].path + ".new")
    with open(lab.disks["dump"].path + ".new", "rb") as f:
        poke(lab, "dump", 0, f.read())
    os.unlink(lab.disks["dump"].path + ".new")
    lab.uuid = uuid
    changed(lab)
    die_and_look(lab)


def shared(lab):
    """Two controllers lead to it."""
    lab.subsystem = True
    lab.labelled()
    lab.noise(serial="LAB-2")
    off(lab)


def small(lab):
    lab.labelled()
    lab.noise()
    os.truncate(lab.disks["dump"].path, 32 << 20)
    plain(lab)


def full(lab):
    """Whole, and too small for this machine: what fits is saved."""
    lab.labelled(size="8M")
    lab.noise()
    plain(lab)


# ---- what is there ----

def twice(lab, options):
    """A dump is there already."""
    lab.labelled()
    lab.noise()
    plain(lab)
    lab.close()
    lab.options = options
    plain(lab)


def unsaved(lab):
    twice(lab, "")


def overwrite(lab):
    twice(lab, ",overwrite")


def dry_run(lab):
    lab.options = ",dry-run"
    lab.labelled()
    lab.noise()
    plain(lab)


def readonly(lab):
    lab.labelled(how="format=raw,readonly=on")
    lab.noise()
    plain(lab)


# ---- errors ----

def served(lab, rule):
    """The disk does as the rule says; the rule is its own in no file."""
    lab.labelled(server=True, rule=rule)
    lab.noise()


def error_some(lab):
    """Two sectors of the dump's place cannot be written."""
    bad = 5 << 20, 9 << 20
    served(lab, lambda op, at, n: errno.EIO if op == WRITE and any(
        at <= b < at + n for b in bad) else None)
    plain(lab)


def error_all(lab):
    served(lab, lambda op, at, n: errno.EIO if op == WRITE else None)
    plain(lab)


def error_later(lab):
    """Behind 6 MiB nothing can be written any more."""
    served(lab, lambda op, at, n: errno.EIO if op == WRITE and at > 6 << 20 else None)
    plain(lab)


def error_flush(lab):
    served(lab, lambda op, at, n: errno.EIO if op == FLUSH else None)
    plain(lab)


def error_read(lab):
    """From the panic on nothing can be read."""
    dead = threading.Event()
    served(lab, lambda op, at, n: errno.EIO if op == READ and dead.is_set() else None)
    lab.boot()
    dead.set()
    die_and_look(lab)


class Nth:
    """A rule: at the nth write something happens, once."""

    def __init__(self, nth, action, slow=0.0):
        self.left, self.action, self.slow = nth, action, slow
        self.reached = threading.Event()

    def __call__(self, op, offset, n):
        if op != WRITE:
            return None
        self.left -= 1
        if self.left == 0:
            self.reached.set()
            return self.action()
        if self.left < 0:
            time.sleep(self.slow)
        return None


def stall(lab):
    """It takes commands and answers none; then it is not there any more."""
    def action():
        time.sleep(12)
        lab.disks["dump"].server.hang_up()
        return errno.EIO
    served(lab, Nth(40, action))
    plain(lab)


def stall_once(lab):
    """One command takes longer than the writer waits."""
    served(lab, Nth(40, lambda: time.sleep(8)))
    plain(lab)


def mid_dump(lab, act, slow=0.03):
    """act() is done while the disk is being written."""
    rule = Nth(40, lambda: None, slow)
    served(lab, rule)
    lab.boot()
    lab.nmi()
    rule.reached.wait(60)
    act()
    lab.over()


def unplugged_before(lab):
    lab.labelled()
    lab.noise(serial="LAB-2", nsid=1)
    lab.boot()
    lab.eject()
    die_and_look(lab)


def unplugged(lab):
    """QEMU (7.2) frees the queues while a CPU may be at their doorbells."""
    mid_dump(lab, lab.eject)


def not_master(lab):
    """The controller loses its bus mastering: it fails, and is reset."""
    def act():
        lab.monitor(f"o /w 0xcf8 {0x80000004 | lab.slot << 11:#x}")
        lab.monitor("o /h 0xcfc 2")
    mid_dump(lab, act)


def limit(lab):
    lab.options = ",limit=3"
    served(lab, Nth(20, lambda: None, slow=0.2))
    plain(lab)


class Fault:
    """What must come of it.

    says    on the console: of its boot where it is off, else its last line
    dump    None: no byte of any disk changes; "whole"; "part": savecore takes
            what is there
    tries   how often it is tried where QEMU itself dies of it
    """

    def __init__(self, run, says, dump=None, boots="xdump: ready", tries=1):
        self.run, self.says, self.dump, self.boots = run, says, dump, boots
        self.tries = tries


NOT = "xdump: nothing is written: "
DONE = r"xdump: dump complete: \d+ pages \(0 lost\).* "
NO_LABEL = "no disk has the label"
COPY = "two disks have the same label: one is a copy"
UNSAVED = "a dump that was not saved is there"
SMALL = "the range is too small or shorter than its label says"
FAULTS = {
    "unlabelled": Fault(unlabelled, None, boots="xdump: off: " + NO_LABEL),
    "foreign": Fault(foreign, None, boots="xdump: off: " + NO_LABEL),
    "cloned-boot": Fault(cloned_boot, None, boots="xdump: off: " + COPY),
    "cloned-boot-controller": Fault(cloned_boot_controller, None,
                                    boots="xdump: off: " + COPY),
    "cloned-panic": Fault(cloned_panic, NOT + COPY),
    "moved": Fault(moved, NOT + "the label is on another disk than at boot"),
    "torn": Fault(torn, NOT + NO_LABEL),
    "relabelled": Fault(relabelled, NOT + NO_LABEL),
    "shared": Fault(shared, None, boots="xdump: not .* shared"),
    "small": Fault(small, NOT + SMALL, boots="as it is, nothing would be written: " + SMALL),
    "full": Fault(full, r"xdump: the range is full: \d+ pages", "part"),
    "unsaved": Fault(unsaved, NOT + UNSAVED,
                     boots="as it is, nothing would be written: " + UNSAVED),
    "overwrite": Fault(overwrite, DONE, "whole"),
    "dry-run": Fault(dry_run, "xdump: dry run, nothing is written: ", boots="xdump: ready: .*, dry run"),
    "readonly": Fault(readonly, NOT + "the device refuses the triage record"),
    "error-some": Fault(error_some, DONE + "[1-9][0-9]* write errors", "whole"),
    "error-all": Fault(error_all, NOT + "the device refuses the triage record"),
    "error-later": Fault(error_later, r"xdump: the device refuses to be written: \d+ pages",
                         "part"),
    "error-flush": Fault(error_flush, "xdump: dump complete, but not flushed: ", "whole"),
    "error-read": Fault(error_read, NOT + NO_LABEL),
    "stall": Fault(stall, r"xdump: the device refuses to be written: \d+ pages", "part"),
    "stall-once": Fault(stall_once, DONE, "whole"),
    "unplugged-before": Fault(unplugged_before, NOT + NO_LABEL),
    "unplugged": Fault(unplugged, r"xdump: the device refuses to be written: \d+ pages",
                       "part", tries=5),
    "not-master": Fault(not_master, DONE, "whole"),
    "limit": Fault(limit, r"xdump: the time limit was reached: \d+ pages", "part"),
}
