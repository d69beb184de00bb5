//! The stack of the guide to the order of layers. For each layer a test compares its place with the other
//! side of `AuthLayer`.
#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used)]

use std::{
    cell::RefCell,
    collections::VecDeque,
    convert::Infallible,
    fmt::Display,
    future::{Ready, ready},
    io,
    sync::{Arc, Mutex, Once},
    time::Duration,
};

use auth_testing::TokioClock;
use auth_tower::{
    AuthLayer, TowerTransport,
    auth_core::{
        Authorizer, BoxError, ClientAuthentication, ClientCredentials, Error, ErrorKind, TokenCache,
    },
};
use bytes::Bytes;
use http::{Request, Response, StatusCode, header};
use http_body::Body;
use http_body_util::Full;
use tokio::time::{Instant, sleep};
use tower::{
    Service, ServiceBuilder, ServiceExt, retry::Policy, service_fn, timeout::error::Elapsed,
};
use tower_http::{follow_redirect::FollowRedirectLayer, trace::TraceLayer};

/// `inner` is the HTTP client, such as hyper-util's.
fn stack<S, B>(
    authorizer: Authorizer,
    timeout: Duration,
    max_in_flight: usize,
    inner: S,
) -> impl Service<Request<Full<Bytes>>, Response = Response<impl Body>, Error = BoxError> + Clone
where
    S: Service<Request<Full<Bytes>>, Response = Response<B>> + Clone,
    S::Error: Into<BoxError>,
    B: Body<Error: Display> + 'static,
{
    ServiceBuilder::new()
        .layer(TraceLayer::new_for_http())
        .timeout(timeout)
        .layer(FollowRedirectLayer::new())
        .retry(RetryUnavailable { retries_left: 2 })
        .layer(AuthLayer::new(authorizer))
        .concurrency_limit(max_in_flight)
        .service(inner)
}

/// Sends a request again, without delay, while the API responds 503.
#[derive(Clone)]
struct RetryUnavailable {
    retries_left: usize,
}

impl<T: Clone, B> Policy<Request<T>, Response<B>, BoxError> for RetryUnavailable {
    type Future = Ready<()>;

    fn retry(
        &mut self,
        _: &mut Request<T>,
        result: &mut Result<Response<B>, BoxError>,
    ) -> Option<Ready<()>> {
        let response = result.as_ref().ok()?;
        if response.status() != StatusCode::SERVICE_UNAVAILABLE {
            return None;
        }
        self.retries_left = self.retries_left.checked_sub(1)?;
        Some(ready(()))
    }

    fn clone_request(&mut self, request: &Request<T>) -> Option<Request<T>> {
        Some(request.clone())
    }
}

/// The guide shows exactly the function and the policy above.
#[test]
fn the_guide_shows_this_stack() {
    let guide = include_str!("../src/guide/layers.rs");
    let block = guide.split("//! ```\n").nth(1).expect("a block of code");
    let code = block.lines().map(|line| line.trim_start_matches("//!"));
    let code = code.map(|line| line.strip_prefix(' ').unwrap_or(line));
    let code = code.collect::<Vec<_>>().join("\n");
    let start = code.find("/// `inner`").expect("the function");
    assert!(include_str!("layers.rs").contains(&code[start..]), "{code}");
}

const API: &str = "https://api.example.com/";
const UNLISTED: &str = "https://unlisted.example.net/";
const TIMEOUT: Duration = seconds(300);
const TOKENS: [Option<&str>; 3] = [
    Some("Bearer secret-1"),
    Some("Bearer secret-2"),
    Some("Bearer secret-3"),
];

const fn seconds(n: u64) -> Duration {
    Duration::from_secs(n)
}

