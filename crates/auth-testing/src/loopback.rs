//! A server on 127.0.0.1 that stops when it is dropped.

use std::{
    convert::Infallible,
    error::Error,
    future::{Future, pending},
    io,
    net::{Ipv4Addr, SocketAddr},
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
};

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::combinators::UnsyncBoxBody;
use hyper::{body::Incoming, rt::Executor, service::service_fn};
use hyper_util::{rt::TokioIo, server::conn::auto};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpListener, TcpStream},
    sync::Notify,
    task::JoinSet,
};

#[cfg(feature = "tls")]
use crate::tls::TlsServer;
use crate::{peer_certificate::PeerCertificate, sync::lock};

/// How a server speaks TLS, if it does.
#[cfg(feature = "tls")]
pub(crate) type Tls = Option<TlsServer>;
#[cfg(not(feature = "tls"))]
pub(crate) type Tls = Option<NoTls>;

/// There is no TLS without the feature.
#[cfg(not(feature = "tls"))]
#[derive(Clone, Debug)]
pub(crate) enum NoTls {}

pub(crate) type Body = UnsyncBoxBody<Bytes, Box<dyn Error + Send + Sync>>;

/// Responds to the requests of a server.
pub(crate) trait Respond: Send + Sync + 'static {
    /// Returns the response. `None` closes the connection without one.
    fn respond(
        &self,
        request: Request<Incoming>,
    ) -> impl Future<Output = Option<Response<Body>>> + Send;
}

/// The accept loop and its connections: HTTP/1.1 and HTTP/2 on one port. All of them end
/// when this is dropped.
#[derive(Debug)]
pub(crate) struct Loopback {
    address: SocketAddr,
    scheme: &'static str,
    connections: Arc<AtomicUsize>,
    tasks: Tasks,
}

impl Loopback {
    /// Binds an ephemeral port, and serves it on the current runtime.
    pub(crate) async fn serve(responder: Arc<impl Respond>, tls: Tls) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let server = Self {
            address: listener.local_addr()?,
            scheme: if tls.is_some() { "https" } else { "http" },
            connections: Arc::default(),
            tasks: Tasks::new(),
        };
        let (tasks, connections) = (server.tasks.clone(), Arc::clone(&server.connections));
        server.tasks.execute(async move {
            loop {
                // a client that disconnected before it was accepted does not stop the server
                let Ok((stream, _)) = listener.accept().await else {
                    tokio::task::yield_now().await;
                    continue;
                };
                connections.fetch_add(1, Relaxed);
                let (responder, tls) = (Arc::clone(&responder), tls.clone());
                tasks.execute(connection(stream, responder, tasks.clone(), tls));
            }
        });
        Ok(server)
    }

    /// Returns `http://127.0.0.1:PORT`, or `https`.
    pub(crate) fn url(&self) -> String {
        format!("{}://{}", self.scheme, self.address)
    }

    pub(crate) fn connections(&self) -> usize {
        self.connections.load(Relaxed)
    }
}

impl Drop for Loopback {
    fn drop(&mut self) {
        self.tasks.stop();
    }
}

async fn connection(stream: TcpStream, responder: Arc<impl Respond>, tasks: Tasks, tls: Tls) {
    // without it a response may wait for a delayed acknowledgement; nothing else depends on it
    let _ = stream.set_nodelay(true);
    match tls {
        None => requests(stream, None, responder, tasks).await,
        #[cfg(feature = "tls")]
        Some(tls) => {
            if let Some((stream, peer)) = tls.accept(stream).await {
                requests(stream, peer, responder, tasks).await;
            }
        }
        #[cfg(not(feature = "tls"))]
        Some(never) => match never {},
    }
}

/// Responds to the requests of a connection whose client presented `peer`.
async fn requests(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    peer: Option<PeerCertificate>,
    responder: Arc<impl Respond>,
    tasks: Tasks,
) {
    let disconnect = Arc::new(Notify::new());
    let service = service_fn(|mut request: Request<Incoming>| {
        if let Some(peer) = &peer {
            request.extensions_mut().insert(peer.clone());
        }
        let (responder, disconnect) = (Arc::clone(&responder), Arc::clone(&disconnect));
        async move {
            match responder.respond(request).await {
                Some(response) => Ok::<_, Infallible>(response),
                None => {
                    disconnect.notify_one();
                    pending().await
                }
            }
        }
    });
    let mut protocol = auto::Builder::new(tasks);
    // one connection carries any number of requests that a test holds at the gate
    protocol.http2().max_concurrent_streams(None);
    tokio::select! {
        // a connection that fails here fails at the client as well, and the client is under test
        _ = protocol.serve_connection(TokioIo::new(stream), service) => {}
        () = disconnect.notified() => {}
    }
}

/// The tasks of one server. After `stop` there are none, and none can be added.
#[derive(Clone, Debug)]
struct Tasks(Arc<Mutex<Option<JoinSet<()>>>>);

impl Tasks {
    fn new() -> Self {
        Self(Arc::new(Mutex::new(Some(JoinSet::new()))))
    }

    fn stop(&self) {
        // dropped after the lock: a task that is aborted drops its own handle to the set
        let tasks = lock(&self.0).take();
        drop(tasks);
    }
}

impl<F> Executor<F> for Tasks
where
    F: Future<Output = ()> + Send + 'static,
{
    fn execute(&self, task: F) {
        if let Some(tasks) = lock(&self.0).as_mut() {
            while tasks.try_join_next().is_some() {}
            tasks.spawn(task);
        }
    }
}
