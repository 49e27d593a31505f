//! What the tests that go through the front door share: the binary as a user starts it, servers to
//! aim it at, and claims on the machine, which a test that looks at times has for itself.
#![allow(dead_code)] // each test crate uses its part
#![allow(clippy::disallowed_methods)] // deadlines of child processes are real time
#![allow(clippy::print_stderr)] // what is passed over is said aloud

pub mod api_server;
pub mod http2_server;
pub mod mesh;
pub mod nginx;
pub mod planted;
mod ports;
mod raw_server;
pub mod sweep;
pub mod tls;

#[allow(unused_imports)] // not by every test crate
pub use ports::{RefusedAddress, free_ports};
#[allow(unused_imports)] // not by every test crate
pub use raw_server::{Next, OK, RawServer, Request, reply_ok};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// No run of a test, and nothing that a test waits for, takes longer.
const DEADLINE: Duration = Duration::from_secs(60);
/// How often a running program is looked at.
const LOOK: Duration = Duration::from_millis(5);

/// A claim on this machine; it ends when it is dropped.
pub struct Machine(#[allow(dead_code)] File); // the file holds the lock

impl Machine {
    fn claim(lock: fn(&File) -> std::io::Result<()>) -> Machine {
        // Each claim opens the file anew: locks of one process hold against each other, too.
        let path = concat!(env!("CARGO_TARGET_TMPDIR"), "/machine.lock");
        let file = File::create(path).expect("a lock file");
        lock(&file).expect("the lock among tests");
        Machine(file)
    }
}

/// Waits until no other load is made, for a test that looks at times: loads that run side by side would
/// measure each other.
pub fn machine() -> Machine {
    Machine::claim(File::lock)
}

/// Waits until no test has the machine for itself, for a test that counts: it may run beside others of its
/// kind.
pub fn beside_others() -> Machine {
    Machine::claim(File::lock_shared)
}

/// The program with its arguments, not yet started.
pub struct Meshload {
    command: Command,
}

impl Meshload {
    /// `meshload ARGS`.
    pub fn new<S: AsRef<OsStr>>(args: impl IntoIterator<Item = S>) -> Meshload {
        Meshload::through::<&str, S>([], args)
    }

    /// `PREFIX meshload ARGS`; the prefix must end by replacing itself with what follows it.
    pub fn through<P: AsRef<OsStr>, S: AsRef<OsStr>>(
        prefix: impl IntoIterator<Item = P>,
        args: impl IntoIterator<Item = S>,
    ) -> Meshload {
        let program = env!("CARGO_BIN_EXE_meshload");
        let mut prefix = prefix.into_iter();
        let mut command = match prefix.next() {
            None => Command::new(program),
            Some(first) => {
                let mut command = Command::new(first);
                command.args(prefix).arg(program);
                command
            }
        };
        command.args(args);
        Meshload { command }
    }

    /// `sh -c 'PREPARATION; exec meshload ARGS'`.
    pub fn after<S: AsRef<OsStr>>(
        preparation: &str,
        args: impl IntoIterator<Item = S>,
    ) -> Meshload {
        let script = format!("{preparation}; exec \"$@\"");
        Meshload::through(["sh", "-c", &script, "sh"], args)
    }

    /// For tests that start it in a way of their own.
    pub fn into_inner(self) -> Command {
        self.command
    }

    /// Runs it to its end.
    pub fn run(self) -> Output {
        self.start().finish()
    }

    /// Starts it.
    pub fn start(mut self) -> Running {
        self.command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = self.command.spawn().expect("meshload starts");
        Running {
            stdout: Some(collect(child.stdout.take().expect("a pipe"))),
            stderr: Some(collect(child.stderr.take().expect("a pipe"))),
            child,
            started: Instant::now(),
        }
    }
}

fn collect(mut pipe: impl Read + Send + 'static) -> JoinHandle<String> {
    std::thread::spawn(move || {
        let mut bytes = Vec::new();
        let _ = pipe.read_to_end(&mut bytes);
        String::from_utf8_lossy(&bytes).into_owned()
    })
}

/// The program while it runs; killed when dropped.
pub struct Running {
    child: Child,
    started: Instant,
    stdout: Option<JoinHandle<String>>,
    stderr: Option<JoinHandle<String>>,
}

impl Running {
    /// Sends a signal to this one process.
    pub fn signal(&self, signal: Signal) {
        let id = i32::try_from(self.child.id()).expect("a process id");
        kill_process(Pid::from_raw(id).expect("a process id"), signal).expect("signal");
    }

    /// Whether it has not ended yet.
    pub fn is_alive(&mut self) -> bool {
        self.child.try_wait().expect("status").is_none()
    }

    /// Waits for its end; fails the test when it does not come.
    pub fn finish(mut self) -> Output {
        let mut peak_memory = None;
        let code = loop {
            if let Some(status) = self.child.try_wait().expect("status") {
                break status.code();
            }
            peak_memory = peak_memory_of(self.child.id()).or(peak_memory);
            if self.started.elapsed() > DEADLINE {
                self.give_up();
            }
            std::thread::sleep(LOOK);
        };
        let elapsed = self.started.elapsed();
        let (stdout, stderr) = self.texts();
        Output {
            code,
            stdout,
            stderr,
            elapsed,
            peak_memory,
        }
    }

    fn texts(&mut self) -> (String, String) {
        let text = |reader: Option<JoinHandle<String>>| {
            reader
                .and_then(|reader| reader.join().ok())
                .unwrap_or_default()
        };
        (text(self.stdout.take()), text(self.stderr.take()))
    }

    fn give_up(&mut self) -> ! {
        let _ = self.child.kill();
        let _ = self.child.wait();
        let (stdout, stderr) = self.texts();
        panic!(
            "meshload did not end within {DEADLINE:?}\n--- stdout\n{stdout}\n--- stderr\n{stderr}"
        );
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Ends a program that has others to end first.
pub fn terminate(child: &mut Child) {
    let id = i32::try_from(child.id()).expect("a process id");
    let id = Pid::from_raw(id).expect("a process id");
    // It may have ended by itself.
    let _ = kill_process(id, Signal::TERM);
    let _ = child.wait();
}

/// The most memory that a process has held so far, in bytes.
fn peak_memory_of(id: u32) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{id}/status")).ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    let kilobytes: u64 = line.split_whitespace().nth(1)?.parse().ok()?;
    Some(kilobytes * 1024)
}

/// How a run ended and what it said.
#[derive(Debug)]
pub struct Output {
    /// The exit code; none when a signal killed it.
    pub code: Option<i32>,
    /// All of stdout.
    pub stdout: String,
    /// All of stderr.
    pub stderr: String,
    /// From its start to its end.
    pub elapsed: Duration,
    /// The most memory it held, in bytes, as last seen.
    pub peak_memory: Option<u64>,
}

impl Output {
    /// What `--json -` wrote.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.stdout)
            .unwrap_or_else(|error| panic!("stdout is not JSON: {error}\n{self}"))
    }

    /// What `--json -` wrote of a run that was made.
    #[track_caller]
    pub fn result(&self) -> Value {
        done(self);
        self.json()
    }

    /// It ended with this exit code and says all of these on stderr.
    #[track_caller]
    pub fn assert_failed(&self, code: i32, words: &[&str]) {
        assert_eq!(self.code, Some(code), "{words:?}: {self}");
        for word in words {
            assert!(self.stderr.contains(word), "{word:?} is missing: {self}");
        }
    }
}

impl std::fmt::Display for Output {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Output {
            code,
            stdout,
            stderr,
            elapsed,
            ..
        } = self;
        write!(
            f,
            "exit {code:?} after {elapsed:?}\n--- stdout\n{stdout}\n--- stderr\n{stderr}"
        )
    }
}

