#!/bin/sh
# Runs every fuzz target for a number of inputs or a time, one after the other: fuzz.sh 5000x|1m [PACKAGES]
# A number is what a check that must not fail by chance takes: before Go 1.27 a target that finds nothing
# within its time may still end with "context deadline exceeded" (golang.org/issue/75804).
# QUICK=1 leaves out packages that link SQLite: it takes minutes to build it for fuzzing.
set -eu
budget=$1
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
		if ! said=$(cd "$package" && "$made/fuzz.test" -test.run='^$' -test.fuzz="^$target\$" -test.fuzztime="$budget" -test.fuzzminimizetime=100x -test.fuzzcachedir="$found" 2>&1); then
			echo "$said"
			exit 1
		fi
	done
done
