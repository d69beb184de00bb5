//! A client with write access to the server, and without a seal key, writes to the keys of leases.

use std::{
    collections::HashMap,
    future::pending,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
    time::Duration,
};

use auth_redis::{
    RedisStore, SealKeys,
    auth_core::{
        Error, TokenCache, TokenRequest, TokenResponse, TokenSource, async_trait,
        shared_store::{Lease, SharedKey, SharedToken, SharedTokenStore},
    },
};
use redis::{Cmd, Value, aio::MultiplexedConnection, cmd};
use tokio::{task::JoinSet, time::Instant};

use crate::redis_store::fixture::{
    Fixture, NEW, OLD, another_key, ask, eventually, key, token, with_timeout,
};

/// Returns the names of the leases of a key, in a fixture in which no other key has one.
async fn lease_names(fixture: &Fixture, store: &RedisStore, key: &SharedKey) -> Vec<String> {
    let before = fixture.names("lease").await;
    let lease = store.lease(key).await.unwrap().unwrap();
    let mut names = fixture.names("lease").await;
    lease.release().await.unwrap();
    names.retain(|name| !before.contains(name));
    names
}

/// Commands that leave something at `name` which is no lease.
fn forgeries(name: &str) -> Vec<Vec<Cmd>> {
    let set = |value: &[u8]| cmd("SET").arg(name).arg(value).to_owned();
    let expiring = |value: &str| {
        vec![
            cmd("SET")
                .arg(name)
                .arg(value)
                .arg("PX")
                .arg(4_000)
                .to_owned(),
        ]
    };
    let forever = "9999999999999";
    vec![
        vec![set(b"")],
        vec![set(b"forged")],
        expiring("forged"),
        expiring("backoff"),
        expiring("unreadable"),
        expiring("lease2"),
        expiring(":"),
        expiring("\u{ff}\u{ff}"),
        // as the version before wrote it
        vec![set(&[7; 16])],
        expiring(&format!("lease2:{:032x}:r:5000:{forever}:plain", 7)),
        expiring(&format!("lease2:{:032x}:r:5000:{forever}:", 7)),
        expiring(&format!(
            "lease2:{:032x}:b:5000:{forever}:{}",
            7,
            "A".repeat(43)
        )),
        vec![set(&vec![b'x'; 257])],
        vec![set(&vec![b'x'; 8 << 20])],
        vec![cmd("RPUSH").arg(name).arg("x").to_owned()],
        vec![cmd("HSET").arg(name).arg("x").arg("y").to_owned()],
        vec![cmd("SADD").arg(name).arg("x").to_owned()],
        vec![cmd("ZADD").arg(name).arg(1).arg("x").to_owned()],
        vec![cmd("XADD").arg(name).arg("*").arg("x").arg("y").to_owned()],
        vec![cmd("PFADD").arg(name).arg("x").to_owned()],
    ]
}

async fn run(raw: &mut MultiplexedConnection, commands: &[Cmd]) {
    for command in commands {
        let _: Value = command.query_async(raw).await.unwrap();
    }
}

/// Checks that what is at the names of the leases now keeps no process from acquiring one.
async fn keeps_no_process(store: &RedisStore, other: &RedisStore, what: &str) {
    let started = Instant::now();
    with_timeout(what, store.changed(&key())).await.unwrap();
    let lease = store.lease(&key()).await.unwrap();
    let lease = lease.unwrap_or_else(|| panic!("{what}: the lease is held"));
    assert!(started.elapsed() < Duration::from_secs(1), "{what}: waited");
    assert!(other.lease(&key()).await.unwrap().is_none(), "{what}");
    lease.release().await.unwrap();
    let lease = other.lease(&key()).await.unwrap();
    lease.expect(what).release().await.unwrap();
}

#[tokio::test]
async fn a_forged_lease_keeps_no_process_waiting() {
    let fixture = Fixture::new();
    let (store, other) = (fixture.store([NEW, OLD]), fixture.store([OLD, NEW]));
    let names = lease_names(&fixture, &store, &key()).await;
    assert_eq!(names.len(), 2);
    let mut raw = fixture.raw().await;
    for places in [&names[..1], &names[1..], &names[..]] {
        let count = forgeries("").len();
        for number in 0..count {
            for name in places {
                let _: Value = ask(&mut raw, &["DEL", name]).await;
                run(&mut raw, &forgeries(name)[number]).await;
            }
            keeps_no_process(&store, &other, &format!("forgery {number}")).await;
        }
    }
}

