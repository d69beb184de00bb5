//! What tonic needs. Its `Channel` overwrites the authority of every request with its endpoint's, so
//! only the endpoint tells where a request goes. Its clients call every error `Unknown` that has no
//! `Status` among its sources.

use std::sync::Arc;

use auth_core::{Authorizer, BoxError, Error, RequestHead};
use tonic::{Code, Status, transport::Endpoint};

use crate::AuthLayer;

impl AuthLayer {
    /// A layer for the channel of `endpoint`, which is checked here and now: the URI it connects to
    /// has to be one of the authorizer's origins.
    ///
    /// ```
    /// use auth_tower::{Auth, AuthLayer, auth_core::{Authorizer, Error}};
    /// use tonic::transport::Channel;
    /// use tower::ServiceBuilder;
    ///
    /// # fn example(tokens: Authorizer) -> Result<(), Error> {
    /// let endpoint = Channel::from_static("https://api.example.com");
    /// let channel: Auth<Channel> = ServiceBuilder::new()
    ///     .layer(AuthLayer::for_endpoint(&endpoint, tokens)?)
    ///     .service(endpoint.connect_lazy());
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// If the endpoint's URI is not an allowed origin: another host, or `http` where it is not
    /// loopback. [`Endpoint::origin`] changes nothing, it is not where the connection goes.
    pub fn for_endpoint(endpoint: &Endpoint, authorizer: Authorizer) -> Result<Self, Error> {
        Ok(Self::new(authorizer.for_channel(endpoint.uri())?))
    }
}

/// The error for a request that was not sent; to a gRPC client it is a [`Status`] that has it as its
/// source.
pub(crate) fn unsent(error: Error, request: RequestHead<'_>) -> BoxError {
    if !request.is_grpc() {
        return error.into();
    }
    let code = if error.is_transient() {
        Code::Unavailable
    } else {
        Code::Unauthenticated
    };
    let mut status = Status::new(code, error.to_string());
    status.set_source(Arc::new(error));
    status.into()
}
