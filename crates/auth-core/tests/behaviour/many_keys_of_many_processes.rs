//! The limit of token requests at once, with a shared store: a fetch that waits for its turn holds no
//! lease, and a fetch that waits for another process holds no turn.

use auth_core::{
    Error, TokenCache, TokenCaches, TokenRequest, TokenResponse, TokenSource, async_trait,
    shared_store::{SharedKey, SharedTokenStore},
};
use auth_test_support::{
    scripted::{Answer, Scripted},
    secs, settle, with_timeout,
};
use auth_testing::{MemoryStore, TokioClock};

#[derive(Clone, Debug)]
struct Shareable(Scripted);

#[async_trait]
impl TokenSource for Shareable {
    async fn fetch(&self, request: &TokenRequest) -> Result<TokenResponse, Error> {
        self.0.fetch(request).await
    }

    fn shared_key(&self, request: &TokenRequest) -> Option<SharedKey> {
        Some(shared_key(request))
    }
}

fn shared_key(request: &TokenRequest) -> SharedKey {
    SharedKey::new(["scripted"], request)
}

fn process(source: &Scripted, store: &MemoryStore, limit: usize) -> TokenCaches {
    let default = TokenCache::builder(Shareable(source.clone()))
        .shared_store(store.clone())
        .clock(TokioClock::new())
        .build();
    let builder = TokenCaches::builder(default);
    builder.max_concurrent_requests(limit).build().unwrap()
}

fn key(number: usize) -> TokenRequest {
    let audience = format!("k{number}");
    TokenRequest::builder().audience(audience).build().unwrap()
}

type Caller = tokio::task::JoinHandle<Result<(), Error>>;

fn ask(tokens: &TokenCaches, numbers: std::ops::Range<usize>) -> Vec<Caller> {
    numbers
        .map(|number| {
            let tokens = tokens.clone();
            tokio::spawn(async move { tokens.cache(&key(number)).token().await.map(|_| ()) })
        })
        .collect()
}

async fn all(callers: Vec<Caller>) {
    for caller in callers {
        caller.await.unwrap().unwrap();
    }
}

/// With a lease for each waiting fetch, the other processes would wait for this one's queue, and fail.
#[tokio::test(start_paused = true)]
async fn a_herd_on_many_keys_of_three_processes_fails_for_none_of_them() {
    const KEYS: usize = 600;
    let store = MemoryStore::new();
    let source = Scripted::expires_in(86_400).latency(secs(1));
    let processes = [0; 3].map(|_| process(&source, &store, 4));
    let callers = processes.each_ref().map(|tokens| ask(tokens, 0..KEYS));
    for callers in callers {
        all(callers).await;
    }
    for tokens in &processes {
        for number in 0..KEYS {
            tokens.cache(&key(number)).flush().await;
        }
    }
    assert_eq!(source.max_in_flight(), 12, "4 of each process");
    assert_eq!(source.requests(), KEYS, "one process requests each token");
}

#[tokio::test(start_paused = true)]
async fn a_fetch_that_waits_for_another_process_holds_no_turn() {
    let store = MemoryStore::new();
    // another process holds the leases of ten keys, and its requests hang
    let hanging = Scripted::always(Answer::Hangs);
    let other = process(&hanging, &store, 100);
    let held = ask(&other, 0..10);
    settle().await;
    assert_eq!(hanging.in_flight(), 10);
    let source = Scripted::expires_in(600);
    let tokens = process(&source, &store, 2);
    let waiting = ask(&tokens, 0..10);
    settle().await;
    // the time does not move
    let free = ask(&tokens, 10..40);
    for _ in 0..50 {
        settle().await;
    }
    assert_eq!(source.requests(), 30);
    all(free).await;
    all(waiting).await;
    assert_eq!(source.requests(), 40);
    for caller in held {
        caller.await.unwrap().unwrap_err();
    }
}

#[tokio::test(start_paused = true)]
async fn a_saved_token_needs_no_turn() {
    let store = MemoryStore::new();
    let other = process(&Scripted::expires_in(86_400), &store, 16);
    all(ask(&other, 0..100)).await;
    for number in 0..100 {
        other.cache(&key(number)).flush().await;
    }
    let tokens = process(&Scripted::always(Answer::Hangs), &store, 2);
    let hanging = ask(&tokens, 1000..1002);
    settle().await;
    let started = tokio::time::Instant::now();
    all(ask(&tokens, 0..100)).await;
    assert!(started.elapsed() < secs(1), "{:?}", started.elapsed());
    drop(hanging);
}

/// A fetch that is dropped in the queue, or with its lease, leaves no turn behind.
#[tokio::test(start_paused = true)]
async fn the_turn_of_a_fetch_that_saves_its_token_is_free() {
    let store = MemoryStore::new();
    let source = Scripted::expires_in(86_400);
    let tokens = process(&source, &store, 1);
    with_timeout(async { all(ask(&tokens, 0..1)).await }).await;
    store.hang();
    // each loading, leasing and saving takes its patience, and then the process goes on without
    let started = tokio::time::Instant::now();
    all(ask(&tokens, 1..9)).await;
    assert!(started.elapsed() < secs(5), "{:?}", started.elapsed());
    assert!(store.patience() > std::time::Duration::ZERO);
}