#[tokio::test]
async fn a_lease_of_another_name_keeps_no_process_waiting() {
    let fixture = Fixture::new();
    let (store, other) = (fixture.store([NEW, OLD]), fixture.store([OLD, NEW]));
    let names = lease_names(&fixture, &store, &key()).await;
    let others = lease_names(&fixture, &store, &another_key()).await;
    let mut raw = fixture.raw().await;
    let own = store.lease(&key()).await.unwrap().unwrap();
    let foreign = store.lease(&another_key()).await.unwrap().unwrap();
    let mut values = HashMap::new();
    for name in names.iter().chain(&others) {
        let value: String = ask(&mut raw, &["GET", name]).await;
        values.insert(name, value);
    }
    own.release().await.unwrap();
    for name in &names {
        for (from, value) in &values {
            if *from != name {
                let () = ask(&mut raw, &["SET", name, value, "PX", "4000"]).await;
                keeps_no_process(&store, &other, &format!("{from} at {name}")).await;
            }
        }
    }
    foreign.release().await.unwrap();
}

#[tokio::test]
async fn a_changed_lease_keeps_no_process_waiting() {
    let fixture = Fixture::new();
    let (store, other) = (fixture.store([NEW]), fixture.store([NEW]));
    let [name] = &lease_names(&fixture, &store, &key()).await[..] else {
        panic!("expected one name");
    };
    let mut raw = fixture.raw().await;
    let lease = store.lease(&key()).await.unwrap().unwrap();
    let value: Vec<u8> = ask(&mut raw, &["GET", name]).await;
    lease.release().await.unwrap();
    for at in 0..value.len() {
        let mut changed = value.clone();
        changed[at] ^= 1;
        let set = cmd("SET")
            .arg(name)
            .arg(&changed)
            .arg("PX")
            .arg(4_000)
            .to_owned();
        run(&mut raw, &[set]).await;
        keeps_no_process(&store, &other, &format!("byte {at}")).await;
    }
}

#[tokio::test]
async fn a_restored_lease_is_waited_for_until_its_own_end_whatever_its_expiry() {
    for expiry in [&[][..], &["PX", "3600000"]] {
        let fixture = Fixture::new();
        let builder = RedisStore::builder(std::env::var("AUTH_TEST_REDIS_URL").unwrap())
            .seal_keys(SealKeys::new([NEW]).unwrap())
            .prefix(&fixture.prefix)
            .lease(Duration::from_secs(1));
        let store = builder.build().unwrap();
        let lease = store.lease(&key()).await.unwrap().unwrap();
        let name = fixture.name("lease").await;
        let mut raw = fixture.raw().await;
        let value: String = ask(&mut raw, &["GET", &name]).await;
        lease.release().await.unwrap();
        let restored = Instant::now();
        let () = ask(&mut raw, &[&["SET", &name, &value], expiry].concat()).await;
        assert!(store.lease(&key()).await.unwrap().is_none());
        let lease = eventually("the lease has ended", || async {
            let () = ask(
                &mut raw.clone(),
                &[&["SET", &name, &value], expiry].concat(),
            )
            .await;
            store.lease(&key()).await.unwrap()
        })
        .await;
        assert!(restored.elapsed() < Duration::from_secs(5));
        lease.release().await.unwrap();
    }
}

#[tokio::test]
async fn a_holder_keeps_a_lease_that_was_overwritten() {
    let fixture = Fixture::new();
    let builder = RedisStore::builder(std::env::var("AUTH_TEST_REDIS_URL").unwrap())
        .seal_keys(SealKeys::new([NEW]).unwrap())
        .prefix(&fixture.prefix)
        .lease(Duration::from_secs(1));
    let (store, other) = (builder.build().unwrap(), fixture.store([NEW]));
    let lease = store.lease(&key()).await.unwrap().unwrap();
    let name = fixture.name("lease").await;
    let mut raw = fixture.raw().await;
    let () = ask(&mut raw, &["SET", &name, "forged"]).await;
    let renewed = eventually("the lease is renewed", || async {
        let value: String = ask(&mut raw.clone(), &["GET", &name]).await;
        (value != "forged").then_some(())
    });
    tokio::select! {
        () = lease.hold() => panic!("holding a lease never completes"),
        () = renewed => {}
    }
    assert!(other.lease(&key()).await.unwrap().is_none());
    lease.release().await.unwrap();
    assert!(other.lease(&key()).await.unwrap().is_some());
}

