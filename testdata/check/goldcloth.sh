#!/bin/bash
# SPDX-License-Identifier: MIT
# The goldcloth machine against the numbers of the session, read back from a
# core by code of its own; what its console and its dump say; the same bytes
# from each run.
set -u
gold=$O/bin/goldcloth
images=$O/goldcloth
tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT

say() {
	[ "$1" = 0 ] && echo "ok goldcloth-$2" || echo "not ok goldcloth-$2"
}

cat >"$tmp/panic" <<'END'
panic[cpu2]/vcpu=0xffbe1100: Domain 0 crashed: 
         gs:      161  fs:        0  es:     e010  ds:     e010
        edi: f4b63000 esi: ff192f62 ebp: ffbf3f38 esp: ffbf3f1c
        ebx: ffbf3f44 edx:        3 ecx:     1efc eax:        3
        trp:        0 err:        0 eip: ff13b83f  cs:     e008
        efl:      282 usp: ffbf3fe0  ss:     e010
        cr0: 8005003b cr2: c5a08fd4 cr3:   be1d00 cr4:      6f0
END
cat >"$tmp/frames" <<'END'
ffbf3f38 0xff11b058 (in Xen)
ffbf3f48 0xff1043f0 (in Xen)
ffbf3f68 0xff10435c (in Xen)
ffbf3f88 0xff10438b (in Xen)
ffbf3fa8 0xff17daf1 (in Xen)
END

mkdir "$tmp/symbols"
"$gold" --elf "$tmp/core" && "$gold" --symbols "$tmp/symbols"
say $? core
{
	sed '1s/^/Xen /' "$tmp/panic"
	head -3 "$tmp/frames"
} | python3 testdata/goldcloth/check.py "$tmp/core" "$tmp/symbols" "$images/kernel.btf" "$images/xpv.btf"
say $? numbers

{
	cat "$tmp/panic"
	printf 'Xen panic[cpu2]/vcpu=0xffbe1100: Domain 0 crashed:\n\n'
	cat "$tmp/frames"
} >"$tmp/console"
"$gold" --console | sed -n '/^panic/,$p' | diff "$tmp/console" -
say $? console

"$gold" --elf "$tmp/again" && cmp "$tmp/core" "$tmp/again"
say $? same

for content in hypervisor kernel dom0 all; do
	"$gold" -r -c $content "$tmp/$content" >"$tmp/out" &&
		tail -1 "$tmp/out" | grep -q 'dump succeeded$' && head -n -2 "$tmp/out" | diff "$tmp/console" -
	say $? "dump-$content"
done
# Somebody else's file stays as it is.
head -c 4194304 /dev/zero >"$tmp/other"
"$gold" "$tmp/other" >"$tmp/out"
[ $? = 3 ] && cmp -n 4194304 "$tmp/other" /dev/zero && [ "$(stat -c %s "$tmp/other")" = 4194304 ]
say $? unlabelled
