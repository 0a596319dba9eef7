#!/bin/bash
# dumpadm: what it labels, refuses, shows and clears, and that it writes nowhere
# but at its own places.
set -u
O=${O:-build/release}
adm=$O/bin/dumpadm
here=$(mktemp -d) || exit 1
trap 'rm -rf "$here"' EXIT
dev=$here/dev

ok() {
	local name=$1
	shift
	if "$@"; then echo "ok $name"; else echo "not ok $name"; fi
}

# Exit status, and exactly one line on standard error that has the words.
fails() {
	local status=$1 words=$2
	shift 2
	"$@" >"$here/out" 2>"$here/err"
	[ $? = "$status" ] && [ "$(wc -l <"$here/err")" = 1 ] && grep -q "$words" "$here/err" && return
	cat "$here/err"
	return 1
}

makes_a_file() {
	"$adm" label -s 2M -p 'the test' "$dev" >/dev/null &&
		[ "$(stat -c %s "$dev")" = 2097152 ] &&
		[ "$(stat -c %b "$dev")" -ge 4096 ] &&
		"$adm" show "$dev" | grep -qx 'label      whole' &&
		"$adm" show "$dev" | grep -qx 'purpose    the test' &&
		"$adm" show "$dev" | grep -qx 'dump       none'
}

makes_a_file_for_long_sectors() {
	rm -f "$dev"
	! "$adm" label -b 4096 "$dev" >/dev/null 2>&1 &&
		! "$adm" label -s 2M -b 1024 "$dev" >/dev/null 2>&1 &&
		[ ! -e "$dev" ] &&
		"$adm" label -s 2M -b 4096 "$dev" >/dev/null &&
		"$adm" show -v "$dev" | grep -q '4096-byte sectors' &&
		rm "$dev"
}

labels_differ_in_copy_only() {
	cmp -l <(head -c 4092 "$dev") <(tail -c 4096 "$dev" | head -c 4092) | awk '$1 != 13 {bad = 1} END {exit bad}'
}

json() {
	"$adm" show -o json "$dev" >"$here/json" &&
		python3 -c '
import json, sys
d = json.load(open(sys.argv[1]))
assert d["label"] == "whole" and d["dump"] == "none" and d["bytes"] == 2 << 20, d
assert d["purpose"] == "the test" and len(d["uuid"]) == 36, d' "$here/json"
}

# Bytes that the label does not need stay.
writes_only_its_places() {
	head -c 2097152 /dev/urandom >"$dev" && cp "$dev" "$here/before" &&
		"$adm" label "$dev" >/dev/null &&
		cmp <(tail -c +4097 "$dev" | head -c $((2097152 - 8192))) <(tail -c +4097 "$here/before" | head -c $((2097152 - 8192))) &&
		"$adm" clear "$dev" &&
		cmp <(tail -c +4097 "$dev" | head -c $((2097152 - 8192))) <(tail -c +4097 "$here/before" | head -c $((2097152 - 8192))) &&
		cmp <(head -c 4096 "$dev") <(head -c 4096 /dev/zero) &&
		cmp <(tail -c 4096 "$dev") <(head -c 4096 /dev/zero)
}

refuses_foreign() {
	local words=$1
	shift
	rm -f "$dev"
	truncate -s 16M "$dev" && "$@" >/dev/null 2>&1 || { echo "skipped dumpadm-refuses-${words// /-}: no ${1##*/}"; return; }
	cp --sparse=always "$dev" "$here/before"
	ok "dumpadm-refuses-${words// /-}" eval 'fails 1 "'"$words"'" "$adm" label "$dev" && cmp -s "$dev" "$here/before" && "$adm" label --force "$dev" >/dev/null'
}

# One primary partition, type 83, from sector 2048.
mbr() {
	printf '\0\0\0\0\203\0\0\0\0\010\0\0\0\100\0\0' | dd of="$1" bs=1 seek=446 conv=notrunc status=none &&
		printf '\125\252' | dd of="$1" bs=1 seek=510 conv=notrunc status=none
}

