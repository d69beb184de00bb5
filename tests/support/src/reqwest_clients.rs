//! reqwest clients, plain and with the middleware.

use auth_core::Authorizer;
use auth_reqwest::AuthMiddleware;
use reqwest_middleware::{ClientBuilder, ClientWithMiddleware};

use crate::certificates::use_ring;

/// reqwest's client with its defaults: it follows redirects.
pub fn reqwest_client() -> reqwest::Client {
    reqwest_builder().build().unwrap()
}

/// Returns the builder of this client.
pub fn reqwest_builder() -> reqwest::ClientBuilder {
    use_ring();
    reqwest::Client::builder().no_proxy()
}

/// A client with the middleware.
pub fn reqwest_with(authorizer: Authorizer) -> ClientWithMiddleware {
    let builder = ClientBuilder::new(reqwest_client());
    builder.with(AuthMiddleware::new(authorizer)).build()
}
