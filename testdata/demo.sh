#!/bin/sh
# The whole way, panic to diagnosis: the machine goldcloth (testdata/goldcloth)
# gets a dump device, panics onto it, reboots; savecore takes the dump; mdb
# opens it, and an engineer types the session.  Then a first session on Linux.
# Fails when a step does or when an answer is not what it must be.
set -u
top=$PWD
O=${O:-build/release}
bin=$top/$O/bin
out=$O/demo/goldcloth
PATH=$bin:$PATH

title() {
	printf '\n==== %s\n\n' "$1"
}

run() {
	printf 'fsh-trout# %s\n' "$*"
	"$@" || { echo "demo: '$*' failed" >&2; exit 1; }
}

rm -rf "$out"
mkdir -p "$out/crash" && cd "$out" || exit 1
title "A dump device: the hypervisor writes nowhere else"
run dumpadm label -s 64M -p "panics of goldcloth" dump-device
run dumpadm show dump-device
title "Domain 0 overruns a kernel stack, and the hypervisor panics"
goldcloth dump-device || exit 1
title "After the reboot: the dump becomes files"
run savecore dump-device crash
run savecore -L dump-device
cd crash || exit 1
run ls -l
title "mdb *0"
python3 "$top/testdata/goldcloth/session.py" --show "$bin/mdb" unix.0 vmcore.0 || exit 1
title "What any other tool sees of unix.0"
run sh -c 'nm unix.0 | grep page_ctr'
cd "$top" || exit 1
title "A first session on a Linux kernel"
O=$O DUMP=${DUMP:-} exec sh testdata/demo-linux.sh