/// Runs `meshload ARGS` to its end.
pub fn meshload<S: AsRef<OsStr>>(args: impl IntoIterator<Item = S>) -> Output {
    Meshload::new(args).run()
}

/// A path as an argument.
pub fn path_text(path: &Path) -> &str {
    path.to_str().expect("a path in UTF-8")
}

/// The text of a file.
#[track_caller]
pub fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The rows of a table in CSV, each a map from a column's name to its cell.
#[track_caller]
pub fn rows(path: &Path) -> Vec<BTreeMap<String, String>> {
    let mut reader = csv::Reader::from_path(path).expect("a table");
    let rows = reader.deserialize();
    rows.map(|row| row.expect("a row")).collect()
}

/// A count of `requests` in a result.
#[track_caller]
pub fn request_count(result: &Value, name: &str) -> u64 {
    let count = result["requests"][name].as_u64();
    count.unwrap_or_else(|| panic!("{name} in {}", result["requests"]))
}

/// The run was made and its numbers are there. Exit 4 says that this machine was too noisy for
/// them to be trusted; where the verdict is not what is tested, that is as good.
pub fn done(output: &Output) {
    assert!(
        matches!(output.code, Some(0 | 4)),
        "the run is done: {output}"
    );
}

/// Makes a measurement again until this machine was quiet enough for it to be believed. An attempt
/// is given its number and returns its answer, or why it cannot be believed; after the last of
/// `tries` the test fails with every reason. What must hold on a busy machine, too, is asserted in the
/// attempt.
#[track_caller]
pub fn until_believed<T>(tries: usize, mut attempt: impl FnMut(usize) -> Result<T, String>) -> T {
    let mut reasons = Vec::new();
    for number in 0..tries {
        match attempt(number) {
            Ok(answer) => return answer,
            Err(reason) => reasons.push(reason),
        }
    }
    panic!("this machine was not quiet enough in {tries} tries: {reasons:#?}");
}

