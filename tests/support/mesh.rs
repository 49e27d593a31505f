//! The local mesh of the docs: the stand-in plain, behind one Envoy, and behind two with mutual TLS.

use super::free_ports;
use super::tls::Identity;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// What `docs/local-mesh/mesh.sh` starts; ends when dropped.
pub struct LocalMesh {
    script: Child,
    home: tempfile::TempDir,
    /// The application's; the ports after it are the sidecars'.
    pub first_port: u16,
}

impl LocalMesh {
    /// Starts it, which takes Envoy and OpenSSL.
    pub fn start() -> LocalMesh {
        let home = tempfile::tempdir().expect("a folder");
        let first_port = free_ports(4);
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/local-mesh/mesh.sh");
        let mut script = Command::new(path)
            .arg(first_port.to_string())
            .env("MESHLOAD", env!("CARGO_BIN_EXE_meshload"))
            .env("FOLDER", home.path())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the script starts");
        let mut said = String::new();
        let stdout = script.stdout.take().expect("a pipe");
        BufReader::new(stdout).read_line(&mut said).expect("a line");
        if !said.starts_with("ready") {
            let mut errors = String::new();
            let stderr = script.stderr.as_mut().expect("a pipe");
            let _ = stderr.read_to_string(&mut errors);
            panic!("the mesh does not start: {errors}");
        }
        LocalMesh {
            script,
            home,
            first_port,
        }
    }

    /// A file of its folder.
    pub fn file(&self, name: &str) -> PathBuf {
        self.home.path().join(name)
    }

    /// What the client's sidecar shows to the server's.
    pub fn client(&self) -> Identity {
        Identity {
            cert: self.file("client.pem"),
            key: self.file("client.key"),
        }
    }
}

impl Drop for LocalMesh {
    fn drop(&mut self) {
        super::terminate(&mut self.script);
    }
}
