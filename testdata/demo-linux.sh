#!/bin/sh
# A first session, command by command, on the made-up dump that
# testdata/dumps/linux-demo.txt describes, then on a real one: the file that
# DUMP names, else ../shared/data/linux-kdump.lzo where that is.  Long answers
# of a real dump are cut.  Fails when a command does.
set -u
O=${O:-build/release} DUMP=${DUMP:-}
session=testdata/dumps/linux-demo.session
out=$O/demo
status=0

# show DUMP LINES
show() {
	while IFS= read -r command; do
		printf '> %s\n' "$command"
		"$O/bin/mdb" -S -e "$command" "$1" >"$out/answer" 2>&1 </dev/null
		code=$?
		head -n "$2" "$out/answer"
		lines=$(($(wc -l <"$out/answer") - $2))
		[ "$lines" -le 0 ] || echo "    ... and $lines more lines"
		echo
		if [ "$code" != 0 ]; then
			echo "demo: '$command' failed on $1" >&2
			status=1
		fi
	done <"$session"
}

mkdir -p "$out" || exit 1
"$O/bin/mkdump" testdata/dumps/linux-demo.txt "$out/linux-demo" || exit 1
echo "A small Linux made of testdata/dumps/linux-demo.txt: mdb $out/linux-demo"
echo
show "$out/linux-demo" 1000

if [ -z "$DUMP" ] && [ -r ../shared/data/linux-kdump.lzo ]; then
	DUMP=../shared/data/linux-kdump.lzo
fi
if [ -n "$DUMP" ]; then
	echo "A real dump: mdb $DUMP"
	echo
	show "$DUMP" 25
fi
exit $status
