#!/bin/bash
# SPDX-License-Identifier: MIT
# The real thing: Xen with the dump writer in it and a Linux domain 0 panic
# inside a hypercall, savecore takes the dump off the namespace, mdb shows it.
# On a terminal the session is the user's.
#
#	demo.sh CACHE OUT BIN
set -eu
cache=$1 out=$2 bin=$3
here=$(cd "$(dirname "$0")" && pwd)
commands='::status; $C; ::domain; ::ps; ::xenmsg; xenver::print'

title()
{
	printf '\n==== %s\n\n' "$1"
}

[ -e "$cache/xen-4.17.5-xdump/.done" ] || {
	echo "lab-demo: no hypervisor 4.17.5-xdump in $cache: make setup-lab" >&2
	exit 1
}
title "Xen 4.17.5 with the writer, Linux 6.1: booted, and dead inside a hypercall"
python3 "$here/xen.py" --cache "$cache" --out "$out" --bin "$bin" \
    --xen "$cache/xen-4.17.5-xdump/xen" --branch 4.17 --xdump=256M --wait=900 hypercall
grep -a -e ') xdump:' -e 'Panic on CPU' -e 'FATAL TRAP' "$out/console.log" | tr -d '\r'
title "After the reboot: savecore takes the dump off the namespace"
cat "$out/savecore"
[ -e "$out/vmcore.0" ] || exit 1
title "mdb vmcore.0"
if [ -t 0 ] && [ -t 1 ]; then
	printf 'Such as: %s\n\n' "$commands"
	exec "$bin/mdb" "$out/vmcore.0"
fi
exec "$bin/mdb" -e "$commands" "$out/vmcore.0"
