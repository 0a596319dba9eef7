#!/bin/sh
# SPDX-License-Identifier: MIT
# Builds the two images of the goldcloth machine and their types:
#   build.sh SOURCE-FOLDER OUTPUT-FOLDER  ->  kernel.elf kernel.btf xpv.elf xpv.btf
# Needs gcc -m32 (no library) and pahole.
set -eu
src=$1 out=$2
mkdir -p "$out"
cc="${CC:-gcc} -m32 -ffreestanding -fno-pic -fno-stack-protector -std=gnu11 -Uunix"
cc="$cc -O1 -g -gdwarf-4 -fno-eliminate-unused-debug-types -Wall -Wextra -Werror -I$src"

# What C and assembler ask for by address becomes a line of the script.
script() {
	objdump -h "$@" | awk '$2 ~ /^\.at\.0x/ {
		print $2 " " substr($2, 5) " : SUBALIGN(1) { KEEP(*(" $2 ")) }"}' | sort -u
}

# image NAME SOURCE...: compile, link where everything belongs, take the types.
image() {
	name=$1 objects=
	[ "$name" = kernel ] && objects=$entries
	shift
	for f; do
		$cc -c -o "$out/${f%.*}.o" "$src/$f"
		objects="$objects $out/${f%.*}.o"
	done
	# shellcheck disable=SC2086
	script $objects >"$out/$name.heap"
	$cc -E -P -xc "$src/$name.ld.S" |
		sed -e "/HEAP/{r $out/$name.heap
			d}" >"$out/$name.ld"
	# shellcheck disable=SC2086
	ld -m elf_i386 -n -z noexecstack --build-id=none --no-warn-rwx-segments \
		-T "$out/$name.ld" -o "$out/$name.elf" $objects
}

# pahole puts variables into BTF only of a section of one name: lend it that,
# and give the section its own name back in the strings.
types() {
	objcopy --rename-section "$2=.data..percpu" "$out/$1.elf" "$out/$1.tmp"
	rm -f "$out/$1.btf"
	pahole --btf_encode_detached "$out/$1.btf" "$out/$1.tmp"
	LC_ALL=C sed -i 's/\.data\.\.percpu/.data\x00\x00\x00\x00\x00\x00\x00\x00/' "$out/$1.btf"
	rm -f "$out/$1.tmp"
}

entries=
for module in $(sed -n 's/^MODULE(\([a-z_]*\),.*/\1/p' "$src/modules.def"); do
	case $module in unix | genunix) continue ;; esac
	$cc "-DNAME=$module" -c -o "$out/entry-$module.o" "$src/entry.S"
	entries="$entries $out/entry-$module.o"
done
image kernel unix.S genunix.S zfs.S kern_stack.S kern_cpu.c kern_data.c \
	kern_mod.c kern_log.c
image xpv xpv.S xpv_stack.S xpv_data.c
types kernel unix.data
types xpv xpv.data
