//! Real peers: nginx, and Envoy as a sidecar and as a pair with mutual TLS. They are not installed
//! everywhere, so their tests are ignored unless they are asked for.

use crate::support::mesh::LocalMesh;
use crate::support::nginx::{Logged, Nginx, free_address};
use crate::support::tls::{Identity, Pki};
use crate::support::{Meshload, Output, beside_others, done, machine, path_text, request_count};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

fn run(url: &str, flags: &[&str]) -> Output {
    let words = "-R 400 -d 1s -t 1 -c 4 -q --json -".split(' ');
    Meshload::new(words.chain(flags.iter().copied()).chain([url])).run()
}

/// A run in which every request was answered with 200.
fn good(url: &str, flags: &[&str]) -> Value {
    let output = run(url, flags);
    done(&output);
    let result = output.json();
    let requests = &result["requests"];
    assert!(requests["completed"].as_u64() > Some(120), "{output}");
    assert_eq!(requests["failed"], 0, "{output}");
    assert_eq!(result["status"]["200"], requests["completed"], "{output}");
    result
}

/// The values of one column of a log.
fn seen(log: &[Logged], column: impl Fn(&Logged) -> &str) -> BTreeSet<&str> {
    log.iter().map(column).collect()
}

fn certificate(identity: &Identity) -> String {
    let (cert, key) = (identity.cert.display(), identity.key.display());
    format!("ssl_certificate {cert}; ssl_certificate_key {key};")
}

#[test]
#[ignore = "needs nginx"]
fn nginx_is_measured_through_tls_of_either_version() {
    let _machine = beside_others();
    let (pki, address) = (Pki::new(), free_address());
    let identity = certificate(&pki.identity("server", &["localhost"]));
    for version in ["TLSv1.2", "TLSv1.3"] {
        let server = format!(
            "listen {address} ssl; {identity} ssl_protocols {version}; \
             ssl_session_cache shared:sessions:1m;"
        );
        let nginx = Nginx::start(address, &server);
        let (url, ca) = (format!("https://localhost:{}/", address.port()), pki.ca());
        let trusted = [
            "--cacert",
            path_text(&ca),
            "--requests-per-connection",
            "20",
        ];
        let result = good(&url, &trusted);
        let log = nginx.log();
        assert_eq!(seen(&log, |one| &one.tls), BTreeSet::from([version]));
        assert_eq!(
            seen(&log, |one| &one.server_name),
            BTreeSet::from(["localhost"])
        );
        let [taken_up, by_nginx] = [
            request_count(&result, "resumed"),
            log.iter().filter(|one| one.reused == "r").count() as u64,
        ];
        assert!(
            taken_up >= 4 && by_nginx >= 20,
            "{taken_up}, of nginx's {by_nginx}"
        );
        let single = ["--cacert", path_text(&ca), "--no-keepalive"];
        let reconnects = request_count(&good(&url, &single), "reconnects");
        assert_eq!(
            reconnects, 0,
            "a connection that has done its work is not lost"
        );
        nginx.forget();
        let result = good(&url, &[&trusted[..], &["--no-resumption"]].concat());
        assert_eq!(request_count(&result, "resumed"), 0);
        assert_eq!(seen(&nginx.log(), |one| &one.reused), BTreeSet::from(["."]));
    }
}

/// `openssl ARGS` in a folder.
fn openssl(home: &Path, args: &str) {
    let mut command = std::process::Command::new("openssl");
    let output = command.current_dir(home).args(args.split(' ')).output();
    let output = output.expect("openssl runs");
    assert!(output.status.success(), "{args}: {output:?}");
}

#[test]
#[ignore = "needs nginx and openssl"]
fn nginx_with_a_certificate_of_the_first_version_is_believed_only_where_everybody_is() {
    let _machine = beside_others();
    let address = free_address();
    let home = tempfile::tempdir().expect("a folder");
    openssl(
        home.path(),
        "req -newkey rsa:2048 -nodes -subj /CN=localhost -keyout key -out csr",
    );
    openssl(home.path(), "x509 -req -in csr -signkey key -out cert");
    let folder = home.path().display();
    let server = format!(
        "listen {address} ssl; ssl_certificate {folder}/cert; ssl_certificate_key {folder}/key;"
    );
    let _nginx = Nginx::start(address, &server);
    let url = format!("https://localhost:{}/", address.port());
    good(&url, &["--insecure"]);
    let refused = run(&url, &[]);
    assert_eq!(refused.code, Some(1), "{refused}");
    assert!(refused.stderr.contains("--insecure"), "{refused}");
}

