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
    net::{TcpListener, TcpStream},
    sync::Notify,
    task::JoinSet,
};

use crate::sync::lock;

pub(crate) type Body = UnsyncBoxBody<Bytes, Box<dyn Error + Send + Sync>>;

/// Responds to the requests of a server.
pub(crate) trait Respond: Send + Sync + 'static {
    /// Returns the response. `None` closes the connection without one.
    fn respond(
        &self,
        request: Request<Incoming>,
    ) -> impl Future<Output = Option<Response<Body>>> + Send;
}

/// The accept loop and its connections: HTTP/1.1 and HTTP/2 without TLS on one port. All of them end
/// when this is dropped.
#[derive(Debug)]
pub(crate) struct Loopback {
    address: SocketAddr,
    connections: Arc<AtomicUsize>,
    tasks: Tasks,
}

impl Loopback {
    /// Binds an ephemeral port, and serves it on the current runtime.
    pub(crate) async fn serve(responder: Arc<impl Respond>) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let server = Self {
            address: listener.local_addr()?,
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
                tasks.execute(connection(stream, Arc::clone(&responder), tasks.clone()));
            }
        });
        Ok(server)
    }

    /// Returns `http://127.0.0.1:PORT`.
    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
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

async fn connection(stream: TcpStream, responder: Arc<impl Respond>, tasks: Tasks) {
    // without it a response may wait for a delayed acknowledgement; nothing else depends on it
    let _ = stream.set_nodelay(true);
    let disconnect = Arc::new(Notify::new());
    let service = service_fn(|request| {
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
