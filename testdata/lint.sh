#!/bin/bash
# Format, clang-tidy, cppcheck, and the sizes of functions and files.
# Prints the five largest of each; exits 1 when something must be mended.
#   lint.sh [FILE.c...]: these files only; all takes some minutes
set -u
export LC_ALL=C
bad=0
for tool in clang-format clang-tidy cppcheck ctags; do
	command -v $tool >/dev/null || { echo "lint: $tool is not installed (apt-get install clang-format clang-tidy cppcheck universal-ctags)"; exit 1; }
done
files=$(git ls-files "${@:-*.[ch]}")
# The lab's kernel module needs a kernel's own headers and flags; goldcloth's
# images are data at addresses, for another machine.
code=$(echo "$files" | grep '\.c$' | grep -vE '_(test|fuzz)\.c$|^testdata/(lab/module|goldcloth/image)/')
# The hypervisor's side needs Xen's headers; for this one the stand-ins do.
tidied=$(echo "$code" | grep -vE '^dumpfmt/xen/'; echo "$code" | grep -xF dumpfmt/xen/config.c)

echo "format:"
# shellcheck disable=SC2086
clang-format --dry-run -Werror $files 2>&1 | grep -E 'error:' | head -20 && bad=1

echo "cppcheck:"
# shellcheck disable=SC2086
cppcheck -q --enable=warning,performance,portability --inline-suppr \
	--suppress=unknownMacro --suppress=missingInclude --error-exitcode=1 -j"$(nproc)" \
	-D_GNU_SOURCE -Imdb/include -I. -Idumpfmt $code || bad=1

echo "clang-tidy:"
tidy() {
	local std=gnu2x inc="-I. -Imdb/include -Idumpfmt"
	case $1 in
	dumpfmt/xen/*) std=gnu11 inc="-Idumpfmt -Idumpfmt/dev -Idumpfmt/xen/test/include" ;;
	dumpfmt/*) std=gnu11 ;;
	# It defines what lint.h redefines.
	mdb/base/ctx.c) ;;
	*) inc="$inc -include testdata/lint.h" ;;
	esac
	clang-tidy --quiet "$1" -- -std=$std -D_GNU_SOURCE $inc 2>/dev/null
}
export -f tidy
out=$(printf '%s\n' $tidied | xargs -r -P"$(nproc)" -I{} bash -c 'tidy {}' | grep -E 'error:|warning:' | sort -u)
[ -z "$out" ] || { echo "$out" | head -60; echo "clang-tidy: $(echo "$out" | wc -l) findings"; bad=1; }

echo "longest files:"
# shellcheck disable=SC2086
wc -l $files | grep -v ' total$' | sort -rn | head -5
echo "longest functions:"
printf '%s\n' $code | ctags --languages=C --kinds-C=f --fields=+ne -f - -L - 2>/dev/null |
	awk -F'\t' '{s = e = 0; for (i = 4; i <= NF; i++) {if ($i ~ /^line:/) s = substr($i, 6); if ($i ~ /^end:/) e = substr($i, 5)} if (e) print e - s + 1, $2 ":" s, $1}' |
	sort -rn | awk '{a[NR] = $1; if (NR <= 5) print} END {printf "functions %d, median %d, 90th percentile %d, over 60 lines: ", NR, a[int(NR / 2) + 1], a[int(NR / 10) + 1]; n = 0; for (i = 1; i <= NR; i++) n += a[i] > 60; print n}'
exit $bad