#[tokio::test]
async fn a_lease_that_changes_all_the_time_delays_no_process() {
    let fixture = Fixture::new();
    let store = fixture.store([NEW]);
    let [name] = &lease_names(&fixture, &store, &key()).await[..] else {
        panic!("expected one name");
    };
    let mut raw = fixture.raw().await;
    let flood = async {
        loop {
            let value = format!("forged {}", fastrand::u64(..));
            let () = ask(&mut raw, &["SET", name, &value]).await;
        }
    };
    let attempts = async {
        for _ in 0..100 {
            let started = Instant::now();
            // an error has the process request its own token
            let lease = store.lease(&key()).await;
            assert!(!matches!(lease, Ok(None)));
            assert!(started.elapsed() < Duration::from_secs(1));
        }
    };
    tokio::select! {
        () = flood => {}
        () = attempts => {}
    }
}

/// A source of tokens, which answers after 50 ms.
#[derive(Clone, Debug, Default)]
struct Source(Arc<AtomicUsize>);

#[async_trait]
impl TokenSource for Source {
    async fn fetch(&self, _: &TokenRequest) -> Result<TokenResponse, Error> {
        tokio::time::sleep(Duration::from_millis(50)).await;
        let number = self.0.fetch_add(1, Relaxed);
        let token = TokenResponse::bearer(format!("t{number}"))?;
        Ok(token.with_expires_in(Duration::from_secs(600)))
    }

    fn shared_key(&self, request: &TokenRequest) -> Option<SharedKey> {
        Some(SharedKey::new(["attacked"], request))
    }
}

/// A store whose tokens an attacker deletes as soon as they are saved.
#[derive(Debug)]
struct WithoutTokens(RedisStore);

#[async_trait]
impl SharedTokenStore for WithoutTokens {
    async fn load(&self, key: &SharedKey) -> Result<Option<SharedToken>, Error> {
        self.0.load(key).await
    }

    async fn save(&self, _: &SharedKey, _: &SharedToken) -> Result<(), Error> {
        Ok(())
    }

    async fn lease(&self, key: &SharedKey) -> Result<Option<Box<dyn Lease>>, Error> {
        self.0.lease(key).await
    }

    async fn changed(&self, key: &SharedKey) -> Result<(), Error> {
        self.0.changed(key).await
    }

    fn patience(&self) -> Duration {
        self.0.patience()
    }
}

/// What an attacker does to all leases, again and again.
#[derive(Clone, Copy, Debug)]
enum Attack {
    /// Replaces them by a text with an expiry as a lease has it.
    Forges,
    /// Restores the last value that a process wrote to any of them.
    Restores,
    /// Restores each value for a short time only, so that the next process acquires the lease soon.
    RestoresBriefly,
}

const BRIEFLY: Duration = Duration::from_millis(350);

/// The names of leases, and the last value of each that a process wrote.
type Known = HashMap<String, (Vec<u8>, Instant)>;

async fn attack(fixture: &Fixture, attack: Attack, mut known: Known) {
    let mut raw = fixture.raw().await;
    loop {
        for name in fixture.names("lease").await {
            let value: Option<Vec<u8>> = ask(&mut raw, &["GET", &name]).await;
            if let Some(value) = value
                && value != b"forged"
                && known.get(&name).is_none_or(|(known, _)| *known != value)
            {
                known.insert(name, (value, Instant::now()));
            }
        }
        for (name, (value, since)) in &known {
            let mut set = cmd("SET");
            set.arg(name);
            match attack {
                Attack::Forges => set.arg("forged"),
                // unless a process has just acquired the lease: its value is the next one to record
                Attack::Restores => set.arg(value).arg("NX"),
                Attack::RestoresBriefly if since.elapsed() < BRIEFLY => set.arg(value).arg("NX"),
                Attack::RestoresBriefly => {
                    let _: Value = ask(&mut raw, &["DEL", name]).await;
                    continue;
                }
            };
            let _: Value = set
                .arg("PX")
                .arg(4_000)
                .query_async(&mut raw)
                .await
                .unwrap();
        }
    }
}

