//! `RedisStore`: the operations of a shared token store in terms of Redis commands.

use std::{
    fmt,
    sync::Arc,
    time::{Duration, SystemTime},
};

use auth_core::{
    Error, ErrorKind, async_trait,
    shared_store::{Lease, SharedKey, SharedToken, SharedTokenStore},
};
use futures_util::future::try_join_all;
use redis::{Value, pipe};
use tokio::time::{Instant, timeout};

use crate::{
    events,
    format::{KeyNames, Unreadable, millis},
    lease::{self, RedisLease, Seen},
    lease_claim::LeasePlace,
    link::Link,
    scripts::{self, NewToken},
    server::Server,
    subscription::Subscription,
    token_codec::{self, TokenCodec},
    waits::{Looks, Waits},
};

/// The limit of an operation, and the limit until the first attempt to connect has finished.
const PATIENCE: Duration = Duration::from_millis(250);
const FIRST_PATIENCE: Duration = Duration::from_secs(1);
/// The range of the interval between two polls of a lease. Each interval is drawn from it, so that
/// the polls of many processes spread.
const MIN_POLL_INTERVAL: Duration = Duration::from_millis(100);
const MAX_POLL_INTERVAL: Duration = Duration::from_millis(250);
/// The interval grows up to this factor: only a lease that expires sends no notification.
const MAX_POLL_FACTOR: u32 = 4;

/// A [`SharedTokenStore`] in Redis or Valkey.
///
/// It opens one connection, at its first use. Several caches of a process share a store through an
/// [`Arc`]:
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
    codec: TokenCodec,
    prefix: String,
    lease: Duration,
    waits: Waits,
}

impl RedisStore {
    pub(crate) fn new(server: Server, codec: TokenCodec, prefix: String, lease: Duration) -> Self {
        Self {
            link: Link::new(server),
            codec,
            prefix,
            lease,
            waits: Waits::default(),
        }
    }

    fn names(&self, key: &SharedKey) -> Vec<KeyNames> {
        self.codec.names(&self.prefix, key)
    }

    /// Loads the token that is stored under `names`.
    async fn load_from(
        &self,
        key: &SharedKey,
        names: &KeyNames,
    ) -> Result<Option<SharedToken>, Error> {
        let command = scripts::load(names);
        let answer = self
            .link
            .run(|mut connection| async move { command.query_async(&mut connection).await })
            .await?;
        let token = match &answer {
            Value::Nil => return Ok(None),
            Value::Array(parts) => match &parts[..] {
                [
                    Value::BulkString(value),
                    Value::Int(expiry),
                    Value::Int(now),
                ] => {
                    let expiry = u64::try_from(*expiry).ok().map(Duration::from_millis);
                    let now = u64::try_from(*now).unwrap_or_default();
                    self.codec.decode(key, value, now, expiry)
                }
                _ => Err(Unreadable::Format),
            },
            Value::Int(1) => Err(Unreadable::Size),
            _ => Err(Unreadable::Type),
        };
        Ok(token
            .inspect_err(|reason| {
                if *reason != Unreadable::JustEnded {
                    events::token_unreadable(self.link.event_limits(), &names.token, *reason);
                }
            })
            .ok())
    }

    /// Saves the token under `names`, unless a younger one is stored there. Returns the value of the
    /// younger one.
    async fn save_to(
        &self,
        names: &KeyNames,
        token: &NewToken<'_>,
        unreadable: &[u8],
    ) -> Result<Option<Vec<u8>>, Error> {
        let command = scripts::save(names, token, unreadable);
        self.link
            .run(|mut connection| async move { command.query_async(&mut connection).await })
            .await
    }

    /// Returns the looks of the caller at a lease. The first of its places names it.
    fn looks(&self, key: &SharedKey, places: &[LeasePlace]) -> Looks<'_> {
        let name = places.first().map(|place| &*place.names.lease);
        self.waits.looks(name.unwrap_or_default(), key.need())
    }

    /// Returns what is seen of the lease, and the answer of `PTTL` for the token: milliseconds, or -2
    /// for a key that does not exist, or -1 for one that does not expire.
    async fn poll(&self, names: &KeyNames) -> Result<(Seen, i64), Error> {
        let mut poll = pipe();
        poll.add_command(scripts::look(names));
        poll.cmd("PTTL").arg(&names.token);
        self.link
            .run(|mut connection| async move { poll.query_async(&mut connection).await })
            .await
    }
}

#[async_trait]
impl SharedTokenStore for RedisStore {
    async fn load(&self, key: &SharedKey) -> Result<Option<SharedToken>, Error> {
        let names = self.names(key);
        let tokens = names.iter().map(|names| self.load_from(key, names));
        let tokens = try_join_all(tokens).await?;
        Ok(tokens.into_iter().flatten().min_by_key(age))
    }

