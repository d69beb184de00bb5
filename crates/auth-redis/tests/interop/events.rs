use std::{
    fmt::Write as _,
    sync::{Arc, Mutex},
};

use auth_redis::auth_core::SharedTokenStore;
use tracing::{
    Event, Level, Metadata, Subscriber,
    field::{Field, Visit},
    span::{Attributes, Id, Record},
    subscriber::with_default,
};

use crate::fixture::{Fixture, NEW, ask, key, token};

/// Writes warnings down.
#[derive(Clone, Default)]
struct Warnings(Arc<Mutex<String>>);

struct Line<'a>(&'a mut String);

impl Visit for Line<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        let _ = write!(self.0, "{field}={value:?} ");
    }
}

impl Subscriber for Warnings {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        *metadata.level() <= Level::WARN && metadata.target().starts_with("auth_redis")
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        event.record(&mut Line(&mut self.0.lock().unwrap()));
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

#[test]
fn what_cannot_be_read_is_told_with_its_reason() {
    let warnings = Warnings::default();
    let runtime = tokio::runtime::Builder::new_current_thread();
    let runtime = { runtime }.enable_all().build().unwrap();
    with_default(warnings.clone(), || {
        runtime.block_on(async {
            let fixture = Fixture::new();
            let store = fixture.store([NEW]);
            store.save(&key(), &token("s3cr3t", 0)).await.unwrap();
            let name = fixture.name("token").await;
            let mut raw = fixture.raw().await;
            for (value, reason) in [
                ("something else", "something else wrote it"),
                ("auth9:plain:600000:s3cr3t", "another version wrote it"),
                ("auth1:plain:600000:s3cr3t", "is not sealed"),
            ] {
                let () = ask(&mut raw, &["SET", &name, value, "EX", "600"]).await;
                assert!(store.load(&key()).await.unwrap().is_none());
                let told = std::mem::take(&mut *warnings.0.lock().unwrap());
                assert!(told.contains(reason) && !told.contains("s3cr3t"), "{told}");
            }
        });
    });
}
