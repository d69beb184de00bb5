//! Where a token may go: spellings of an origin, the `Host` header, redirects, and the log.

mod hops_of_tenants;
mod host_header;
mod log;
mod redirects;
mod spellings;

use auth_core::{
    Authorizer, AuthorizerBuilder, TokenCache,
    adapter::{Decision, RequestHead},
};
use auth_test_support::GatedSource;
use http::Request;

const API: &str = "https://api.example.com";

fn builder() -> AuthorizerBuilder {
    Authorizer::builder(TokenCache::new(GatedSource::held()))
}

fn listed(origin: &str) -> Authorizer {
    builder().origin(origin).build().unwrap()
}

fn carries_token<'a>(authorizer: &Authorizer, request: impl Into<RequestHead<'a>>) -> bool {
    !matches!(authorizer.authorize(request), Decision::PassThrough(_))
}

fn get(uri: &str) -> Request<()> {
    Request::get(uri).body(()).unwrap()
}
