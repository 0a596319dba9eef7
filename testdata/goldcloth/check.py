#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Holds the goldcloth machine against the numbers of the session.

check.py CORE SYMBOLS-FOLDER KERNEL.btf XPV.btf

Reads the ELF core through its PAE page tables with code of its own, structures
by the offsets that the BTF states, and prints what is not as it should be.
"""
import struct
import sys

CR3 = 0x00BE1D00
bad = 0


def expect(what, got, wanted):
    global bad
    if got != wanted:
        bad += 1
        show = lambda v: hex(v) if isinstance(v, int) else repr(v)
        print(f"{what}: {show(got)}, not {show(wanted)}")


class Core:
    def __init__(self, path):
        self.f = open(path, "rb").read()
        phoff, = struct.unpack_from("<I", self.f, 28)
        phnum, = struct.unpack_from("<H", self.f, 44)
        self.loads, self.notes = [], b""
        for i in range(phnum):
            t, off, _, pa, fsz, *_ = struct.unpack_from("<8I", self.f, phoff + 32 * i)
            if t == 1:
                self.loads.append((pa, fsz, off))
            elif t == 4:
                self.notes = self.f[off:off + fsz]

    def phys(self, pa, n):
        for start, size, off in self.loads:
            if start <= pa and pa + n <= start + size:
                return self.f[off + pa - start:off + pa - start + n]
        raise KeyError(hex(pa))

    def vtop(self, va, cr3=CR3):
        entry, = struct.unpack("<Q", self.phys(cr3 + 8 * (va >> 30), 8))
        for shift in (21, 12):
            if not entry & 1:
                return None
            table = entry & 0xFFFFFF000
            entry, = struct.unpack("<Q", self.phys(table + 8 * (va >> shift & 511), 8))
            if shift == 21 and entry & 0x81 == 0x81:
                return (entry & 0xFFFE00000) + (va & 0x1FFFFF)
        return (entry & 0xFFFFFF000) + (va & 0xFFF) if entry & 1 else None

    def read(self, va, n, cr3=CR3):
        out = b""
        while len(out) < n:
            part = min(n - len(out), 4096 - (va + len(out)) % 4096)
            pa = self.vtop(va + len(out), cr3)
            if pa is None:
                raise KeyError(f"{va + len(out):x} is not mapped")
            out += self.phys(pa, part)
        return out

    def word(self, va):
        return struct.unpack("<I", self.read(va, 4))[0]

    def words(self, va, n):
        return list(struct.unpack(f"<{n}I", self.read(va, 4 * n)))

    def text(self, va):
        out = b""
        while not out.endswith(b"\0"):
            out += self.read(va + len(out), 1)
        return out[:-1].decode()


class Types:
    """Members of structures and types of variables, from BTF."""

    EXTRA = {1: 4, 3: 12, 14: 4, 17: 4}
    PER = {4: 12, 5: 12, 6: 8, 13: 8, 15: 12, 19: 12}

    def __init__(self, path):
        b = open(path, "rb").read()
        _, _, _, hl, to, tl, so, sl = struct.unpack_from("<HBBIIIII", b)
        t, s = b[hl + to:hl + to + tl], b[hl + so:hl + so + sl]
        name = lambda o: s[o:s.index(b"\0", o)].decode()
        self.structs, self.variables, self.typedefs = {}, {}, {}
        i, ids = 0, [("void", "", 0, {})]
        while i < len(t):
            n, info, size = struct.unpack_from("<III", t, i)
            kind, vlen, i = info >> 24 & 31, info & 0xFFFF, i + 12
            members = {}
            if kind in (4, 5):
                for k in range(vlen):
                    mn, mt, off = struct.unpack_from("<III", t, i + 12 * k)
                    members[name(mn)] = ((off & 0xFFFFFF) // 8, mt)
                self.structs[name(n)] = members
            ids.append((kind, name(n), size, members))
            i += self.PER.get(kind, 0) * vlen + self.EXTRA.get(kind, 0)
            if kind == 14:
                self.variables[name(n)] = size
            if kind == 8:
                self.typedefs[name(n)] = size
        self.ids = ids

    def at(self, path):
        """Offset of struct.member[.member...]."""
        first, *rest = path.split(".")
        members, off = self.structs[first], 0
        for m in rest:
            o, t = members[m]
            off += o
            members = self.ids[t][3]
        return off


def symbols(folder, name):
    out = {}
    for line in open(f"{folder}/{name}.txt"):
        value, size, _, sym = line.split()
        out[sym] = (int(value, 16), int(size, 16))
    return out


# Frame pointer, function and offset in it, arguments: the lines of the session.
KERNEL = """
c5a0901c page_ctr_sub_internal+0x9 0 0 f3328700 1
c5a0904c page_ctr_sub+0x47 0 0 f3328700 1
c5a090e4 page_get_mnode_freelist+0x3c1 0 10 0 0 20009
c5a09164 page_get_freelist+0x16f f502ed14 e5406000 0 c5a09224 e5406000 ...
c5a0a154 lofi_map_file+0xfc 2400000 c5a0a3e8 1 c5a0a800 cd326e78 80100403 ...
c5a0a360 lofi_ioctl+0x13e 2400000 4c4601 c5a0a3e8 80100403 cd326e78 ...
c5a0a38c cdev_ioctl+0x2e 2400000 4c4601 c5a0a3e8 80100403 cd326e78 c5a0a800
c5a0a3b4 ldi_ioctl+0xa4 dfb15310 4c4601 c5a0a3e8 80100403 cd326e78 c5a0a800
c5a0a804 xdb_setup_node+0xbc e52e1000 c5a0a84c
c5a0ac58 xdb_open_device+0xc9 e52e1000
c5a0ac88 xdb_start_connect+0x59 e52e1000
c5a0acbc xdb_oe_state_change+0x70 c66c9088 c57e5c40 0 c5a0ad70
c5a0acf8 ndi_event_run_callbacks+0x87 c54f0d80 c66c9088 c57e5c40 c5a0ad70 ...
"""
XEN = [(0xFFBF3F38, 0xFFBF3F48, 0xFF11B058), (0xFFBF3F48, 0xFFBF3F68, 0xFF1043F0),
       (0xFFBF3F68, 0xFFBF3F88, 0xFF10435C), (0xFFBF3F88, 0xFFBF3FA8, 0xFF10438B),
       (0xFFBF3FA8, 0x0040C037, 0xFF17DAF1)]
XEN_FUNCTIONS = {"panic": 0xFF13B80C, "dom0_shutdown": 0xFF11B015, "domain_shutdown": 0xFF1043CE,
                 "__domain_crash": 0xFF1042BF, "__domain_crash_synchronous": 0xFF104366}


def dropped(c, pc):
    """Words that the code at a return address takes off the stack."""
    b = c.read(pc, 3)
    if b[0] == 0x59:
        return 1
    return b[2] // 4 if b[:2] == b"\x83\xc4" else 0


def called(c, pc):
    b = c.read(pc - 5, 5)
    if b[0] == 0xE8:
        return (pc + struct.unpack("<i", b[1:])[0]) & 0xFFFFFFFF
    return 0 if b[2] == 0xFF and b[3] >> 3 & 7 == 2 or b[3] == 0xFF and b[4] >> 3 & 7 == 2 else None


def walk(c, fp, pc):
    """[fp, pc, words of arguments or None] from a frame outwards."""
    out = []
    while fp:
        nxt, ret = c.words(fp, 2)
        out.append((fp, pc, dropped(c, ret) if nxt else None))
        if not nxt:
            break
        if nxt <= fp:
            return out + [("falls", nxt, 0)]
        fp, pc = nxt, ret
    return out


def check_hypervisor(c, sym, types):
    for fp, nxt, ret in XEN:
        expect(f"frame {fp:x}", c.words(fp, 2), [nxt, ret])
        expect(f"arguments behind {ret:x}", dropped(c, ret), 0)
        expect(f"a call before {ret:x}", called(c, ret) is not None, True)
    for name, value in XEN_FUNCTIONS.items():
        expect(name, sym[name][0], value)
    covers = [n for n, (v, s) in sym.items() if s and v <= 0xFF17DAF1 < v + s]
    expect("sized symbols at ff17daf1", covers, [])
    for pc, wanted in ((0xFF13B83F, "panic"), (0xFF11B058, "dom0_shutdown")):
        expect(f"symbol at {pc:x}", [n for n, (v, s) in sym.items() if v <= pc < v + s], [wanted])
    expect("ffbf3fc8,4/X", c.words(0xFFBF3FC8, 4), [0xC5A0901C, 0, 0xE0002, 0xF4C76E9D])
    expect("usp", c.word(0xFFBF3FE0), 0xC5A08FE0)
    expect("processor, vcpu", c.words(0xFFBF3FF8, 2), [2, 0xFFBE1100])
    expect("machine address of the vcpu", c.vtop(0xFFBE1100), 0xBE1100)
    expect("vcpu_id", c.word(0xFFBE1100 + types.at("vcpu.vcpu_id")), 0)
    domain = c.word(0xFFBE1100 + types.at("vcpu.domain"))
    expect("domain_id", c.word(domain + types.at("domain.domain_id")) & 0xFFFF, 0)
    expect("dom0", c.word(sym["dom0"][0]), domain)


def check_stack(c, sym):
    chain = walk(c, 0xC5A0901C, 0xF4C76E9D)
    lines = {fp: (pc, args) for fp, pc, args in chain}
    expect("start of page_ctr_sub_internal", sym["page_ctr_sub_internal"][0], 0xF4C76E94)
    expect("its code", c.read(0xF4C76E94, 12).hex(), "5589e583ec3083e4f0535657")
    for line in KERNEL.split("\n")[1:-1]:
        fp, where, *args = line.split()
        fp, (name, off) = int(fp, 16), where.split("+")
        pc = sym[name][0] + int(off, 16)
        expect(f"pc at {fp:x} ({name})", lines.get(fp, (0, 0))[0], pc)
        expect(f"pc within {name}", int(off, 16) < sym[name][1], True)
        more = args[-1] == "..."
        args = [int(a, 16) for a in args if a != "..."]
        nr = lines.get(fp, (0, 0))[1]
        expect(f"arguments of {name}", nr > len(args) if more and nr < 6 else nr >= len(args) if more else nr, True if more else len(args))
        expect(f"{name}'s arguments", c.words(fp + 8, len(args)), args)
    check_sizes(c, [fp for fp, _, _ in chain], {n: v for n, v in sym.items()})
    for fp, pc, _ in chain[1:]:
        expect(f"a call before {pc:x}", called(c, pc) is not None, True)
        expect(f"a symbol at {pc:x}", any(v <= pc < v + s for v, s in sym.values()), True)
    for (_, pc, _), (_, outer, _) in zip(chain, chain[1:]):
        to = called(c, outer)
        expect(f"call before {outer:x} leads to {pc:x}'s function",
               not to or any(v == to and v <= pc < v + s for v, s in sym.values()), True)
    expect("last frame", (chain[-1][0], c.words(chain[-1][0], 2)), (0xC5A0ADD8, [0, 0]))


def check_sizes(c, fps, sym):
    sizes = {b: b - a for a, b in zip(fps, fps[1:])}
    expect("size of xdb_setup_node's frame", sizes[0xC5A0A804], 1104)
    expect("size of xdb_open_device's frame", sizes[0xC5A0AC58], 1108)
    expect("lofi_map_file to lofi_ioctl", sizes[0xC5A0A360], 524)
    gap = [s for fp, s in sizes.items() if 0xC5A09164 < fp <= 0xC5A0A154]
    expect("the cut gap", (sum(gap), len(gap) >= 5, max(gap) < 1000), (4080, True, True))
    expect("two largest", sorted(sizes, key=sizes.get)[-2:], [0xC5A0A804, 0xC5A0AC58])
    expect("frames ascend", fps, sorted(fps))
    expect("c5a08000 is not mapped", (c.vtop(0xC5A08000), c.vtop(0xC5A08FDC)), (None, None))
    first = c.read(0xC5A09000, 1)[0]
    expect("c5a09000 looks like no text", first == 0 or 32 <= first < 127, False)


def check_kernel(c, sym, types):
    u = sym["utsname"][0]
    got = [c.text(u + types.at(f"utsname.{n}")) for n in ("sysname", "nodename", "release", "version", "machine")]
    expect("utsname", got, ["SunOS", "goldcloth", "5.11", "matrix-build-2007-04-02", "i86pc"])
    wanted = {"xv_ver": (0xCCAD8FC0, "3.0.4-1-sun"),
              "xv_chgset": (0xCCAD1F80, "Fri Jan 05 16:11:49 2007 +0000 13187:e2466414acc3"),
              "xv_compiler": (0xCCACFFC0, "gcc version 3.4.3 (csl-sol210-3_4-20050802)"),
              "xv_compile_date": (0xCCAD6F08, "Mon Apr  2 06:59:37 PDT 2007"),
              "xv_compile_by": (0xCCAD8FA0, "xen-discuss"),
              "xv_compile_domain": (0xCCAD8F80, ""),
              "xv_caps": (0xCCAD8F60, "xen-3.0-x86_32p")}
    expect("members of xenver", list(types.structs["xenver"]), list(wanted))
    for name, (value, text) in wanted.items():
        p = c.word(sym["xenver"][0] + types.at(f"xenver.{name}"))
        expect(name, (p, c.text(p)), (value, text))
    for name in ("utsname", "xenver", "modules", "cpu_list"):
        expect(f"a type for {name}", name in types.variables, True)
    for name in ("kthread_t", "cpu_t", "proc_t"):
        expect(f"type {name}", name in types.typedefs, True)
    expect("t_stkbase", c.word(0xC5A0ADE0 + types.at("_kthread.t_stkbase")), 0xC5A09000)


CPUS = [(0xF50454B8, 0x1B, 0, 0, 60, 0, 0, 0xC5A0ADE0, "sched"), (0xC5423080, 0x1B, 1, 0, 59, 1, 0, 0xC6178EE0, "python2.4"),
        (0xC5A71A80, 0x1B, 0, 0, 59, 0, 0, 0xC617CAC0, "xenstored"), (0xC5A70A00, 0x1B, 1, 0, -1, 0, 0, 0xC5AFDDE0, "sched")]


def check_cpus(c, sym, types):
    cpu = c.word(sym["cpu_list"][0])
    byte = lambda a: c.read(a, 1)[0]
    short = lambda a: struct.unpack("<h", c.read(a, 2))[0]
    for i, wanted in enumerate(CPUS):
        m = lambda n: cpu + types.at(f"cpu.{n}")
        disp, thread = c.word(m("cpu_disp")), c.word(m("cpu_dispthread"))
        proc = c.word(thread + types.at("_kthread.t_procp"))
        expect(f"cpu {i}", (cpu, c.word(m("cpu_flags")), c.word(disp + types.at("_disp.disp_nrunnable")),
                            c.word(m("cpu_base_spl")), short(m("cpu_dispatch_pri")), byte(m("cpu_runrun")),
                            byte(m("cpu_kprunrun")), thread, c.text(proc + types.at("proc.p_user.u_comm"))), wanted)
        expect(f"id of cpu {i}", c.word(m("cpu_id")), i)
        expect(f"switch of cpu {i}", c.word(m("cpu_last_swtch")), c.word(sym["panic_lbolt"][0]))
        if i == 3:
            expect("cpu 3 idles", thread, c.word(m("cpu_idle_thread")))
        cpu = c.word(m("cpu_next"))
    expect("cpus are a circle", cpu, CPUS[0][0])


MODULES = ("unix genunix specfs dtrace xpv_psm scsi_vhci ufs ip hook neti sctp arp usba fctl nca lofs zfs "
           "random sppp ptm nfs md logindmux xpv").split()


def check_modules(c, folder, sym, types):
    first = mod = sym["modules"][0]
    names = []
    while len(names) < 100:
        m = lambda n: c.word(mod + types.at(f"modctl.{n}"))
        name, mp = c.text(m("mod_modname")), m("mod_mp")
        names.append(name)
        f = lambda n: c.word(mp + types.at(f"module.{n}"))
        expect(f"text of {name}", (f("text"), f("text_size")), (m("mod_text"), m("mod_text_size")))
        own, tbl = symbols(folder, name), f("symtbl")
        expect(f"number of {name}'s symbols", f("nsyms") >= len(own), True)
        for k in (1, f("nsyms") - 1):
            n, value, size = c.words(tbl + 16 * k, 3)
            text = c.text(f("strings") + n)
            expect(f"symbol {k} of {name}", (value, size), own.get(text))
        mod = m("mod_next")
        if mod == first:
            break
    expect("modules", names, MODULES)


def check_log(c, sym, types):
    q = c.word(sym["log_recentq"][0])
    m, lines = c.word(q + types.at("queue.q_first")), []
    while m and len(lines) < 1000:
        b = c.word(m + types.at("msgb.b_cont"))
        lines.append(c.text(c.word(b + types.at("msgb.b_rptr"))).rstrip("\n"))
        m = c.word(m + types.at("msgb.b_next"))
    return lines


def main(core, folder, kernel_btf, xpv_btf):
    c, kernel, xpv = Core(core), Types(kernel_btf), Types(xpv_btf)
    xsym = symbols(folder, "xpv")
    sym = {}
    for name in MODULES[:-1]:
        for n, v in symbols(folder, name).items():
            if n not in ("_init", "_info", "_fini"):
                expect(f"{n} is one", n in sym, False)
                sym[n] = v
    expect("cpus", sym["cpus"][0], 0xF50454B8)
    expect("kvp", sym["kvp"][0], 0xF502ED14)
    check_hypervisor(c, xsym, xpv)
    check_stack(c, sym)
    check_kernel(c, sym, kernel)
    check_cpus(c, sym, kernel)
    check_modules(c, folder, sym, kernel)
    lines = check_log(c, sym, kernel)
    banner = lines.index("Xen panic[cpu2]/vcpu=0xffbe1100: Domain 0 crashed: ")
    for k, text in enumerate(sys.stdin.read().split("\n")):
        if text:
            expect(f"line {k} of the log", lines[banner + k], text)
    return 1 if bad else 0


sys.exit(main(*sys.argv[1:]))
