#!/usr/bin/env bash
# meshload beside the generators found on PATH (wrk, wrk2, zrk, oha, h2load), on one machine of two cores:
# nginx on core 0, one generator at a time on core 1, in turn, several rounds; medians and ratios.
#
#   benches/peers.sh [ROUNDS]              about two minutes per round
#   PROFILE=dist benches/peers.sh [ROUNDS] the build of images and releases, which is optimised as a whole
#   ONLY=doors benches/peers.sh [ROUNDS]   TLS and HTTP/2 beside plain HTTP/1.1 alone: three quarters of a minute
#
# Needs nginx, openssl and taskset on PATH. Load goes to loopback only; only what is started here is stopped.
set -euo pipefail
cd "$(dirname "$0")/.."

rounds=${1:-5}
seconds=3
connections=50
work=$(mktemp -d)
port=18089
url=http://127.0.0.1:$port/
tls_url=https://127.0.0.1:$((port + 1))/
only=${ONLY:-}
mix=lua/mixed-workload_type_1.lua
profile=${PROFILE:-release}
meshload=target/$profile/meshload

cargo build --profile "$profile" --quiet
for program in nginx openssl taskset python3; do
  command -v $program >/dev/null || { echo "$program is not on PATH"; exit 2; }
done

openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=127.0.0.1 \
  -addext subjectAltName=IP:127.0.0.1 -addext basicConstraints=critical,CA:FALSE \
  -keyout "$work/key.pem" -out "$work/cert.pem" 2>/dev/null
cat > "$work/nginx.conf" <<CONF
worker_processes 1;
worker_rlimit_nofile 65536;
pid $work/nginx.pid;
error_log $work/error.log;
daemon off;
events { worker_connections 20000; }
http {
  access_log off; keepalive_requests 1000000000; keepalive_timeout 600s; default_type application/json;
  client_body_temp_path $work; proxy_temp_path $work; fastcgi_temp_path $work; uwsgi_temp_path $work; scgi_temp_path $work;
  server {
    listen 127.0.0.1:$port backlog=4096;
    listen 127.0.0.1:$((port + 1)) ssl http2 backlog=4096;
    ssl_certificate $work/cert.pem; ssl_certificate_key $work/key.pem;
    location / { return 200 '$(printf '{"type":"FeatureCollection","features":[%0800d]}' 0)'; }
  }
}
CONF
taskset -c 0 nginx -c "$work/nginx.conf" &
nginx=$!
trap 'kill $nginx 2>/dev/null; wait $nginx 2>/dev/null; rm -rf "$work"' EXIT
sleep 1

# wrk and wrk2 bring no `socket`; the mix needs its clock.
printf 'return { gettime = function() return os.time() end }\n' > "$work/socket.lua"
export LUA_PATH="$work/?.lua;;"

has() { command -v "$1" >/dev/null; }
note() { echo "$2" >> "$work/$1"; }
on_core() { taskset -c 1 "$@"; }
# The number after Requests/sec in a text of wrk's kind.
rate() { awk '/Requests\/sec/ { print $2; exit }'; }
# A percentile line of wrk2's text, in microseconds.
percentile() { awk -v want="$1" '$1 == want { v = $2; u = 1; if (v ~ /ms$/) u = 1000; else if (v ~ /[0-9]s$/) u = 1000000; sub(/[a-z]+$/, "", v); print v * u; exit }'; }
json() { python3 -c "import json,sys; r = json.load(sys.stdin); print($1)"; }
# Microseconds of CPU per request: user and system time of a command, over what it is told to send.
cpu_per_request() {
  local count=$1; shift
  TIMEFORMAT='%U %S'
  { time "$@" >/dev/null 2>&1; } 2>&1 | awk -v n="$count" '{ print ($1 + $2) * 1e6 / n }'
}

# Fifty requests at a time in each: fifty connections, or five with ten streams each. The same server, TLS 1.3.
doors() {
  local trusted=(--cacert "$work/cert.pem") streams=(--http2 -c5 --streams 10)
  note door-plain-meshload "$(on_core $meshload -q -t1 -c$connections -d${seconds}s -R max $url | rate)"
  note door-tls-meshload "$(on_core $meshload -q -t1 -c$connections -d${seconds}s -R max "${trusted[@]}" $tls_url | rate)"
  has wrk && note door-plain-wrk "$(on_core wrk -t1 -c$connections -d$seconds $url | rate)"
  has wrk && note door-tls-wrk "$(on_core wrk -t1 -c$connections -d$seconds $tls_url | rate)"
  note door-http2-meshload "$(on_core $meshload -q -t1 -d${seconds}s -R max "${streams[@]}" "${trusted[@]}" $tls_url | rate)"
  has oha && note door-http2-oha "$(on_core oha --no-tui --http2 --insecure -c 5 -p 10 -z ${seconds}s $tls_url | awk '/Requests\/sec/ { print $2 }')"
  has h2load && note door-http2-h2load "$(on_core h2load -t1 -c5 -m10 -D $seconds $tls_url | awk '/^finished in/ { print $4 }')"
  door_at_2k plain -c$connections $url
  door_at_2k tls -c$connections "${trusted[@]}" $tls_url
  door_at_2k http2 "${streams[@]}" "${trusted[@]}" $tls_url
  door_at_1000 plain $url
  door_at_1000 tls "${trusted[@]}" $tls_url
}
door_at_2k() {
  local name=$1; shift
  on_core $meshload -q -t1 -d${seconds}s -R2000 --json - "$@" > "$work/run.json" || true
  note "at-2k-$name-p50" "$(json 'r["latency_ns"]["p50"] / 1e3' < "$work/run.json")"
}
door_at_1000() {
  local name=$1; shift
  on_core $meshload -q -t1 -c1000 -d${seconds}s -R2000 --json - "$@" > "$work/run.json" || true
  note "memory-1000-$name-KiB" "$(json 'r["generator"]["max_rss_bytes"] / 1024' < "$work/run.json")"
}