/// Waits until something has happened; fails the test when it does not within [`DEADLINE`].
#[track_caller]
pub fn wait_until(what: &str, mut has_happened: impl FnMut() -> bool) {
    let start = Instant::now();
    while !has_happened() {
        assert!(start.elapsed() < DEADLINE, "not in time: {what}");
        std::thread::sleep(LOOK);
    }
}

/// A script for `-s` in a folder of the test.
pub fn script_in(folder: &Path, text: &str) -> String {
    let path = folder.join("script.lua");
    std::fs::write(&path, text).expect("a script");
    path_text(&path).to_owned()
}

/// A `meshload hotel` of its own on a free port; ends when dropped.
pub struct Hotel {
    child: Child,
    url: String,
    // Kept open, so that the hotel can go on writing.
    _stdout: BufReader<ChildStdout>,
}

impl Hotel {
    /// `meshload hotel --listen 127.0.0.1:0 ARGS`.
    pub fn start<S: AsRef<OsStr>>(args: impl IntoIterator<Item = S>) -> Hotel {
        Hotel::listen("127.0.0.1:0", args).expect("the hotel says where it listens")
    }

    /// `meshload hotel --listen ADDRESS ARGS`, once the address is free: tests of another checkout
    /// of this repository may be using it.
    pub fn listening_at(address: &str, args: impl IntoIterator<Item = &'static str>) -> Hotel {
        let args: Vec<_> = args.into_iter().collect();
        let started = Instant::now();
        loop {
            if let Some(hotel) = Hotel::listen(address, &args) {
                return hotel;
            }
            assert!(started.elapsed() < DEADLINE, "{address} stays in use");
            std::thread::sleep(Duration::from_millis(200));
        }
    }

    /// Nothing when the address cannot be listened on.
    fn listen<S: AsRef<OsStr>>(address: &str, args: impl IntoIterator<Item = S>) -> Option<Hotel> {
        let mut child = Command::new(env!("CARGO_BIN_EXE_meshload"))
            .args(["hotel", "--listen", address])
            .args(args)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the hotel starts");
        let mut stdout = BufReader::new(child.stdout.take().expect("a pipe"));
        let mut line = String::new();
        stdout.read_line(&mut line).expect("a line from the hotel");
        let Some(url) = line.trim().strip_prefix("hotel listens on ") else {
            let _ = child.wait();
            return None;
        };
        Some(Hotel {
            url: url.to_owned(),
            child,
            _stdout: stdout,
        })
    }

    /// Its process.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Where it listens: `http://ADDR`.
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
