//! The function that makes a tenant's authorizer: it runs under no lock, and its failures back off.

use std::{
    sync::{
        Arc, OnceLock,
        atomic::{AtomicUsize, Ordering::SeqCst},
        mpsc,
    },
    thread,
    time::Duration,
};

use auth_core::{Authorizer, Error, ErrorKind, TokenCache, adapter::Decision};
use auth_test_support::{GatedSource, secs};
use auth_testing::ManualClock;
use futures_util::FutureExt;
use http::Request;

const TOO_LONG: Duration = Duration::from_secs(20);

fn request(tenant: &'static str) -> Request<()> {
    let request = Request::get("https://api.example/").extension(tenant);
    request.body(()).unwrap()
}

fn ready() -> Result<Authorizer, Error> {
    Authorizer::builder(TokenCache::new(GatedSource::open()))
        .origin("https://api.example")
        .build()
}

fn per_tenant(
    clock: &ManualClock,
    make: impl Fn(&'static str) -> Result<Authorizer, Error> + Send + Sync + 'static,
) -> Authorizer {
    let tenant =
        |request: &auth_core::RequestHead<'_>| request.extension::<&'static str>().copied();
    let builder = Authorizer::per_tenant(tenant, move |tenant: &&'static str| make(tenant));
    builder.clock(clock.clone()).build().unwrap()
}

fn block_on<T>(future: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    runtime.unwrap().block_on(future)
}

async fn decide(authorizer: &Authorizer, tenant: &'static str) -> Result<(), Error> {
    match authorizer.authorize(&request(tenant)) {
        Decision::PassThrough(_) => panic!("the origin is listed"),
        Decision::Authorize(_) => Ok(()),
        Decision::Wait(attempt) => attempt.await.map(|_| ()),
    }
}

/// Runs `work` on a thread of its own, for at most 20 s.
#[track_caller]
fn in_time<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    let (done, finished) = mpsc::channel();
    thread::spawn(move || done.send(work()));
    finished.recv_timeout(TOO_LONG).expect("it hangs")
}

#[test]
fn a_maker_that_blocks_delays_its_own_tenant_only() {
    let (entered, has_entered) = mpsc::channel();
    let (release, released) = mpsc::channel::<()>();
    let released = std::sync::Mutex::new(released);
    let slow = Arc::new(AtomicUsize::new(0));
    let counter = slow.clone();
    let authorizer = per_tenant(&ManualClock::new(), move |tenant| {
        if tenant == "slow" {
            counter.fetch_add(1, SeqCst);
            entered.send(()).unwrap();
            released.lock().unwrap().recv_timeout(TOO_LONG).unwrap();
        }
        ready()
    });
    let first = thread::spawn({
        let authorizer = authorizer.clone();
        move || block_on(decide(&authorizer, "slow"))
    });
    has_entered.recv_timeout(TOO_LONG).unwrap();
    let others = authorizer.clone();
    in_time(move || block_on(decide(&others, "other"))).unwrap();
    let same = thread::spawn({
        let authorizer = authorizer.clone();
        move || block_on(decide(&authorizer, "slow"))
    });
    let others = authorizer.clone();
    in_time(move || block_on(decide(&others, "third"))).unwrap();
    release.send(()).unwrap();
    first.join().unwrap().unwrap();
    same.join().unwrap().unwrap();
    assert_eq!(slow.load(SeqCst), 1, "one maker for each tenant at a time");
}

#[test]
fn a_maker_that_asks_for_its_own_tenant_gets_an_error_and_for_another_one_its_authorizer() {
    for (asked, succeeds) in [("own", false), ("other", true)] {
        let result = in_time(move || {
            let outer: Arc<OnceLock<Authorizer>> = Arc::default();
            let inner = outer.clone();
            let authorizer = per_tenant(&ManualClock::new(), move |tenant| {
                if tenant == "own" {
                    let decision = inner.get().unwrap().authorize(&request(asked));
                    let Decision::Wait(attempt) = decision else {
                        panic!("there is no token yet");
                    };
                    // the token of another tenant is requested, and none for this one
                    if let Some(Err(error)) = attempt.now_or_never() {
                        return Err(error);
                    }
                }
                ready()
            });
            outer.set(authorizer.clone()).unwrap();
            block_on(decide(&authorizer, "own"))
        });
        assert_eq!(result.is_ok(), succeeds, "{result:?}");
        if let Err(error) = result {
            assert_eq!(error.kind(), ErrorKind::Configuration);
        }
    }
}

#[test]
fn failures_of_a_maker_are_remembered_and_back_off() {
    let (clock, made) = (ManualClock::new(), Arc::new(AtomicUsize::new(0)));
    let counter = made.clone();
    let authorizer = per_tenant(&clock, move |_| {
        counter.fetch_add(1, SeqCst);
        Err(Error::configuration("no such tenant"))
    });
    let ask = || block_on(decide(&authorizer, "unknown")).unwrap_err();
    for _ in 0..100 {
        assert_eq!(ask().to_string(), "no such tenant");
    }
    assert_eq!(made.load(SeqCst), 1);
    let mut waits = Vec::new();
    for _ in 0..9 {
        let before = made.load(SeqCst);
        let mut seconds = 0;
        while made.load(SeqCst) == before {
            seconds += 1;
            clock.advance(secs(1));
            ask();
        }
        waits.push(seconds);
    }
    assert_eq!(waits, [1, 2, 4, 8, 16, 32, 60, 60, 60]);
}

#[test]
fn after_a_maker_panics_the_next_caller_does_not_hang() {
    let (clock, made) = (ManualClock::new(), Arc::new(AtomicUsize::new(0)));
    let counter = made.clone();
    let authorizer = per_tenant(&clock, move |_| {
        assert!(counter.fetch_add(1, SeqCst) > 0, "s3cr3t");
        ready()
    });
    let first = authorizer.clone();
    // the panic of the tenant's function does not reach other callers
    let outcome = thread::spawn(move || block_on(decide(&first, "one"))).join();
    assert!(!format!("{outcome:?}").contains("s3cr3t"));
    clock.advance(secs(2));
    let second = authorizer.clone();
    in_time(move || block_on(decide(&second, "one"))).unwrap();
    assert_eq!(made.load(SeqCst), 2);
}

/// The threads of a runtime do not wait with the requests: other tenants are served by the only
/// thread that is left.
#[test]
fn requests_that_wait_for_a_maker_block_no_thread() {
    in_time(|| {
        let (entered, has_entered) = mpsc::channel();
        let (release, released) = mpsc::channel::<()>();
        let released = std::sync::Mutex::new(released);
        let authorizer = per_tenant(&ManualClock::new(), move |tenant| {
            if tenant == "slow" {
                entered.send(()).unwrap();
                released.lock().unwrap().recv_timeout(TOO_LONG).unwrap();
            }
            ready()
        });
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .unwrap();
        let ask = |tenant| {
            let authorizer = authorizer.clone();
            runtime.spawn(async move { decide(&authorizer, tenant).await })
        };
        let first = ask("slow");
        has_entered.recv_timeout(TOO_LONG).unwrap();
        let slow: Vec<_> = (0..50).map(|_| ask("slow")).collect();
        let others: Vec<_> = (0..50).map(|_| ask("other")).collect();
        runtime.block_on(async {
            for other in others {
                other.await.unwrap().unwrap();
            }
            release.send(()).unwrap();
            first.await.unwrap().unwrap();
            for one in slow {
                one.await.unwrap().unwrap();
            }
        });
    });
}

/// A request that waited is decided like any other: for an unlisted origin it is sent unchanged.
#[test]
fn a_request_that_waited_for_a_maker_is_decided_as_a_whole() {
    in_time(|| {
        let (entered, has_entered) = mpsc::channel();
        let (release, released) = mpsc::channel::<()>();
        let released = std::sync::Mutex::new(released);
        let authorizer = per_tenant(&ManualClock::new(), move |_| {
            entered.send(()).unwrap();
            released.lock().unwrap().recv_timeout(TOO_LONG).unwrap();
            ready()
        });
        let first = thread::spawn({
            let authorizer = authorizer.clone();
            move || block_on(decide(&authorizer, "slow"))
        });
        has_entered.recv_timeout(TOO_LONG).unwrap();
        let waiting = |uri: &str, own: bool| {
            let mut request = Request::get(uri).extension("slow").body(()).unwrap();
            if own {
                let header = http::HeaderValue::from_static("Basic own");
                request
                    .headers_mut()
                    .insert(http::header::AUTHORIZATION, header);
            }
            match authorizer.authorize(&request) {
                Decision::Wait(attempt) => (attempt, request),
                other => panic!("{other:?}"),
            }
        };
        let cases = [
            (
                waiting("https://api.example/x", false),
                Some("Bearer token-1"),
            ),
            (waiting("https://other.example/x", false), None),
            (waiting("https://api.example/x", true), Some("Basic own")),
        ];
        release.send(()).unwrap();
        first.join().unwrap().unwrap();
        for ((attempt, mut request), expected) in cases {
            let attempt = block_on(attempt).unwrap();
            // an attempt without a token has the adapter ask again, and pass the request through
            assert_eq!(attempt.is_current(), expected == Some("Bearer token-1"));
            attempt.apply(request.headers_mut());
            let header = request.headers().get(http::header::AUTHORIZATION);
            assert_eq!(header.map(|header| header.to_str().unwrap()), expected);
            let response = http::Response::builder().status(401).body(()).unwrap();
            let _ = attempt.classify(&response, true);
        }
    });
}

/// A maker that waits for a request of its own tenant on another thread.
#[test]
fn a_maker_that_waits_for_its_own_waiters_ends_after_half_a_minute() {
    let error = in_time(|| {
        let clock = ManualClock::new();
        let outer: Arc<OnceLock<Authorizer>> = Arc::default();
        let (inner, time) = (outer.clone(), clock.clone());
        let authorizer = per_tenant(&clock, move |tenant| {
            let (authorizer, clock) = (inner.get().unwrap().clone(), time.clone());
            let other = thread::spawn(move || {
                block_on(async {
                    let waiting = decide(&authorizer, tenant);
                    let (result, ()) = tokio::join!(waiting, async {
                        clock.until_sleepers(1).await;
                        clock.advance(secs(30));
                    });
                    result
                })
            });
            other.join().unwrap()?;
            ready()
        });
        outer.set(authorizer.clone()).unwrap();
        block_on(decide(&authorizer, "own")).unwrap_err()
    });
    assert_eq!(error.kind(), ErrorKind::Timeout, "{error}");
}

#[test]
fn unknown_tenants_neither_evict_nor_delay_known_ones() {
    let (clock, made) = (ManualClock::new(), Arc::new(AtomicUsize::new(0)));
    let counter = made.clone();
    let tenant = |request: &auth_core::RequestHead<'_>| request.extension::<u32>().copied();
    let make = move |tenant: &u32| {
        counter.fetch_add(1, SeqCst);
        match tenant {
            0..4 => ready(),
            _ => Err(Error::configuration("no such tenant")),
        }
    };
    let builder = Authorizer::per_tenant(tenant, make).max_capacity(4);
    let authorizer = builder.clock(clock).build().unwrap();
    let ask = |tenant: u32| {
        let request = Request::get("https://api.example/").extension(tenant);
        match authorizer.authorize(&request.body(()).unwrap()) {
            Decision::Wait(attempt) => block_on(attempt).map(|_| ()),
            Decision::Authorize(_) => Ok(()),
            Decision::PassThrough(_) => panic!("the origin is listed"),
        }
    };
    (0..4).for_each(|tenant| ask(tenant).unwrap());
    for unknown in 100..5000 {
        ask(unknown).unwrap_err();
        let known = Request::get("https://api.example/").extension(unknown % 4);
        let decision = authorizer.authorize(&known.body(()).unwrap());
        assert!(matches!(decision, Decision::Authorize(_)));
    }
    assert_eq!(made.load(SeqCst), 4 + 4900);
}
