#!/bin/bash
# The first session on the small Linux that testdata/dumps/linux-demo.txt
# describes, line by line against linux-demo.expect; the same answers from
# other forms of the same machine; what is said of a damaged one
# (linux-demo-bad.*).  UPDATE=1 rewrites what is expected.
set -u
dumps=$PWD/testdata/dumps
O=${O:-build/release}
out=$O/demo-check
mkdir -p "$out" && cd "$out" || exit 1
mdb=$OLDPWD/$O/bin/mdb
mkdump=$OLDPWD/$O/bin/mkdump

compile() {
	"$mkdump" "$dumps/linux-demo$1.txt" "linux-demo$1" 2>mkdump.err ||
		{ echo "not ok demo: mkdump linux-demo$1.txt: $(cat mkdump.err)"; exit 1; }
}

# answer DUMP COMMAND: as a session shows it, with the exit status if not 0
answer() {
	local status
	printf '> %s\n' "$2"
	HOME=$PWD SHELL=/bin/sh timeout 20 "$mdb" -S -e "$2" "$1" </dev/null >answer.out 2>answer.err
	status=$?
	# Warnings last: how the streams mix is not what is tested.
	cat answer.out answer.err
	[ $status = 0 ] || echo "exit $status"
	echo
}

# section N FILE: the Nth answer
section() {
	awk -v n="$1" '/^> / { i++ } i == n' "$2"
}

# same NAME N WANT GOT
same() {
	if diff <(section "$2" "$3") <(section "$2" "$4") >diff.out; then
		echo "ok $1"
	else
		echo "not ok $1"
		head -20 diff.out
	fi
}

# session VARIANT: every command but ::status answers as the first did
session() {
	local command n=0
	while IFS= read -r command; do
		answer "linux-demo$1" "$command"
	done <"$dumps/linux-demo.session" >"got$1"
	while IFS= read -r command; do
		n=$((n + 1))
		if [ -z "$1" ]; then
			same "demo $command" $n "$dumps/linux-demo.expect" got
		elif [ "$command" != ::status ]; then
			same "demo ${1#-} $command" $n got "got$1"
		fi
	done <"$dumps/linux-demo.session"
	grep -q '^exit' "got$1" && echo "not ok demo$1: a command failed"
}

compile ""
if [ -n "${UPDATE:-}" ]; then
	while IFS= read -r command; do
		answer linux-demo "$command"
	done <"$dumps/linux-demo.session" >"$dumps/linux-demo.expect"
fi
session ""
for variant in -elf64 -flat -zlib -unnoted -bare; do
	compile $variant
	session $variant
done

for variant in -cycle -hole -loop -tokens -types -orc; do
	compile $variant
done
while read -r variant command; do
	answer "linux-demo-$variant" "$command"
done <"$dumps/linux-demo-bad.session" >got-bad
compile -vmlinux
if "$mdb" -S -e ::status linux-demo-vmlinux linux-demo >answer.out 2>&1 </dev/null; then
	echo "not ok demo wrong vmlinux: was taken"
fi
{ echo "> the wrong vmlinux"; cat answer.out; } >>got-bad
[ -z "${UPDATE:-}" ] || cp got-bad "$dumps/linux-demo-bad.expect"
n=0
while read -r variant command; do
	n=$((n + 1))
	same "demo $variant $command" $n "$dumps/linux-demo-bad.expect" got-bad
done < <(cat "$dumps/linux-demo-bad.session"; echo "bad the wrong vmlinux")
