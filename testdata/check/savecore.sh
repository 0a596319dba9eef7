#!/bin/bash
# savecore: from a labelled device to a directory, whole and cut, stopped and
# gone on with, refused and forced; what tools say of unix.N.
set -u
O=${O:-build/release}
bin=$PWD/$O/bin
here=$(mktemp -d -p /dev/shm 2>/dev/null || mktemp -d) || exit 1
mounted=
trap '[ -z "$mounted" ] || umount "$mounted"; rm -rf "$here"' EXIT
dev=$here/dev dir=$here/crash
export LC_ALL=C

ok() {
	local name=$1
	shift
	if "$@"; then echo "ok savecore-$name"; else echo "not ok savecore-$name"; fi
}

# Runs savecore; its exit status and words that it must say.
expect() {
	local status=$1 words=$2
	shift 2
	"$bin/savecore" "$@" >"$here/said" 2>&1
	[ $? = "$status" ] && grep -q "$words" "$here/said" && return
	echo "savecore $*: not: $words"
	cat "$here/said"
	return 1
}

# A labelled file with the goldcloth machine's dump on it.
fresh() {
	rm -rf "$dev" "$dir"
	mkdir "$dir"
	"$bin/dumpadm" label -s 16M "$dev" >/dev/null && "$bin/goldcloth" -c all "$dev" >/dev/null
}

# Every frame of the first that can be read is the same in the others.
same() {
	"$bin/cmpdump" "$@" >"$here/cmp" 2>&1 && return
	cat "$here/cmp"
	return 1
}

whole() {
	fresh && expect 0 'vmcore.0: .*symbols in unix.0' "$dev" "$dir" &&
		[ "$(cat "$dir/bounds")" = 1 ] && [ "$(ls -A "$dir" | tr '\n' ' ')" = 'bounds unix.0 vmcore.0 ' ] &&
		same "$dev" "$dir/vmcore.0" &&
		"$bin/dumpadm" show "$dev" | grep -qx 'dump       saved' &&
		expect 0 'saved already' "$dev" "$dir" &&
		expect 0 'vmcore.1' -f "$dev" "$dir" && cmp "$dir/vmcore.0" "$dir/vmcore.1"
}

# The copy is base to end, and ends with the end segment.
is_the_bytes() {
	local len
	len=$(stat -c %s "$dir/vmcore.0")
	cmp <(tail -c +4097 "$dev" | head -c "$len") "$dir/vmcore.0" &&
		cmp <(tail -c 8192 "$dev" | head -c 4096) <(tail -c 4096 "$dir/vmcore.0")
}

tools_take_unix() {
	local f=$dir/unix.0 tool
	for tool in 'nm' 'readelf -SW' 'readelf -lW' 'readelf -sW' 'readelf -nW' 'objdump -h' 'size'; do
		# shellcheck disable=SC2086
		$tool "$f" >"$here/tool" 2>&1 && ! grep -iE 'warning|error' "$here/tool" || { echo "$tool:"; cat "$here/tool"; return 1; }
	done
	nm "$f" | grep -q '^f4c76f[0-9a-f]* T page_ctr_sub$' &&
		readelf -SW "$f" | grep -q '\.text\.xpv .*NOBITS .*ff100000' &&
		readelf -sW "$f" | grep -q 'FILE  *LOCAL  *DEFAULT  *ABS xpv$'
}

gdb_takes_unix() {
	local addr
	addr=$(nm "$dir/unix.0" | sed -n 's/ T page_ctr_sub$//p')
	gdb -nx -batch -ex 'info address page_ctr_sub' "$dir/unix.0" >"$here/tool" 2>&1 &&
		grep -q "^Symbol \"page_ctr_sub\" is at 0x$addr " "$here/tool" && [ "$(wc -l <"$here/tool")" = 1 ] && return
	cat "$here/tool"
	return 1
}

pahole_takes_unix() {
	pahole -C cpu "$dir/unix.0" 2>&1 | grep -q '^struct cpu {'
}

