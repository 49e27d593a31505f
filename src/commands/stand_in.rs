//! The stand-in server in a process of its own, for commands that need a server to measure.

use std::io::{self, BufRead, BufReader};
use std::process::{Child, Command, Stdio};

/// A running stand-in server; it ends when this is dropped.
pub struct StandIn {
    process: Child,
    url: String,
}

impl StandIn {
    /// Starts this program again as `meshload hotel` on a free port, with these further flags.
    ///
    /// # Errors
    /// When the process cannot be started or does not begin to listen.
    pub fn start(flags: &[&str]) -> io::Result<StandIn> {
        let mut process = Command::new(std::env::current_exe()?)
            .args(["hotel", "--listen", "127.0.0.1:0"])
            .args(flags)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()?;
        let stdout = process.stdout.take();
        let mut stand_in = StandIn {
            process,
            url: String::new(),
        };
        let mut line = String::new();
        if let Some(stdout) = stdout {
            BufReader::new(stdout).read_line(&mut line)?;
        }
        let url = line
            .trim()
            .rsplit(' ')
            .next()
            .filter(|url| url.starts_with("http://"));
        let url = url.ok_or_else(|| io::Error::other("the stand-in server did not start"))?;
        stand_in.url = url.to_owned();
        Ok(stand_in)
    }

    /// The process id of the server.
    pub fn pid(&self) -> u32 {
        self.process.id()
    }

    /// The URL at which the server listens.
    pub fn url(&self) -> &str {
        &self.url
    }
}

impl Drop for StandIn {
    fn drop(&mut self) {
        // Fails when the process has ended by itself, which is what is wanted.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
