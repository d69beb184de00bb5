//! The layer for tonic's `Channel`, which overwrites the authority of every request with that of its
//! endpoint. Only the endpoint therefore says where a request goes.

use auth_core::{Authorizer, Error};
use tonic::transport::Endpoint;

use crate::layer::AuthLayer;

impl AuthLayer {
    /// Creates a layer for the channel of `endpoint`. The URI that the endpoint connects to must be an
    /// allowed origin of the authorizer; this is checked once, here.
    ///
    /// ```
    /// use auth_tower::{Auth, AuthLayer, auth_core::{Authorizer, Error}};
    /// use tonic::transport::Channel;
    /// use tower::ServiceBuilder;
    ///
    /// # fn example(authorizer: Authorizer) -> Result<(), Error> {
    /// let endpoint = Channel::from_static("https://api.example.com");
    /// let channel: Auth<Channel> = ServiceBuilder::new()
    ///     .layer(AuthLayer::for_endpoint(&endpoint, authorizer)?)
    ///     .service(endpoint.connect_lazy());
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// If the endpoint's URI is not an allowed origin: an unlisted origin, or `http` to a host other
    /// than loopback. [`Endpoint::origin`] is ignored, because the channel does not connect by it.
    pub fn for_endpoint(endpoint: &Endpoint, authorizer: Authorizer) -> Result<Self, Error> {
        Ok(Self::new(authorizer.for_channel(endpoint.uri())?))
    }
}
