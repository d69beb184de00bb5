//! DPoP with an API that changes its nonce while requests are in flight (RFC 9449 §9), over hyper and reqwest.

use std::{sync::Arc, time::Duration};

use auth_jose::DpopKey;
use auth_test_support::{
    Deployment, hyper_clients::hyper_client, reqwest_clients::reqwest_with, with_timeout,
};
use auth_testing::{Answer, AuthorizationServer, ManualClock};
use auth_tower::AuthLayer;
use bytes::Bytes;
use futures_util::future::BoxFuture;
use http::{HeaderValue, Request, StatusCode};
use http_body_util::Full;
use tokio::task::JoinSet;
use tower::{Layer, ServiceExt};

/// The number of requests in flight at once.
const CALLS: usize = 50;
/// The time after which the API responds.
const LATENCY: Duration = Duration::from_secs(1);
/// A request is sent at most three times because of nonces.
const MOST_SENDINGS: usize = 3;

/// Sends a request to the API, and returns the status of the response.
type Call = Box<dyn Fn() -> BoxFuture<'static, StatusCode>>;

fn over_hyper(deployment: &Deployment) -> Call {
    let authorizer = deployment.bound_authorizer(DpopKey::generate().unwrap());
    let client = AuthLayer::new(authorizer).layer(hyper_client());
    let url = deployment.api.url();
    Box::new(move || {
        let order = Full::<Bytes>::from("an order");
        let response = client
            .clone()
            .oneshot(Request::post(&url).body(order).unwrap());
        Box::pin(async { response.await.unwrap().status() })
    })
}

fn over_reqwest(deployment: &Deployment) -> Call {
    let authorizer = deployment.bound_authorizer(DpopKey::generate().unwrap());
    let client = reqwest_with(authorizer);
    let url = deployment.api.url();
    Box::new(move || {
        let response = client.post(&url).body("an order").send();
        Box::pin(async { response.await.unwrap().status() })
    })
}

/// An API that responds when the clock is moved, and whose nonces are `n1`, `n2`, ….
struct Api {
    deployment: Deployment,
    clock: ManualClock,
    nonces: usize,
}

impl Api {
    async fn start() -> Self {
        let clock = ManualClock::new();
        let builder = AuthorizationServer::builder().clock(Arc::new(clock.clone()));
        let deployment = Deployment::start_with(builder).await;
        deployment.api.set_latency(LATENCY);
        Self {
            deployment,
            clock,
            nonces: 0,
        }
    }

    fn change_nonce(&mut self) {
        self.nonces += 1;
        self.demand(self.nonces);
    }

    fn demand(&self, number: usize) {
        let nonce = HeaderValue::try_from(format!("n{number}")).unwrap();
        self.deployment.api.demand_nonce(nonce);
    }

    /// Makes all calls at once, and changes the nonce `changes` times, each time while every request is in
    /// flight. Returns the statuses, and the number of requests for each call.
    async fn calls(&mut self, call: &Call, changes: usize) -> (Vec<StatusCode>, usize) {
        let before = self.deployment.api.request_count();
        let mut calls = JoinSet::new();
        for _ in 0..CALLS {
            calls.spawn(call());
        }
        for sending in 0..MOST_SENDINGS.min(changes + 1) {
            with_timeout(self.clock.until_sleepers(CALLS)).await;
            if sending < changes {
                self.change_nonce();
            }
            self.clock.advance(LATENCY);
        }
        let statuses = calls.join_all().await;
        let requests = self.deployment.api.request_count() - before;
        (statuses, requests / CALLS)
    }
}

fn all(status: StatusCode) -> Vec<StatusCode> {
    vec![status; CALLS]
}

#[tokio::test]
async fn rfc9449_9_no_call_fails_when_the_nonce_changes_while_it_is_in_flight() {
    for client in [over_hyper, over_reqwest] {
        let mut api = Api::start().await;
        let call = client(&api.deployment);
        for _ in 0..20 {
            let repeated = api.calls(&call, 1).await;
            assert_eq!(repeated, (all(StatusCode::OK), 2));
            let direct = api.calls(&call, 0).await;
            assert_eq!(direct, (all(StatusCode::OK), 1));
        }
        assert_eq!(api.deployment.api.rejections(), 20 * CALLS);
        assert_eq!(api.deployment.authorization.token_requests(), 1);
    }
}

#[tokio::test]
async fn no_call_fails_when_the_nonce_changes_again_while_its_repetition_is_in_flight() {
    for client in [over_hyper, over_reqwest] {
        let mut api = Api::start().await;
        let call = client(&api.deployment);
        for _ in 0..5 {
            let repeated = api.calls(&call, 2).await;
            assert_eq!(repeated, (all(StatusCode::OK), 3));
        }
        // not without a bound, but the nonce is learnt
        let failed = api.calls(&call, 3).await;
        assert_eq!(failed, (all(StatusCode::UNAUTHORIZED), 3));
        let direct = api.calls(&call, 0).await;
        assert_eq!(direct, (all(StatusCode::OK), 1));
    }
}

#[tokio::test]
async fn rfc9449_8_2_the_nonce_of_an_accepted_request_is_in_the_next_proof() {
    for client in [over_hyper, over_reqwest] {
        let mut api = Api::start().await;
        let call = client(&api.deployment);
        api.deployment.api.set_latency(Duration::ZERO);
        for _ in 0..5 {
            api.change_nonce();
            // accepted, whichever nonce it has
            api.deployment.api.fail_next(1, Answer::json("{}"));
            assert_eq!(call().await, StatusCode::OK);
            assert_eq!(call().await, StatusCode::OK);
        }
        assert_eq!(api.deployment.api.request_count(), 10);
    }
}

#[tokio::test]
async fn a_response_that_was_written_before_a_change_of_the_nonce_and_arrives_later_changes_nothing()
 {
    for client in [over_hyper, over_reqwest] {
        let mut api = Api::start().await;
        let call = client(&api.deployment);
        let protected = &api.deployment.api.clone();
        protected.set_latency(Duration::ZERO);
        api.change_nonce();
        assert_eq!(call().await, StatusCode::OK);

        protected.set_latency(LATENCY);
        let late = tokio::spawn(call());
        api.clock.until_sleepers(1).await;
        protected.set_latency(Duration::ZERO);
        api.change_nonce();
        assert_eq!(call().await, StatusCode::OK);
        api.demand(1);
        api.clock.advance(LATENCY);
        assert_eq!(late.await.unwrap(), StatusCode::OK);
        api.demand(2);

        let before = protected.request_count();
        assert_eq!(call().await, StatusCode::OK);
        assert_eq!(protected.request_count() - before, 1, "it has n2");
    }
}
