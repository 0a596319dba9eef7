#!/bin/bash
# Sessions: each testdata/session/*.mdb is fed to the program on a fixture
# dump; what it prints, on both streams, and its exit status are compared with
# the .expect beside it.  ok.* must succeed, err.* must fail.  UPDATE=1
# rewrites the expectations.  The first line of a session may name its dump:
# `// dump: NAME`, compiled from testdata/dumps/NAME.txt.
set -u
out=$O/session
mkdir -p "$out"
declare -A compiled

compile() {
	[ -n "${compiled[$1]:-}" ] || "$O/bin/mkdump" "testdata/dumps/$1.txt" "$out/$1.dump" ||
		{ echo "not ok session: mkdump $1"; exit 1; }
	compiled[$1]=1
}

run() {
	local text=$1 name expect got status dump
	dump=$(sed -n '1s,^// dump: ,,p' "$text")
	compile "${dump:=session}"
	name=$(basename "$text" .mdb)
	expect=${text%.mdb}.expect
	got=$out/$name.got
	(cd "$out" && HOME=$out SHELL=/bin/sh timeout 20 ../bin/mdb -S "$dump.dump") \
		<"$text" >"$got" 2>&1
	status=$?
	echo "exit $status" >>"$got"
	case $name in
	ok.*) [ $status = 0 ] || { echo "not ok session $name: exit $status"; tail -5 "$got"; return; } ;;
	*) [ $status = 1 ] || { echo "not ok session $name: exit $status"; tail -5 "$got"; return; } ;;
	esac
	if [ -n "${UPDATE:-}" ]; then
		cp "$got" "$expect"
	fi
	if cmp -s "$expect" "$got"; then
		echo "ok session $name"
	else
		echo "not ok session $name"
		diff "$expect" "$got" | head -20
	fi
}

for text in testdata/session/*.mdb; do
	run "$PWD/$text"
done

# The command line itself.
check() {
	local name=$1 status=$2 pattern=$3 got
	shift 3
	got=$(HOME=$out "$O/bin/mdb" "$@" 2>&1 </dev/null)
	if [ $? = "$status" ] && [[ $got == *$pattern* ]]; then
		echo "ok mdb $name"
	else
		echo "not ok mdb $name: $got"
	fi
}

compile session
d=$out/session.dump
check "-e prints" 0 "                2" -S "$d" -e '1+1=X'
check "several -e go in order" 0 "                7" -S "$d" -e '7>a' -e '<a=X'
check "a failing -e fails" 1 "unknown dcmd name" -S "$d" -e '::nosuch' -e '1=X'
check "-o json" 0 '"text":"2"' -S -o json "$d" -e '2=X'
check "an unknown -o is refused" 2 "no option 'nosuch'" -o nosuch "$d"
check "an unknown option is refused" 2 "--help" --nosuch "$d"
check "no dump is refused" 2 "name a dump" -S
check "a missing dump is refused" 2 "No such file" -S "$out/nosuch"
check "a folder is refused" 2 "irectory" -S "$out"
check "a text is refused" 2 "no known dump format" -S GNUmakefile
check "a program is no dump" 2 "symbol file" -S "$O/bin/mdb"
check "--help" 0 "usage: mdb" --help
check "--version" 0 "mdb 1.0" --version
check "--stats" 0 "peak memory" -S --stats "$d" -e '1=X'
: >"$out/empty"
check "an empty file is refused" 2 "empty" -S "$out/empty"

# A reader that goes away is no failure and no noise.
got=$("$O/bin/mdb" -S "$d" -e '0,ffffffffffff::echo x' 2>&1 | head -1)
if [ "$got" = x ]; then echo "ok mdb broken pipe"; else echo "not ok mdb broken pipe: $got"; fi

got=$("$O/bin/mdb" -S "$d" -e '1=X' 2>&1 >/dev/full)
if [ $? = 1 ] && [[ $got == *"writing the output"* ]]; then echo "ok mdb full disk"; else echo "not ok mdb full disk: $got"; fi
