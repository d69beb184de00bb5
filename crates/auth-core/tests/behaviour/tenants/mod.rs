//! Several tenants in one client, each with its own token and its own API.

mod capacity;

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
};

use auth_core::{
    Authorizer, Error, ErrorKind, RequestHead, TokenCache, TokenRequest, TokenResponse,
    TokenSource, adapter::Decision, async_trait,
};
use auth_test_support::secs;
use auth_testing::ManualClock;
use http::{HeaderMap, Request, StatusCode, Uri, header::AUTHORIZATION};

#[derive(Clone, Debug, Eq, Hash, PartialEq)]
struct Tenant(String);

/// Issues `NAME-1`, `NAME-2`, … to one tenant.
#[derive(Debug)]
struct TenantSource(Tenant, Counts);

/// A count for each tenant.
type Counts = Arc<Mutex<HashMap<Tenant, usize>>>;

fn count(counts: &Counts, tenant: &Tenant) -> usize {
    let mut counts = counts.lock().unwrap();
    let count = counts.entry(tenant.clone()).or_default();
    *count += 1;
    *count
}

fn counted(counts: &Counts, name: &str) -> usize {
    let counts = counts.lock().unwrap();
    counts.get(&Tenant(name.to_owned())).copied().unwrap_or(0)
}

#[async_trait]
impl TokenSource for TenantSource {
    async fn fetch(&self, _: &TokenRequest) -> Result<TokenResponse, Error> {
        let number = count(&self.1, &self.0);
        let token = TokenResponse::bearer(format!("{}-{number}", self.0.0))?;
        Ok(token.with_expires_in(secs(86_400)))
    }
}

/// The tenants of one client, with counts of their tokens and authorizers.
struct Setting {
    clock: ManualClock,
    tokens: Counts,
    authorizers: Counts,
}

impl Setting {
    fn new() -> Self {
        Self {
            clock: ManualClock::new(),
            tokens: Counts::default(),
            authorizers: Counts::default(),
        }
    }

    /// The API of a tenant is at `NAME.example`. Authorizers of tenants named `broken…` cannot be built.
    fn authorizer(&self, max: usize) -> Authorizer {
        let (tokens, authorizers) = (self.tokens.clone(), self.authorizers.clone());
        let clock = self.clock.clone();
        let make = move |tenant: &Tenant| {
            count(&authorizers, tenant);
            if tenant.0.starts_with("broken") {
                return Err(Error::new(ErrorKind::Configuration, "no such tenant"));
            }
            let cache = TokenCache::builder(TenantSource(tenant.clone(), tokens.clone()));
            Authorizer::builder(cache.clock(clock.clone()).build())
                .origin(format!("https://{}.example", tenant.0))
                .build()
        };
        Authorizer::per_tenant(tenant_of, make)
            .max_capacity(max)
            .time_to_idle(secs(60))
            .clock(self.clock.clone())
            .build()
            .unwrap()
    }
}

fn tenant_of(request: &RequestHead<'_>) -> Option<Tenant> {
    request.extension::<Tenant>().cloned()
}

fn request(tenant: &str, uri: &str) -> Request<()> {
    let request = Request::get(uri).extension(Tenant(tenant.to_owned()));
    request.body(()).unwrap()
}

/// Returns a request to the API of the tenant.
fn own(tenant: &str) -> Request<()> {
    request(tenant, &format!("https://{tenant}.example/"))
}

/// Returns the token that a request is sent with.
async fn token(authorizer: &Authorizer, request: &Request<()>) -> Result<Option<String>, Error> {
    let attempt = match authorizer.authorize(request) {
        Decision::PassThrough(_) => return Ok(None),
        Decision::Authorize(attempt) => attempt,
        Decision::Wait(attempt) => attempt.await?,
    };
    let mut headers = HeaderMap::new();
    attempt.apply(&mut headers);
    let header = headers[AUTHORIZATION].to_str().unwrap();
    Ok(header.strip_prefix("Bearer ").map(ToOwned::to_owned))
}

