//! A stand-in for a Kubernetes API server and its kubelets: the real paths, over HTTP as a `kubectl
//! proxy` or over TLS with a bearer token, with faults on demand.

pub mod cluster;
mod exec;
mod figures;
mod objects;

use cluster::{Cluster, list, node_json, pod_json};
use futures_util::{StreamExt, stream};
use http_body_util::{BodyExt, Full, StreamBody, combinators::UnsyncBoxBody};
use hyper::body::{Bytes, Frame, Incoming};
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode, header};
use hyper_util::rt::TokioIo;
use meshload::clock::{AdvancedClock, TimeSource};
use serde_json::{Value, json};
use std::io;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::oneshot;
use tokio_rustls::TlsAcceptor;

/// What goes wrong with a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// An error of this code.
    Status(u16),
    /// No answer at all.
    Hang,
    /// The connection is closed in mid-body.
    Cut,
    /// A whole answer with half of its text.
    Truncated,
    /// Nothing new from the fault's first moment on.
    Stale,
    /// Stamps and counters of a minute ago.
    TimeBack,
    /// An answer of 80 MB.
    Huge,
    /// Random bytes.
    Garbage,
}

type Reply = UnsyncBoxBody<Bytes, io::Error>;

const TOKEN: &str = "a-token-for-tests";

/// What goes wrong with paths that contain `part`, from a moment (nanoseconds since 1970) on.
struct Planned {
    from: u64,
    part: String,
    fault: Fault,
}

struct State {
    cluster: Mutex<Cluster>,
    faults: Mutex<Vec<Planned>>,
    calls: Mutex<Vec<String>>,
    wants_token: bool,
    clock: TimeSource,
}

/// A running server; it ends when this is dropped.
pub struct ApiServer {
    state: Arc<State>,
    port: u16,
    authority: Option<String>,
    _stop: oneshot::Sender<()>,
}

impl ApiServer {
    /// Serves a cluster over HTTP.
    pub fn start(cluster: Cluster) -> ApiServer {
        ApiServer::start_by(cluster, TimeSource::machine())
    }

    /// As [`ApiServer::start`], by the time of this clock.
    pub fn start_by(cluster: Cluster, clock: TimeSource) -> ApiServer {
        ApiServer::serve(cluster, None, clock)
    }

    /// Serves a cluster over TLS to clients that have the token.
    pub fn start_tls(cluster: Cluster) -> ApiServer {
        ApiServer::start_tls_by(cluster, TimeSource::machine())
    }

    /// As [`ApiServer::start_tls`], by the time of this clock.
    pub fn start_tls_by(cluster: Cluster, clock: TimeSource) -> ApiServer {
        ApiServer::serve(cluster, Some(certificates()), clock)
    }

