#!/bin/bash
# dumpconv: native dumps and ELF cores of every format, there and back: every
# page and note; what other tools and mdb say of the results.
set -u
O=${O:-build/release}
bin=$PWD/$O/bin
here=$(mktemp -d -p /dev/shm 2>/dev/null || mktemp -d) || exit 1
trap 'rm -rf "$here"' EXIT
export LC_ALL=C
data=../shared/data

ok() {
	local name=$1
	shift
	if "$@"; then echo "ok dumpconv-$name"; else echo "not ok dumpconv-$name"; fi
}

same() {
	"$bin/cmpdump" "$@" >"$here/cmp" 2>&1 && return
	cat "$here/cmp"
	return 1
}

fails() {
	local status=$1 words=$2
	shift 2
	"$@" >"$here/out" 2>"$here/err"
	[ $? = "$status" ] && [ "$(wc -l <"$here/err")" = 1 ] && grep -q "$words" "$here/err" && return
	cat "$here/err"
	return 1
}

# Fixtures of one file each: to native, to ELF, and native again.
fixtures() {
	local t
	for t in elf64 elf32 elf64-xnum elf64-paged diskdump kdump-32 kdump-64k kdump-lzo kdump-snappy kdump-v1 kdump-v6 kdump-zlib kdump-zstd flat linux-demo linux-demo-hole; do
		[ -e "testdata/dumps/$t.txt" ] || continue
		"$bin/mkdump" "testdata/dumps/$t.txt" "$here/d" &&
			"$bin/dumpconv" --check "$here/d" "$here/native" &&
			"$bin/dumpconv" --check "$here/native" "$here/elf" &&
			"$bin/dumpconv" -z --check "$here/elf" "$here/again" &&
			same -n "$here/d" "$here/native" "$here/elf" "$here/again" &&
			same "$here/elf" "$here/again" "$here/d" &&
			readelf -lnW "$here/elf" >"$here/readelf" 2>&1 && ! grep -i warning "$here/readelf" ||
			{ echo "$t"; return 1; }
		rm -f "$here"/*
	done
}

split_dump() {
	"$bin/mkdump" testdata/dumps/split.txt "$here/s" && "$bin/dumpconv" --check "$here"/s* "$here/native" &&
		same -n "$(printf '%s+' "$here"/s* | sed 's/+$//')" "$here/native"
}

# What is left out stays left out, what is no memory stays none.
keeps_what_is_missing() {
	local a b
	"$bin/mkdump" testdata/dumps/linux-demo-zlib.txt "$here/d" && "$bin/dumpconv" "$here/d" "$here/native" || return 1
	a=$("$bin/mdb" -S -e ::status "$here/d" | grep '^memory:')
	b=$("$bin/mdb" -S -e ::status "$here/native" | grep '^memory:')
	[ "$a" = "$b" ] && return
	printf '%s\n%s\n' "$a" "$b"
	return 1
}

# Threads change nothing but the dump's id.
threads_agree() {
	"$bin/mkdump" testdata/dumps/linux-demo.txt "$here/d" &&
		"$bin/dumpconv" -j 1 "$here/d" "$here/one" && "$bin/dumpconv" -j 4 "$here/d" "$here/four" &&
		[ "$(stat -c %s "$here/one")" = "$(stat -c %s "$here/four")" ] && same -n "$here/one" "$here/four"
}

goldcloth() {
	"$bin/dumpadm" label -s 16M "$here/dev" >/dev/null && "$bin/goldcloth" -c all "$here/dev" >/dev/null &&
		"$bin/dumpconv" --check "$here/dev" "$here/elf" && same "$here/dev" "$here/elf" &&
		readelf -hW "$here/elf" | grep -q 'ELF32' && [ "$(readelf -nW "$here/elf" | grep -c NT_PRSTATUS)" = 4 ] &&
		"$bin/dumpconv" -O native "$here/dev" "$here/native" && same "$here/dev" "$here/native" || return 1
	# Everything that the dump says survives.
	diff <("$bin/mdb" -S -e '::status; $C' "$here/dev" | sed '1d; /^dump/d; /^pages/d; /^device:/d') \
		<("$bin/mdb" -S -e '::status; $C' "$here/native" | sed '1d; /^dump/d; /^pages/d; /^converted from/d')
}

leaves_nothing() {
	rm -f "$here"/*
	echo hello >"$here/text"
	fails 2 . "$bin/dumpconv" "$here/text" "$here/out.n" && fails 2 'No such' "$bin/dumpconv" "$here/none" "$here/out.n" &&
		"$bin/mkdump" testdata/dumps/elf64.txt "$here/d" &&
		fails 2 'is the dump' "$bin/dumpconv" "$here/d" "$here/d" &&
		fails 2 'not compressed' "$bin/dumpconv" -z -O elf "$here/d" "$here/out.n" &&
		fails 2 'formats' "$bin/dumpconv" -O raw "$here/d" "$here/out.n" &&
		fails 2 'name a dump' "$bin/dumpconv" "$here/d" &&
		fails 2 'No such' "$bin/dumpconv" "$here/d" "$here/no/out.n" &&
		[ "$(ls -A "$here" | tr '\n' ' ')" = 'd err out text ' ]
}

# Every command says the same of a dump and of what was made of it.
commands='
$C
::msgbuf
::ps
::cpuinfo -v
::threadlist -v
::stacks
$r
::nm ! head -2000
init_task::print
init_task::whatis
schedule::dis
::objects
ffffffff81000000::vtop -v
init_task,20/X
::walk task
::status ! grep -vE "^(debugging|dump|pages|converted|memory: .*present)"
'
says_the_same() {
	diff <("$bin/mdb" -S "$1" <<<"$commands" 2>&1) <("$bin/mdb" -S "$2" <<<"$commands" 2>&1) >"$here/diff" && return
	head -20 "$here/diff"
	return 1
}

real_kdump() {
	local dump=$data/linux-kdump.lzo
	"$bin/dumpconv" --check "$dump" "$here/native" && same -n "$dump" "$here/native" && says_the_same "$dump" "$here/native" || return 1
	[ "$(stat -c %s "$here/native")" -lt "$(stat -c %s "$dump")" ] || { echo "not smaller"; return 1; }
	"$bin/dumpconv" -z "$dump" "$here/zstd" && [ "$(stat -c %s "$here/zstd")" -lt $(($(stat -c %s "$dump") * 7 / 10)) ] &&
		says_the_same "$dump" "$here/zstd"
}

real_kdump_elf() {
	"$bin/dumpconv" "$here/native" "$here/elf" && same -n "$data/linux-kdump.lzo" "$here/elf"
}

makedumpfile_takes_it() {
	makedumpfile -l -d 0 "$here/elf" "$here/made" >"$here/said" 2>&1 && same "$here/elf" "$here/made" && return
	tail -5 "$here/said"
	return 1
}

drgn_takes_it() {
	"$python" - "$data/linux-kdump.lzo" "$here/elf" <<'P'
import drgn, sys
a, b = drgn.Program(), drgn.Program()
a.set_core_dump(sys.argv[1])
b.set_core_dump(sys.argv[2])
assert a.platform == b.platform and a.flags == b.flags
for at in range(0x100000, 0x2000000, 0x13000):
    try:
        x = a.read(at, 64, True)
    except drgn.FaultError:
        continue
    assert x == b.read(at, 64, True), hex(at)
P
}

# Virtual address, address, length of each segment; 0 is as good as unknown.
loads() {
	readelf -lW "$1" | awk '/LOAD/ {sub("^0x0+$", "0xffffffffffffffff", $3); print $3, $4, $5}' | sort
}

real_elf() {
	local name=$1
	zstd -dq --long=27 --sparse "$data/$name.elf.zst" -o "$here/$name" &&
		"$bin/dumpconv" "$here/$name" "$here/native" && same -n "$here/$name" "$here/native" &&
		"$bin/dumpconv" "$here/native" "$here/back" && same -n "$here/$name" "$here/back" &&
		says_the_same "$here/$name" "$here/native" || return 1
	diff <(loads "$here/$name") <(loads "$here/back")
}

[ -x "$bin/cmpdump" ] || { echo "skipped dumpconv: cmpdump is not built"; exit 0; }
ok fixtures fixtures
ok split split_dump
ok keeps-what-is-missing keeps_what_is_missing
ok threads-agree threads_agree
if [ -x "$bin/goldcloth" ]; then ok goldcloth goldcloth; else echo "skipped dumpconv-goldcloth: not built"; fi
ok leaves-nothing leaves_nothing
if [ ! -r $data/linux-kdump.lzo ]; then
	echo "skipped dumpconv-real: no ../shared/data"
	exit 0
fi
ok real-kdump real_kdump
ok real-kdump-elf real_kdump_elf
if command -v makedumpfile >/dev/null; then ok makedumpfile makedumpfile_takes_it; else echo "skipped dumpconv-makedumpfile: not installed"; fi
python=
for p in python3 /usr/bin/python3; do "$p" -c 'import drgn' 2>/dev/null && python=$p; done
if [ -n "$python" ]; then ok drgn drgn_takes_it; else echo "skipped dumpconv-drgn: not installed"; fi
rm -f "$here"/*
for name in xen-panic-kdump xen-run-qemu; do
	[ -r "$data/$name.elf.zst" ] || { echo "skipped dumpconv-$name: no $name.elf.zst"; continue; }
	ok "$name" real_elf "$name"
	rm -f "$here"/*
done
