//! Several tenants in one client: each has its own token, and its own API.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
    time::Duration,
};

use auth_core::{
    Authorizer, Decision, Error, ErrorKind, RequestHead, TokenCache, TokenRequest, TokenResponse,
    TokenSource, async_trait,
};
use auth_testing::ManualClock;
use http::{HeaderMap, Request, StatusCode, Uri, header::AUTHORIZATION};

use crate::cache::secs;

#[derive(Clone, Debug, Eq, Hash, PartialEq)]
struct Tenant(&'static str);

/// Mints `NAME-1`, `NAME-2`, … for one tenant.
#[derive(Debug)]
struct Mint(Tenant, Counts);

/// What has been made for each tenant.
type Counts = Arc<Mutex<HashMap<Tenant, usize>>>;

fn count(counts: &Counts, tenant: &Tenant) -> usize {
    let mut counts = counts.lock().unwrap();
    let count = counts.entry(tenant.clone()).or_default();
    *count += 1;
    *count
}

fn counted(counts: &Counts, name: &'static str) -> usize {
    counts
        .lock()
        .unwrap()
        .get(&Tenant(name))
        .copied()
        .unwrap_or(0)
}

#[async_trait]
impl TokenSource for Mint {
    async fn fetch(&self, _: &TokenRequest) -> Result<TokenResponse, Error> {
        let number = count(&self.1, &self.0);
        let token = TokenResponse::bearer(format!("{}-{number}", self.0.0))?;
        Ok(token.expires_in(secs(86_400)))
    }
}

/// All tenants of one client, and what has been made for them.
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

    /// `broken` is a tenant whose authorizer cannot be made. Each has its API at `NAME.example`.
    fn authorizer(&self, most: usize) -> Authorizer {
        let (tokens, authorizers) = (self.tokens.clone(), self.authorizers.clone());
        let clock = self.clock.clone();
        let make = move |tenant: &Tenant| {
            count(&authorizers, tenant);
            if tenant.0 == "broken" {
                return Err(Error::new(ErrorKind::Configuration, "no such tenant"));
            }
            let cache = TokenCache::builder(Mint(tenant.clone(), tokens.clone()));
            Authorizer::builder(cache.clock(clock.clone()).build())
                .origin(format!("https://{}.example", tenant.0))
                .build()
        };
        Authorizer::per_tenant(tenant_of, make)
            .most(most)
            .idle(secs(60))
            .clock(self.clock.clone())
            .build()
            .unwrap()
    }
}

fn tenant_of(request: &RequestHead<'_>) -> Option<Tenant> {
    request.extension::<Tenant>().cloned()
}

fn request(tenant: &'static str, uri: &'static str) -> Request<()> {
    let request = Request::get(uri).extension(Tenant(tenant));
    request.body(()).unwrap()
}

/// The token that the request is sent with.
async fn token(authorizer: &Authorizer, request: &Request<()>) -> Result<Option<String>, Error> {
    let attempt = match authorizer.authorize(request) {
        Decision::PassThrough => return Ok(None),
        Decision::Authorize(attempt) => attempt,
        Decision::Wait(attempt) => attempt.await?,
    };
    let mut headers = HeaderMap::new();
    attempt.apply(&mut headers);
    let header = headers[AUTHORIZATION].to_str().unwrap();
    Ok(header.strip_prefix("Bearer ").map(ToOwned::to_owned))
}

/// MSAL.NET#5743: the wrong tenant's token.
#[tokio::test]
async fn msal_net_5743_each_tenant_has_its_own_token_for_its_own_api() {
    let setting = Setting::new();
    let authorizer = setting.authorizer(10);
    for _ in 0..2 {
        for (name, uri) in [
            ("one", "https://one.example/"),
            ("two", "https://two.example/"),
        ] {
            let token = token(&authorizer, &request(name, uri)).await.unwrap();
            assert_eq!(token.unwrap(), format!("{name}-1"));
        }
    }
    let astray = request("one", "https://two.example/");
    assert_eq!(token(&authorizer, &astray).await.unwrap(), None);
    assert_eq!(counted(&setting.tokens, "one"), 1);
    assert_eq!(counted(&setting.authorizers, "one"), 1);
    assert!(authorizer.tokens().is_none(), "it depends");
}

