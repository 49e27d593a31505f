//! Commands in containers, over a WebSocket with Kubernetes' channels: 1 output, 2 errors, 3 the
//! status; then a close.

use super::cluster::{Cluster, Container, Pod};
use super::figures::cat;
use super::{Reply, refusal, text};
use futures_util::SinkExt;
use hyper::body::Incoming;
use hyper::upgrade::Upgraded;
use hyper::{Request, Response, StatusCode, header};
use hyper_util::rt::TokioIo;
use serde_json::json;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, Role, frame::coding::CloseCode};

/// Answers a request for `/api/v1/namespaces/NS/pods/POD/exec`.
pub fn exec(cluster: &Cluster, request: Request<Incoming>, now: u64) -> Response<Reply> {
    if cluster.is_kubectl_proxy {
        return text(StatusCode::FORBIDDEN, "Forbidden");
    }
    let path = request.uri().path().to_owned();
    let words: Vec<&str> = path.split('/').collect();
    let query = request.uri().query().unwrap_or_default();
    let values = |name: &str| -> Vec<String> {
        let pairs = query.split('&').filter_map(|pair| pair.split_once('='));
        let chosen = pairs.filter(|(key, _)| *key == name);
        let decode = |value: &str| {
            percent_encoding::percent_decode_str(&value.replace('+', " "))
                .decode_utf8_lossy()
                .into_owned()
        };
        chosen.map(|(_, value)| decode(value)).collect()
    };
    let pod = cluster
        .pods
        .iter()
        .find(|pod| pod.namespace == words[4] && pod.name == words[6]);
    let Some(pod) = pod else {
        return refusal(404, "pods not found");
    };
    let name = values("container").pop().unwrap_or_default();
    let Some(container) = pod.containers.iter().find(|one| one.name == name) else {
        return refusal(
            400,
            &format!("container {name} is not valid for pod {}", pod.name),
        );
    };
    let frames = frames(cluster, pod, container, &values("command"), now);
    upgrade(cluster, request, frames)
}

fn frames(
    cluster: &Cluster,
    pod: &Pod,
    container: &Container,
    command: &[String],
    now: u64,
) -> Vec<Vec<u8>> {
    let frame = |channel: u8, text: &str| [&[channel], text.as_bytes()].concat();
    if !container.has_cat {
        let message = "Internal error occurred: OCI runtime exec failed: exec failed: exec: \"cat\": executable file not found in $PATH: unknown";
        let status = json!({ "metadata": {}, "status": "Failure", "message": message, "reason": "InternalError", "code": 500 });
        return vec![frame(1, ""), frame(3, &status.to_string())];
    }
    let (out, err) = cat(cluster, pod, container, &command[1..], now);
    let status = if err.is_empty() {
        json!({ "metadata": {}, "status": "Success" })
    } else {
        json!({ "metadata": {}, "status": "Failure", "message": "command terminated with exit code 1", "reason": "NonZeroExitCode" })
    };
    vec![
        frame(1, ""),
        frame(2, &err),
        frame(1, &out),
        frame(3, &status.to_string()),
    ]
}

fn upgrade(cluster: &Cluster, request: Request<Incoming>, frames: Vec<Vec<u8>>) -> Response<Reply> {
    accept(cluster, request, |mut socket| async move {
        for frame in frames {
            let _ = socket.send(Message::Binary(frame.into())).await;
        }
        let close = CloseFrame {
            code: CloseCode::Normal,
            reason: "".into(),
        };
        let _ = socket.send(Message::Close(Some(close))).await;
    })
}

/// Makes a WebSocket of a request, and hands it on.
pub fn accept<F: Future<Output = ()> + Send>(
    cluster: &Cluster,
    request: Request<Incoming>,
    then: impl FnOnce(WebSocketStream<TokioIo<Upgraded>>) -> F + Send + 'static,
) -> Response<Reply> {
    let header = |name: header::HeaderName| {
        let value = request.headers().get(name);
        value
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default()
            .to_owned()
    };
    let key = header(header::SEC_WEBSOCKET_KEY);
    let offered = header(header::SEC_WEBSOCKET_PROTOCOL);
    let mut offered = offered.split(',').map(str::trim);
    let Some(protocol) = offered
        .find(|one| cluster.protocols.contains(one))
        .map(str::to_owned)
    else {
        return text(StatusCode::FORBIDDEN, "");
    };
    tokio::spawn(async move {
        let Ok(upgraded) = hyper::upgrade::on(request).await else {
            return;
        };
        let io = TokioIo::new(upgraded);
        then(WebSocketStream::from_raw_socket(io, Role::Server, None).await).await;
    });
    let response = Response::builder()
        .status(StatusCode::SWITCHING_PROTOCOLS)
        .header(header::UPGRADE, "websocket")
        .header(header::CONNECTION, "Upgrade")
        .header(
            header::SEC_WEBSOCKET_ACCEPT,
            derive_accept_key(key.as_bytes()),
        )
        .header(header::SEC_WEBSOCKET_PROTOCOL, protocol);
    response.body(Reply::default()).expect("a response")
}
