//! A relay before a server, which counts what clients send.

use std::io::{self, Read as _, Write as _};
use std::net::{Ipv4Addr, Shutdown, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

/// Passes connections to a loopback port on, and counts the bytes that clients send. Its threads end with their connections.
pub struct Relay {
    port: u16,
    sent: Arc<AtomicUsize>,
}

impl Relay {
    /// Starts to pass connections on to `port`.
    #[must_use]
    pub fn to(port: u16) -> Self {
        let listener =
            TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("loopback has a free port");
        let address = listener
            .local_addr()
            .expect("a bound socket has an address");
        let sent = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&sent);
        // Ends with the test's process: nobody can wake a thread that accepts.
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                // Where the server is gone the client sees its connection close.
                if let Ok(server) = TcpStream::connect((Ipv4Addr::LOCALHOST, port)) {
                    pass_on(client, server, &counter);
                }
            }
        });
        Self {
            port: address.port(),
            sent,
        }
    }

    /// Returns the port to connect to.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Returns how many bytes clients sent since this was last asked.
    #[must_use]
    pub fn take_sent(&self) -> usize {
        self.sent.swap(0, Ordering::Relaxed)
    }
}

fn pass_on(client: TcpStream, server: TcpStream, counter: &Arc<AtomicUsize>) {
    let (Ok(from_client), Ok(from_server)) = (client.try_clone(), server.try_clone()) else {
        return;
    };
    let counter = Arc::clone(counter);
    let ignored = Arc::new(AtomicUsize::new(0));
    // A connection that breaks on one side is closed on the other, and tests see that.
    thread::spawn(move || move_bytes(from_client, server, &counter));
    thread::spawn(move || move_bytes(from_server, client, &ignored));
}

fn move_bytes(mut from: TcpStream, mut to: TcpStream, counter: &AtomicUsize) -> io::Result<()> {
    let mut buffer = vec![0; 64 << 10];
    while let Ok(count @ 1..) = from.read(&mut buffer) {
        counter.fetch_add(count, Ordering::Relaxed);
        to.write_all(&buffer[..count])?;
    }
    to.shutdown(Shutdown::Write)
}