#[test]
#[ignore = "needs nginx"]
fn nginx_wants_to_know_who_asks() {
    let _machine = beside_others();
    let (pki, other, address) = (Pki::new(), Pki::new(), free_address());
    let identity = certificate(&pki.identity("server", &["localhost"]));
    let ca = pki.ca();
    let server = format!(
        "listen {address} ssl http2; {identity} ssl_verify_client on; ssl_client_certificate {};",
        ca.display()
    );
    let nginx = Nginx::start(address, &server);
    let url = format!("https://localhost:{}/", address.port());
    let friend = pki.identity("friend", &["friend"]);
    let stranger = other.identity("stranger", &["stranger"]);
    for http in [&[][..], &["--http2"]] {
        let trusted = [&["--cacert", path_text(&ca)], http].concat();
        let showing = |who: &Identity| {
            let (cert, key) = (
                path_text(&who.cert).to_owned(),
                path_text(&who.key).to_owned(),
            );
            let flags = ["--cert", &cert, "--key", &key];
            run(&url, &[&trusted[..], &flags].concat())
        };
        nginx.forget();
        let nobody = run(&url, &trusted);
        assert_eq!(nobody.code, Some(1), "{nobody}");
        assert!(nobody.stderr.contains("--cert and --key"), "{nobody}");
        let strange = showing(&stranger);
        assert_eq!(strange.code, Some(1), "{strange}");
        assert!(strange.stderr.contains("certificate"), "{strange}");
        assert!(nginx.log().len() <= 2, "no load was made of it");
        nginx.forget();
        let result = showing(&friend);
        done(&result);
        let result = result.json();
        assert_eq!(result["status"]["200"], result["requests"]["completed"]);
        let log = nginx.log();
        assert!(log.len() > 120, "{}", log.len());
        assert_eq!(seen(&log, |one| &one.client), BTreeSet::from(["SUCCESS"]));
    }
}

#[test]
#[ignore = "needs nginx"]
fn nginx_leaves_http2_connections_after_a_number_of_requests_and_none_is_lost() {
    let _machine = beside_others();
    let (pki, address) = (Pki::new(), free_address());
    let identity = certificate(&pki.identity("server", &["localhost"]));
    let server = format!("listen {address} ssl http2; {identity} keepalive_requests 20;");
    let nginx = Nginx::start(address, &server);
    let url = format!("https://localhost:{}/", address.port());
    let ca = pki.ca();
    let flags = ["--cacert", path_text(&ca), "--http2", "--streams", "8"];
    let result = good(&url, &flags);
    assert!(
        request_count(&result, "goaways") >= 4,
        "{}",
        result["requests"]
    );
    let log = nginx.log();
    assert_eq!(seen(&log, |one| &one.http), BTreeSet::from(["HTTP/2.0"]));
    let connections = seen(&log, |one| &one.connection).len();
    assert!(connections >= log.len() / 20, "{connections}");
}

#[test]
#[ignore = "needs nginx"]
fn nginx_at_the_wrong_kind_of_port_is_told_from_the_right_one() {
    let _machine = beside_others();
    let (pki, tls, plain) = (Pki::new(), free_address(), free_address());
    let identity = certificate(&pki.identity("server", &["localhost"]));
    let server = format!("listen {plain}; listen {tls} ssl; {identity}");
    let _nginx = Nginx::start(tls, &server);
    for (url, cure) in [
        (format!("http://{tls}/"), "write https://"),
        (format!("https://{plain}/"), "write http://"),
    ] {
        let output = run(
            &url,
            &["--insecure"][..usize::from(url.starts_with("https"))],
        );
        let told = output.stderr.contains(cure) || output.stdout.contains(cure);
        assert!(told && output.code != Some(0), "{output}");
    }
}

#[test]
#[ignore = "needs nginx"]
fn nginx_is_told_who_asks_through_the_proxy_protocol_and_answers_on_a_socket_of_its_own() {
    let _machine = beside_others();
    let (behind, address) = (free_address(), free_address());
    let home = tempfile::tempdir().expect("a folder");
    let socket = format!("unix:{}/nginx.sock", home.path().display());
    let server = format!("listen {behind} proxy_protocol; listen {address}; listen {socket};");
    let nginx = Nginx::start(address, &server);
    let url = format!("http://{behind}/");
    for version in ["v1", "v2"] {
        nginx.forget();
        let flags = ["--local-address", "127.0.0.9", "--proxy-protocol", version];
        good(&url, &flags);
        let log = nginx.log();
        assert_eq!(
            seen(&log, |one| &one.proxied_for),
            BTreeSet::from(["127.0.0.9"])
        );
    }
    nginx.forget();
    good(&socket, &["--host", "shop.example"]);
    assert_eq!(
        seen(&nginx.log(), |one| &one.host),
        BTreeSet::from(["shop.example"])
    );
}