/// MSAL.NET#5743: a request carried the token of another tenant.
#[tokio::test]
async fn each_tenant_has_its_own_token_for_its_own_api() {
    let setting = Setting::new();
    let authorizer = setting.authorizer(10);
    for _ in 0..2 {
        for name in ["one", "two"] {
            let token = token(&authorizer, &own(name)).await.unwrap();
            assert_eq!(token.unwrap(), format!("{name}-1"));
        }
    }
    let astray = request("one", "https://two.example/");
    assert_eq!(token(&authorizer, &astray).await.unwrap(), None);
    assert_eq!(counted(&setting.tokens, "one"), 1);
    assert_eq!(counted(&setting.authorizers, "one"), 1);
    assert!(
        authorizer.tokens().is_none(),
        "each tenant has its own cache"
    );
}

#[tokio::test]
async fn a_thousand_requests_of_a_new_tenant_make_one_token_request() {
    let setting = Setting::new();
    let authorizer = setting.authorizer(10);
    let tasks: Vec<_> = (0..1000)
        .map(|_| {
            let authorizer = authorizer.clone();
            tokio::spawn(async move { token(&authorizer, &own("one")).await })
        })
        .collect();
    for task in tasks {
        assert_eq!(task.await.unwrap().unwrap().unwrap(), "one-1");
    }
    assert_eq!(counted(&setting.tokens, "one"), 1);
    assert_eq!(counted(&setting.authorizers, "one"), 1);
}

#[tokio::test]
async fn a_request_without_a_tenant_is_sent_unchanged() {
    let authorizer = Setting::new().authorizer(10);
    let request = Request::get("https://one.example/").body(()).unwrap();
    assert!(matches!(
        authorizer.authorize(&request),
        Decision::PassThrough(_)
    ));
}

#[tokio::test]
async fn a_tenant_without_an_authorizer_is_an_error_and_a_request_after_a_second_tries_again() {
    let setting = Setting::new();
    let authorizer = setting.authorizer(10);
    for made in [1, 1, 2] {
        let error = token(&authorizer, &own("broken")).await.unwrap_err();
        assert_eq!(error.to_string(), "no such tenant");
        assert_eq!(counted(&setting.authorizers, "broken"), made);
        setting.clock.advance(secs(1) / 2);
    }
}

#[tokio::test]
async fn a_tenants_rejection_refreshes_its_own_token_only() {
    let setting = Setting::new();
    let authorizer = setting.authorizer(10);
    let (one, two) = (own("one"), own("two"));
    token(&authorizer, &one).await.unwrap();
    token(&authorizer, &two).await.unwrap();
    let Decision::Authorize(attempt) = authorizer.authorize(&one) else {
        panic!("expected a cached token");
    };
    let rejection = http::Response::builder().status(StatusCode::UNAUTHORIZED);
    let _ = attempt.classify(&rejection.body(()).unwrap(), false);
    while counted(&setting.tokens, "one") < 2 {
        tokio::task::yield_now().await;
    }
    tokio::task::yield_now().await;
    assert_eq!(token(&authorizer, &one).await.unwrap().unwrap(), "one-2");
    assert_eq!(token(&authorizer, &two).await.unwrap().unwrap(), "two-1");
}

/// A tonic channel connects to its endpoint, and ignores the URI of a request.
#[tokio::test]
async fn over_a_channel_a_tenant_of_another_origin_is_an_error() {
    let setting = Setting::new();
    let channel = Uri::from_static("https://one.example");
    let authorizer = setting.authorizer(10).for_channel(&channel).unwrap();
    let served = token(&authorizer, &request("one", "/pkg.Service/Method")).await;
    assert_eq!(served.unwrap().unwrap(), "one-1");
    let error = token(&authorizer, &request("two", "/pkg.Service/Method")).await;
    let error = error.unwrap_err().to_string();
    assert!(error.contains("https://one.example"), "{error}");
    assert_eq!(counted(&setting.tokens, "two"), 0);
}
