use auth_core::{
    Authorizer, TokenCache,
    adapter::{Decision, Verdict},
};
use auth_test_support::{scripted::Scripted, secs};
use auth_testing::{MemoryStore, TokioClock};
use http::{Request, Response, StatusCode, header::AUTHORIZATION};

use super::{process, secret};

fn sent(request: &Request<()>) -> String {
    let value = request.headers()[AUTHORIZATION].to_str();
    value.unwrap().to_owned()
}

/// Sends a request whose first token is rejected. Returns the tokens that it was sent with.
async fn rejected(tokens: &TokenCache) -> (String, Option<String>) {
    let builder = Authorizer::builder(tokens.clone());
    let authorizer = builder.origin("https://api.example.com").build().unwrap();
    let mut request = Request::get("https://api.example.com/").body(()).unwrap();
    let Decision::Authorize(attempt) = authorizer.authorize(&request) else {
        panic!("expected a cached token");
    };
    attempt.apply(request.headers_mut());
    let first = sent(&request);
    let mut response = Response::new(());
    *response.status_mut() = StatusCode::UNAUTHORIZED;
    let Verdict::Renew(renewal) = attempt.classify(&response, true) else {
        return (first, None);
    };
    let second = renewal.await.attempt().map(|attempt| {
        attempt.apply(request.headers_mut());
        sent(&request)
    });
    (first, second)
}

fn bearer(first: &str, second: &str) -> (String, Option<String>) {
    (format!("Bearer {first}"), Some(format!("Bearer {second}")))
}

fn processes<const N: usize>(source: &Scripted, store: &MemoryStore) -> [TokenCache; N] {
    let clock = TokioClock::new();
    [(); N].map(|()| process(source, store, clock))
}

/// Returns processes that have the same token from a shared store.
async fn all_have_t1<const N: usize>(source: &Scripted) -> [TokenCache; N] {
    let processes = processes(source, &MemoryStore::new());
    for tokens in &processes {
        assert_eq!(secret(tokens).await, "t1");
    }
    processes
}

#[tokio::test(start_paused = true)]
async fn a_rejected_token_is_replaced_once_for_all_processes() {
    let source = Scripted::expires_in(600);
    let fleet: [_; 10] = all_have_t1(&source).await;
    tokio::time::advance(secs(60)).await;
    for tokens in &fleet {
        assert_eq!(rejected(tokens).await, bearer("t1", "t2"));
    }
    assert_eq!(source.requests(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_token_that_is_rejected_in_every_process_at_once_is_replaced_once() {
    let source = Scripted::expires_in(600).latency(secs(1));
    let fleet: [_; 10] = all_have_t1(&source).await;
    let tasks = fleet.map(|tokens| tokio::spawn(async move { rejected(&tokens).await }));
    for task in tasks {
        assert_eq!(task.await.unwrap(), bearer("t1", "t2"));
    }
    assert_eq!(source.requests(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_process_without_a_rejection_keeps_the_token_until_it_is_stale() {
    let [one, other] = all_have_t1(&Scripted::expires_in(600)).await;
    assert_eq!(rejected(&one).await, bearer("t1", "t2"));
    assert_eq!(secret(&other).await, "t1");
}

#[tokio::test(start_paused = true)]
async fn an_older_token_does_not_replace_the_rejected_one() {
    let (source, store) = (Scripted::expires_in(600), MemoryStore::new());
    let [one, other] = processes(&source, &store);
    assert_eq!(secret(&one).await, "t1");
    tokio::time::advance(secs(30)).await;
    // this process can neither load that token nor save its own
    store.fail();
    assert_eq!(secret(&other).await, "t2");
    store.recover();
    assert_eq!(rejected(&other).await, bearer("t2", "t3"));
    assert_eq!(source.requests(), 3);
}

/// All tokens are revoked just after a refresh that this process has not loaded yet.
#[tokio::test(start_paused = true)]
async fn a_process_with_a_rejected_token_from_the_store_loads_the_next_one() {
    let source = Scripted::expires_in(600);
    let [first, rest @ ..]: [_; 10] = all_have_t1(&source).await;
    assert_eq!(rejected(&first).await, bearer("t1", "t2"));
    for tokens in &rest {
        assert_eq!(rejected(tokens).await, bearer("t1", "t2"));
    }
    // the probation of the new token
    tokio::time::advance(secs(31)).await;
    assert_eq!(rejected(&first).await, bearer("t2", "t3"));
    for tokens in &rest {
        assert_eq!(rejected(tokens).await, bearer("t2", "t3"));
    }
    assert_eq!(source.requests(), 3);
}

/// No API has accepted the token from the store in this process, but the token is a minute old.
#[tokio::test(start_paused = true)]
async fn a_token_from_the_store_that_is_rejected_too_is_replaced_at_once() {
    let source = Scripted::expires_in(600);
    let [one, other] = all_have_t1(&source).await;
    assert_eq!(rejected(&other).await, bearer("t1", "t2"));
    tokio::time::advance(secs(60)).await;
    assert_eq!(rejected(&one).await, bearer("t1", "t2"));
    assert_eq!(rejected(&one).await, bearer("t2", "t3"));
    assert_eq!(source.requests(), 3);
}
