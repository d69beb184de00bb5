//! What happens when an API refuses a token: one more token request, one more sending, and no storm.

mod adapters;
mod api;
mod bodies;
mod crowd;
mod failure;
mod grpc;
mod judged;
mod last_handle;
mod methods;
mod permit;
mod readiness;
mod redirected;
mod renewal;
mod storms;
mod strangers;
mod turnstile;
mod world;

use auth_core::Authorizer;
use auth_reqwest::AuthMiddleware;
use reqwest_middleware::{ClientBuilder, ClientWithMiddleware};

use crate::support::clients::reqwest_client;

pub(crate) fn reqwest_with(authorizer: Authorizer) -> ClientWithMiddleware {
    let builder = ClientBuilder::new(reqwest_client());
    builder.with(AuthMiddleware::new(authorizer)).build()
}
