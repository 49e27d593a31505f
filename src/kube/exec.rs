//! A command in a container, over a WebSocket: what it printed, or why it could not be run.

use super::calls::{CallError, Calls, connection_error};
use crate::clock::RunClock;
use crate::resources::Subject;
use crate::units::Nanos;
use k8s_openapi::api::core::v1::Pod;
use kube::api::AttachParams;
use kube::client::UpgradeConnectionError;
use kube::{Api, Client, Error};
use tokio::io::AsyncReadExt;

/// A container's network file has some kilobytes; one that prints without end is not waited for.
const OUTPUT_LIMIT: u64 = 1 << 20;

/// What a command printed.
pub struct Printed {
    /// Its standard output; `cat` prints what it finds and complains about the rest.
    pub stdout: Vec<u8>,
    /// The middle of the call, on our clock; nanoseconds since 1970.
    pub at: Nanos,
}

/// Runs the command in the container that the subject names.
///
/// # Errors
/// [`CallError`] when it was refused, or when it printed nothing.
pub async fn exec(
    calls: &Calls,
    client: &Client,
    clock: &RunClock,
    subject: &Subject,
    command: &[&str],
) -> Result<Printed, CallError> {
    let call = exchange(client, clock, subject, command);
    calls
        .within_deadline(call, |printed| printed.stdout.len())
        .await
}

async fn exchange(
    client: &Client,
    clock: &RunClock,
    subject: &Subject,
    command: &[&str],
) -> Result<Printed, CallError> {
    let pods: Api<Pod> = Api::namespaced(client.clone(), &subject.namespace);
    let mut params = AttachParams::default()
        .stdin(false)
        .stdout(true)
        .stderr(true);
    params.container = subject.container.clone();
    let began = clock.unix();
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
            at: Nanos((began.0 + clock.unix().0) / 2),
            stdout,
        });
    }
    // The server says 101 first and only then that the command could not be started.
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
        // What came before the connection broke is judged by what it says.
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