    fn serve(
        mut cluster: Cluster,
        tls: Option<(TlsAcceptor, String)>,
        clock: TimeSource,
    ) -> ApiServer {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        listener.set_nonblocking(true).expect("a listener");
        let port = listener.local_addr().expect("an address").port();
        cluster.kubelet_port = port;
        let (acceptor, authority) = tls.unzip();
        let state = Arc::new(State {
            cluster: Mutex::new(cluster),
            faults: Mutex::default(),
            calls: Mutex::default(),
            wants_token: authority.is_some(),
            clock,
        });
        let (stop, stopped) = oneshot::channel();
        let shared = state.clone();
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build();
            runtime.expect("a runtime").block_on(async move {
                let listener = tokio::net::TcpListener::from_std(listener).expect("a listener");
                tokio::select! {
                    () = accept(listener, acceptor, shared) => {}
                    _ = stopped => {}
                }
            });
        });
        ApiServer {
            state,
            port,
            authority,
            _stop: stop,
        }
    }

    /// As `kubectl proxy` prints it.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Writes a kubeconfig: context `good` (the current one) and context `nowhere`, whose server is
    /// not there.
    pub fn kubeconfig(&self, folder: &Path) -> PathBuf {
        let authority = self.authority.as_deref().expect("a server with TLS");
        let authority =
            base64::Engine::encode(&base64::engine::general_purpose::STANDARD, authority);
        let server = format!("https://127.0.0.1:{}", self.port);
        let cluster =
            |server: &str| json!({ "server": server, "certificate-authority-data": authority });
        let config = json!({
            "apiVersion": "v1", "kind": "Config", "current-context": "good",
            "clusters": [{ "name": "good", "cluster": cluster(&server) }, { "name": "nowhere", "cluster": cluster("https://127.0.0.1:9") }],
            "users": [{ "name": "user", "user": { "token": TOKEN } }, { "name": "stranger", "user": { "token": "wrong" } }],
            "contexts": [
                { "name": "good", "context": { "cluster": "good", "user": "user" } },
                { "name": "stranger", "context": { "cluster": "good", "user": "stranger" } },
                { "name": "nowhere", "context": { "cluster": "nowhere", "user": "user" } },
            ],
        });
        let path = folder.join("kubeconfig");
        std::fs::write(&path, config.to_string()).expect("a file");
        path
    }

    /// Changes the cluster; the closure is given the moment.
    pub fn change(&self, change: impl FnOnce(&mut Cluster, u64)) {
        change(
            &mut self.state.cluster.lock().expect("not poisoned"),
            self.state.clock.unix().0,
        );
    }

    /// The clock that it was started with, to be advanced.
    pub fn advanced_clock(&self) -> AdvancedClock {
        match &self.state.clock {
            TimeSource::Advanced(clock) => clock.clone(),
            TimeSource::Machine(_) => panic!("it goes by the machine's clock"),
        }
    }

    /// From now on paths that contain `part` go wrong.
    pub fn misbehave(&self, part: &str, fault: Fault) {
        self.misbehave_from(self.state.clock.unix().0, part, fault);
    }

    /// From this moment (nanoseconds since 1970) on paths that contain `part` go wrong.
    pub fn misbehave_from(&self, from: u64, part: &str, fault: Fault) {
        let part = part.to_owned();
        let mut faults = self.state.faults.lock().expect("not poisoned");
        faults.push(Planned { from, part, fault });
    }

    /// From now on nothing goes wrong any more.
    pub fn behave(&self) {
        self.state.faults.lock().expect("not poisoned").clear();
    }

    /// The cluster as it is now.
    pub fn cluster(&self) -> Cluster {
        self.state.cluster.lock().expect("not poisoned").clone()
    }

    /// How many calls to paths that contain `part` there were.
    pub fn calls_to(&self, part: &str) -> usize {
        let calls = self.state.calls.lock().expect("not poisoned");
        calls.iter().filter(|path| path.contains(part)).count()
    }
}

fn certificates() -> (TlsAcceptor, String) {
    let key = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned(), "localhost".to_owned()]);
    let key = key.expect("a certificate");
    let chain = vec![key.cert.der().clone()];
    let private = key.signing_key.serialize_der().try_into().expect("a key");
    let provider = Arc::new(tokio_rustls::rustls::crypto::ring::default_provider());
    let config = tokio_rustls::rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("protocols")
        .with_no_client_auth()
        .with_single_cert(chain, private)
        .expect("a certificate that fits");
    (TlsAcceptor::from(Arc::new(config)), key.cert.pem())
}

async fn accept(listener: tokio::net::TcpListener, tls: Option<TlsAcceptor>, state: Arc<State>) {
    while let Ok((stream, _)) = listener.accept().await {
        let (state, tls) = (state.clone(), tls.clone());
        tokio::spawn(async move {
            let service = service_fn(move |request| answer(state.clone(), request));
            let mut http = hyper::server::conn::http1::Builder::new();
            // The only dates are those of the played clock.
            http.auto_date_header(false);
            // A client that goes away is no failure of a test's.
            match tls {
                Some(tls) => {
                    if let Ok(stream) = tls.accept(stream).await {
                        let _ = http
                            .serve_connection(TokioIo::new(stream), service)
                            .with_upgrades()
                            .await;
                    }
                }
                None => {
                    let _ = http
                        .serve_connection(TokioIo::new(stream), service)
                        .with_upgrades()
                        .await;
                }
            }
        });
    }
}

