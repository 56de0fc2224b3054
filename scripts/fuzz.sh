#!/bin/sh
# Runs every fuzz target for a time such as 5s, one after the other: fuzz.sh TIME [PACKAGES]
# QUICK=1 leaves out packages that link SQLite: it takes minutes to build it for fuzzing.
set -eu
time=$1
shift
if [ $# = 0 ]; then
	# shellcheck disable=SC2046 # one word per package
	set -- $(grep -rl --include='*_test.go' '^func Fuzz' . | xargs -rn1 dirname | sort -u)
fi
made=$(mktemp -d)
trap 'rm -rf "$made"' EXIT
for package; do
	if [ -n "${QUICK:-}" ] && go list -deps -test "$package" | grep -q '^modernc.org/sqlite$'; then continue; fi
	# Built once: go test would link it again for each target.
	go test -c -fuzz=. -o "$made/fuzz.test" "$package"
	found=$(go env GOCACHE)/fuzz/$(go list "$package")
	for target in $(grep -rhoE '^func Fuzz[A-Za-z0-9_]*' "$package"/*_test.go | cut -d' ' -f2); do
		echo "fuzz $package $target"
		if ! said=$(cd "$package" && "$made/fuzz.test" -test.run='^$' -test.fuzz="^$target\$" -test.fuzztime="$time" -test.fuzzminimizetime=100x -test.fuzzcachedir="$found" 2>&1); then
			echo "$said"
			exit 1
		fi
	done
done
