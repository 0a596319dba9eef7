#!/bin/bash
# Encrypted dumps as people meet them: a key made, a dump encrypted to it, what
# each program says without the key, with it, and with another.
set -u
O=${O:-build/release}
B=$O/bin
here=$(mktemp -d) || exit 1
trap 'rm -rf "$here"' EXIT
unset MDB_RC
mdb() { "$B/mdb" -S "$@"; }

ok() {
	local name=$1
	shift
	if "$@"; then echo "ok $name"; else echo "not ok $name"; fi
}

# Exit status, one line on standard error that has the words, nothing else.
fails() {
	local status=$1 words=$2
	shift 2
	"$@" >"$here/out" 2>"$here/err"
	[ $? = "$status" ] && [ "$(wc -l <"$here/err")" = 1 ] && [ ! -s "$here/out" ] &&
		grep -q -- "$words" "$here/err" && return
	cat "$here/out" "$here/err"
	return 1
}

key_is_made() {
	(umask 0; "$B/dumpadm" keygen "$here/key") >"$here/public" || return 1
	[ "$(stat -c %a "$here/key")" = 600 ] && grep -qE '^[0-9a-f]{64}$' "$here/public" &&
		grep -qE '^mdb-secret-key-1 [0-9a-f]{64}$' "$here/key" &&
		grep -q "public key $(cat "$here/public")" "$here/key" &&
		"$B/dumpadm" keygen "$here/other" >/dev/null && ! cmp -s "$here/key" "$here/other"
}

"$B/dumpadm" keygen "$here/key" >/dev/null && rm "$here/key"
ok crypt-keygen key_is_made
ok crypt-keygen-keeps fails 1 exists "$B/dumpadm" keygen "$here/key"
id=$(sed -n 's/^# id //p' "$here/key")
other=$(sed -n 's/^# id //p' "$here/other")
"$B/crypt-dump" "$(cat "$here/public")" "$here/dev" || echo "not ok crypt-dump: cannot be made"
"$B/crypt-dump" - "$here/plain" || echo "not ok crypt-dump: cannot be made plain"

# The memory of both machines is the same: so must be what is read of it.
shows_the_same() {
	local c='0x2000,40\Lx ; 0x5000,20\Lx'
	mdb -e "$c" "$here/plain" >"$here/a" 2>&1
	mdb "$@" -e "$c" >"$here/b" 2>&1
	[ -s "$here/a" ] && cmp "$here/a" "$here/b"
}

says_locked() {
	mdb -e ::status "$1" >"$here/out" 2>&1
	grep -q "encrypted to key $id, and no key is given" "$here/out" &&
		grep -q 'read not at all' "$here/out" && ! grep -q 'Domain 0 crashed' "$here/out" && return
	cat "$here/out"
	return 1
}

refuses_memory() {
	mdb -e '0x2000\X' "$here/dev" >"$here/out" 2>&1
	[ $? = 1 ] && grep -q 'it is encrypted, and no key is given' "$here/out" && return
	cat "$here/out"
	return 1
}

says_open() {
	mdb --key "$here/key" -e ::status "$1" >"$here/out" 2>&1
	grep -q "encrypted to: key $id" "$here/out" && grep -q 'Domain 0 crashed' "$here/out" && return
	cat "$here/out"
	return 1
}

ok crypt-mdb-locked says_locked "$here/dev"
ok crypt-mdb-no-memory refuses_memory
ok crypt-mdb-open says_open "$here/dev"
ok crypt-mdb-memory shows_the_same --key "$here/key" "$here/dev"
ok crypt-mdb-plain shows_the_same --key "$here/key" "$here/plain"
ok crypt-mdb-wrong-key fails 2 "to $id; given is $other" mdb --key "$here/other" -e ::status "$here/dev"
ok crypt-mdb-no-key-file fails 2 'it is no key file' mdb --key "$here/public" -e ::status "$here/dev"
ok crypt-mdb-no-such-file fails 2 'cannot be read' mdb --key "$here/nothing" -e ::status "$here/dev"

