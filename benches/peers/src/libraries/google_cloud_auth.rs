//! The metadata server's credentials, from a server on loopback. A task refreshes the token. A read is a
//! copy of the token, checked for expiry. (`headers()` would build the header anew as well.)

use ::google_cloud_auth::credentials::{AccessToken, AccessTokenCredentials, mds::Builder};
use rustls::crypto::ring;
use url::{Position, Url};

use super::Library;
use bench_support::ready_now;

use crate::{
    failing::{CALLERS, Failure, Source},
    loopback,
};

pub struct GoogleCloudAuth(AccessTokenCredentials);

fn credentials(server: &Url) -> AccessTokenCredentials {
    // without its default features it requires a provider; an installed one stays in use
    let _ = ring::default_provider().install_default();
    Builder::default()
        .with_endpoint(&server[..Position::BeforePath])
        .build_access_token_credentials()
        .unwrap()
}

impl Library for GoogleCloudAuth {
    const NAME: &'static str = "google_cloud_auth";

    type Read = AccessToken;

    async fn ready() -> Self {
        let credentials = credentials(&loopback::issuing().await);
        credentials.access_token().await.unwrap();
        Self(credentials)
    }

    fn reader(&self) -> impl FnMut() -> AccessToken {
        let credentials = self.0.clone();
        move || ready_now(credentials.access_token()).unwrap()
    }
}

pub async fn failing(failure: Failure) -> Source {
    let source = Source::new(failure, CALLERS);
    let credentials = credentials(&source.serve().await);
    source
        .asked(|| {
            let credentials = credentials.clone();
            async move { credentials.access_token().await }
        })
        .await;
    source
}
