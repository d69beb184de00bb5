//! The API revokes the token of a process together with a later one, which another process has saved.

use std::{
    sync::atomic::{AtomicUsize, Ordering::SeqCst},
    time::Duration,
};

use auth_core::{
    Authorizer, TokenCache,
    adapter::{Attempt, Decision, Verdict},
};
use auth_test_support::{get, scripted::Scripted, secs};
use auth_testing::{MemoryStore, TokioClock};
use futures_util::future::join_all;
use http::{HeaderMap, Response, StatusCode, header::AUTHORIZATION};
use tokio::time::{Instant, sleep};

use super::{fleet, secret};

const ORIGIN: &str = "https://api.example.com";

/// An API that accepts the tokens after this one.
#[derive(Default)]
struct Api(AtomicUsize);

impl Api {
    /// Sends a request with this process's token, and replays it if the token is rejected. Returns
    /// whether the API accepted it.
    async fn receives(&self, tokens: &TokenCache) -> bool {
        let builder = Authorizer::builder(tokens.clone());
        let authorizer = builder.origin(ORIGIN).build().unwrap();
        let Decision::Authorize(first) = authorizer.authorize(&get(ORIGIN)) else {
            panic!("expected a cached token");
        };
        let response = self.response(&first);
        let accepts = response.status() == StatusCode::OK;
        let Verdict::Renew(renewal) = first.classify(&response, true) else {
            return accepts;
        };
        let Some(second) = renewal.await.attempt() else {
            return false;
        };
        let response = self.response(&second);
        let accepts = response.status() == StatusCode::OK;
        let _ = second.classify(&response, false);
        accepts
    }

    fn response(&self, attempt: &Attempt) -> Response<()> {
        let mut headers = HeaderMap::new();
        attempt.apply(&mut headers);
        let token = headers[AUTHORIZATION].to_str().unwrap();
        let number: usize = token.trim_start_matches("Bearer t").parse().unwrap();
        let mut response = Response::new(());
        if number <= self.0.load(SeqCst) {
            *response.status_mut() = StatusCode::UNAUTHORIZED;
        }
        response
    }
}

/// The first process has refreshed its token, and the others have not noticed. `uses`: the others have
/// sent requests before. Returns how long requests fail after the revocation.
async fn after_a_refresh(age: Duration, uses: bool, first_stays: bool) -> Duration {
    let source = Scripted::expires_in(600).latency(Duration::from_millis(50));
    let fleet = fleet(20, &source, &MemoryStore::new(), TokioClock::new());
    let api = Api::default();
    for tokens in &fleet {
        assert_eq!(secret(tokens).await, "t1");
        if uses {
            assert!(api.receives(tokens).await);
        }
    }
    let [refreshing, others @ ..] = &fleet[..] else {
        panic!("no process");
    };
    while !refreshing.status().stale {
        sleep(secs(1)).await;
    }
    let _ = refreshing.cached();
    refreshing.flush().await;
    assert_eq!(source.requests(), 2);
    assert!(api.receives(refreshing).await);
    sleep(age).await;
    api.0.store(2, SeqCst);
    let (started, last) = (Instant::now(), std::sync::Mutex::new(Duration::ZERO));
    let asked = if first_stays { &fleet[..] } else { others };
    join_all(asked.iter().map(async |tokens| {
        while started.elapsed() < secs(40) {
            if !api.receives(tokens).await {
                let mut last = last.lock().unwrap();
                *last = started.elapsed().max(*last);
            }
            sleep(Duration::from_millis(100)).await;
        }
    }))
    .await;
    assert!(
        source.requests() <= 4,
        "{} token requests",
        source.requests()
    );
    last.into_inner().unwrap()
}

#[tokio::test(start_paused = true)]
async fn is_replaced_in_every_process_within_two_seconds() {
    for age in [0, 1, 10, 20].map(secs) {
        for uses in [false, true] {
            for first_stays in [false, true] {
                let lasted = after_a_refresh(age, uses, first_stays).await;
                assert!(
                    lasted < secs(2),
                    "{lasted:?}, {age:?} after the refresh; uses {uses}, first_stays {first_stays}"
                );
            }
        }
    }
}

/// The API rejects every token from now on. Each of 200 processes sends a request every 10 s, and the
/// first one at another time. A process waits for a second before it replaces a saved token that may
/// be older than the revocation; without that each process would request a token.
#[tokio::test(start_paused = true)]
async fn cannot_be_told_from_an_api_that_breaks_down() {
    let source = Scripted::expires_in(3600).latency(Duration::from_millis(50));
    let fleet = fleet(200, &source, &MemoryStore::new(), TokioClock::new());
    let api = Api::default();
    for tokens in &fleet {
        assert_eq!(secret(tokens).await, "t1");
        assert!(api.receives(tokens).await);
    }
    api.0.store(usize::MAX, SeqCst);
    join_all((0..).zip(&fleet).map(async |(number, tokens)| {
        sleep(Duration::from_millis(50) * number).await;
        for _ in 0..6 {
            assert!(!api.receives(tokens).await);
            sleep(secs(10)).await;
        }
    }))
    .await;
    let caused = source.requests() - 1;
    assert!(caused <= 8, "{caused} token requests in a minute");
}
