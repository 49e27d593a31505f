//! nginx as a peer: a real server, whose log says what it saw.

use std::fs;
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// What a line of the log has, split at bars: what nginx has against a certificate has spaces.
const LOG: &str = "$server_protocol|$ssl_protocol|$ssl_session_reused|$ssl_client_verify|\
                   $ssl_server_name|$proxy_protocol_addr|$http_host|$connection|$status";

/// An nginx of its own; ends when dropped.
pub struct Nginx {
    child: Child,
    log: PathBuf,
    // The configuration and the log are in it.
    _home: tempfile::TempDir,
}

/// A request as nginx saw it; what does not apply is `-`.
#[derive(Debug, Clone, PartialEq, Eq, serde::Deserialize)]
pub struct Logged {
    pub http: String,
    pub tls: String,
    /// `r`: the session was taken up again; `.`: it was not.
    pub reused: String,
    pub client: String,
    pub server_name: String,
    pub proxied_for: String,
    pub host: String,
    pub connection: String,
    pub status: String,
}

impl Nginx {
    /// Starts one with this `server` block, which listens at this address.
    pub fn start(address: SocketAddr, server: &str) -> Nginx {
        let home = tempfile::tempdir().expect("a folder");
        let (folder, log) = (home.path().display(), home.path().join("log"));
        let temporary: String = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
            .map(|name| format!("{name}_temp_path {folder}/{name};\n"))
            .concat();
        let text = format!(
            "worker_processes 1; daemon off; pid {folder}/pid; error_log {folder}/errors;
             events {{ worker_connections 1000; }}
             http {{
               log_format all '{LOG}'; access_log {folder}/log all;
               {temporary}
               server {{ {server} location / {{ return 200 'hello'; }} }}
             }}"
        );
        let config = home.path().join("nginx.conf");
        fs::write(&config, text).expect("written");
        let child = Command::new("nginx")
            .arg("-c")
            .arg(&config)
            .stderr(Stdio::null())
            .spawn()
            .expect("nginx is installed");
        let mut nginx = Nginx {
            child,
            log,
            _home: home,
        };
        nginx.wait_for(address, &config);
        nginx
    }

    fn wait_for(&mut self, address: SocketAddr, config: &Path) {
        super::wait_until("nginx listens", || TcpStream::connect(address).is_ok());
        let ended = self.child.try_wait().expect("a status");
        let errors = fs::read_to_string(config.with_file_name("errors")).unwrap_or_default();
        assert!(ended.is_none(), "{errors}");
    }

    /// Requests so far.
    pub fn log(&self) -> Vec<Logged> {
        let mut reader = csv::ReaderBuilder::new()
            .delimiter(b'|')
            .has_headers(false)
            .from_path(&self.log)
            .expect("a log");
        let read: csv::Result<_> = reader.deserialize().collect();
        read.expect("a line for each request")
    }

    /// Forgets the requests so far.
    pub fn forget(&self) {
        let file = fs::OpenOptions::new().write(true).open(&self.log);
        file.and_then(|file| file.set_len(0)).expect("a log");
    }
}

impl Drop for Nginx {
    fn drop(&mut self) {
        // The master ends its worker.
        super::terminate(&mut self.child);
    }
}

/// An address at which nothing listens.
pub fn free_address() -> SocketAddr {
    ([127, 0, 0, 1], super::free_ports(1)).into()
}
