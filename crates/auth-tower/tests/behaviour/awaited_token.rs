//! A request that had to wait for its token is sent with that token. The authorizer decides again only
//! if the token is no longer the current one when the service is ready.

use std::{
    convert::Infallible,
    future::{Ready, ready},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst},
    },
    task::{Context, Poll},
};

use auth_core::{Authorizer, BoxError, Replacement, RequestHead, TokenCache};
use auth_test_support::{get, scripted::Scripted, secs, settle};
use auth_testing::ManualClock;
use auth_tower::{AuthLayer, ResponseBody};
use bytes::Bytes;
use http::{Request, Response, header::AUTHORIZATION};
use http_body_util::Full;
use tokio_test::{
    assert_pending, assert_ready_ok,
    task::{self, Spawn},
};
use tower::{Layer, Service, ServiceExt, util::BoxCloneService};

const API: &str = "https://api.example.com";

/// A service whose readiness the test sets, and which records the `Authorization` header of each request.
#[derive(Clone, Debug, Default)]
struct Gate {
    is_ready: Arc<AtomicBool>,
    sent: Arc<Mutex<Vec<String>>>,
}

impl Gate {
    fn set_ready(&self, is_ready: bool) {
        self.is_ready.store(is_ready, SeqCst);
    }

    fn sent(&self) -> Vec<String> {
        self.sent.lock().unwrap().clone()
    }
}

impl Service<Request<Full<Bytes>>> for Gate {
    type Response = Response<()>;
    type Error = Infallible;
    type Future = Ready<Result<Response<()>, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        match self.is_ready.load(SeqCst) {
            true => Poll::Ready(Ok(())),
            false => Poll::Pending,
        }
    }

    fn call(&mut self, request: Request<Full<Bytes>>) -> Self::Future {
        let header = request.headers()[AUTHORIZATION].to_str().unwrap();
        self.sent.lock().unwrap().push(header.to_owned());
        ready(Ok(Response::new(())))
    }
}

type Client = BoxCloneService<Request<Full<Bytes>>, Response<()>, BoxError>;
type Call = Spawn<tower::util::Oneshot<Client, Request<Full<Bytes>>>>;

/// A client whose tokens live for 600 s, and the number of requests that its authorizer has decided.
struct Setup {
    clock: ManualClock,
    source: Scripted,
    tokens: TokenCache,
    decisions: Arc<AtomicUsize>,
    gate: Gate,
    client: Client,
}

impl Setup {
    fn new() -> Self {
        let (clock, source) = (ManualClock::new(), Scripted::expires_in(600));
        let builder = TokenCache::builder(source.clone());
        let tokens = builder.clock(clock.clone()).build();
        let decisions = Arc::new(AtomicUsize::new(0));
        let tenant = {
            let decisions = Arc::clone(&decisions);
            move |_: &RequestHead<'_>| {
                decisions.fetch_add(1, SeqCst);
                Some(())
            }
        };
        let cache = tokens.clone();
        let authorizer = move |(): &()| Authorizer::builder(cache.clone()).origin(API).build();
        let authorizer = Authorizer::per_tenant(tenant, authorizer).build().unwrap();
        let gate = Gate::default();
        let client = AuthLayer::new(authorizer).layer(gate.clone());
        Self {
            clock,
            source,
            tokens,
            decisions,
            gate,
            client: BoxCloneService::new(
                client.map_response(|response| response.map(ResponseBody::into_inner)),
            ),
        }
    }

    fn decisions(&self) -> usize {
        self.decisions.load(SeqCst)
    }

    /// Sends a request that waits for its token.
    fn waiting_for_token(&self) -> Call {
        let _held = self.source.clone().hold();
        self.gate.set_ready(true);
        let mut call = task::spawn(self.client.clone().oneshot(get(API)));
        assert_pending!(call.poll());
        assert_eq!(self.decisions(), 1);
        call
    }

    /// Sends a request that has received its token, and waits for the readiness of the service.
    async fn waiting_for_readiness(&self) -> Call {
        let mut call = self.waiting_for_token();
        self.gate.set_ready(false);
        self.source.release();
        settle().await;
        assert_pending!(call.poll());
        assert!(self.tokens.cached().is_some());
        assert!(self.gate.sent().is_empty());
        call
    }
}

#[tokio::test]
async fn a_request_is_sent_with_the_awaited_token_without_a_second_decision() {
    let setup = Setup::new();
    let mut call = setup.waiting_for_token();
    setup.source.release();
    settle().await;
    assert_ready_ok!(call.poll());
    assert_eq!(setup.gate.sent(), ["Bearer t1"]);
    assert_eq!((setup.decisions(), setup.source.requests()), (1, 1));
}

#[tokio::test]
async fn a_token_that_is_still_current_when_the_service_is_ready_is_sent_without_a_second_decision()
{
    let setup = Setup::new();
    let mut call = setup.waiting_for_readiness().await;
    setup.clock.advance(secs(60));
    setup.gate.set_ready(true);
    assert_ready_ok!(call.poll());
    assert_eq!(setup.gate.sent(), ["Bearer t1"]);
    assert_eq!((setup.decisions(), setup.source.requests()), (1, 1));
}

#[tokio::test]
async fn a_token_that_expired_while_the_service_was_not_ready_is_replaced_by_the_next_one() {
    let setup = Setup::new();
    let mut call = setup.waiting_for_readiness().await;
    setup.clock.advance(secs(600));
    setup.gate.set_ready(true);
    assert_pending!(call.poll(), "the request waits for another token");
    settle().await;
    assert_ready_ok!(call.poll());
    assert_eq!(setup.gate.sent(), ["Bearer t2"]);
    assert_eq!((setup.decisions(), setup.source.requests()), (2, 2));
}

#[tokio::test]
async fn a_token_that_was_replaced_while_the_service_was_not_ready_is_not_sent() {
    let setup = Setup::new();
    let mut call = setup.waiting_for_readiness().await;
    let rejected = setup.tokens.token().await.unwrap();
    let Replacement::Pending(pending) = setup.tokens.reject(&rejected) else {
        panic!("expected a pending token");
    };
    assert_eq!(pending.token().await.unwrap().secret(), "t2");
    setup.gate.set_ready(true);
    assert_ready_ok!(call.poll());
    assert_eq!(setup.gate.sent(), ["Bearer t2"]);
    assert_eq!((setup.decisions(), setup.source.requests()), (2, 2));
}