    async fn save(&self, key: &SharedKey, token: &SharedToken) -> Result<(), Error> {
        let started = (Instant::now(), SystemTime::now());
        // a token that is too large fails before anything is sent
        token_codec::check_size(token)?;
        let names = self.names(key);
        let Some(names) = names.first() else {
            return Ok(());
        };
        let command = scripts::time(names);
        let server_time: u64 = self
            .link
            .run(|mut connection| async move { command.query_async(&mut connection).await })
            .await?;
        // the whole time since the start counts, since the answer may have been slow
        let elapsed = elapsed(started, (Instant::now(), SystemTime::now()));
        let remaining = token.remaining().saturating_sub(elapsed);
        let expires_at = server_time.saturating_add(millis(remaining));
        let new = NewToken {
            value: &self.codec.encode(key, token, expires_at)?,
            expires_at,
            lifetime: token.lifetime(),
        };
        let Some(younger) = self.save_to(names, &new, &[]).await? else {
            return Ok(());
        };
        // the script compared ages only; an unreadable value is overwritten whatever its age
        if let Err(reason) = self.codec.check(key, &younger) {
            events::token_unreadable(self.link.event_limits(), &names.token, reason);
            self.save_to(names, &new, &younger).await?;
        }
        Ok(())
    }

    async fn lease(&self, key: &SharedKey) -> Result<Option<Box<dyn Lease>>, Error> {
        let places = LeasePlace::all(&self.codec, &self.prefix, key);
        let looks = self.looks(key, &places);
        let lease = RedisLease::acquire(&self.link, places, self.lease, &looks).await?;
        Ok(lease.map(|lease| Box::new(lease) as Box<dyn Lease>))
    }

    async fn changed(&self, key: &SharedKey) -> Result<(), Error> {
        let places = LeasePlace::all(&self.codec, &self.prefix, key);
        let channels = places.iter().map(|place| place.names.channel.clone());
        let looks = self.looks(key, &places);
        let mut subscription = Subscription::new(&self.link, channels);
        let mut previous: Option<Vec<i64>> = None;
        for polls in 1.. {
            let poll_all = async {
                subscription.ensure(&self.link.connection().await?).await;
                let answers = places.iter().map(|place| self.poll(&place.names));
                try_join_all(answers).await
            };
            // only the answer of the server is limited here, not the wait for another process
            let limit = self.patience() * 2;
            let Ok(answers) = timeout(limit, poll_all).await else {
                let message = format!(
                    "Redis at {:?}: no answer about the lease and the token within {limit:?}",
                    self.link
                );
                return Err(Error::new(ErrorKind::SharedStore, message));
            };
            let answers = answers?;
            let holds = |(place, (seen, _)): (&LeasePlace, &(Seen, i64))| lease::holds(place, seen);
            let held: Vec<_> = places.iter().zip(&answers).filter_map(holds).collect();
            // after a wait that is over, the attempt to acquire the lease fails
            let is_held = looks.see(&held, Instant::now()) == Some(false);
            // the time until a token expires only decreases, unless another token is saved
            let tokens: Vec<i64> = answers.iter().map(|(_, token)| *token).collect();
            let is_saved = previous
                .as_ref()
                .is_some_and(|previous| previous.iter().zip(&tokens).any(|(old, new)| new > old));
            if !is_held || is_saved {
                return Ok(());
            }
            previous = Some(tokens);
            let interval = poll_interval() * MAX_POLL_FACTOR.min(polls);
            if timeout(interval, subscription.message()).await.is_ok() {
                return Ok(());
            }
        }
        Ok(())
    }

    fn patience(&self) -> Duration {
        if self.link.first_attempt_done() {
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
            .field("codec", &self.codec)
            .field("prefix", &self.prefix)
            .field("lease", &self.lease)
            .finish()
    }
}

/// Returns the time between two times, by the clock that says more: the monotonic one stands still while
/// the machine is suspended, the other one may be set back.
fn elapsed(start: (Instant, SystemTime), end: (Instant, SystemTime)) -> Duration {
    let by_wall_clock = end.1.duration_since(start.1).unwrap_or_default();
    end.0.duration_since(start.0).max(by_wall_clock)
}

fn age(token: &SharedToken) -> Duration {
    token.lifetime().saturating_sub(token.remaining())
}

fn poll_interval() -> Duration {
    MIN_POLL_INTERVAL + (MAX_POLL_INTERVAL - MIN_POLL_INTERVAL).mul_f64(fastrand::f64())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Else the token would be saved with an end that is later by the time of the suspension.
    #[test]
    fn a_token_ages_while_the_machine_is_suspended_during_a_save() {
        let (second, hour) = (Duration::from_secs(1), Duration::from_secs(3600));
        let (start, wall) = (Instant::now(), SystemTime::now());
        let suspended = elapsed((start, wall), (start + second, wall + hour));
        assert_eq!(suspended, hour);
        let set_back = elapsed((start, wall), (start + second, wall - hour));
        assert_eq!(set_back, second);
    }
}
