//! The store itself: what the cache asks of it, in terms of Redis.

use std::{fmt, sync::Arc, time::Duration};

use auth_core::{Error, ErrorKind, Lease, SharedKey, SharedToken, SharedTokenStore, async_trait};
use futures_util::future::{join_all, try_join_all};
use redis::{Value, pipe};
use tokio::time::{Instant, timeout};

#[cfg(feature = "sentinel")]
use crate::server::Master;
use crate::{
    RedisStoreBuilder, events,
    lease::RedisLease,
    link::Link,
    names::Names,
    scripts::{self, Entry, LONGEST_LEASE},
    sealing::Sealing,
    server::{Kind, Server},
    value::{Unreadable, millis},
    waiting::Waiter,
};

/// Until the first attempt to connect is over.
const FIRST_PATIENCE: Duration = Duration::from_secs(1);
const PATIENCE: Duration = Duration::from_millis(250);
/// Between two looks at a lease; each is drawn anew, so that a fleet does not look at once.
const SHORTEST_LOOK: Duration = Duration::from_millis(100);
const LONGEST_LOOK: Duration = Duration::from_millis(250);
/// The pauses between looks grow up to so many times that: looking is for what nobody tells, which
/// is that a lease has ended.
const MOST_LOOKS: u32 = 4;

/// A [`SharedTokenStore`] in Redis or Valkey.
///
/// It connects when it is used for the first time, by one connection. Several caches of a process
/// share one store by an [`Arc`]:
///
/// ```
/// use std::sync::Arc;
/// use auth_redis::{
///     RedisStore, SealKeys,
///     auth_core::{Error, TokenCache, TokenSource},
/// };
///
/// # fn example(orders: impl TokenSource, invoices: impl TokenSource) -> Result<(), Error> {
/// let keys = SealKeys::from_files(["/run/secrets/seal-key"])?;
/// let store = RedisStore::builder("redis://fleet:s3cr3t@redis.example.com").seal_keys(keys);
/// let store = Arc::new(store.build()?);
/// let orders = TokenCache::builder(orders).shared_store(store.clone()).build();
/// let invoices = TokenCache::builder(invoices).shared_store(store).build();
/// # Ok(())
/// # }
/// ```
pub struct RedisStore {
    link: Arc<Link>,
    sealing: Sealing,
    prefix: String,
    lease: Duration,
}

impl RedisStore {
    /// A store in one server: `redis://user:password@host:6379/0`, `rediss://` for TLS (feature
    /// `tls`), or `unix:///path/of/socket?user=..&pass=..&db=0`. Only the host, or the path, has to
    /// be there; the port is 6379 and the database 0 unless told. User and password are
    /// percent-encoded. `redis+unix://`, `valkey://`, `valkeys://` and `valkey+unix://` are taken, too.
    ///
    /// What is wrong with the URL is told by [`build`](RedisStoreBuilder::build).
    pub fn builder(url: impl Into<String>) -> RedisStoreBuilder {
        RedisStoreBuilder::new(Kind::Standalone, vec![url.into()])
    }

    /// A store in a Cluster: URLs of some of its nodes, as for [`builder`](Self::builder), all with
    /// the same user and password.
    #[cfg(feature = "cluster")]
    pub fn cluster(urls: impl IntoIterator<Item = impl Into<String>>) -> RedisStoreBuilder {
        RedisStoreBuilder::new(Kind::Cluster, urls.into_iter().map(Into::into).collect())
    }

    /// A store in the primary of that name: URLs of the Sentinels that know it, all with the same
    /// user and password at the Sentinels; the port, 26379 as a rule, has to be told; the number at
    /// the end is of the primary's database. With `rediss://`, the primary is reached by TLS as well.
    /// What it wants of a user and a password is told by
    /// [`master_credentials`](RedisStoreBuilder::master_credentials).
    #[cfg(feature = "sentinel")]
    pub fn sentinel(
        urls: impl IntoIterator<Item = impl Into<String>>,
        master: impl Into<String>,
    ) -> RedisStoreBuilder {
        let master = Master {
            name: master.into(),
            user: None,
            password: None,
        };
        let urls = urls.into_iter().map(Into::into).collect();
        RedisStoreBuilder::new(Kind::Sentinel(master), urls)
    }

    pub(crate) fn new(server: Server, sealing: Sealing, prefix: String, lease: Duration) -> Self {
        Self {
            link: Link::new(server),
            sealing,
            prefix,
            lease,
        }
    }

    fn names(&self, key: &SharedKey) -> Vec<Names> {
        self.sealing.names(&self.prefix, key)
    }

    /// The token under one of its names.
    async fn load_from(
        &self,
        key: &SharedKey,
        names: &Names,
    ) -> Result<Option<SharedToken>, Error> {
        let command = scripts::load(names);
        let answer = self
            .link
            .run(|mut connection| async move { command.query_async(&mut connection).await })
            .await?;
        let token = match &answer {
            Value::Nil => return Ok(None),
            Value::Array(parts) => match &parts[..] {
                [Value::BulkString(value), Value::Int(left)] => {
                    let left = u64::try_from(*left).ok().map(Duration::from_millis);
                    self.sealing.open(key, value, left)
                }
                _ => Err(Unreadable::Foreign),
            },
            Value::Int(1) => Err(Unreadable::Size),
            _ => Err(Unreadable::Type),
        };
        Ok(token
            .inspect_err(|why| events::unreadable(&names.token, *why))
            .ok())
    }