lists() {
	expect 0 'saved, whole' -L "$dev" && expect 0 '^vmcore.1 .*whole' -L "$dir" && [ "$(wc -l <"$here/said")" = 2 ]
}

garbage_in_bounds() {
	local text
	for text in garbage '' -1 99999999999 '1 2' "$(head -c 5000 /dev/zero | tr '\0' 9)"; do
		printf '%s\n' "$text" >"$dir/bounds"
		expect 0 'bounds makes no sense' -f "$dev" "$dir" || return 1
	done
	echo 70 >"$dir/bounds"
	expect 0 'vmcore.70' -f "$dev" "$dir" && [ "$(cat "$dir/bounds")" = 71 ]
}

minfree() {
	fresh && echo 99999999999 >"$dir/minfree" && expect 0 'vmcore.0' "$dev" "$dir" || return 1
	fresh && echo 999999999 >"$dir/minfree"
	expect 1 'are to stay' "$dev" "$dir" && [ ! -e "$dir/vmcore.0" ] && [ ! -e "$dir/unix.0" ] &&
		"$bin/dumpadm" show "$dev" | grep -qx 'dump       waiting' &&
		expect 0 'vmcore.0' -n 1 "$dev" "$dir"
}

full_directory() {
	fresh || return 1
	expect 1 "$2" ${1:+"$1"} "$dev" "$mounted" && [ ! -e "$mounted/vmcore.0" ] && [ ! -e "$mounted/unix.0" ] &&
		"$bin/dumpadm" show "$dev" | grep -qx 'dump       waiting'
}