#[test]
#[ignore = "needs envoy and openssl"]
fn one_sidecar_and_two_with_mutual_tls_carry_every_version_of_http() {
    let _machine = machine();
    let mesh = LocalMesh::start();
    let url = |offset: u16| format!("http://127.0.0.1:{}/", mesh.first_port + offset);
    for http in [&[][..], &["--http2", "--streams", "8"]] {
        let medians = [0, 1, 2].map(|offset| {
            let result = good(&url(offset), http);
            result["service_ns"]["p50"].as_f64().expect("a median")
        });
        // The application takes a millisecond; each way there comes on top.
        assert!(medians[0] >= 1e6, "{medians:?}");
        assert!(
            medians[1] > medians[0] && medians[2] > medians[0],
            "{medians:?}"
        );
    }
}

#[test]
#[ignore = "needs envoy and openssl"]
fn the_door_of_a_sidecar_opens_to_the_mesh_alone() {
    let _machine = beside_others();
    let mesh = LocalMesh::start();
    let (ca, client) = (mesh.file("ca.pem"), mesh.client());
    let url = format!("https://localhost:{}/", mesh.first_port + 3);
    let known = [
        "--cert",
        path_text(&client.cert),
        "--key",
        path_text(&client.key),
    ];
    let other = Pki::new();
    let stranger = other.identity("stranger", &["stranger"]);
    let strange = [
        "--cert",
        path_text(&stranger.cert),
        "--key",
        path_text(&stranger.key),
    ];
    for http in [&[][..], &["--http2"]] {
        let trusted = [&["--cacert", path_text(&ca)], http].concat();
        let result = good(&url, &[&trusted[..], &known].concat());
        assert!(
            result["handshake_ns"]["count"].as_u64() >= Some(4),
            "{result}"
        );
        for (flags, words) in [(&[][..], "--cert and --key"), (&strange, "certificate")] {
            let output = run(&url, &[&trusted[..], flags].concat());
            assert_eq!(output.code, Some(1), "{output}");
            assert!(output.stderr.contains(words), "{output}");
        }
    }
    let unknown = run(&url, &known);
    assert_eq!(unknown.code, Some(1), "{unknown}");
    assert!(unknown.stderr.contains("--cacert"), "{unknown}");
}

/// The plan of the docs, at this mesh, in a few seconds.
fn small_plan(mesh: &LocalMesh, home: &Path) -> std::path::PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let plan = fs::read_to_string(root.join("docs/plans/local-mesh.toml")).expect("a plan");
    let mut plan: toml::Table = plan.parse().expect("TOML");
    for (name, value) in [
        ("repetitions", toml::Value::Integer(1)),
        ("measure", "2s".into()),
        (
            "warm_up_first",
            toml::Table::from_iter([("length".to_owned(), "0s".into())]).into(),
        ),
    ] {
        assert!(plan.insert(name.to_owned(), value).is_some(), "{name}");
    }
    let script = root.join("lua/mixed-workload_type_1.lua");
    plan["load"]["script"] = path_text(&script).into();
    let mut plan = plan.to_string();
    for offset in 0..3 {
        let port = (mesh.first_port + offset).to_string();
        plan = plan.replace(
            &format!("127.0.0.1:1500{offset}"),
            &format!("127.0.0.1:{port}"),
        );
    }
    let path = home.join("plan.toml");
    fs::write(&path, plan).expect("written");
    path
}

#[test]
#[ignore = "needs envoy and openssl"]
fn the_plan_of_the_local_mesh_tells_what_the_sidecars_cost() {
    let _machine = machine();
    let mesh = LocalMesh::start();
    let home = tempfile::tempdir().expect("a folder");
    let (plan, folder) = (small_plan(&mesh, home.path()), home.path().join("sweep"));
    let output = Meshload::new(["sweep", path_text(&plan), "-o", path_text(&folder)]).run();
    assert_eq!(output.code, Some(0), "{output}");
    for arm in ["plain", "one-sidecar", "mutual-tls"] {
        let sidecars = sidecars_of(&folder, arm);
        let processes = ["plain", "one-sidecar", "mutual-tls"].iter();
        let wanted = processes.take_while(|name| **name != arm).count();
        assert_eq!(sidecars.len(), 2 * wanted, "{arm} at two rates");
        assert!(sidecars.iter().all(|cpu| *cpu > 0.0), "{arm}: {sidecars:?}");
    }
    let output = Meshload::new(["compare", path_text(&folder), "-o", path_text(&folder)]).run();
    assert_eq!(output.code, Some(0), "{output}");
    assert!(
        output.stdout.contains("mutual-tls against plain"),
        "{output}"
    );
}

/// Thousandths of a core that each proxy took in each step of an arm.
fn sidecars_of(folder: &Path, arm: &str) -> Vec<f64> {
    let table = folder.join("k8s_full_metrics.csv");
    let mut table = csv::Reader::from_path(table).expect("a table");
    let rows = table.deserialize().map(|row| row.expect("a row"));
    let proxies = rows
        .filter(|row: &BTreeMap<String, String>| row["Arm"] == arm && row["Service"] == "envoy");
    let cpu = proxies.map(|row| row["CPU_Sidecar(m)"].parse());
    cpu.map(|cpu| cpu.expect("a number")).collect()
}
