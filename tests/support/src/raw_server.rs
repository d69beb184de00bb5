use std::{net::SocketAddr, sync::Arc};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::oneshot,
    task::{JoinHandle, JoinSet},
};

/// A raw socket that sends the same response to every client, serves one request per connection, and records
/// every byte that it receives.
#[derive(Debug)]
pub struct RawServer {
    address: SocketAddr,
    stop: oneshot::Sender<()>,
    received: JoinHandle<Vec<u8>>,
}

impl RawServer {
    /// Starts a server that sends the bytes of `answer`, which need not be HTTP. If `answer` is empty, the
    /// server only closes the connection.
    pub async fn start(answer: impl Into<Vec<u8>>) -> Self {
        let answer: Arc<[u8]> = answer.into().into();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, mut stopped) = oneshot::channel();
        let received = tokio::spawn(async move {
            let mut connections = JoinSet::new();
            loop {
                tokio::select! {
                    biased;
                    accepted = listener.accept() => {
                        let (stream, _) = accepted.unwrap();
                        connections.spawn(converse(stream, Arc::clone(&answer)));
                    }
                    _ = &mut stopped => break,
                }
            }
            connections.join_all().await.concat()
        });
        Self {
            address,
            stop,
            received,
        }
    }

    /// Returns `http://ADDRESS`.
    pub fn origin(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Returns the address of the server.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Waits until all connections are closed, and returns the bytes that were received.
    pub async fn received(self) -> String {
        self.stop.send(()).unwrap();
        String::from_utf8(self.received.await.unwrap()).unwrap()
    }
}

async fn converse(mut stream: TcpStream, answer: Arc<[u8]>) -> Vec<u8> {
    let mut received = Vec::new();
    while !is_complete(&received) {
        if stream.read_buf(&mut received).await.unwrap_or(0) == 0 {
            return received;
        }
    }
    // a client may close the connection before it has read the whole response
    let _ = stream.write_all(&answer).await;
    let _ = stream.shutdown().await;
    let _ = stream.read_to_end(&mut received).await;
    received
}

/// Returns whether `received` contains a complete request (the part of RFC 9112 §6.3 that clients use).
fn is_complete(received: &[u8]) -> bool {
    let text = String::from_utf8_lossy(received).to_ascii_lowercase();
    let Some((head, body)) = text.split_once("\r\n\r\n") else {
        return false;
    };
    if head.contains("transfer-encoding: chunked") {
        return body.ends_with("0\r\n\r\n");
    }
    let length = head
        .lines()
        .find_map(|line| line.strip_prefix("content-length: "));
    body.len() >= length.map_or(0, |length| length.parse().unwrap())
}