resumes() {
	local opt=$1 len part=$dir/.vmcore.0.part n
	fresh && expect 0 vmcore.0 -f $opt "$dev" "$dir" && mv "$dir/vmcore.0" "$here/good" || return 1
	len=$(stat -c %s "$here/good")
	for n in 1 4096 61439 61440 70000 $((len / 2)) $((len - 4096)) "$len"; do
		rm -f "$dir"/*
		head -c "$n" "$here/good" >"$part"
		expect 0 vmcore.0 -f $opt "$dev" "$dir" && cmp "$dir/vmcore.0" "$here/good" || { echo "part of $n"; return 1; }
	done
	grep -q 'from an earlier run' "$here/said" || return 1
	# A part with wrong bytes, and one that is longer.
	for n in 100 61500 $((len / 2)) $((len - 5000)); do
		rm -f "$dir"/*
		{ cat "$here/good"; head -c 100000 /dev/urandom; } >"$part"
		printf '\377\0\252' | dd of="$part" bs=1 seek="$n" conv=notrunc status=none
		expect 0 vmcore.0 -f $opt "$dev" "$dir" && cmp "$dir/vmcore.0" "$here/good" || { echo "byte $n wrong"; return 1; }
	done
	rm -f "$dir"/*
	head -c 300000 /dev/urandom >"$part"
	expect 0 vmcore.0 -f $opt "$dev" "$dir" && cmp "$dir/vmcore.0" "$here/good"
}

# Killed at some moment, then run again.
stopped() {
	local i
	fresh
	for i in 1 2 3 4 5; do
		"$bin/savecore" "$dev" "$dir" >/dev/null 2>&1 &
		sleep "0.00$i"
		kill -KILL $! 2>/dev/null
		wait $! 2>/dev/null
	done
	"$bin/savecore" "$dev" "$dir" >/dev/null && same "$dev" "$dir/vmcore.0" && [ -e "$dir/unix.0" ] &&
		[ "$(cat "$dir/bounds")" = 1 ] && "$bin/dumpadm" show "$dev" | grep -qx 'dump       saved'
}

# Stopped between the rename and the label: no second copy.
finishes_earlier() {
	fresh && cp "$dev" "$here/unsaved" && expect 0 vmcore.0 "$dev" "$dir" && cp "$here/unsaved" "$dev" &&
		rm "$dir/unix.0" && expect 0 'is this dump already' "$dev" "$dir" && [ ! -e "$dir/vmcore.1" ] &&
		[ -e "$dir/unix.0" ] && "$bin/dumpadm" show "$dev" | grep -qx 'dump       saved'
}

# Cut anywhere: what can be read of the rest can be read of what was saved,
# through an index.
cut() {
	local opt=$1 len n words
	fresh && expect 0 vmcore.0 "$dev" "$dir" && mv "$dir/vmcore.0" "$here/good"
	len=$(stat -c %s "$here/good")
	for n in 61440 61441 65536 70001 $((len / 3)) $((len / 2 + 77)) $((len - 70000)) $((len - 5000)) $((len - 4096)) $((len - 3500)); do
		head -c "$n" "$here/good" >"$here/cut"
		# Old enough for nobody to be writing it still.
		touch -d '1 hour ago' "$here/cut"
		rm -f "$dir"/*
		expect 0 'cut off: it has no end record' $opt "$here/cut" "$dir" && same "$here/cut" "$dir/vmcore.0" &&
			"$bin/savecore" -L "$dir" | grep -q . &&
			words=$("$bin/mdb" -S -e ::status "$dir/vmcore.0" 2>&1) && grep -q 'indexed' <<<"$words" ||
			{ echo "cut at $n"; echo "$words"; return 1; }
	done
}

damaged() {
	local opt=$1 at
	fresh && cp "$dev" "$here/undamaged"
	for at in 4300 66000 200000 400000 1000000; do
		rm -f "$dir"/*
		cp "$here/undamaged" "$dev"
		printf '\252\125\252\125' | dd of="$dev" bs=1 seek="$at" conv=notrunc status=none
		"$bin/savecore" $opt "$dev" "$dir" >"$here/said" 2>&1 || { cat "$here/said"; return 1; }
		same "$dev" "$dir/vmcore.0" || { echo "damaged at $at"; return 1; }
	done
}

torn_labels() {
	fresh && dd if=/dev/urandom of="$dev" bs=1 seek=200 count=4 conv=notrunc status=none &&
		expect 0 vmcore.0 "$dev" "$dir" || return 1
	fresh && dd if=/dev/urandom of="$dev" bs=1 seek=200 count=4 conv=notrunc status=none &&
		dd if=/dev/urandom of="$dev" bs=1 seek=$((16777216 - 3000)) count=4 conv=notrunc status=none &&
		expect 1 '(-f saves' "$dev" "$dir" && expect 0 vmcore.0 -f "$dev" "$dir" && same "$here/good" "$dir/vmcore.0"
}

# A few bytes more all the time, however long savecore takes to look.
being_written() {
	local status len
	fresh && expect 0 vmcore.0 "$dev" "$dir" && mv "$dir/vmcore.0" "$here/good" && rm -f "$dir"/*
	head -c 100000 "$here/good" >"$here/grows"
	while [ ! -e "$here/enough" ]; do
		sleep 0.05
		len=$(stat -c %s "$here/grows")
		tail -c "+$((len + 1))" "$here/good" | head -c 100 >>"$here/grows"
	done &
	expect 1 'is being written' "$here/grows" "$dir"
	status=$?
	touch "$here/enough"
	wait
	tail -c "+$(($(stat -c %s "$here/grows") + 1))" "$here/good" >>"$here/grows"
	[ "$status" = 0 ] && [ ! -e "$dir/vmcore.0" ] && expect 0 'from an earlier run' "$here/grows" "$dir" &&
		cmp "$here/good" "$dir/vmcore.0"
}

recoded() {
	fresh && expect 0 vmcore.0 "$dev" "$dir" && expect 0 vmcore.1 -fz "$dev" "$dir" &&
		same "$dev" "$dir/vmcore.1" "$dir/vmcore.0" && same "$dir/vmcore.1" "$dev" &&
		[ "$(stat -c %s "$dir/vmcore.1")" -lt "$(stat -c %s "$dir/vmcore.0")" ]
}

as_elf() {
	fresh && expect 0 'symbols in unix.0' -O elf "$dev" "$dir" && same "$dev" "$dir/vmcore.0" &&
		readelf -lW "$dir/vmcore.0" 2>&1 | grep -q 'CORE (Core file)' &&
		"$bin/dumpadm" show "$dev" | grep -qx 'dump       saved'
}

other_formats() {
	local t
	for t in elf64 elf32 kdump-zlib kdump-zstd flat split; do
		rm -rf "$here/made" "$dir"
		mkdir "$here/made" "$dir"
		"$bin/mkdump" "testdata/dumps/$t.txt" "$here/made/d" || return 1
		[ -e "$here/made/d" ] || continue
		expect 0 vmcore.0 "$here/made/d" "$dir" && same "$here/made/d" "$dir/vmcore.0" || { echo "$t"; return 1; }
	done
}

# A dump that embeds no symbols: those that are found in its memory.
finds_symbols() {
	rm -rf "$dir"
	mkdir "$dir"
	"$bin/mkdump" testdata/dumps/linux-demo.txt "$here/demo" && expect 0 'symbols in unix.0' "$here/demo" "$dir" || return 1
	nm "$dir/unix.0" >"$here/tool" 2>&1 && grep -q ' init_task$' "$here/tool" &&
		readelf -SlsnW "$dir/unix.0" >"$here/tool" 2>&1 && ! grep -iE 'warning|error' "$here/tool" &&
		grep -q '\.BTF ' "$here/tool" && grep -q '\.orc_unwind ' "$here/tool" &&
		[ "$("$bin/mdb" -S -e 'init_task=K' "$dir/unix.0" "$dir/vmcore.0" 2>&1)" = "$("$bin/mdb" -S -e 'init_task=K' "$here/demo" 2>&1)" ] && return
	head -5 "$here/tool"
	return 1
}

refusals() {
	fresh
	expect 2 'No such file' "$here/none" "$dir" && expect 2 'No such file' "$dev" "$here/none" &&
		expect 2 'name a device' && expect 2 'not a size' -n x "$dev" && expect 2 'formats' -O a.out "$dev" &&
		expect 2 . /dev/null "$dir" && expect 0 'no dump' "$here/empty" "$dir" || return 1
	head -c 100000 /dev/urandom >"$here/noise"
	expect 2 . "$here/noise" "$dir" && [ -z "$(ls -A "$dir")" ]
}

if [ ! -x "$bin/goldcloth" ] || [ ! -x "$bin/cmpdump" ]; then
	echo "skipped savecore: goldcloth or cmpdump is not built"
	exit 0
fi
ok whole whole
ok is-the-bytes is_the_bytes
ok tools-take-unix tools_take_unix
if command -v gdb >/dev/null; then ok gdb-takes-unix gdb_takes_unix; else echo "skipped savecore-gdb-takes-unix: no gdb"; fi
if command -v pahole >/dev/null; then ok pahole-takes-unix pahole_takes_unix; else echo "skipped savecore-pahole-takes-unix: no pahole"; fi
ok lists lists
ok garbage-in-bounds garbage_in_bounds
ok minfree minfree
ok resumes resumes ''
ok resumes-recoding resumes -z
ok stopped stopped
ok finishes-earlier finishes_earlier
ok cut cut ''
ok cut-recoded cut -z
ok damaged damaged ''
ok damaged-recoded damaged -z
ok torn-labels torn_labels
ok being-written being_written
ok recoded recoded
ok elf as_elf
ok other-formats other_formats
ok finds-symbols finds_symbols
"$bin/dumpadm" label -s 1M "$here/empty" >/dev/null
ok refusals refusals
mkdir "$here/mnt"
if mount -t tmpfs -o size=100k tmpfs "$here/mnt" 2>/dev/null; then
	mounted=$here/mnt
	ok directory-full full_directory '' 'the dump needs'
	ok directory-full-recoding full_directory -z 'no room left'
	ok directory-full-elf full_directory '-Oelf' 'no room left'
else
	echo "skipped savecore-directory-full: cannot mount"
fi
