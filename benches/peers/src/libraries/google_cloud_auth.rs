//! The metadata server's credentials, from a server on loopback. A task refreshes the token. It hands out a
//! copy of the token. (`headers()` would build a map of headers as well.)

use ::google_cloud_auth::{
    credentials::{AccessToken, AccessTokenCredentials, mds::Builder},
    errors::CredentialsError,
};
use bench_support::ready_now;
use http::HeaderValue;
use rustls::crypto::ring;
use url::Position;

use super::{Awaited, Library, header, ready};
use crate::source::Source;

#[derive(Clone)]
pub struct GoogleCloudAuth(AccessTokenCredentials);

impl Library for GoogleCloudAuth {
    const NAME: &'static str = "google_cloud_auth";

    type Header = HeaderValue;

    async fn ready() -> Self {
        ready().await
    }

    fn reader(&self) -> impl FnMut() -> HeaderValue {
        let credentials = self.0.clone();
        move || header(&ready_now(credentials.access_token()).unwrap().token)
    }
}

impl Awaited for GoogleCloudAuth {
    type Token = AccessToken;
    type Error = CredentialsError;

    fn cold(source: Source) -> Self {
        // without its default features it requires a provider; an installed one stays in use
        let _ = ring::default_provider().install_default();
        let credentials = Builder::default()
            .with_endpoint(&source.serve()[..Position::BeforePath])
            .build_access_token_credentials();
        Self(credentials.unwrap())
    }

    async fn token(self) -> Result<AccessToken, CredentialsError> {
        self.0.access_token().await
    }
}
