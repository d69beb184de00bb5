//! A cache that hands out a token in an `Arc`. Reads are those of a cache with a custom source, so that
//! they do not take the lock of the built-in `GrantTokenSource`. Callers without a token use the built-in
//! source, which has a circuit breaker.

use std::{sync::Arc, time::SystemTime};

use ::huskarl::{
    cache::{
        GrantTokenSource, InMemoryRefreshTokenStore, InMemoryTokenCache, TokenCache, TokenError,
        TokenSource,
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
use bench_support::ready_now;
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Request, header::CONTENT_TYPE};

use super::{Awaited, Lends, Library, header};
use crate::source::{LIFETIME, Source};

#[derive(Clone)]
pub struct Huskarl(Arc<dyn TokenCache>);

struct Instantly;

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

    type Header = HeaderValue;

    async fn ready() -> Self {
        let tokens = InMemoryTokenCache::builder().source(Instantly).build();
        tokens.token().await.unwrap();
        Self(Arc::new(tokens))
    }

    /// `expose_header_value` would copy the token twice.
    fn reader(&self) -> impl FnMut() -> HeaderValue {
        let mut lend = self.lender();
        move || header(lend().access_token().token().expose_secret())
    }
}

impl Lends for Huskarl {
    const NAME: &'static str = "huskarl_lent";

    type Loan = Arc<TokenResponse>;

    fn lender(&self) -> impl FnMut() -> Arc<TokenResponse> {
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
            let (status, body) = self.response().await;
            let json = HeaderValue::from_static("application/json");
            Ok(HttpResponse {
                status,
                headers: HeaderMap::from_iter([(CONTENT_TYPE, json)]),
                body: Bytes::from(body),
            })
        })
    }
}

impl Awaited for Huskarl {
    type Token = Arc<TokenResponse>;
    type Error = TokenError;

    fn cold(source: Source) -> Self {
        let grant = ClientCredentialsGrant::builder()
            .client_id("client")
            .http_client(source)
            .client_auth(NoAuth)
            .token_endpoint("https://idp.example.test/token".parse().unwrap())
            .build();
        let grants = GrantTokenSource::builder()
            .grant(grant)
            .grant_parameters(ClientCredentialsGrantParameters::builder().build())
            .refresh_store(InMemoryRefreshTokenStore::default())
            .build();
        Self(Arc::new(
            InMemoryTokenCache::builder().source(grants).build(),
        ))
    }

    async fn token(self) -> Result<Arc<TokenResponse>, TokenError> {
        self.0.token().await
    }
}
