#!/bin/sh
# Hot reload of both sides: Vite serves the console and hands /api and /v1 to Point, which is
# built and started again whenever a Go file changes. Ctrl-C ends both.
set -eu
cd "$(dirname "$0")/.."

point= vite=
stop() {
	trap - INT TERM EXIT
	for pid in $point $vite; do kill "$pid" 2>/dev/null || :; done
	wait
}
trap stop INT TERM EXIT

# Vite itself, not npm: npm would leave it behind.
(cd console && POINT_URL="http://${POINT_LISTEN:-127.0.0.1:8080}" exec node_modules/.bin/vite) &
vite=$!

stamp=.cache/dev
changed() { [ -n "$(find . \( -name node_modules -o -name .git -o -name .cache -o -name data \) -prune -o \
	\( -name '*.go' -o -name go.mod -o -name '*.sql' -o -name '*.yaml' \) -newer $stamp -print | head -n 1)" ]; }

mkdir -p .cache
while kill -0 $vite 2>/dev/null; do
	if [ ! -e $stamp ] || changed; then
		touch $stamp
		if CGO_ENABLED=0 go build -o .cache/point-dev ./cmd/point; then
			if [ -n "$point" ]; then
				kill "$point" 2>/dev/null || :
				wait "$point" || :
			fi
			POINT_DRAIN=${POINT_DRAIN:-1s} .cache/point-dev serve "$@" &
			point=$!
		fi
	fi
	sleep 1
done
