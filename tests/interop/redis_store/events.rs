use std::{
    future::Future as _,
    pin::pin,
    sync::{Arc, mpsc},
    task::{self, Waker},
    thread,
    time::{Duration, Instant},
};

use auth_redis::{RedisStore, auth_core::shared_store::SharedTokenStore};
use auth_test_support::log::Warnings;
use tokio::runtime::{Builder, Runtime};
use tracing::{
    Event, Metadata, Subscriber,
    span::{Attributes, Id, Record},
    subscriber::with_default,
};

use crate::redis_store::{
    fixture::{Fixture, NEW, ask, key, token},
    server::free_port,
};

fn runtime() -> Runtime {
    Builder::new_current_thread().enable_all().build().unwrap()
}

/// A subscriber that uses the store at each event, as one that sends events to an API does.
struct UsesStore(Arc<RedisStore>);

impl Subscriber for UsesStore {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target().starts_with("auth_redis")
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, _: &Event<'_>) {
        let key = key();
        let load = pin!(self.0.load(&key));
        let _ = load.poll(&mut task::Context::from_waker(Waker::noop()));
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

#[test]
fn a_subscriber_of_events_may_use_the_store() {
    let (done, is_done) = mpsc::channel();
    thread::spawn(move || {
        let url = format!("redis://127.0.0.1:{}", free_port());
        let store = RedisStore::builder(url)
            .danger_plaintext(true)
            .build()
            .unwrap();
        let store = Arc::new(store);
        with_default(UsesStore(store.clone()), || {
            runtime().block_on(async { assert!(store.load(&key()).await.is_err()) });
        });
        done.send(()).unwrap();
    });
    let ended = is_done.recv_timeout(Duration::from_secs(30));
    ended.expect("no lock is held while an event is emitted");
}

#[test]
fn the_event_of_an_unreadable_token_names_the_reason() {
    let warnings = Warnings::of("auth_redis");
    with_default(warnings.clone(), || {
        runtime().block_on(async {
            let fixture = Fixture::new();
            let store = fixture.store([NEW]);
            store.save(&key(), &token("s3cr3t", 0)).await.unwrap();
            let name = fixture.name("token").await;
            let mut raw = fixture.raw().await;
            for (value, reason) in [
                ("something else", "not written by auth-redis"),
                (
                    "auth9:plain:600000:s3cr3t",
                    "by another version of auth-redis",
                ),
                ("auth1:plain:600000:s3cr3t", "by another version"),
                ("auth2:plain:600000:99:s3cr3t", "is not sealed"),
            ] {
                let () = ask(&mut raw, &["SET", &name, value, "EX", "600"]).await;
                // one store logs one line a second for each reason
                let store = fixture.store([NEW]);
                assert!(store.load(&key()).await.unwrap().is_none());
                let logged = warnings.take().concat();
                assert!(
                    logged.contains(reason) && !logged.contains("s3cr3t"),
                    "{logged}"
                );
            }
        });
    });
}

#[test]
fn many_unreadable_tokens_and_forged_leases_are_one_line_a_second() {
    let warnings = Warnings::of("auth_redis");
    let started = Instant::now();
    with_default(warnings.clone(), || {
        runtime().block_on(async {
            let fixture = Fixture::new();
            let store = fixture.store([NEW]);
            store.save(&key(), &token("abc", 0)).await.unwrap();
            let name = fixture.name("token").await;
            let mut raw = fixture.raw().await;
            let () = ask(&mut raw, &["SET", &name, "forged"]).await;
            for _ in 0..100 {
                assert!(store.load(&key()).await.unwrap().is_none());
                let lease = name.replace(":token", ":lease");
                let () = ask(&mut raw, &["SET", &lease, "forged"]).await;
                let lease = store.lease(&key()).await.unwrap().unwrap();
                lease.release().await.unwrap();
            }
        });
    });
    let logged = warnings.take().concat();
    let lines = logged.matches("key=").count();
    let max = 2 * (started.elapsed().as_secs() + 1);
    assert!(u64::try_from(lines).unwrap() <= max, "{lines} lines");
}