    /// Saves under one name; the value that stands there if its token is younger.
    async fn save_to(
        &self,
        names: &Names,
        entry: &Entry<'_>,
        unreadable: &[u8],
    ) -> Result<Option<Vec<u8>>, Error> {
        let command = scripts::save(names, entry, unreadable);
        self.link
            .run(|mut connection| async move { command.query_async(&mut connection).await })
            .await
    }

    /// How long the lease and the token of these names will be kept, in milliseconds, if they are.
    async fn look(&self, names: &Names) -> Result<(i64, i64), Error> {
        let mut look = pipe();
        look.cmd("PTTL").arg(&names.lease);
        look.cmd("PTTL").arg(&names.token);
        self.link
            .run(|mut connection| async move { look.query_async(&mut connection).await })
            .await
    }
}

#[async_trait]
impl SharedTokenStore for RedisStore {
    async fn load(&self, key: &SharedKey) -> Result<Option<SharedToken>, Error> {
        let names = self.names(key);
        let tokens = names.iter().map(|names| self.load_from(key, names));
        let tokens = try_join_all(tokens).await?.into_iter().flatten();
        Ok(tokens.min_by_key(age))
    }

    async fn save(&self, key: &SharedKey, token: &SharedToken) -> Result<(), Error> {
        let began = Instant::now();
        let value = self.sealing.close(key, token)?;
        let names = self.names(key);
        let Some(names) = names.first() else {
            return Ok(());
        };
        let command = scripts::time(names);
        let time: u64 = self
            .link
            .run(|mut connection| async move { command.query_async(&mut connection).await })
            .await?;
        // the token has grown older meanwhile, and may have by now, since the server told its time
        let left = token.left().saturating_sub(began.elapsed());
        let entry = Entry {
            value: &value,
            ends: time.saturating_add(millis(left)),
            lifetime: token.full_lifetime(),
        };
        let Some(younger) = self.save_to(names, &entry, &[]).await? else {
            return Ok(());
        };
        // it is spared for its age only if it is one of ours
        if let Err(why) = self.sealing.open(key, &younger, Some(Duration::ZERO)) {
            events::unreadable(&names.token, why);
            self.save_to(names, &entry, &younger).await?;
        }
        Ok(())
    }

    async fn lease(&self, key: &SharedKey) -> Result<Option<Box<dyn Lease>>, Error> {
        let lease = RedisLease::take(&self.link, self.names(key), self.lease).await?;
        Ok(lease.map(|lease| Box::new(lease) as Box<dyn Lease>))
    }

    async fn changed(&self, key: &SharedKey) -> Result<(), Error> {
        let names = self.names(key);
        let channels = names.iter().map(|names| names.channel.clone());
        let mut waiter = Waiter::new(&self.link, channels);
        let mut before: Option<Vec<i64>> = None;
        for look in 1.. {
            let look_at_all = async {
                waiter.subscribe(&self.link.up().await?).await;
                let looks = join_all(names.iter().map(|names| self.look(names))).await;
                looks
                    .into_iter()
                    .collect::<Result<Vec<(i64, i64)>, Error>>()
            };
            // to wait for somebody is one thing, to wait for the server another
            let Ok(looks) = timeout(self.patience() * 2, look_at_all).await else {
                let message = "no answer to what has changed in the shared token store";
                return Err(Error::new(ErrorKind::SharedStore, message));
            };
            let looks = looks?;
            // -2: there is none; -1: it never ends, and is none of ours, as one that lasts too long
            let is_held =
                |lease: i64| u64::try_from(lease).is_ok_and(|left| left <= millis(LONGEST_LEASE));
            let is_held = looks.iter().any(|(lease, _)| is_held(*lease));
            // time only takes from what is left; more is left if another token was saved
            let now: Vec<i64> = looks.iter().map(|(_, token)| *token).collect();
            let is_saved = before
                .as_ref()
                .is_some_and(|before| before.iter().zip(&now).any(|(before, now)| now > before));
            if !is_held || is_saved {
                return Ok(());
            }
            before = Some(now);
            let pause = until_next_look() * MOST_LOOKS.min(look);
            if timeout(pause, waiter.news()).await.is_ok() {
                return Ok(());
            }
        }
        Ok(())
    }

    fn patience(&self) -> Duration {
        if self.link.has_been_tried() {
            PATIENCE
        } else {
            FIRST_PATIENCE
        }
    }
}

impl fmt::Debug for RedisStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisStore")
            .field("server", &self.link)
            .field("sealing", &self.sealing)
            .field("prefix", &self.prefix)
            .field("lease", &self.lease)
            .finish()
    }
}

fn age(token: &SharedToken) -> Duration {
    token.full_lifetime().saturating_sub(token.left())
}

fn until_next_look() -> Duration {
    SHORTEST_LOOK + (LONGEST_LOOK - SHORTEST_LOOK).mul_f64(fastrand::f64())
}
