//! Runs a command in a container, over a WebSocket.

use super::calls::{CallError, Calls, connection_error};
use crate::resources::Subject;
use crate::units::Nanos;
use k8s_openapi::api::core::v1::Pod;
use kube::api::AttachParams;
use kube::client::UpgradeConnectionError;
use kube::{Api, Client, Error};
use tokio::io::AsyncReadExt;

/// The most bytes that are read: a container's network file has some kilobytes.
const OUTPUT_LIMIT: u64 = 1 << 20;

/// The output of a command.
pub struct Printed {
    /// Standard output. `cat` prints the files that exist and complains about the others on stderr.
    pub stdout: Vec<u8>,
    /// The middle of the call: nanoseconds since 1970, on the collector's clock.
    pub at: Nanos,
}

/// Runs the command in the container that the subject names.
///
/// # Errors
/// [`CallError`] when the command was refused; [`CallError::Unreadable`] when it printed nothing.
pub async fn exec(
    calls: &Calls,
    client: &Client,
    subject: &Subject,
    command: &[&str],
) -> Result<Printed, CallError> {
    let call = exchange(calls, client, subject, command);
    calls
        .within_deadline(call, |printed| printed.stdout.len())
        .await
}

async fn exchange(
    calls: &Calls,
    client: &Client,
    subject: &Subject,
    command: &[&str],
) -> Result<Printed, CallError> {
    let pods: Api<Pod> = Api::namespaced(client.clone(), &subject.namespace);
    let mut params = AttachParams::default()
        .stdin(false)
        .stdout(true)
        .stderr(true);
    params.container = subject.container.clone();
    let began = calls.now();
    let attached = pods.exec(&subject.pod, command.iter().copied(), &params);
    let mut attached = attached.await.map_err(refusal)?;
    let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
    let (out, err) = (attached.stdout(), attached.stderr());
    let status = attached.take_status();
    let read_out = read(out, &mut stdout);
    let read_err = read(err, &mut stderr);
    tokio::join!(read_out, read_err);
    if !stdout.is_empty() {
        return Ok(Printed {
            at: Nanos((began.0 + calls.now().0) / 2),
            stdout,
        });
    }
    // The server answers 101 first, and only then that the command could not be started.
    let status = match status {
        Some(status) => status.await,
        None => None,
    };
    let said = status.and_then(|status| status.message);
    let complaint = String::from_utf8_lossy(&stderr).trim().to_owned();
    Err(CallError::Unreadable(match said {
        _ if !complaint.is_empty() => complaint,
        Some(said) if said.contains("executable file not found") => {
            format!(
                "there is no `{}` in the image",
                command.first().unwrap_or(&"")
            )
        }
        Some(said) => said,
        None => "the command printed nothing".to_owned(),
    }))
}

async fn read(from: Option<impl tokio::io::AsyncRead + Unpin>, into: &mut Vec<u8>) {
    if let Some(from) = from {
        // Output that came before the connection broke is read like any other.
        let _ = from.take(OUTPUT_LIMIT).read_to_end(into).await;
    }
}

fn refusal(error: Error) -> CallError {
    match error {
        Error::UpgradeConnection(UpgradeConnectionError::ProtocolSwitch(status)) => {
            CallError::Status {
                status: status.as_u16(),
                message: String::new(),
            }
        }
        Error::Api(status) => CallError::Status {
            status: status.code,
            message: status.message.clone(),
        },
        other => connection_error(other),
    }
}