async fn answer(
    state: Arc<State>,
    request: Request<Incoming>,
) -> Result<Response<Reply>, io::Error> {
    let path = request.uri().path().to_owned();
    state.calls.lock().expect("not poisoned").push(path.clone());
    let now = state.clock.unix().0;
    let (fault, since) = {
        let faults = state.faults.lock().expect("not poisoned");
        faults
            .iter()
            .find(|planned| planned.from <= now && path.contains(&planned.part))
            .map(|planned| (planned.fault, planned.from))
            .unzip()
    };
    let authorized = request
        .headers()
        .get(header::AUTHORIZATION)
        .is_some_and(|value| value == &format!("Bearer {TOKEN}"));
    if state.wants_token && !authorized {
        return Ok(refusal(401, "Unauthorized"));
    }
    if fault == Some(Fault::Hang) {
        let _stalled = state.clock.stalled();
        std::future::pending::<()>().await;
    }
    let cluster = state.cluster.lock().expect("not poisoned").clone();
    let now = match fault {
        Some(Fault::TimeBack) => now - 60_000_000_000,
        _ => now,
    };
    // A kubelet whose samples stand still has a clock that goes on.
    let sampled = match fault {
        Some(Fault::Stale) => since.unwrap_or(now),
        _ => now,
    };
    Ok(match fault {
        Some(Fault::Status(code)) => refusal(code, "a fault on demand"),
        Some(Fault::Huge) => huge(),
        Some(Fault::Garbage) => text(StatusCode::OK, "\u{1}\u{2}}{garbage"),
        _ if matches!(*request.method(), Method::PATCH | Method::DELETE) => {
            objects::change(&state, request, now).await
        }
        _ => spoiled(route(&cluster, request, now, sampled).await, fault).await,
    })
}

async fn spoiled(response: Response<Reply>, fault: Option<Fault>) -> Response<Reply> {
    if !matches!(fault, Some(Fault::Cut | Fault::Truncated)) {
        return response;
    }
    let (parts, body) = response.into_parts();
    let whole = body.collect().await.expect("a body").to_bytes();
    let half = whole.slice(..whole.len() / 2);
    let body = if fault == Some(Fault::Cut) {
        let first = stream::once(async { Ok(Frame::data(half)) });
        let cut = stream::once(async {
            // So that the first half is on its way.
            tokio::time::sleep(Duration::from_millis(20)).await;
            Err(io::Error::other("cut"))
        });
        StreamBody::new(first.chain(cut)).boxed_unsync()
    } else {
        full(half)
    };
    Response::from_parts(parts, body)
}

fn huge() -> Response<Reply> {
    let chunk = Bytes::from(vec![b' '; 1 << 20]);
    let frames = (0..80).map(move |_| Ok(Frame::data(chunk.clone())));
    Response::new(StreamBody::new(stream::iter(frames)).boxed_unsync())
}

fn full(body: impl Into<Bytes>) -> Reply {
    Full::new(body.into())
        .map_err(|never| match never {})
        .boxed_unsync()
}

fn text(status: StatusCode, body: &str) -> Response<Reply> {
    let response = Response::builder().status(status);
    response.body(full(body.to_owned())).expect("a response")
}

fn refusal(code: u16, message: &str) -> Response<Reply> {
    let status = json!({ "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure", "message": message, "code": code });
    text(
        StatusCode::from_u16(code).expect("a status"),
        &status.to_string(),
    )
}

fn found(body: &Value) -> Response<Reply> {
    text(StatusCode::OK, &body.to_string())
}

