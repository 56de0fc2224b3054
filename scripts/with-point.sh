#!/bin/sh
# Runs a command beside a fresh Point in demo mode, which the command finds by POINT_URL,
# POINT_SETUP_URL (the one-time link) and POINT_KEY (a client key): with-point.sh COMMAND...
set -eu

point=$(cd "$(dirname "$0")/.." && pwd)/bin/point
dir=$(mktemp -d)
pid=
stop() {
	trap - EXIT INT TERM
	if [ -n "$pid" ]; then
		kill "$pid" 2>/dev/null || :
		wait "$pid" || :
	fi
	rm -rf "$dir"
}
trap stop EXIT
trap 'exit 1' INT TERM

env -i PATH="$PATH" POINT_LISTEN=127.0.0.1:0 POINT_DATA_DIR="$dir/data" POINT_DEMO=true POINT_DRAIN=2s \
	"$point" serve >"$dir/out" 2>"$dir/log" &
pid=$!

line() { sed -n "s/^ *$1: *\([^ ]*\).*/\1/p" "$dir/out" | head -n 1; }
tries=0
until [ -n "$(line 'client key')" ]; do
	tries=$((tries + 1))
	if [ $tries -gt 300 ] || ! kill -0 "$pid" 2>/dev/null; then
		echo "Point does not start:" >&2
		cat "$dir/out" "$dir/log" >&2
		exit 1
	fi
	sleep 0.1
done

POINT_URL=$(line console) POINT_SETUP_URL=$(line set-up) POINT_KEY=$(line 'client key') "$@" || {
	code=$?
	echo "What Point said:" >&2
	tail -n 50 "$dir/log" >&2
	exit $code
}
