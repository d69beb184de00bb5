//! A token endpoint whose connections stop working after their first request.

use std::{
    convert::Infallible,
    future::pending,
    net::SocketAddr,
    sync::{Arc, Mutex, PoisonError},
};

use auth_core::{
    ClientAuthentication, ClientCredentials, HttpTransport, TokenRequest, TokenSource,
};
use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt, Full, StreamBody, combinators::UnsyncBoxBody};
use hyper::{
    body::Incoming,
    server::conn::{http1, http2},
    service::service_fn,
};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpListener, TcpStream},
    sync::watch,
};

use crate::certificates::Authority;

/// The behavior of a connection after its first request.
#[derive(Clone, Copy, Debug)]
pub enum Fault {
    /// Later requests get no response, and the connection stays open.
    NoResponse,
    /// Later requests get the head of a response, and no end of its body.
    NoEndOfBody,
    /// The server resets each later stream with `REFUSED_STREAM` (HTTP/2 only).
    StreamsRefused,
    /// All responses wait until the server has received this many requests. The connection keeps
    /// working.
    Held(usize),
    /// None: the connection keeps working.
    None,
}

/// The protocol of the connections.
#[derive(Clone, Copy, Debug)]
pub enum Protocol {
    /// HTTP/1.1.
    Http1,
    /// HTTP/2, by ALPN or by prior knowledge.
    Http2,
}

/// A token endpoint whose connections stop working after their first request.
#[derive(Debug)]
pub struct FailingConnections {
    origin: String,
    state: Arc<State>,
}

#[derive(Debug)]
struct State {
    fault: Fault,
    expires_in: u64,
    /// The number of requests of each connection.
    requests: Mutex<Vec<usize>>,
    unanswered: watch::Sender<usize>,
    received: watch::Sender<usize>,
    ended: watch::Sender<usize>,
}

impl FailingConnections {
    /// Starts an endpoint on the current runtime, over TLS if there is an authority. Its tokens live
    /// for an hour.
    pub async fn start(fault: Fault, protocol: Protocol, tls: Option<&Authority>) -> Self {
        Self::issuing(3600, fault, protocol, tls).await
    }

    /// Starts an endpoint whose tokens live for `expires_in` seconds.
    pub async fn issuing(
        expires_in: u64,
        fault: Fault,
        protocol: Protocol,
        tls: Option<&Authority>,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address: SocketAddr = listener.local_addr().unwrap();
        let state = Arc::new(State {
            fault,
            expires_in,
            requests: Mutex::default(),
            unanswered: watch::Sender::new(0),
            received: watch::Sender::new(0),
            ended: watch::Sender::new(0),
        });
        let alpn = match protocol {
            Protocol::Http1 => "http/1.1",
            Protocol::Http2 => "h2",
        };
        let acceptor = tls.map(|authority| authority.acceptor(alpn));
        let accepting = Arc::clone(&state);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (state, acceptor) = (Arc::clone(&accepting), acceptor.clone());
                tokio::spawn(async move {
                    let Some(acceptor) = acceptor else {
                        return state.serve::<TcpStream>(stream, protocol).await;
                    };
                    if let Ok(stream) = acceptor.accept(stream).await {
                        state.serve(stream, protocol).await;
                    }
                });
            }
        });
        let scheme = if tls.is_some() { "https" } else { "http" };
        Self {
            origin: format!("{scheme}://{address}"),
            state,
        }
    }

    /// Returns the URL of the token endpoint.
    pub fn token_endpoint(&self) -> String {
        format!("{}/token", self.origin)
    }

    /// Returns a grant that requests tokens over `transport`.
    pub fn grant(&self, transport: impl HttpTransport) -> ClientCredentials {
        let authentication = ClientAuthentication::client_secret_basic("s3cr3t");
        let grant = ClientCredentials::builder(self.token_endpoint(), "client", authentication);
        grant.build(transport).unwrap()
    }

    /// Makes token requests one after another, and returns which of them obtained a token. A request
    /// that the server has received and does not answer is dropped, as at the end of its attempt timeout.
    pub async fn attempts(&self, grant: &ClientCredentials, count: usize) -> Vec<bool> {
        let (request, mut outcomes) = (TokenRequest::default(), Vec::new());
        for _ in 0..count {
            let mut unanswered = self.state.unanswered.subscribe();
            let before = *unanswered.borrow_and_update();
            outcomes.push(tokio::select! {
                fetched = grant.fetch(&request) => fetched.is_ok(),
                _ = unanswered.wait_for(|now| *now > before) => false,
            });
        }
        outcomes
    }

    /// Waits until the server has received this many requests.
    pub async fn received(&self, count: usize) {
        self.state.received(count).await;
    }

    /// Waits until this many connections have ended.
    pub async fn ended(&self, count: usize) {
        let mut ended = self.state.ended.subscribe();
        ended.wait_for(|now| *now >= count).await.unwrap();
    }

    /// Returns the number of requests that each connection has carried. Connections without a request
    /// do not count.
    pub fn requests_per_connection(&self) -> Vec<usize> {
        self.state.lock().clone()
    }
}

impl State {
    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<usize>> {
        self.requests.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn received(&self, count: usize) {
        let mut received = self.received.subscribe();
        received.wait_for(|now| *now >= count).await.unwrap();
    }

    async fn serve<S>(self: Arc<Self>, stream: S, protocol: Protocol)
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let number = Mutex::new(None);
        let service = service_fn(|request| {
            let (state, number) = (Arc::clone(&self), self.number(&number));
            async move { state.respond(number, request).await }
        });
        let stream = TokioIo::new(stream);
        // a connection that fails here fails at the client as well, and the client is under test
        let _ = match protocol {
            Protocol::Http1 => {
                let builder = http1::Builder::new();
                builder.serve_connection(stream, service).await
            }
            Protocol::Http2 => {
                let builder = http2::Builder::new(TokioExecutor::new());
                builder.serve_connection(stream, service).await
            }
        };
        self.ended.send_modify(|count| *count += 1);
    }

    fn number(&self, connection: &Mutex<Option<usize>>) -> usize {
        let mut number = connection.lock().unwrap_or_else(PoisonError::into_inner);
        *number.get_or_insert_with(|| {
            let mut requests = self.lock();
            requests.push(0);
            requests.len() - 1
        })
    }

    async fn respond(
        &self,
        connection: usize,
        _request: Request<Incoming>,
    ) -> Result<Response<UnsyncBoxBody<Bytes, Infallible>>, h2::Error> {
        let is_first = {
            let mut requests = self.lock();
            requests[connection] += 1;
            requests[connection] == 1
        };
        self.received.send_modify(|count| *count += 1);
        if let Fault::Held(count) = self.fault {
            self.received(count).await;
        }
        match self.fault {
            Fault::NoResponse if !is_first => {
                self.unanswered.send_modify(|count| *count += 1);
                pending().await
            }
            Fault::NoEndOfBody if !is_first => {
                self.unanswered.send_modify(|count| *count += 1);
                let body = StreamBody::new(futures_util::stream::pending());
                Ok(Response::new(body.boxed_unsync()))
            }
            Fault::StreamsRefused if !is_first => Err(h2::Reason::REFUSED_STREAM.into()),
            _ => {
                let token = format!(
                    r#"{{"access_token":"t{connection}","token_type":"Bearer","expires_in":{}}}"#,
                    self.expires_in
                );
                Ok(Response::new(Full::from(token).boxed_unsync()))
            }
        }
    }
}
