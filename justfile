# Daily commands; `just` lists them. Each is one line that can be typed without just.

_default:
    @just --list

# The tests that make no load, draw no pages and simulate no thousands of runs (needs cargo-nextest)
fast:
    cargo nextest run --profile fast

# All tests that need only Rust and a C compiler
test:
    cargo test

# Everything that CI checks, with the tests that need other programs
ci:
    .ci/run

# Write the golden files anew from what the code says now; look at the difference before a commit
bless:
    MESHLOAD_BLESS=1 cargo test --lib

# Fuzz one target for ten minutes (needs cargo-fuzz)
fuzz TARGET:
    cp Cargo.lock fuzz/
    cd fuzz && RUSTC_BOOTSTRAP=1 cargo fuzz run {{TARGET}} -- -max_total_time=600 -timeout=10 -rss_limit_mb=1024

# Write docs/schema anew from the types
schema:
    MESHLOAD_BLESS=1 cargo test --lib schema

# Lines of code by room, without tests, comments and blanks
count:
    cargo fmt
    tests/count_lines.py
