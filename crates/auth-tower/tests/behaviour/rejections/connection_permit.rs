//! A service whose permit is released with the response body, like a connection of HTTP/1.1.

use std::{
    convert::Infallible,
    future::{Ready, ready},
    sync::Arc,
    task::{Context, Poll},
};

use auth_core::{Authorizer, TokenCache};
use auth_test_support::{get, scripted::Scripted, settle};
use auth_tower::AuthLayer;
use bytes::Bytes;
use http::{Request, Response, StatusCode, header::AUTHORIZATION};
use http_body_util::Full;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_test::{assert_pending, assert_ready, task};
use tower::{Layer, Service, ServiceExt};

const API: &str = "https://api.example.com";

/// Rejects the first token. It wakes no task when it becomes ready, so that the test polls.
#[derive(Debug)]
struct Pool {
    connections: Arc<Semaphore>,
    mine: Option<OwnedSemaphorePermit>,
}

impl Clone for Pool {
    fn clone(&self) -> Self {
        Self {
            connections: self.connections.clone(),
            mine: None,
        }
    }
}

impl Service<Request<Full<Bytes>>> for Pool {
    type Response = Response<OwnedSemaphorePermit>;
    type Error = Infallible;
    type Future = Ready<Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        if self.mine.is_none() {
            self.mine = self.connections.clone().try_acquire_owned().ok();
        }
        match self.mine {
            Some(_) => Poll::Ready(Ok(())),
            None => Poll::Pending,
        }
    }

    fn call(&mut self, request: Request<Full<Bytes>>) -> Self::Future {
        let mut response = Response::new(self.mine.take().expect("called without being ready"));
        if request.headers()[AUTHORIZATION] == "Bearer t1" {
            *response.status_mut() = StatusCode::UNAUTHORIZED;
        }
        ready(Ok(response))
    }
}

#[tokio::test]
async fn the_permit_of_the_rejected_response_is_released_before_the_replay() {
    let source = Scripted::expires_in(600);
    let tokens = TokenCache::new(source.clone());
    tokens.token().await.unwrap();
    let authorizer = Authorizer::builder(tokens).origin(API).build().unwrap();
    let pool = Pool {
        connections: Arc::new(Semaphore::new(1)),
        mine: None,
    };
    let connections = pool.connections.clone();
    let mut call = task::spawn(AuthLayer::new(authorizer).layer(pool).oneshot(get(API)));
    assert_pending!(call.poll());
    assert_eq!(
        connections.available_permits(),
        0,
        "the rejected response holds it"
    );
    settle().await;
    assert_eq!(source.requests(), 2);
    let response = assert_ready!(call.poll()).unwrap();
    assert_eq!(response.status(), StatusCode::OK);
    drop(response);
    assert_eq!(connections.available_permits(), 1);
}