one_copy_is_enough() {
	rm -f "$dev"
	"$adm" label -s 2M "$dev" >/dev/null
	dd if=/dev/zero of="$dev" bs=4096 count=1 conv=notrunc status=none
	"$adm" show -v "$dev" | grep -qx 'copies     last only' || return 1
	"$adm" label "$dev" >/dev/null && "$adm" show "$dev" | grep -qx 'label      whole'
}

conflict_is_said() {
	rm -f "$dev" "$here/dev2"
	"$adm" label -s 2M "$dev" >/dev/null && "$adm" label -s 2M "$here/dev2" >/dev/null || return 1
	tail -c 4096 "$here/dev2" | dd of="$dev" bs=4096 seek=511 conv=notrunc status=none
	fails 1 'no whole label' "$adm" show "$dev" && grep -q 'label      conflict' "$here/out"
}

sizes() {
	"$adm" size -m 64G -c all | grep -q '^32.1G is enough' &&
		fails 1 'too small' "$adm" size -m 64G "$dev" &&
		fails 2 'not one of' "$adm" size -c nonsense &&
		"$adm" size -m 1M -c hypervisor >/dev/null
}

busy() {
	local loop status
	rm -f "$dev"
	truncate -s 16M "$dev"
	loop=$(losetup -f --show "$dev" 2>/dev/null) || { echo "skipped dumpadm-block-device: no loop device"; return; }
	ok dumpadm-block-device eval '"$adm" label "$loop" >/dev/null && "$adm" show "$loop" | grep -q "block device, 16M"'
	"$adm" clear "$loop"
	mkfs.ext4 -q "$loop" 2>/dev/null && mkdir "$here/mnt" && mount "$loop" "$here/mnt" 2>/dev/null
	status=$?
	if [ "$status" = 0 ]; then
		ok dumpadm-refuses-mounted fails 2 'in use' "$adm" label --force "$loop"
		umount "$here/mnt"
	else
		echo "skipped dumpadm-refuses-mounted: cannot mount"
	fi
	losetup -d "$loop"
}

PATH=$PATH:/sbin:/usr/sbin
ok dumpadm-makes-a-file-for-long-sectors makes_a_file_for_long_sectors
ok dumpadm-makes-a-file makes_a_file
ok dumpadm-copies labels_differ_in_copy_only
ok dumpadm-json json
ok dumpadm-exists fails 1 'exists already' "$adm" label -s 2M "$dev"
ok dumpadm-too-small fails 2 '1M at least' "$adm" label -s 100K "$here/small"
ok dumpadm-nothing fails 2 'does not exist' "$adm" label "$here/none"
ok dumpadm-long-purpose fails 2 'longer' "$adm" label -p "$(printf '%070d' 0)" "$dev"
ok dumpadm-usage fails 2 'label, show' "$adm" frobnicate "$dev"
if [ -e /dev/xen/privcmd ]; then
	echo "skipped dumpadm-no-xen: this is a domain of Xen"
else
	ok dumpadm-no-xen-status fails 2 'no domain 0' "$adm" status
	ok dumpadm-no-xen-json fails 2 'no domain 0' "$adm" status -o json
	ok dumpadm-no-xen-register fails 2 'no domain 0' "$adm" register
fi
ok dumpadm-writes-only-its-places writes_only_its_places
ok dumpadm-clear-unlabelled fails 1 'no label' "$adm" clear "$dev"
refuses_foreign ext4 mkfs.ext4 -q "$dev"
refuses_foreign swap mkswap "$dev"
refuses_foreign 'partition table' mbr "$dev"
ok dumpadm-one-copy one_copy_is_enough
ok dumpadm-conflict conflict_is_said
ok dumpadm-size sizes
busy
