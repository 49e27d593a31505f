#!/usr/bin/env bash
# Compares the names of all tests with a list of before, so that a move loses none.
#
#   tests/compare_names.sh --list > FILE      the names of the tests as they are now
#   tests/compare_names.sh FILE               which of the names in FILE are gone, which are new
#
# Only a test's own name counts: the binary and the modules around it may change. A name that two tests
# share counts twice. FILE may have other words before the name.
set -euo pipefail
cd "$(dirname "$0")/.."

names() {
  cargo test --quiet -- --list --include-ignored 2>/dev/null | sed -n 's/^\(.*\): test$/\1/p'
}

own_names() {
  sed 's/.* //; s/.*:://' "$1" | sort
}

if [ "${1:?usage: tests/compare_names.sh --list | FILE}" = --list ]; then
  names
  exit
fi
now=$(mktemp)
trap 'rm -f "$now"' EXIT
names >"$now"
echo "before: $(wc -l <"$1"), now: $(wc -l <"$now")"
comm -23 <(own_names "$1") <(own_names "$now") | sed 's/^/gone: /'
comm -13 <(own_names "$1") <(own_names "$now") | sed 's/^/new:  /'
