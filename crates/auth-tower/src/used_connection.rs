//! The connection of a token request over hyper-util's client: it carries no further request.

use std::{
    error::Error as _,
    future::{Future, poll_fn},
    pin::pin,
};

use auth_core::BoxError;
use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use hyper_util::client::legacy::{
    self,
    connect::{CaptureConnection, capture_connection},
};
use tower_service::Service;

/// How often a token request is given to the client, if each time another one takes its connection.
const MAX_TRIES: usize = 8;

/// Sends a token request through a service. hyper-util's client then gives the connection to no further
/// request. Requests in flight on the connection continue.
pub(crate) async fn send<S, B>(
    service: &mut S,
    request: Request<Full<Bytes>>,
) -> Result<Response<B>, BoxError>
where
    S: Service<Request<Full<Bytes>>, Response = Response<B>>,
    S::Error: Into<BoxError>,
{
    let mut tries = 1;
    loop {
        poll_fn(|cx| service.poll_ready(cx))
            .await
            .map_err(Into::into)?;
        let mut request = request.clone();
        let connection = UsedConnection::of(&mut request);
        let error = match connection.carry(service.call(request)).await {
            Ok(response) => return Ok(response),
            Err(error) => error.into(),
        };
        if tries == MAX_TRIES || connection.is_taken() || !is_connection_lost(&error) {
            return Err(error);
        }
        tries += 1;
    }
}

/// Returns whether hyper-util's client sent no request because its connection, for which it waited,
/// was discarded. The types of these errors are private.
fn is_connection_lost(error: &BoxError) -> bool {
    let Some(error) = error.downcast_ref::<legacy::Error>() else {
        return false;
    };
    if !error.is_connect() {
        return error.to_string() == "client error (Canceled)";
    }
    let cause = error.source().map(ToString::to_string);
    matches!(
        cause.as_deref(),
        Some("checked out connection was closed" | "request was canceled")
    )
}

/// The connection of one request. It is discarded from the moment in which the request takes it.
struct UsedConnection {
    /// Stays empty if another client sends the request.
    captured: CaptureConnection,
}

impl UsedConnection {
    fn of<B>(request: &mut Request<B>) -> Self {
        Self {
            captured: capture_connection(request),
        }
    }

    /// Awaits the response to the request.
    async fn carry<F: Future>(&self, response: F) -> F::Output {
        let mut waiting = self.captured.clone();
        // ends at once if another client drops the request's extensions
        let captured = async move { drop(waiting.wait_for_connection_metadata().await) };
        let (mut response, mut captured) = (pin!(response), pin!(captured));
        let mut is_captured = false;
        poll_fn(|cx| {
            let response = response.as_mut().poll(cx);
            // a service may send the request in another task: this future is woken when it takes a
            // connection
            is_captured = is_captured || captured.as_mut().poll(cx).is_ready();
            self.discard();
            response
        })
        .await
    }

    fn is_taken(&self) -> bool {
        self.captured.connection_metadata().is_some()
    }

    fn discard(&self) {
        if let Some(connection) = &*self.captured.connection_metadata() {
            connection.poison();
        }
    }
}

/// A request that is given up may have taken a connection.
impl Drop for UsedConnection {
    fn drop(&mut self) {
        self.discard();
    }
}
