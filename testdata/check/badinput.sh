#!/bin/bash
# Bad input: one clear line or a marked partial answer; never a crash, a hang
# or a second story.  Runs the real program.
set -u
export LC_ALL=C HOME=/nonexistent
O=${O:-build/release}
mdb=$O/bin/mdb
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
data=../shared/data/linux-kdump.lzo

# expect NAME STATUS PATTERN ARGS...: status, and one line on stderr that matches
expect() {
	local name=$1 want=$2 pattern=$3 status
	shift 3
	timeout 20 "$mdb" -S "$@" >"$work/out" 2>"$work/err" </dev/null
	status=$?
	if [ "$status" = "$want" ] && [ "$(wc -l <"$work/err")" = 1 ] && grep -Eq "$pattern" "$work/err"; then
		echo "ok badinput-$name"
	else
		echo "not ok badinput-$name: status $status (wanted $want)"
		sed 's/^/#  /' "$work/err" | head -5
	fi
}

# ^C ends what is being opened: 8 GiB of zeros, compressed, in many members.
interrupt() {
	local status
	head -c 64M /dev/zero | gzip -1 >"$work/member"
	for _ in $(seq 128); do cat "$work/member"; done >"$work/zeros.gz"
	timeout -k 5 -s INT 1 "$mdb" "$work/zeros.gz" -e '::status' >/dev/null 2>&1 </dev/null
	status=$?
	if [ "$status" = 124 ]; then
		echo "ok badinput-interrupted-while-opening"
	else
		echo "not ok badinput-interrupted-while-opening: status $status (wanted 124)"
	fi
}
case $O in
*asan*) echo "skipped badinput-interrupted-while-opening: this build unpacks too little to be interrupted" ;;
*) interrupt ;;
esac
rm -f "$work/member" "$work/zeros.gz"

: >"$work/empty"
echo 'some text, no dump' >"$work/text"
head -c 100000 /dev/urandom >"$work/noise"
printf '\177ELF' >"$work/elf4"
printf 'KDUMP   ' >"$work/kdump8"
mkdir "$work/dir"
expect empty 2 'empty: .*empty' "$work/empty"
expect text 2 'text: .*no known dump' "$work/text"
expect noise 2 'noise: .*no known dump' "$work/noise"
expect elf-magic-alone 2 'elf4: ' "$work/elf4"
expect kdump-magic-alone 2 'kdump8: ' "$work/kdump8"
expect directory 2 'dir: .*directory' "$work/dir"
expect missing 2 'nothere: .*No such file' "$work/nothere"
expect no-argument 2 'mdb: '
expect program-as-dump 2 'mdb: ' "$mdb"

# survive NAME FILE: whatever the answer, an answer, in time, without a signal
survive() {
	timeout 20 "$mdb" -S -e '::status; $C; ::ps; ::msgbuf; ::stacks' "$2" >"$work/out" 2>"$work/err" </dev/null
	status=$?
	[ "$status" -le 2 ] && return 0
	echo "not ok badinput-$1: status $status"
	tail -5 "$work/err" | sed 's/^/#  /'
	return 1
}

"$O/bin/mkdump" testdata/dumps/shared-tables.txt "$work/tables"
survive shared-tables "$work/tables" && echo "ok badinput-shared-tables"

if [ -r "$data" ]; then
	# Cut at 200 places, longest first, so that one copy is enough.
	size=$(stat -c %s "$data")
	cp "$data" "$work/cut"
	bad=0
	for at in $({ awk -v n="$size" 'BEGIN {srand(2); for (i = 0; i < 190; i++) print int(rand() * n)}'
		echo 0; echo 1; echo 8; echo 464; echo 4096; echo 4097; echo 8192; echo 12288; echo 65536; echo $((size - 1)); } | sort -rn | uniq); do
		truncate -s "$at" "$work/cut"
		survive "cut-at-$at" "$work/cut" || bad=$((bad + 1))
	done
	[ "$bad" = 0 ] && echo "ok badinput-cut-at-200-places"

	# Bytes changed at random, one more each time.
	bad=0
	cp "$data" "$work/bent"
	awk 'BEGIN {
		srand(3)
		split("16384 400000 24000000", reach, " ")
		for (i = 0; i < 40; i++)
			print int(rand() * reach[1 + int(rand() * 3)]), int(rand() * 256)
	}' >"$work/places"
	while read -r at byte; do
		printf "\\$(printf %o "$byte")" | dd of="$work/bent" bs=1 seek="$at" conv=notrunc 2>/dev/null
		survive "byte-$at" "$work/bent" || bad=$((bad + 1))
	done <"$work/places"
	[ "$bad" = 0 ] && [ "$(wc -l <"$work/places")" = 40 ] && echo "ok badinput-40-bytes-changed"
	# Any ELF with another build-id will do.
	expect wrong-vmlinux 2 'build-id [0-9a-f]{40}.*[0-9a-f]{40}' "$mdb" "$data"
	expect wrong-vmlinux-behind 2 'build-id [0-9a-f]{40}.*[0-9a-f]{40}' "$data" "$mdb"
else
	echo "skipped badinput-real: no ../shared/data"
fi