shows_key() {
	"$B/dumpadm" show "$here/dev" | grep -qx "encrypted  $id" &&
		"$B/dumpadm" show -o json "$here/dev" | grep -q "\"encrypted_to\":\"$id\"" &&
		! "$B/dumpadm" show "$here/plain" | grep -q encrypted
}
ok crypt-dumpadm-show shows_key

# savecore: as it is without a key, and decrypted with one.
saves_as_it_is() {
	mkdir "$here/a.d" && cp "$here/dev" "$here/dev1" &&
		"$B/savecore" "$here/dev1" "$here/a.d" >/dev/null && says_locked "$here/a.d/vmcore.0" &&
		says_open "$here/a.d/vmcore.0" && "$B/savecore" "$here/dev1" "$here/a.d" | grep -q 'saved already' &&
		shows_the_same --key "$here/key" "$here/a.d/vmcore.0" &&
		"$B/savecore" -L "$here/a.d" | grep -q "encrypted to key $id"
}

saves_decrypted() {
	mkdir "$here/b.d" && cp "$here/dev" "$here/dev2" &&
		"$B/savecore" --key "$here/key" "$here/dev2" "$here/b.d" >/dev/null &&
		shows_the_same "$here/b.d/vmcore.0" && mdb -e ::status "$here/b.d/vmcore.0" | grep -q 'Domain 0 crashed'
}

# Cut in the middle: what is whole before the cut.
saves_cut() {
	mkdir "$here/c.d" && head -c 1000000 "$here/dev" >"$here/cut" && "$B/savecore" -f "$here/cut" "$here/c.d" \
		>"$here/out" 2>&1
	grep -q 'how much of memory was saved is encrypted' "$here/out" || { cat "$here/out"; return 1; }
	mdb --key "$here/key" -e '0x5000\X' "$here/c.d/vmcore.0" >"$here/b" && mdb -e '0x5000\X' "$here/plain" >"$here/a" &&
		cmp "$here/a" "$here/b"
}
ok crypt-savecore saves_as_it_is
ok crypt-savecore-key saves_decrypted
ok crypt-savecore-cut saves_cut
ok crypt-savecore-z fails 2 'needs its key' "$B/savecore" -f -z "$here/dev" "$here/a.d"
ok crypt-savecore-elf fails 2 "encrypted to key $id" "$B/savecore" -f -O elf "$here/dev" "$here/a.d"
ok crypt-dumpconv fails 2 "encrypted to key $id" "$B/dumpconv" "$here/dev" "$here/x.elf"

converts() {
	"$B/dumpconv" --key "$here/key" --check "$here/dev" "$here/x.elf" && shows_the_same "$here/x.elf"
}
ok crypt-dumpconv-key converts

# One byte of pages: that page cannot be read, and says why; nothing else does.
damage_is_said() {
	cp "$here/dev" "$here/bad"
	printf '\xff' | dd of="$here/bad" bs=1 seek=600000 conv=notrunc 2>/dev/null
	local bad=0
	for a in $(printf '%#x ' $(seq 8192 98304 5251072)); do
		mdb -e "$a\\X" "$here/plain" >"$here/a" 2>&1
		mdb --key "$here/key" -e "$a\\X" "$here/bad" >"$here/b" 2>&1
		cmp -s "$here/a" "$here/b" || { grep -q 'its tag is wrong' "$here/b" && bad=$((bad + 1)); } || return 1
	done
	[ $bad -gt 0 ] || return 1
	"$B/savecore" -L "$here/bad" >/dev/null 2>&1
}
ok crypt-damage damage_is_said

# By a program that has read the specification only: all tags are right, and
# what describes memory and the pages are those of the dump in clear.
another_decrypts() {
	python3 testdata/decrypt.py "$here/plain" | awk '$1 > 1 && $1 < 8' >"$here/a" &&
		python3 testdata/decrypt.py "$here/dev" "$here/key" | awk '$1 > 1 && $1 < 8' >"$here/b" &&
		[ "$(wc -l <"$here/a")" -gt 10 ] && cmp "$here/a" "$here/b" &&
		! python3 testdata/decrypt.py "$here/bad" "$here/key" >/dev/null 2>"$here/err" &&
		grep -qx 'decrypt: a tag is wrong' "$here/err"
}
ok crypt-specification another_decrypts
