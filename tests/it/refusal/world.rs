//! An API in memory, a cache and a clock, with the layer between them.

use auth_core::{Authorizer, TokenCache, TokenSource, time::Clock};
use auth_tower::AuthLayer;
use bytes::Bytes;
use http::StatusCode;
use http_body_util::BodyExt;
use tower::{Layer, ServiceExt};

use super::api::Api;
use crate::support::clients::get;

pub(super) const ORIGIN: &str = "https://api.example.com";

#[derive(Clone, Debug)]
pub(super) struct World {
    pub(super) api: Api,
    pub(super) authorizer: Authorizer,
}

impl World {
    pub(super) fn new(source: impl TokenSource, clock: impl Clock) -> Self {
        let tokens = TokenCache::builder(source).clock(clock).build();
        let builder = Authorizer::builder(tokens).origin(ORIGIN);
        Self {
            api: Api::new(),
            authorizer: builder.build().unwrap(),
        }
    }

    pub(super) fn tokens(&self) -> &TokenCache {
        self.authorizer.tokens().unwrap()
    }

    pub(super) async fn get(&self, path: &str) -> StatusCode {
        self.fetch(path).await.0
    }

    /// The status and the body.
    pub(super) async fn fetch(&self, path: &str) -> (StatusCode, Bytes) {
        let client = AuthLayer::new(self.authorizer.clone()).layer(self.api.service());
        let request = get(format!("{ORIGIN}{path}"));
        let (head, body) = client.oneshot(request).await.unwrap().into_parts();
        (head.status, body.collect().await.unwrap().to_bytes())
    }
}