for round in $(seq "$rounds"); do
  echo "round $round of $rounds" >&2
  doors
  [ -z "$only" ] || continue
  has wrk && note max-static-wrk "$(on_core wrk -t1 -c$connections -d$seconds $url | rate)"
  note max-static-meshload "$(on_core $meshload -q -t1 -c$connections -d${seconds}s -R max $url | rate)"
  has wrk2 && note max-static-wrk2 "$(on_core wrk2 -t1 -c$connections -d$seconds -R1000000 $url | rate)"
  has oha && note max-static-oha "$(on_core oha --no-tui -c $connections -z ${seconds}s $url | awk '/Requests\/sec/ { print $2 }')"
  has wrk && note max-mix-wrk "$(on_core wrk -t1 -c$connections -d$seconds -s $mix $url | rate)"
  note max-mix-meshload "$(on_core $meshload -q -t1 -c$connections -d${seconds}s -R max -s $mix $url | rate)"
  has wrk2 && note max-mix-wrk2 "$(on_core wrk2 -t1 -c$connections -d$seconds -R1000000 -s $mix $url | rate)"

  # wrk2 throws its first ten seconds of latencies away.
  if has wrk2; then
    on_core wrk2 -t1 -c$connections -d13 -R800 -L $url > "$work/wrk2.txt"
    note at-800-wrk2-p50 "$(percentile '50.000%' < "$work/wrk2.txt")"
    note at-800-wrk2-p99 "$(percentile '99.000%' < "$work/wrk2.txt")"
  fi
  if has zrk; then
    on_core zrk -t1 -c$connections -d${seconds}s -R800 --plain --format json $url 2>/dev/null > "$work/run.json" || true
    note at-800-zrk-p50 "$(json 'r["latency_us"]["p50"]' < "$work/run.json")"
    note at-800-zrk-p99 "$(json 'r["latency_us"]["p99"]' < "$work/run.json")"
  fi
  for pacing in auto timer spin; do
    on_core $meshload -q -t1 -c$connections -d${seconds}s -R800 --pacing $pacing --json - $url > "$work/run.json" || true
    note "at-800-meshload-$pacing-p50" "$(json 'r["latency_ns"]["p50"] / 1e3' < "$work/run.json")"
    note "at-800-meshload-$pacing-p99" "$(json 'r["latency_ns"]["p99"] / 1e3' < "$work/run.json")"
    note "at-800-meshload-$pacing-over-service" "$(json '(r["latency_ns"]["p50"] - r["service_ns"]["p50"]) / 1e3' < "$work/run.json")"
  done

  total=$((20000 * seconds))
  has zrk && note cpu-20k-zrk "$(cpu_per_request $total on_core zrk -t1 -c$connections -d${seconds}s -R20000 --plain $url)"
  has wrk2 && note cpu-20k-wrk2 "$(cpu_per_request $total on_core wrk2 -t1 -c$connections -d$seconds -R20000 $url)"
  for pacing in timer auto spin; do
    note "cpu-20k-meshload-$pacing" "$(cpu_per_request $total on_core $meshload -q -t1 -c$connections -d${seconds}s -R20000 --pacing $pacing $url)"
  done
done

if [ -z "$only" ]; then
on_core $meshload -q -t1 -c100 -d${seconds}s -R800 -s $mix --json - $url > "$work/run.json" || true
small=$(json 'r["generator"]["max_rss_bytes"]' < "$work/run.json")
on_core $meshload -q -t1 -c10000 -d${seconds}s -R2000 --json - $url > "$work/run.json" || true
large=$(json 'r["generator"]["max_rss_bytes"]' < "$work/run.json")
fi

echo
echo "$(nproc)-core machine, $(uname -sr), nginx on core 0, generator on core 1, $connections connections, medians of $rounds rounds"
for file in "$work"/door-* "$work"/at-2k-* "$work"/max-* "$work"/at-800-* "$work"/cpu-* "$work"/memory-*; do
  [ -f "$file" ] || continue
  median=$(sort -g "$file" | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }')
  range=$(sort -g "$file" | awk 'NR == 1 { low = $1 } END { print low " to " $1 }')
  echo "$median" > "$file.median"
  printf '  %-40s %12.1f   (%s)\n' "$(basename "$file")" "$median" "$range"
done
ratio() {
  [ -f "$work/$2.median" ] && [ -f "$work/$3.median" ] || return 0
  awk -v name="$1" -v a="$(cat "$work/$2.median")" -v b="$(cat "$work/$3.median")" 'BEGIN { printf "  %-40s %12.2f\n", name, a / b }'
}
echo "ratios"
ratio "max static, meshload / wrk" max-static-meshload max-static-wrk
ratio "max mix, meshload / wrk" max-mix-meshload max-mix-wrk
ratio "CPU at 20k/s, timer / wrk2" cpu-20k-meshload-timer cpu-20k-wrk2
ratio "max TLS, meshload / wrk" door-tls-meshload door-tls-wrk
ratio "max, TLS / plain, meshload" door-tls-meshload door-plain-meshload
ratio "max, TLS / plain, wrk" door-tls-wrk door-plain-wrk
ratio "max HTTP/2, meshload / oha" door-http2-meshload door-http2-oha
ratio "max HTTP/2, meshload / h2load" door-http2-meshload door-http2-h2load
[ -z "$only" ] || exit 0
echo "memory"
echo "  resident at 100 connections, mix: $((small / 1024)) KiB"
echo "  per connection beyond, at 10,000: $(((large - small) / 9900)) bytes"
