//! The tokens of one stack.

use auth_core::{
    Authorizer, ClientAuthentication, ClientCredentials, Error, HttpTransport, TokenCache,
};
use counting_source::{CountingSource, TokenRequestCount};

use crate::place::Place;

/// Tokens for requests to the origin of `api`. Token requests go through `transport`, and are counted, which a
/// program of yours need not do.
pub(crate) fn tokens(
    place: &Place,
    api: &str,
    transport: impl HttpTransport,
    count: &TokenRequestCount,
) -> Result<Authorizer, Error> {
    let credentials = ClientCredentials::builder(
        &place.token_url,
        &place.client_id,
        ClientAuthentication::client_secret_basic(place.client_secret.clone()),
    )
    .scope(&place.scope)
    .build(transport)?;
    let source = CountingSource::new(credentials, count.clone());
    Authorizer::builder(TokenCache::new(source))
        .origin_of(api)
        .build()
}
