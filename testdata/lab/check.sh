#!/bin/bash
# SPDX-License-Identifier: MIT
# Ask mdb about all that the lab took, two folders at a time (LAB_JOBS): what
# each check says, one behind the other, ends with "N passed, N failed, N
# skipped".
#
#	check.sh BIN LAB CACHE [name...]
set -eu
here=$(cd "$(dirname "$0")" && pwd)
bin=$1
lab=$2
cache=$3
shift 3
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# job NAME COMMAND...: one more line for xargs; its words have no blanks.
job()
{
	local name=$1
	shift
	echo "$name" >>"$work/names"
	echo "$* >$work/$name.log 2>&1 || touch $work/failed" >>"$work/jobs"
}

: >"$work/jobs"
: >"$work/names"
job linux python3 "$here/check-lab.py" "$bin/mdb" "$bin/cmpdump" "$lab" "$@"
if [ $# = 0 ]; then
	job corners python3 "$here/corners.py" --xen "$cache/xen-4.17.5-xdumptest/xen" --bin "$bin" --out "$lab/corners"
	names=$(cd "$lab" && echo xen-*)
else
	names=$*
fi
for name in $names; do
	[ ! -e "$lab/$name/.done" ] || case $name in
	xen-*) job "$name" python3 "$here/check-xen.py" "$bin/mdb" "$lab" "$name" ;;
	esac
done
grep -q check-xen "$work/jobs" || [ $# != 0 ] || job xen python3 "$here/check-xen.py" "$bin/mdb" "$lab"
job light python3 "$here/check-xdump.py" "$bin/mdb" "$lab" "$@"
xargs -P "${LAB_JOBS:-2}" -d '\n' -n 1 bash -c <"$work/jobs"
while read -r name; do
	cat "$work/$name.log"
done <"$work/names" | awk -v failed="$(test ! -e "$work/failed"; echo $?)" '
	/^[0-9]+ passed, [0-9]+ failed, [0-9]+ skipped$/ {
		passed += $1
		nr_failed += $3
		skipped += $5
		next
	}
	{ print }
	END {
		if (failed && !nr_failed)
			nr_failed = 1
		printf "%d passed, %d failed, %d skipped\n", passed, nr_failed, skipped
		exit nr_failed != 0
	}'