/// An authorizer for [`API`] whose tokens live for a minute and take `delay` to arrive.
fn authorizer(delay: Duration) -> Authorizer {
    let issued = Arc::new(Mutex::new(0));
    let token_endpoint = service_fn(move |_: Request<Full<Bytes>>| {
        let issued = issued.clone();
        async move {
            sleep(delay).await;
            let mut issued = issued.lock().unwrap();
            *issued += 1;
            let token = format!(
                r#"{{"access_token":"secret-{issued}","token_type":"Bearer","expires_in":60}}"#
            );
            Ok::<_, Infallible>(Response::new(Full::<Bytes>::from(token)))
        }
    });
    let authentication = ClientAuthentication::client_secret_basic("s3cr3t");
    let grant =
        ClientCredentials::builder("https://as.example.com/token", "my-client", authentication)
            .build(TowerTransport::new(token_endpoint))
            .unwrap();
    let cache = TokenCache::builder(grant).clock(TokioClock::new());
    let builder = Authorizer::builder(cache.build()).origin_of(API);
    builder.build().unwrap()
}

/// The servers that the client connects to. Each response takes `delay`.
#[derive(Clone, Default)]
struct Servers {
    delay: Duration,
    /// The responses to the next requests. Every later request receives 200.
    responses: Arc<Mutex<VecDeque<Response<Full<Bytes>>>>>,
    requests: Arc<Mutex<Vec<Request<()>>>>,
}

impl Servers {
    fn after(delay: Duration) -> Self {
        Self {
            delay,
            ..Self::default()
        }
    }

    fn respond(self, status: StatusCode) -> Self {
        self.respond_with(Response::builder().status(status))
    }

    fn redirect(self, status: StatusCode, location: &str) -> Self {
        let response = Response::builder().status(status);
        self.respond_with(response.header(header::LOCATION, location))
    }

    fn respond_with(self, response: http::response::Builder) -> Self {
        let response = response.body(Full::default()).unwrap();
        self.responses.lock().unwrap().push_back(response);
        self
    }

    fn client(
        &self,
    ) -> impl Service<Request<Full<Bytes>>, Response = Response<Full<Bytes>>, Error = BoxError>
    + Clone
    + use<> {
        install_log();
        let this = self.clone();
        service_fn(move |request: Request<Full<Bytes>>| {
            let this = this.clone();
            async move {
                this.requests.lock().unwrap().push(request.map(|_| ()));
                sleep(this.delay).await;
                let response = this.responses.lock().unwrap().pop_front();
                Ok(response.unwrap_or_default())
            }
        })
    }

    fn assert_authorizations(&self, expected: &[Option<&str>]) {
        let requests = self.requests.lock().unwrap();
        let values = requests.iter().map(|request| {
            let value = request.headers().get(header::AUTHORIZATION)?;
            Some(value.to_str().unwrap())
        });
        assert_eq!(values.collect::<Vec<_>>(), expected);
    }
}

fn get(uri: &str) -> Request<Full<Bytes>> {
    Request::get(uri).body(Full::default()).unwrap()
}

async fn status<S, B>(client: &S, request: Request<Full<Bytes>>) -> Result<StatusCode, BoxError>
where
    S: Service<Request<Full<Bytes>>, Response = Response<B>, Error = BoxError> + Clone,
{
    let response = client.clone().oneshot(request).await?;
    Ok(response.status())
}

#[tokio::test(start_paused = true)]
async fn the_timeout_bounds_the_wait_for_a_token_and_the_request_together() {
    let servers = Servers::after(seconds(3));
    let client = stack(authorizer(seconds(3)), seconds(5), 10, servers.client());
    let started = Instant::now();
    let error = status(&client, get(API)).await.unwrap_err();
    assert!(error.is::<Elapsed>(), "{error}");
    assert_eq!(started.elapsed().as_secs(), 5);
    // the token has arrived, so the next call needs 3 s
    assert_eq!(status(&client, get(API)).await.unwrap(), StatusCode::OK);

    let inside = ServiceBuilder::new()
        .layer(AuthLayer::new(authorizer(seconds(3))))
        .timeout(seconds(5))
        .service(servers.client());
    let started = Instant::now();
    assert_eq!(status(&inside, get(API)).await.unwrap(), StatusCode::OK);
    assert_eq!(started.elapsed().as_secs(), 6);
}

