# Reports each #include that goes against the order of the layers.
BEGIN {
	n = split(order, l, " ")
	for (i = 1; i <= n; i++)
		rank[l[i]] = i
}
FILENAME ~ /_(test|fuzz)\.c$/ { next }
match($0, /^#include "mdb\/[a-z]+\//) {
	split(FILENAME, me, "/")
	split($0, it, "/")
	if (me[1] == "dumpfmt" || rank[it[2]] > rank[me[2]]) {
		print FILENAME ":" FNR ": " me[1] "/" me[2] " must not include " it[2]
		bad = 1
	}
}
/^#include ["<](dumpfmt\/)?dfmt-/ {
	split(FILENAME, me, "/")
	if (me[1] == "mdb" && me[2] != "mem") {
		print FILENAME ":" FNR ": only mdb/mem may include dumpfmt"
		bad = 1
	}
}
END { exit bad }
