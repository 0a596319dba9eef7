# SPDX-License-Identifier: MIT
"""CPUs, memory, kinds of panic, hypervisors: each pair of values is in one of
the rows, of those hypervisors that are there; all of them with FULL=1.
"""
import itertools
import os

SMP = (1, 2, 4)
MEM = (512, 1024, 4096)
HOW = ("nmi", "hypercall", "crash")
HV = ("4.17.5-xdump", "4.17.5-xdumpdebug", "4.20.3-xdump", "4.20.3-xdumpdebug")
DOM0 = {"nmi": "i", "hypercall": "h", "crash": "c"}


def pairs(hypervisors):
    """Rows until every pair of values was there; greedy, always the same."""
    axes = (hypervisors, HOW, SMP, MEM)
    every = list(itertools.product(*axes))

    def pairs_of(row):
        return {(i, row[i], j, row[j]) for i, j in itertools.combinations(range(4), 2)}
    left = set().union(*map(pairs_of, every))
    chosen = []
    while left:
        best = max(every, key=lambda row: len(pairs_of(row) & left))
        left -= pairs_of(best)
        chosen.append(best)
    return chosen


def name_of(row):
    hv, how, smp, mem = row
    return f"{hv}-{how}-{smp}cpu-{mem}M"


def taker(row):
    hv, how, smp, mem = row

    def take(new):
        lab = new(hv=hv)
        lab.smp, lab.mem, lab.dom0 = smp, mem, DOM0[how]
        try:
            lab.labelled(size="256M")
            lab.noise()
            lab.boot()
            if how == "nmi":
                lab.nmi()
            lab.over(300)
        finally:
            lab.close()
        lab.facts["row"] = {"how": how, "smp": smp, "mem": mem}
        lab.savecore()
        lab.finish()
    return take


def rows(full, cache):
    there = [hv for hv in HV if os.path.exists(f"{cache}/xen-{hv}/.done")]
    for hv in set(HV) - set(there):
        print(f"lab: no hypervisor {hv} in {cache}, no row of it: make setup-lab")
    chosen = itertools.product(there, HOW, SMP, MEM) if full else pairs(there)
    return {name_of(row): taker(row) for row in chosen}