/// `now` by the server's clock; the kubelets' samples are those of `sampled`.
async fn route(
    cluster: &Cluster,
    request: Request<Incoming>,
    now: u64,
    sampled: u64,
) -> Response<Reply> {
    let path = request.uri().path().to_owned();
    if let Some(part) = cluster.denied.iter().find(|part| path.contains(**part)) {
        return refusal(403, &format!("User \"test\" cannot do this to \"{part}\""));
    }
    if path.ends_with("/exec") {
        return exec::exec(cluster, request, now);
    }
    if path.ends_with("/portforward") {
        return objects::forward(cluster, request);
    }
    if path.ends_with("/selfsubjectaccessreviews") {
        return review(cluster, request).await;
    }
    let mut response = lists(cluster, &path)
        .or_else(|| objects::get(cluster, &path))
        .or_else(|| kubelet(cluster, &path, sampled))
        .unwrap_or_else(|| refusal(404, "the server could not find the requested resource"));
    // The reply comes from the node, and so does its date.
    let date = now.saturating_add_signed(cluster.clock_ahead_ms * 1_000_000);
    let date = jiff::Timestamp::from_second((date / 1_000_000_000) as i64).expect("a time");
    let date = date.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string();
    response
        .headers_mut()
        .insert(header::DATE, date.parse().expect("a date"));
    response
}

fn lists(cluster: &Cluster, path: &str) -> Option<Response<Reply>> {
    let of_namespace = |namespace: Option<&str>| {
        let pods = cluster
            .pods
            .iter()
            .filter(|pod| namespace.is_none_or(|name| pod.namespace == name));
        found(&list("PodList", pods.map(pod_json).collect()))
    };
    match path {
        "/version" => Some(found(
            &json!({ "major": "1", "minor": "34", "gitVersion": "v1.34.9" }),
        )),
        "/api/v1/pods" => Some(of_namespace(None)),
        "/api/v1/nodes" => {
            let nodes = cluster.nodes.iter().map(|name| node_json(cluster, name));
            Some(found(&list("NodeList", nodes.collect())))
        }
        "/api/v1/namespaces" => {
            let namespaces = cluster.namespaces.iter();
            let namespaces = namespaces
                .map(|(name, labels)| json!({ "metadata": { "name": name, "labels": labels } }));
            Some(found(&list("NamespaceList", namespaces.collect())))
        }
        _ => {
            let namespace = path
                .strip_prefix("/api/v1/namespaces/")?
                .strip_suffix("/pods")?;
            Some(of_namespace(Some(namespace)))
        }
    }
}

/// A kubelet's paths, through the API server or at its own port.
fn kubelet(cluster: &Cluster, path: &str, now: u64) -> Option<Response<Reply>> {
    if path == "/apis/metrics.k8s.io/v1beta1/pods" && cluster.has_metrics_server {
        return Some(found(&figures::metrics_server(cluster, now)));
    }
    let (node, path) = match path.strip_prefix("/api/v1/nodes/") {
        Some(rest) => rest.split_once("/proxy")?,
        None => ("node-1", path),
    };
    if !cluster.nodes.iter().any(|name| name == node) {
        return Some(refusal(404, &format!("nodes \"{node}\" not found")));
    }
    match path {
        "/metrics/resource" => Some(text(StatusCode::OK, &figures::resource(cluster, node, now))),
        "/metrics/cadvisor" => Some(text(StatusCode::OK, &figures::cadvisor(cluster, node, now))),
        "/stats/summary" => Some(found(&figures::summary(cluster, node, now))),
        _ => None,
    }
}

/// Whether the account may do something: what is denied is denied on its path, too.
async fn review(cluster: &Cluster, request: Request<Incoming>) -> Response<Reply> {
    let body = request
        .into_body()
        .collect()
        .await
        .expect("a body")
        .to_bytes();
    let mut review: Value = serde_json::from_slice(&body).expect("JSON");
    let asked = &review["spec"]["resourceAttributes"];
    let word = |name: &str| asked[name].as_str().unwrap_or_default().to_owned();
    let resource = format!("{}/{}", word("resource"), word("subresource"));
    let denied = cluster.denied.iter().any(|part| match *part {
        "/proxy" => resource == "nodes/proxy",
        "/exec" => resource == "pods/exec",
        part => part.ends_with(&format!("/{}", word("resource"))) && word("subresource").is_empty(),
    });
    review["status"] = json!({ "allowed": !denied });
    found(&review)
}
