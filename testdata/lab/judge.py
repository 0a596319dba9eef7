# SPDX-License-Identifier: MIT
"""What savecore and mdb make of a dump, beside the machine's own memory."""
import os
import re
import subprocess

DIRECT_MAP = 0xffff830000000000
# mdb's words for what is the hypervisor's, which goes on during the dump.
OURS = re.compile("hypervisor|stack of CPU|Xen heap")


def run(*command):
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          text=True, errors="replace", check=False)
    return done.returncode, done.stdout


def mdb(bin_dir, dump, commands):
    return run(f"{bin_dir}/mdb", "-e", commands, dump)[1]


def saved(bin_dir, device, folder):
    """The dump's file (or None), and what savecore said."""
    code, text = run(f"{bin_dir}/savecore", device, folder)
    name = re.search(r"^(\S+/vmcore\.\d+): ", text, re.M)
    return name.group(1) if name and code == 0 else None, text


def pages(bin_dir, dump, raw):
    """Each page of the dump that can be read, beside the machine's memory:
    how many are the same, which ones differ, how many cannot be read."""
    done = subprocess.run([f"{bin_dir}/cmpdump", "-r", dump, raw], stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True, check=False)
    tally = re.search(r"same (\d+) excluded (\d+) bad (\d+)", done.stdout)
    differ = [int(f, 16) for f in re.findall(r"^(0x[0-9a-f]+): differs", done.stderr, re.M)]
    return {"same": int(tally.group(1)) if tally else None, "differ": differ,
            "bad": int(tally.group(3)) - len(differ) if tally else None}


def not_ours(bin_dir, dump, frames):
    """Of the frames that differ, what mdb says of those that are not the
    hypervisor's."""
    if not frames:
        return []
    said = mdb(bin_dir, dump, "; ".join(f"{DIRECT_MAP + f:x}::whatis" for f in frames))
    lines = [line for line in said.splitlines() if "machine frame" in line or "stack of" in line]
    odd = [line for line in lines if not OURS.search(line)]
    return odd if len(lines) >= len(frames) else odd + [f"{len(lines)} of {len(frames)} answers"]


def judge(bin_dir, device, folder, raw, keep=False):
    """All of it, of a device."""
    dump, text = saved(bin_dir, device, folder)
    result = {"savecore": text, "opened": dump is not None}
    if dump:
        result["status"] = mdb(bin_dir, dump, "::status")
        result |= pages(bin_dir, dump, raw)
        if not keep:
            os.unlink(dump)
    return result
