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
        Error, RefreshPolicy, TokenCache, TokenRequest, TokenResponse, TokenSource, async_trait,
        shared_store::{Lease, SharedKey, SharedToken, SharedTokenStore, internal::Need},
    },
};
use redis::{Cmd, Value, aio::MultiplexedConnection, cmd};
use tokio::{sync::watch, task::JoinSet};

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

/// The end of what a forger writes, in milliseconds: much later than a test gives up.
const AN_HOUR: u32 = 3_600_000;

/// Returns the time by the server's clock, in milliseconds.
async fn time(raw: &mut MultiplexedConnection) -> u64 {
    let [seconds, microseconds]: [u64; 2] = ask(raw, &["TIME"]).await;
    seconds * 1000 + microseconds / 1000
}

/// Returns the end of a lease by the server's clock, in milliseconds.
fn end_of(lease: &str) -> u64 {
    let end = lease.split(':').nth(4).and_then(|end| end.parse().ok());
    end.unwrap_or_else(|| panic!("expected a lease with an end, got {lease}"))
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
                .arg(AN_HOUR)
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
    // what is there ends in an hour, if at all: a wait for its end would not complete
    with_timeout(what, store.changed(&key())).await.unwrap();
    let lease = store.lease(&key()).await.unwrap();
    let lease = lease.unwrap_or_else(|| panic!("{what}: the lease is held"));
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
                let () = ask(&mut raw, &["SET", name, value, "PX", &AN_HOUR.to_string()]).await;
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
            .arg(AN_HOUR)
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
        let end = end_of(&value);
        let lease = eventually("the lease has ended", async || {
            let mut raw = raw.clone();
            let () = ask(&mut raw, &[&["SET", &name, &value], expiry].concat()).await;
            let before = time(&mut raw).await;
            let lease = store.lease(&key()).await.unwrap();
            let after = time(&mut raw).await;
            match lease {
                Some(_) => assert!(after >= end, "acquired before its end"),
                None => assert!(before < end, "held after its end"),
            }
            lease
        })
        .await;
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
            // an error has the process request its own token
            let lease = with_timeout("an attempt ends", store.lease(&key())).await;
            assert!(!matches!(lease, Ok(None)));
            if let Ok(Some(lease)) = lease {
                // a dropped lease would be returned later, and keep the next attempt waiting
                lease.release().await.unwrap();
            }
        }
    };
    tokio::select! {
        () = flood => {}
        () = attempts => {}
    }
}

/// The number of times that the attacker has changed all leases.
type Rounds = watch::Sender<u64>;

/// A source whose token requests last until the attacker has changed all leases twice.
#[derive(Clone, Debug, Default)]
struct Source {
    requests: Arc<AtomicUsize>,
    attacks: Arc<Rounds>,
}

#[async_trait]
impl TokenSource for Source {
    async fn fetch(&self, _: &TokenRequest) -> Result<TokenResponse, Error> {
        let mut rounds = self.attacks.subscribe();
        let begun = *rounds.borrow_and_update();
        let _ = rounds.wait_for(|rounds| *rounds >= begun + 2).await;
        let number = self.requests.fetch_add(1, Relaxed);
        let token = TokenResponse::bearer(format!("t{number}"))?;
        Ok(token.with_expires_in(Duration::from_secs(600)))
    }

    fn shared_key(&self, request: &TokenRequest) -> Option<SharedKey> {
        Some(SharedKey::new(["attacked"], request))
    }
}

/// A store whose tokens an attacker deletes as soon as they are saved.
#[derive(Debug)]
struct WithoutTokens {
    store: RedisStore,
    looks: Arc<Looks>,
}

/// What the processes have found when they looked at leases.
#[derive(Debug, Default)]
struct Looks {
    /// The number of looks at a lease that kept a process waiting.
    held: AtomicUsize,
    /// The number of processes that have waited for long enough.
    given_up: AtomicUsize,
}

#[async_trait]
impl SharedTokenStore for WithoutTokens {
    async fn load(&self, key: &SharedKey) -> Result<Option<SharedToken>, Error> {
        self.store.load(key).await
    }

    async fn save(&self, _: &SharedKey, _: &SharedToken) -> Result<(), Error> {
        Ok(())
    }

    async fn lease(&self, key: &SharedKey) -> Result<Option<Box<dyn Lease>>, Error> {
        let lease = self.store.lease(key).await;
        match &lease {
            Ok(Some(_)) => {}
            Ok(None) => _ = self.looks.held.fetch_add(1, Relaxed),
            Err(error)
                if error
                    .to_string()
                    .contains("left neither a token nor a failure") =>
            {
                self.looks.given_up.fetch_add(1, Relaxed);
            }
            Err(_) => {}
        }
        lease
    }

    async fn changed(&self, key: &SharedKey) -> Result<(), Error> {
        self.store.changed(key).await
    }

    fn patience(&self) -> Duration {
        self.store.patience()
    }
}

/// What an attacker does to all leases, again and again.
#[derive(Clone, Copy, Debug)]
enum Attack {
    /// Replaces them by a text with a late expiry.
    Forges,
    /// Restores the last value that a process wrote to any of them.
    Restores,
    /// Restores each value for a short time only, so that the next process acquires the lease soon.
    RestoresBriefly,
}

/// For how long a value is restored, in milliseconds by the server's clock.
const BRIEFLY: u64 = 350;

/// The names of leases, the last value of each that a process wrote, and the time of its recording.
type Known = HashMap<String, (Vec<u8>, u64)>;

