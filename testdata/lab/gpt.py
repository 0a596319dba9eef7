# SPDX-License-Identifier: MIT
"""A disk with a partition table around a partition for dumps: UEFI 2.10, 5.3.
Its neighbours are full of bytes that nobody may change.
"""
import os
import struct
import uuid
import zlib

OURS = "a603c4b7-7329-4982-9fd4-5527125f229e"
LINUX = "0fc63daf-8483-4772-8e79-3d69d8477de4"
NEIGHBOUR = 4 << 20
FRONT = 1 << 20
NR, ENTRY = 128, 128


def entry(kind, first, last):
    return struct.pack("<16s16sQQQ72s", uuid.UUID(kind).bytes_le, uuid.uuid4().bytes_le,
                       first, last, 0, "lab".encode("utf-16-le"))


def header(at, other, entries_at, usable, entries):
    def pack(crc):
        return struct.pack("<8sIIIIQQQQ16sQIII", b"EFI PART", 0x10000, 92, crc, 0, at, other,
                           *usable, uuid.uuid5(uuid.NAMESPACE_OID, "lab").bytes_le,
                           entries_at, NR, ENTRY, zlib.crc32(entries))
    return pack(zlib.crc32(pack(0)))


def make(path, sector):
    """The file becomes a partition of a disk in its place."""
    with open(path, "rb") as f:
        ours = f.read()
    first = (FRONT + NEIGHBOUR) // sector
    end = first + len(ours) // sector
    table = NR * ENTRY // sector
    nr = end + (NEIGHBOUR + FRONT) // sector
    usable = (2 + table, nr - table - 2)
    entries = (entry(LINUX, FRONT // sector, first - 1) + entry(OURS, first, end - 1)
               + entry(LINUX, end, end + NEIGHBOUR // sector - 1)).ljust(NR * ENTRY, b"\0")
    mbr = bytearray(sector)
    mbr[446:462] = struct.pack("<BBBBBBBBII", 0, 0, 2, 0, 0xee, 255, 255, 255, 1, nr - 1)
    mbr[510:512] = b"\x55\xaa"
    with open(path, "wb") as f:
        f.write(mbr + header(1, nr - 1, 2, usable, entries).ljust(sector, b"\0") + entries)
        f.seek(FRONT)
        f.write(os.urandom(NEIGHBOUR) + ours + os.urandom(NEIGHBOUR))
        f.seek((nr - 1 - table) * sector)
        f.write(entries + header(nr - 1, 1, nr - 1 - table, usable, entries).ljust(sector, b"\0"))


def around(path):
    """All bytes but the partition's."""
    with open(path, "rb") as f:
        before = f.read(FRONT + NEIGHBOUR)
        f.seek(-(FRONT + NEIGHBOUR), os.SEEK_END)
        return before + f.read()


def extract(path):
    """The partition takes the disk's place."""
    with open(path, "rb") as f:
        f.seek(FRONT + NEIGHBOUR)
        ours = f.read()[:-(FRONT + NEIGHBOUR)]
    with open(path, "wb") as f:
        f.write(ours)
