//! Ports that stay what a test needs them to be: free for a program that it starts, or refused.

use socket2::{Domain, Socket, Type};
use std::fs::File;
use std::net::{SocketAddr, TcpListener};
use std::sync::Mutex;

/// The first of `count` neighbouring ports that no other program uses. They lie below those that the
/// kernel gives to clients, and are given to one process of tests only: a locked file stands for each
/// until the process ends.
pub fn free_ports(count: u16) -> u16 {
    static GIVEN: Mutex<Vec<File>> = Mutex::new(Vec::new());
    let user = rustix::process::getuid().as_raw();
    let folder = std::env::temp_dir().join(format!("meshload-test-ports-{user}"));
    std::fs::create_dir_all(&folder).expect("a folder");
    let reserved = |port: u16| {
        let file = File::create(folder.join(port.to_string())).ok()?;
        file.try_lock().ok()?;
        let is_free = TcpListener::bind(("127.0.0.1", port)).is_ok();
        is_free.then_some(file)
    };
    for first in (20_000..30_000).step_by(usize::from(count)) {
        let files: Option<Vec<File>> = (first..first + count).map(reserved).collect();
        if let Some(files) = files {
            GIVEN.lock().expect("not poisoned").extend(files);
            return first;
        }
    }
    panic!("all ports from 20000 to 30000 are in use");
}

/// An address at which connections are refused: its port is taken, and nothing listens there.
pub struct RefusedAddress {
    socket: Socket,
    address: SocketAddr,
}

impl RefusedAddress {
    /// On a port of 127.0.0.1.
    pub fn new() -> RefusedAddress {
        RefusedAddress::at(([127, 0, 0, 1], 0).into())
    }

    /// On a chosen address, at which no socket listens.
    pub fn at(address: SocketAddr) -> RefusedAddress {
        let socket = Socket::new(Domain::for_address(address), Type::STREAM, None);
        let socket = socket.expect("a socket");
        // Connections of a server that was here a moment ago are no hindrance.
        socket.set_reuse_address(true).expect("an option");
        socket.bind(&address.into()).expect("a free port");
        let address = socket.local_addr().expect("an address").as_socket();
        let address = address.expect("an address of IP");
        RefusedAddress { socket, address }
    }

    /// Where connections are refused.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// `http://ADDR/`
    pub fn url(&self) -> String {
        format!("http://{}/", self.address)
    }

    /// From now on connections are accepted.
    pub fn listen(self) -> TcpListener {
        self.socket.listen(128).expect("it listens");
        self.socket.into()
    }
}