async fn attack(fixture: &Fixture, attack: Attack, mut known: Known, rounds: &Rounds) {
    let mut raw = fixture.raw().await;
    loop {
        let now = time(&mut raw).await;
        for name in fixture.names("lease").await {
            let value: Option<Vec<u8>> = ask(&mut raw, &["GET", &name]).await;
            if let Some(value) = value
                && value != b"forged"
                && known.get(&name).is_none_or(|(known, _)| *known != value)
            {
                known.insert(name, (value, now));
            }
        }
        for (name, (value, since)) in &known {
            let mut set = cmd("SET");
            set.arg(name);
            match attack {
                Attack::Forges => set.arg("forged"),
                // unless a process has just acquired the lease: its value is the next one to record
                Attack::Restores => set.arg(value).arg("NX"),
                Attack::RestoresBriefly if now < since + BRIEFLY => set.arg(value).arg("NX"),
                Attack::RestoresBriefly => {
                    let _: Value = ask(&mut raw, &["DEL", name]).await;
                    continue;
                }
            };
            set.arg("PX").arg(AN_HOUR);
            let _: Value = set.query_async(&mut raw).await.unwrap();
        }
        rounds.send_modify(|rounds| *rounds += 1);
    }
}

/// Processes that share tokens, and a source that counts their token requests.
struct Processes {
    fixture: Fixture,
    source: Source,
    looks: Arc<Looks>,
}

impl Processes {
    fn new() -> Self {
        Self {
            fixture: Fixture::new(),
            source: Source::default(),
            looks: Arc::default(),
        }
    }

    /// A process whose attempt lasts for an hour. While a lease keeps it waiting, it neither fails nor
    /// acquires the fallback lease.
    fn start(&self) -> TokenCache {
        let store = RedisStore::builder(std::env::var("AUTH_TEST_REDIS_URL").unwrap())
            .seal_keys(SealKeys::new([NEW, OLD]).unwrap())
            .prefix(&self.fixture.prefix)
            .lease(Duration::from_secs(1));
        let store = WithoutTokens {
            store: store.build().unwrap(),
            looks: self.looks.clone(),
        };
        let policy = RefreshPolicy::builder().attempt_timeout(Duration::from_secs(3600));
        TokenCache::builder(self.source.clone())
            .shared_store(store)
            .refresh_policy(policy.build().unwrap())
            .build()
    }

    /// Runs `work` while an attacker changes all leases, whose names it knows.
    async fn attacked<T>(&self, kind: Attack, work: impl Future<Output = T>) -> T {
        let shared_key = self.source.shared_key(&TokenRequest::default()).unwrap();
        let store = self.fixture.store([NEW, OLD]);
        let names = lease_names(&self.fixture, &store, &shared_key).await;
        let mut raw = self.fixture.raw().await;
        if let Attack::Forges = kind {
            for name in &names {
                let () = ask(&mut raw, &["SET", name, "forged"]).await;
            }
        }
        let forged = |name| (name, (b"forged".to_vec(), 0));
        let known: Known = names.into_iter().map(forged).collect();
        let rounds = &self.source.attacks;
        tokio::select! {
            () = attack(&self.fixture, kind, known, rounds) => pending().await,
            outcome = with_timeout("the processes have their tokens", work) => outcome,
        }
    }

    /// Starts `count` processes, of which each requests a token of its own.
    async fn each_gets_a_token(&self, kind: Attack, count: usize) {
        self.attacked(kind, async {
            let mut processes = JoinSet::new();
            for _ in 0..count {
                let cache = self.start();
                processes.spawn(async move { cache.token().await.map(|_| cache) });
            }
            while let Some(outcome) = processes.join_next().await {
                outcome.unwrap().unwrap();
            }
        })
        .await;
        assert_eq!(self.source.requests.load(Relaxed), count);
    }
}

/// One process after another: none can wait for a real holder.
#[tokio::test]
async fn forged_leases_delay_no_process() {
    let processes = Processes::new();
    let one_after_another = async {
        for _ in 0..8 {
            let process = processes.start();
            process.token().await.unwrap();
            // until the lease is returned
            process.flush().await;
        }
    };
    processes.attacked(Attack::Forges, one_after_another).await;
    assert_eq!(processes.source.requests.load(Relaxed), 8);
    assert_eq!(processes.looks.held.load(Relaxed), 0);
}

#[tokio::test]
async fn forged_leases_keep_no_process_from_a_token_beside_others() {
    Processes::new().each_gets_a_token(Attack::Forges, 8).await;
}

/// The bound is one and a half times the lease, 1 s here. The tests of `auth_redis::waits` check it with
/// a simulated clock. Without it, one process after another would acquire the lease, and none would give
/// up.
#[tokio::test]
async fn restored_leases_delay_a_process_for_a_bounded_time() {
    let processes = Processes::new();
    processes.each_gets_a_token(Attack::Restores, 12).await;
    assert!(processes.looks.given_up.load(Relaxed) > 0);
}

#[tokio::test]
async fn leases_that_are_restored_briefly_delay_a_process_for_a_bounded_time() {
    let processes = Processes::new();
    let attack = Attack::RestoresBriefly;
    processes.each_gets_a_token(attack, 16).await;
    assert!(processes.looks.given_up.load(Relaxed) > 0);
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
    let mut raw = fixture.raw().await;
    for round in 0..12 {
        let waiting = key().with_need(Need::new(1, round));
        let lease = holder.lease(&key()).await.unwrap().unwrap();
        let requested = time(&mut raw).await;
        let looks = eventually("the round ends", async || {
            let waits = waiter.lease(&waiting).await.unwrap();
            assert!(waits.is_none(), "round {round}");
            let age = time(&mut raw.clone()).await - requested;
            (age >= 250).then_some(())
        });
        tokio::select! {
            () = lease.hold() => panic!("holding a lease never completes"),
            () = looks => {}
        }
        lease.release().await.unwrap();
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