#[tokio::test(start_paused = true)]
async fn a_token_request_continues_after_the_timeout() {
    let servers = Servers::default();
    let client = stack(authorizer(seconds(7)), seconds(5), 10, servers.client());
    let error = status(&client, get(API)).await.unwrap_err();
    assert!(error.is::<Elapsed>(), "{error}");
    assert_eq!(status(&client, get(API)).await.unwrap(), StatusCode::OK);
    servers.assert_authorizations(&TOKENS[..1]);
}

#[tokio::test(start_paused = true)]
async fn each_attempt_of_a_retry_carries_the_token_that_is_current() {
    let slow_and_unavailable = || {
        Servers::after(seconds(70))
            .respond(StatusCode::SERVICE_UNAVAILABLE)
            .respond(StatusCode::SERVICE_UNAVAILABLE)
    };
    let servers = slow_and_unavailable();
    let client = stack(authorizer(seconds(1)), TIMEOUT, 10, servers.client());
    assert_eq!(status(&client, get(API)).await.unwrap(), StatusCode::OK);
    servers.assert_authorizations(&TOKENS);

    let servers = slow_and_unavailable();
    let inside = ServiceBuilder::new()
        .layer(AuthLayer::new(authorizer(seconds(1))))
        .retry(RetryUnavailable { retries_left: 2 })
        .service(servers.client());
    assert_eq!(status(&inside, get(API)).await.unwrap(), StatusCode::OK);
    servers.assert_authorizations(&[TOKENS[0]; 3]);
}

#[tokio::test(start_paused = true)]
async fn a_rejected_token_is_replaced_without_a_retry() {
    let servers = Servers::default().respond(StatusCode::UNAUTHORIZED);
    let client = stack(authorizer(seconds(1)), TIMEOUT, 10, servers.client());
    assert_eq!(status(&client, get(API)).await.unwrap(), StatusCode::OK);
    servers.assert_authorizations(&TOKENS[..2]);
}

#[tokio::test(start_paused = true)]
async fn a_retry_repeats_one_hop_and_not_the_hops_before_it() {
    let servers = Servers::default()
        .redirect(StatusCode::FOUND, "/second")
        .respond(StatusCode::SERVICE_UNAVAILABLE);
    let client = stack(authorizer(seconds(1)), TIMEOUT, 10, servers.client());
    assert_eq!(status(&client, get(API)).await.unwrap(), StatusCode::OK);
    let requests = servers.requests.lock().unwrap();
    let paths = requests.iter().map(|request| request.uri().path());
    assert_eq!(paths.collect::<Vec<_>>(), ["/", "/second", "/second"]);
}

#[tokio::test(start_paused = true)]
async fn each_hop_is_authorized_by_its_own_origin() {
    let to_an_unlisted_origin_and_back = || {
        Servers::default()
            .redirect(StatusCode::FOUND, UNLISTED)
            .redirect(StatusCode::FOUND, API)
    };
    let servers = to_an_unlisted_origin_and_back();
    let client = stack(authorizer(seconds(1)), TIMEOUT, 10, servers.client());
    let error = status(&client, get(API)).await.unwrap_err();
    let error = Error::find(&*error).unwrap();
    assert_eq!(error.kind(), ErrorKind::Redirected);
    servers.assert_authorizations(&[TOKENS[0], None]);

    let servers = to_an_unlisted_origin_and_back();
    let inside = ServiceBuilder::new()
        .layer(AuthLayer::new(authorizer(seconds(1))))
        .layer(FollowRedirectLayer::new())
        .service(servers.client());
    assert_eq!(status(&inside, get(API)).await.unwrap(), StatusCode::OK);
    servers.assert_authorizations(&[TOKENS[0], None, None]);
}