/// Returns how long each of `count` processes waited for a token, the longest time last.
async fn waits(kind: Attack, count: usize) -> Vec<Duration> {
    let fixture = Fixture::new();
    let source = Source::default();
    let process = || {
        let store = RedisStore::builder(std::env::var("AUTH_TEST_REDIS_URL").unwrap())
            .seal_keys(SealKeys::new([NEW, OLD]).unwrap())
            .prefix(&fixture.prefix)
            .lease(Duration::from_secs(1));
        let store = WithoutTokens(store.build().unwrap());
        TokenCache::builder(source.clone())
            .shared_store(store)
            .build()
    };
    // the attacker has seen the names before
    let shared_key = source.shared_key(&TokenRequest::default()).unwrap();
    let names = lease_names(&fixture, &fixture.store([NEW, OLD]), &shared_key).await;
    let forged = |name| (name, (b"forged".to_vec(), Instant::now()));
    let known: Known = names.into_iter().map(forged).collect();
    if let Attack::Forges = kind {
        let mut raw = fixture.raw().await;
        for name in known.keys() {
            let () = ask(&mut raw, &["SET", name, "forged", "PX", "4000"]).await;
        }
    }
    let mut processes = JoinSet::new();
    for _ in 0..count {
        let cache = process();
        processes.spawn(async move {
            let started = Instant::now();
            // a request that fails is repeated, as a user would
            while cache.token().await.is_err() {
                tokio::time::sleep(Duration::from_millis(100)).await;
                assert!(started.elapsed() < Duration::from_secs(60), "no token");
            }
            started.elapsed()
        });
    }
    let waits = async {
        let mut waits = Vec::new();
        while let Some(waited) = processes.join_next().await {
            waits.push(waited.unwrap());
        }
        waits.sort();
        waits
    };
    let waits = tokio::select! {
        () = attack(&fixture, kind, known) => pending().await,
        waits = waits => waits,
    };
    println!(
        "{kind:?}: {waits:?}, {} token requests",
        source.0.load(Relaxed)
    );
    waits
}

#[tokio::test]
async fn forged_leases_delay_no_process() {
    let waits = waits(Attack::Forges, 8).await;
    assert!(*waits.last().unwrap() < Duration::from_secs(2), "{waits:?}");
}

/// The bound is one and a half times the lease, 1 s here, and the polls before and after it.
#[tokio::test]
async fn restored_leases_delay_a_process_for_a_bounded_time() {
    let waits = waits(Attack::Restores, 12).await;
    assert!(*waits.last().unwrap() < Duration::from_secs(6), "{waits:?}");
}

#[tokio::test]
async fn leases_that_are_restored_briefly_delay_a_process_for_a_bounded_time() {
    let waits = waits(Attack::RestoresBriefly, 12).await;
    assert!(*waits.last().unwrap() < Duration::from_secs(6), "{waits:?}");
}

/// A process that waits often, and gets a token each time, is not a process that is kept from one.
#[tokio::test]
async fn waits_that_each_end_with_a_token_do_not_add_up() {
    let fixture = Fixture::new();
    let builder = || {
        RedisStore::builder(std::env::var("AUTH_TEST_REDIS_URL").unwrap())
            .seal_keys(SealKeys::new([NEW]).unwrap())
            .prefix(&fixture.prefix)
            .lease(Duration::from_secs(1))
    };
    let (holder, waiter) = (builder().build().unwrap(), builder().build().unwrap());
    for round in 0..12 {
        let lease = holder.lease(&key()).await.unwrap().unwrap();
        let requested = Instant::now();
        let looks = async {
            while requested.elapsed() < Duration::from_millis(250) {
                let waits = waiter.lease(&key()).await.unwrap();
                assert!(waits.is_none(), "round {round}");
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        };
        tokio::select! {
            () = lease.hold() => panic!("holding a lease never completes"),
            () = looks => {}
        }
        let issued = token(&format!("t{round}"), 0).with_age(requested.elapsed());
        holder.save(&key(), &issued).await.unwrap();
        lease.release().await.unwrap();
        assert!(waiter.load(&key()).await.unwrap().is_some());
    }
}

#[tokio::test]
async fn a_flood_of_messages_keeps_no_waiter_from_its_token() {
    let fixture = Fixture::new();
    let (one, other) = (fixture.store([NEW]), fixture.store([NEW]));
    let lease = one.lease(&key()).await.unwrap().unwrap();
    let channel = fixture.name("lease").await.replace(":lease", ":changed");
    let mut raw = fixture.raw().await;
    let flood = async {
        loop {
            let _: u64 = ask(&mut raw, &["PUBLISH", &channel, "saved"]).await;
        }
    };
    let waits = async {
        one.save(&key(), &token("abc", 0)).await.unwrap();
        for _ in 0..100 {
            other.changed(&key()).await.unwrap();
        }
        other.load(&key()).await.unwrap().unwrap();
    };
    tokio::select! {
        () = flood => {}
        () = with_timeout("the waiter is woken", waits) => {}
    }
    lease.release().await.unwrap();
}
