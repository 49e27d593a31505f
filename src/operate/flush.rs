//! Emptying a memcached pod, so that a step does not find the cache that the step before it filled.

use crate::kube::{CallError, Calls, exec};
use crate::resources::{Pod, Role};
use k8s_openapi::api::core::v1 as api;
use kube::{Api, Client};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

const PORT: u16 = 11211;
const COMMAND: &[u8] = b"flush_all\r\n";
const DONE: &[u8] = b"OK\r\n";

/// The command for clusters where no port can be forwarded; images of memcached have one of these
/// shells.
const IN_THE_POD: [&str; 3] = [
    "sh",
    "-c",
    "printf 'flush_all\\r\\nquit\\r\\n' | nc -w 2 127.0.0.1 11211 2>/dev/null || \
     bash -c 'exec 3<>/dev/tcp/127.0.0.1/11211; printf \"flush_all\\r\\n\" >&3; read -t 2 x <&3; echo \"$x\"'",
];

/// Empties a pod's cache, through a forwarded port or by a command in the pod. Gives the way that
/// worked.
///
/// # Errors
/// Why neither worked.
pub async fn flush(calls: &Calls, client: &Client, pod: &Pod) -> Result<&'static str, String> {
    let forwarded = forward(client, pod);
    let by_port = calls.within_deadline(forwarded, |()| DONE.len()).await;
    let Err(no_port) = by_port else {
        return Ok("by a forwarded port");
    };
    let app = pod.containers.iter().find(|one| one.role == Role::App);
    let subject = pod.subject(app.map(|one| one.name.as_str()));
    match exec(calls, client, &subject, &IN_THE_POD).await {
        Ok(printed) if printed.stdout.starts_with(b"OK") => Ok("by a command in the pod"),
        Ok(printed) => Err(format!(
            "a forwarded port: {no_port}; a command in the pod answered {:?}",
            String::from_utf8_lossy(&printed.stdout)
        )),
        Err(error) => Err(format!(
            "a forwarded port: {no_port}; a command in the pod: {error}"
        )),
    }
}

async fn forward(client: &Client, pod: &Pod) -> Result<(), CallError> {
    let broken = |error: &dyn std::fmt::Display| CallError::Connection(error.to_string());
    let pods: Api<api::Pod> = Api::namespaced(client.clone(), &pod.namespace);
    let forwarder = pods.portforward(&pod.name, &[PORT]).await;
    let mut forwarder = forwarder.map_err(|error| broken(&error))?;
    let stream = forwarder.take_stream(PORT);
    let mut stream = stream.ok_or_else(|| CallError::Unreadable("no port".to_owned()))?;
    let sent = stream.write_all(COMMAND).await;
    sent.map_err(|error| broken(&error))?;
    let mut answer = [0; DONE.len()];
    let received = stream.read_exact(&mut answer).await;
    received.map_err(|error| broken(&error))?;
    if answer == DONE {
        Ok(())
    } else {
        let answer = String::from_utf8_lossy(&answer).into_owned();
        Err(CallError::Unreadable(format!(
            "memcached answered {answer:?}"
        )))
    }
}