#[tokio::test(start_paused = true)]
async fn a_request_that_the_first_hop_carried_out_is_not_replayed() {
    let post = || Request::post(API).body(Full::default()).unwrap();
    let posts = |servers: &Servers| {
        let requests = servers.requests.lock().unwrap();
        let posts = requests.iter().filter(|request| request.method() == "POST");
        posts.count()
    };
    let carried_out = || {
        Servers::default()
            .redirect(StatusCode::SEE_OTHER, UNLISTED)
            .respond(StatusCode::UNAUTHORIZED)
    };
    let servers = carried_out();
    let client = stack(authorizer(seconds(1)), TIMEOUT, 10, servers.client());
    let outcome = status(&client, post()).await.unwrap();
    assert_eq!((outcome, posts(&servers)), (StatusCode::UNAUTHORIZED, 1));

    let servers = carried_out();
    let inside = ServiceBuilder::new()
        .layer(AuthLayer::new(authorizer(seconds(1))))
        .layer(FollowRedirectLayer::new())
        .service(servers.client());
    let outcome = status(&inside, post()).await.unwrap();
    assert_eq!((outcome, posts(&servers)), (StatusCode::OK, 2));
}

/// A request to an unlisted origin needs no token. It is sent while another request waits for one.
#[tokio::test(start_paused = true)]
async fn a_request_that_waits_for_a_token_holds_no_permit() {
    async fn time_beside_a_waiting_request<S, B>(client: S) -> Duration
    where
        S: Service<Request<Full<Bytes>>, Response = Response<B>, Error = BoxError> + Clone,
    {
        let started = Instant::now();
        let needs_no_token = async {
            assert_eq!(
                status(&client, get(UNLISTED)).await.unwrap(),
                StatusCode::OK
            );
            started.elapsed()
        };
        let (waited, elapsed) = tokio::join!(biased; status(&client, get(API)), needs_no_token);
        assert_eq!(waited.unwrap(), StatusCode::OK);
        elapsed
    }
    let client = stack(
        authorizer(seconds(5)),
        TIMEOUT,
        1,
        Servers::default().client(),
    );
    assert_eq!(time_beside_a_waiting_request(client).await.as_secs(), 0);

    let outside = ServiceBuilder::new()
        .concurrency_limit(1)
        .layer(AuthLayer::new(authorizer(seconds(5))))
        .service(Servers::default().client());
    assert_eq!(time_beside_a_waiting_request(outside).await.as_secs(), 5);
}

thread_local! {
    /// The log of the test that runs on this thread.
    static LOG: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

/// Writes to the log of the current thread.
struct ThreadLog;

impl io::Write for ThreadLog {
    fn write(&mut self, text: &[u8]) -> io::Result<usize> {
        LOG.with_borrow_mut(|log| log.write(text))
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Installs the subscriber of this process. Every test installs it before its first event: a
/// subscriber that is installed while another thread emits an event for the first time may miss that
/// event from then on.
fn install_log() {
    static INSTALLED: Once = Once::new();
    INSTALLED.call_once(|| {
        let subscriber = tracing_subscriber::fmt()
            .with_writer(|| ThreadLog)
            .with_max_level(tracing::Level::TRACE)
            .finish();
        tracing::subscriber::set_global_default(subscriber).unwrap();
    });
}

#[tokio::test(start_paused = true)]
async fn the_trace_shows_one_call_and_no_token() {
    let servers = Servers::default()
        .respond(StatusCode::SERVICE_UNAVAILABLE)
        .respond(StatusCode::UNAUTHORIZED);
    let client = stack(authorizer(seconds(1)), TIMEOUT, 10, servers.client());
    assert_eq!(status(&client, get(API)).await.unwrap(), StatusCode::OK);
    servers.assert_authorizations(&[TOKENS[0], TOKENS[0], TOKENS[1]]);
    let log = LOG.with_borrow(|log| String::from_utf8(log.clone()).unwrap());
    assert_eq!(
        log.matches("started processing request").count(),
        1,
        "{log}"
    );
    assert!(!log.contains("secret-"), "{log}");
}