#[tokio::test]
async fn a_thousand_requests_of_a_new_tenant_make_one_token_request() {
    let setting = Setting::new();
    let authorizer = setting.authorizer(10);
    let tasks: Vec<_> = (0..1000)
        .map(|_| {
            let authorizer = authorizer.clone();
            tokio::spawn(async move {
                token(&authorizer, &request("one", "https://one.example/")).await
            })
        })
        .collect();
    for task in tasks {
        assert_eq!(task.await.unwrap().unwrap().unwrap(), "one-1");
    }
    assert_eq!(counted(&setting.tokens, "one"), 1);
    assert_eq!(counted(&setting.authorizers, "one"), 1);
}

#[tokio::test]
async fn nobodys_request_is_sent_as_it_is() {
    let authorizer = Setting::new().authorizer(10);
    let request = Request::get("https://one.example/").body(()).unwrap();
    assert!(matches!(
        authorizer.authorize(&request),
        Decision::PassThrough
    ));
}

#[tokio::test]
async fn a_tenant_without_an_authorizer_is_not_served_and_asked_for_again() {
    let setting = Setting::new();
    let authorizer = setting.authorizer(10);
    for _ in 0..2 {
        let request = request("broken", "https://broken.example/");
        let error = token(&authorizer, &request).await.unwrap_err();
        assert_eq!(error.to_string(), "no such tenant");
    }
    assert_eq!(counted(&setting.authorizers, "broken"), 2);
}

#[tokio::test]
async fn an_idle_tenant_goes_and_comes_back_with_a_new_token() {
    let setting = Setting::new();
    let authorizer = setting.authorizer(10);
    let (one, two) = (
        request("one", "https://one.example/"),
        request("two", "https://two.example/"),
    );
    token(&authorizer, &one).await.unwrap();
    setting.clock.advance(secs(90));
    token(&authorizer, &two).await.unwrap();
    assert_eq!(token(&authorizer, &one).await.unwrap().unwrap(), "one-2");
}

#[tokio::test]
async fn the_least_recently_used_tenant_makes_room() {
    let setting = Setting::new();
    let authorizer = setting.authorizer(2);
    for name in ["one", "two", "one", "three"] {
        let uri: &'static str = match name {
            "one" => "https://one.example/",
            "two" => "https://two.example/",
            _ => "https://three.example/",
        };
        token(&authorizer, &request(name, uri)).await.unwrap();
        setting.clock.advance(secs(1));
    }
    let one = request("one", "https://one.example/");
    assert_eq!(token(&authorizer, &one).await.unwrap().unwrap(), "one-1");
    let two = request("two", "https://two.example/");
    assert_eq!(token(&authorizer, &two).await.unwrap().unwrap(), "two-2");
}

#[tokio::test]
async fn a_tenants_refusal_renews_its_own_token_only() {
    let setting = Setting::new();
    let authorizer = setting.authorizer(10);
    let (one, two) = (
        request("one", "https://one.example/"),
        request("two", "https://two.example/"),
    );
    token(&authorizer, &one).await.unwrap();
    token(&authorizer, &two).await.unwrap();
    let Decision::Authorize(attempt) = authorizer.authorize(&one) else {
        panic!("a token is there");
    };
    let refusal = http::Response::builder().status(StatusCode::UNAUTHORIZED);
    let _ = attempt.judge(&refusal.body(()).unwrap(), false);
    while counted(&setting.tokens, "one") < 2 {
        tokio::task::yield_now().await;
    }
    tokio::task::yield_now().await;
    assert_eq!(token(&authorizer, &one).await.unwrap().unwrap(), "one-2");
    assert_eq!(token(&authorizer, &two).await.unwrap().unwrap(), "two-1");
}

/// tonic's channel goes to one place, whatever the requests say.
#[tokio::test]
async fn over_a_channel_a_tenant_of_another_origin_is_not_served() {
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

#[test]
fn limits_that_keep_nobody_are_refused() {
    let builder = || {
        let make = |_: &Tenant| Err(Error::new(ErrorKind::Configuration, "unused"));
        Authorizer::per_tenant(tenant_of, make)
    };
    let error = builder().most(0).build().unwrap_err().to_string();
    assert!(error.contains("at least 1"), "{error}");
    let error = builder().idle(Duration::ZERO).build().unwrap_err();
    assert!(error.to_string().contains("at least 1 s"), "{error}");
    assert!(builder().clock(ManualClock::new()).build().is_ok());
}
