#!/usr/bin/env bash
# Whether one build of meshload costs more than another, or is less exact: both send the same load to
# the same stand-in server, in turns, and are held against each other like any two systems. What is
# compared is latency (the server's is constant, so a difference is the generator's) and the CPU that
# a request costs the generator.
#
#   benches/regression.sh OLD NEW [BLOCKS]      paths of two binaries, 8 blocks
#
# Exit 3: NEW is worse by more than the limits, resolved. To hold the working tree against a commit:
#   git worktree add /tmp/old COMMIT && (cd /tmp/old && cargo build --release)
#   cargo build --release && benches/regression.sh /tmp/old/target/release/meshload target/release/meshload
set -euo pipefail

old=$(realpath "${1:?usage: benches/regression.sh OLD NEW [BLOCKS]}")
new=$(realpath "${2:?usage: benches/regression.sh OLD NEW [BLOCKS]}")
blocks=${3:-8}
limits=${LIMITS:-p50=20%,cpu_per_request=10%}
work=$(mktemp -d)
"$new" hotel --listen 127.0.0.1:0 --service-time constant:2ms >"$work/hotel.txt" &
hotel=$!
trap 'kill "$hotel"; rm -rf "$work"' EXIT
for _ in $(seq 50); do
  [ -s "$work/hotel.txt" ] && break
  sleep 0.1
done
url=$(grep -o 'http://[^ ]*' "$work/hotel.txt")

# The generator watches itself: `exec` keeps the process id of the shell.
measure() { # NAME BINARY BLOCK
  sh -c 'exec "$0" "$@" --collect "process:$$"' "$2" -R 2000 -d 4s --warmup 1s -t 1 -c 50 \
    --pacing timer --seed "$3" -q -o "$work/$1/steps/$(printf %04d "$3")" "$url" >"$work/out.txt" || true
}
for block in $(seq "$blocks"); do
  if [ $((block % 2)) = 1 ]; then
    measure old "$old" "$block"
    measure new "$new" "$block"
  else
    measure new "$new" "$block"
    measure old "$old" "$block"
  fi
done
cd "$work"
"$new" compare old new --max-regression "$limits"
