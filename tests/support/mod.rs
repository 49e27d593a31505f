//! What the tests share: the program through its front door, and servers for it to talk to.
#![allow(dead_code)] // each test crate uses its part
#![allow(clippy::disallowed_methods)] // deadlines of child processes are real time

use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, MutexGuard};
use std::thread::sleep;
use std::time::{Duration, Instant};

/// Holding it, a test has the machine to itself: runs on two cores would disturb each other.
pub struct Alone {
    _thread: MutexGuard<'static, ()>,
    _file: File,
}

/// Waits for the machine, within this test program and among all that run at the same time.
pub fn machine() -> Alone {
    static MACHINE: Mutex<()> = Mutex::new(());
    let thread = MACHINE
        .lock()
        .unwrap_or_else(|poisoned| poisoned.into_inner());
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join("machine.lock");
    let file = File::create(path).expect("a lock file");
    file.lock().expect("a lock");
    Alone {
        _thread: thread,
        _file: file,
    }
}

/// How the program ended.
pub struct Output {
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
}

impl Output {
    /// Asserts that the run was made. A noisy machine may make a run untrustworthy (exit 4), which
    /// is not what most tests are about.
    pub fn done(self) -> Output {
        assert!(
            [0, 4].contains(&self.code),
            "exit {}\n{}\n{}",
            self.code,
            self.stdout,
            self.stderr
        );
        self
    }

    /// The result, of a run with `--json -`.
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.stdout)
            .unwrap_or_else(|error| panic!("{error}\n{}\n{}", self.stdout, self.stderr))
    }
}

/// Longer than any run in the tests.
const DEADLINE: Duration = Duration::from_secs(60);

/// Runs the program to its end.
pub fn meshload(flags: &[&str], urls: &[&str]) -> Output {
    Running::start(
        Command::new(env!("CARGO_BIN_EXE_meshload"))
            .args(flags)
            .args(urls),
    )
    .finish()
}

/// The program under way.
pub struct Running {
    child: Child,
    stdout: std::thread::JoinHandle<String>,
    stderr: std::thread::JoinHandle<String>,
}

impl Running {
    pub fn start(command: &mut Command) -> Running {
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the program starts");
        let stdout = read_all(child.stdout.take().expect("a pipe"));
        let stderr = read_all(child.stderr.take().expect("a pipe"));
        Running {
            child,
            stdout,
            stderr,
        }
    }

    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Waits for the end, within the deadline.
    pub fn finish(mut self) -> Output {
        let begun = Instant::now();
        let status = loop {
            if let Some(status) = self.child.try_wait().expect("a child") {
                break Some(status);
            }
            if begun.elapsed() > DEADLINE {
                let _ = self.child.kill();
                let _ = self.child.wait();
                break None;
            }
            sleep(Duration::from_millis(5));
        };
        let stdout = self.stdout.join().expect("text");
        let stderr = self.stderr.join().expect("text");
        let status = status.unwrap_or_else(|| panic!("it did not end\n{stdout}\n{stderr}"));
        Output {
            code: status.code().unwrap_or(-1),
            stdout,
            stderr,
        }
    }
}

fn read_all(mut pipe: impl Read + Send + 'static) -> std::thread::JoinHandle<String> {
    std::thread::spawn(move || {
        let mut bytes = Vec::new();
        let _ = pipe.read_to_end(&mut bytes);
        String::from_utf8_lossy(&bytes).into_owned()
    })
}

/// The stand-in server in a process of its own; it ends when this is dropped.
pub struct Hotel {
    child: Child,
    url: String,
}

impl Hotel {
    pub fn start(flags: &[&str]) -> Hotel {
        let mut child = Command::new(env!("CARGO_BIN_EXE_meshload"))
            .args(["hotel", "--listen", "127.0.0.1:0"])
            .args(flags)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the program starts");
        let mut line = String::new();
        BufReader::new(child.stdout.take().expect("a pipe"))
            .read_line(&mut line)
            .expect("a line");
        let url = line
            .trim()
            .rsplit(' ')
            .next()
            .expect("an address")
            .to_owned();
        assert!(url.starts_with("http://"), "hotel said: {line}");
        Hotel { child, url }
    }

    pub fn url(&self) -> &str {
        &self.url
    }
}

impl Drop for Hotel {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
