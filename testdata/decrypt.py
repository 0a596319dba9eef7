#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Decrypts an encrypted dump by docs/DUMPFORMAT.md alone, in plain integers:
what the library does is held against this.

    decrypt.py DUMP [KEYFILE]

Prints one line for each segment: its type and the SHA-256 of its payload, in
clear.  Fails where a tag is wrong.  Of a dump that is not encrypted the same.
"""
import hashlib
import hmac
import struct
import sys

P = 2 ** 255 - 19
MASK = 0xffffffff
LABEL = b"mdb dump 1: X25519, HKDF-SHA256, ChaCha20-Poly1305"


def x25519(secret, point):
    k = bytearray(secret)
    k[0] &= 248
    k[31] = k[31] & 127 | 64
    k = int.from_bytes(k, "little")
    u = int.from_bytes(point, "little") & (1 << 255) - 1
    x2, z2, x3, z3, swapped = 1, 0, u, 1, 0
    for t in range(254, -1, -1):
        bit = k >> t & 1
        if swapped != bit:
            x2, x3, z2, z3 = x3, x2, z3, z2
        swapped = bit
        a, b, c, d = x2 + z2, x2 - z2, x3 + z3, x3 - z3
        aa, bb, da, cb = a * a % P, b * b % P, d * a % P, c * b % P
        e = aa - bb
        x3, z3 = (da + cb) ** 2 % P, u * (da - cb) ** 2 % P
        x2, z2 = aa * bb % P, e * (aa + 121665 * e) % P
    if swapped:
        x2, z2 = x3, z3
    return (x2 * pow(z2, P - 2, P) % P).to_bytes(32, "little")


def hkdf(salt, ikm, info):
    prk = hmac.new(salt, ikm, hashlib.sha256).digest()
    return hmac.new(prk, info + b"\1", hashlib.sha256).digest()


def chacha_block(key, counter, nonce):
    start = list(struct.unpack("<16I", b"expand 32-byte k" + key
                               + struct.pack("<I", counter) + nonce))
    x = start[:]
    for _ in range(10):
        for a, b, c, d in ((0, 4, 8, 12), (1, 5, 9, 13), (2, 6, 10, 14), (3, 7, 11, 15),
                           (0, 5, 10, 15), (1, 6, 11, 12), (2, 7, 8, 13), (3, 4, 9, 14)):
            for p, q, r, n in ((a, b, d, 16), (c, d, b, 12), (a, b, d, 8), (c, d, b, 7)):
                x[p] = x[p] + x[q] & MASK
                v = x[r] ^ x[p]
                x[r] = (v << n | v >> 32 - n) & MASK
    return struct.pack("<16I", *((a + b) & MASK for a, b in zip(x, start)))


def poly1305(key, data):
    r = int.from_bytes(key[:16], "little") & 0x0ffffffc0ffffffc0ffffffc0fffffff
    acc = 0
    for i in range(0, len(data), 16):
        acc = (acc + int.from_bytes(data[i:i + 16] + b"\1", "little")) * r % (2 ** 130 - 5)
    return (acc + int.from_bytes(key[16:], "little") & (1 << 128) - 1).to_bytes(16, "little")


def padded(data):
    return data + bytes(-len(data) % 16)


def opened(key, nonce, aad, data, tag):
    message = padded(aad) + padded(data) + struct.pack("<QQ", len(aad), len(data))
    if poly1305(chacha_block(key, 0, nonce)[:32], message) != tag:
        raise SystemExit("decrypt: a tag is wrong")
    stream = b"".join(chacha_block(key, 1 + i // 64, nonce) for i in range(0, len(data), 64))
    return bytes(a ^ b for a, b in zip(data, stream))


def key_of(keyfile, keys):
    """The dump's key; keys is its keys record."""
    with open(keyfile) as f:
        secret = bytes.fromhex([l for l in f if not l.startswith("#")][0].split()[1])
    public = x25519(secret, (9).to_bytes(32, "little"))
    assert hashlib.sha256(b"mdb dump key 1" + public).digest()[:8] == keys[8:16]
    return hkdf(LABEL, x25519(secret, keys[16:48]), keys[16:48] + public)


def payload_in_clear(header, payload, key):
    if not struct.unpack_from("<H", header, 82)[0] & 1:
        return payload
    clear = struct.unpack_from("<I", header, 112)[0]
    message = bytearray(header)
    for at, n in ((40, 8), (72, 8), (88, 16), (124, 4)):
        message[at:at + n] = bytes(n)
    return payload[:clear] + opened(key, bytes(4) + header[104:112],
                                    bytes(message) + payload[:clear], payload[clear:],
                                    header[88:104])


def segments(dump):
    at = 4096 if dump.startswith(b"\x8dmdbLBL\n") else 0
    while dump[at:at + 8] == b"\x8dmdbSEG\n":
        header = dump[at:at + 128]
        total, length = struct.unpack_from("<QQ", header, 48)
        yield header, dump[at + 128:at + 128 + length]
        at += total


def main():
    with open(sys.argv[1], "rb") as f:
        dump = f.read()
    key = None
    for header, payload in segments(dump):
        kind = struct.unpack_from("<H", header, 12)[0]
        if kind == 1 and len(sys.argv) > 2:
            # The first item behind the head.
            key = key_of(sys.argv[2], payload[128 + 16:128 + 16 + 64])
        clear = payload_in_clear(header, payload, key)
        print(kind, len(clear), hashlib.sha256(clear).hexdigest())


main()
