//! A cache with a custom source, so that a read does not take the lock of the built-in
//! `GrantTokenSource`. A read is a token in an `Arc`, checked for expiry.

use std::{sync::Arc, time::SystemTime};

use ::huskarl::{
    cache::{
        GrantTokenSource, InMemoryRefreshTokenStore, InMemoryTokenCache, TokenError, TokenSource,
    },
    core::{
        Error,
        client_auth::NoAuth,
        http::{HttpClient, HttpResponse, Idempotency},
        platform::MaybeSendBoxFuture,
        secrets::SecretString,
    },
    grant::{
        client_credentials::{ClientCredentialsGrant, ClientCredentialsGrantParameters},
        core::{RawTokenResponse, TokenResponse},
    },
};
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Request, header::CONTENT_TYPE};

use super::{LIFETIME, Library};
use bench_support::ready_now;

use crate::failing::{CALLERS, Failure, Source};

pub struct Huskarl(Arc<InMemoryTokenCache<Instantly>>);

pub struct Instantly;

impl TokenSource for Instantly {
    fn token(&self) -> MaybeSendBoxFuture<'_, Result<Arc<TokenResponse>, TokenError>> {
        Box::pin(async {
            let token = RawTokenResponse::builder()
                .access_token(SecretString::new(bench_support::token()))
                .token_type("bearer")
                .expires_in(LIFETIME.as_secs())
                .build()
                .into_token_response(None, SystemTime::now());
            Ok(Arc::new(token.unwrap()))
        })
    }
}

impl Library for Huskarl {
    const NAME: &'static str = "huskarl";

    type Read = Arc<TokenResponse>;

    async fn ready() -> Self {
        let tokens = InMemoryTokenCache::builder().source(Instantly).build();
        tokens.token().await.unwrap();
        Self(Arc::new(tokens))
    }

    fn reader(&self) -> impl FnMut() -> Arc<TokenResponse> {
        let tokens = Arc::clone(&self.0);
        move || ready_now(tokens.token()).unwrap()
    }
}

impl HttpClient for Source {
    fn execute(
        &self,
        _request: Request<Bytes>,
        _idempotency: Idempotency,
    ) -> MaybeSendBoxFuture<'_, Result<HttpResponse, Error>> {
        Box::pin(async {
            let (status, body) = self.fail().await.answer();
            let json = HeaderValue::from_static("application/json");
            Ok(HttpResponse {
                status,
                headers: HeaderMap::from_iter([(CONTENT_TYPE, json)]),
                body: Bytes::from_static(body.as_bytes()),
            })
        })
    }
}

/// The built-in source, which has a circuit breaker.
pub async fn failing(failure: Failure) -> Source {
    let source = Source::new(failure, CALLERS);
    let grant = ClientCredentialsGrant::builder()
        .client_id("client")
        .http_client(source.clone())
        .client_auth(NoAuth)
        .token_endpoint("https://idp.example.test/token".parse().unwrap())
        .build();
    let grants = GrantTokenSource::builder()
        .grant(grant)
        .grant_parameters(ClientCredentialsGrantParameters::builder().build())
        .refresh_store(InMemoryRefreshTokenStore::default())
        .build();
    let tokens = Arc::new(InMemoryTokenCache::builder().source(grants).build());
    source
        .asked(|| {
            let tokens = Arc::clone(&tokens);
            async move { tokens.token().await }
        })
        .await;
    source
}
