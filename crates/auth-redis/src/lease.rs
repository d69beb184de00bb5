//! The lease on a token request, kept in Redis.
//!
//! A lease is a proven [`Claim`] that has not ended. Any other value of its key is no lease: it keeps
//! no process from requesting a token, and is replaced.

use std::{fmt, future::pending, sync::Arc, time::Duration};

use auth_core::{Error, ErrorKind, async_trait, shared_store::Lease};
use futures_util::future::{join_all, try_join_all};
use redis::Cmd;
use tokio::{runtime::Handle, time::Instant, time::sleep};

use crate::{
    events,
    lease_claim::{Claim, ClaimState, HolderId, LeasePlace},
    link::Link,
    scripts,
    seal_keys::random_bytes,
    waits::Looks,
};

/// The maximum number of times that the value of a lease may change between a look at it and its
/// replacement.
const MAX_TRIES: u32 = 3;

/// What the server has for a lease: its time in milliseconds, and the value.
pub(crate) type Seen = (u64, Vec<u8>);

/// A lease in the places that each seal key of the ring gives. Processes whose rings have a key in
/// common therefore exclude each other, whatever the order of the rings.
pub(crate) struct RedisLease {
    link: Arc<Link>,
    places: Vec<LeasePlace>,
    holder: HolderId,
    duration: Duration,
    /// The state of the claim while the token is requested.
    state: ClaimState,
    /// Whether the lease was acquired in all its places. Waiters wait only for complete leases.
    is_complete: bool,
}

impl RedisLease {
    /// Returns `None` if another process holds the lease.
    ///
    /// # Errors
    /// If an operation fails, if other clients keep changing the lease, or if the caller has waited for
    /// longer than the leases of existing holders last.
    pub(crate) async fn acquire(
        link: &Arc<Link>,
        places: Vec<LeasePlace>,
        duration: Duration,
        looks: &Looks<'_>,
    ) -> Result<Option<Self>, Error> {
        let seen = try_join_all(places.iter().map(|place| look(link, place))).await?;
        let holder = random_bytes()?;
        let held: Vec<_> = places
            .iter()
            .zip(&seen)
            .filter_map(|(place, seen)| holds(place, seen))
            .collect();
        if let Some(is_over) = looks.see(&held, Instant::now()) {
            return held_or_error(is_over, link);
        }
        // an incomplete lease is released on drop
        let mut lease = Self::empty(link, holder, duration);
        let mut states = places
            .iter()
            .zip(&seen)
            .filter_map(|(place, (now, value))| Some(place.claim(value)?.next_state(*now)));
        if states.any(|state| state == ClaimState::RequestingAgain) {
            lease.state = ClaimState::RequestingAgain;
        }
        for (place, mut seen) in places.into_iter().zip(seen) {
            let mut tries = 0;
            loop {
                let held: Vec<_> = holds(&place, &seen).into_iter().collect();
                if let Some(is_over) = looks.see(&held, Instant::now()) {
                    return held_or_error(is_over, link);
                }
                if place.claim(&seen.1).is_none() && !seen.1.is_empty() {
                    events::lease_unproven(link.event_limits(), &place.names.lease);
                }
                tries += 1;
                if tries > MAX_TRIES {
                    return Err(keeps_changing(link));
                }
                let (changed, mut part) = lease.acquire_part(place.clone(), &seen).await?;
                match changed {
                    Some(now) => seen = now,
                    None => {
                        lease.places.append(&mut part.places);
                        break;
                    }
                }
            }
        }
        lease.is_complete = true;
        Ok(Some(lease))
    }

    fn empty(link: &Arc<Link>, holder: HolderId, duration: Duration) -> Self {
        Self {
            link: link.clone(),
            places: Vec::new(),
            holder,
            duration,
            state: ClaimState::Requesting,
            is_complete: false,
        }
    }

    /// Acquires the lease in one place. Returns what is seen there, if it is another value than
    /// `seen`; the returned part is empty then.
    async fn acquire_part(
        &self,
        place: LeasePlace,
        seen: &Seen,
    ) -> Result<(Option<Seen>, Self), Error> {
        let command = self.replacement(&place, seen, self.state, self.duration);
        let mut part = Self::empty(&self.link, self.holder, self.duration);
        self.link
            .run(|mut connection| async move {
                // once the command is sent, the server may have granted the lease
                part.places.push(place);
                let changed: Option<Seen> = command.query_async(&mut connection).await?;
                if changed.is_some() {
                    part.places.clear();
                }
                Ok((changed, part))
            })
            .await
    }

    /// Returns the command that replaces the value that was seen by a claim of this holder.
    fn replacement(
        &self,
        place: &LeasePlace,
        (now, seen): &Seen,
        state: ClaimState,
        duration: Duration,
    ) -> Cmd {
        let claim = Claim::new(self.holder, state, duration, *now);
        scripts::replace(&place.names, seen, &place.value(&claim), claim.kept())
    }

    /// Renews the lease. Returns whether it is still held in all its places.
    async fn renew(&self) -> Result<bool, Error> {
        let renewed = self.places.iter().map(|place| self.renew_in(place));
        let renewed: Result<Vec<bool>, Error> = join_all(renewed).await.into_iter().collect();
        Ok(renewed?.into_iter().all(|is_held| is_held))
    }

    async fn renew_in(&self, place: &LeasePlace) -> Result<bool, Error> {
        let mut seen = look(&self.link, place).await?;
        for _ in 0..MAX_TRIES {
            let is_held = match place.claim(&seen.1) {
                Some(claim) if claim.holder == self.holder => claim.state != ClaimState::BackingOff,
                Some(claim) => claim.left(seen.0).is_none(),
                // the lease is still this holder's, if another client has overwritten it
                None => !seen.1.is_empty(),
            };
            if !is_held {
                return Ok(false);
            }
            let command = self.replacement(place, &seen, self.state, self.duration);
            match run(&self.link, command).await? {
                Some(now) => seen = now,
                None => return Ok(true),
            }
        }
        Err(keeps_changing(&self.link))
    }

    /// Ends the lease in each place that is held by this holder: removes it, or replaces it by a claim
    /// to back off for `delay`.
    async fn end(&self, places: &[LeasePlace], delay: Option<Duration>) -> Result<(), Error> {
        let ended = places.iter().map(|place| self.end_in(place, delay));
        join_all(ended).await.into_iter().collect()
    }

    async fn end_in(&self, place: &LeasePlace, delay: Option<Duration>) -> Result<(), Error> {
        let seen = look(&self.link, place).await?;
        let claim = place.claim(&seen.1);
        if claim.is_none_or(|claim| claim.holder != self.holder) {
            return Ok(());
        }
        // if the value changes in between, another process has acquired the lease, or will
        match delay {
            Some(delay) => {
                let command = self.replacement(place, &seen, ClaimState::BackingOff, delay);
                run::<Option<Seen>>(&self.link, command).await.map(drop)
            }
            None => {
                // the waiters wait for another, complete lease, if this one is not
                let channel = match self.is_complete {
                    true => &*place.names.channel,
                    false => "",
                };
                let command = scripts::remove(&place.names, &seen.1, channel);
                run::<bool>(&self.link, command).await.map(drop)
            }
        }
    }
}

#[async_trait]
impl Lease for RedisLease {
    async fn hold(&self) {
        let mut until_renewal = self.duration / 3;
        loop {
            sleep(until_renewal).await;
            until_renewal = match self.renew().await {
                Ok(true) => self.duration / 3,
                Ok(false) => {
                    events::lease_lost();
                    return pending().await;
                }
                Err(error) => {
                    events::lease_renewal_failed(&error);
                    self.duration / 12
                }
            };
        }
    }

    async fn release(mut self: Box<Self>) -> Result<(), Error> {
        let places = std::mem::take(&mut self.places);
        self.end(&places, None).await
    }

    async fn release_after(mut self: Box<Self>, delay: Duration) -> Result<(), Error> {
        let places = std::mem::take(&mut self.places);
        self.end(&places, Some(delay)).await
    }
}

impl Drop for RedisLease {
    /// Releases the lease, so that other processes need not wait for its end.
    fn drop(&mut self) {
        let places = std::mem::take(&mut self.places);
        if places.is_empty() {
            return;
        }
        if let Ok(runtime) = Handle::try_current() {
            let mut ended = Self::empty(&self.link, self.holder, self.duration);
            ended.is_complete = self.is_complete;
            runtime.spawn(async move {
                // after a failure the lease ends by itself
                let _ = ended.end(&places, None).await;
            });
        }
    }
}

impl fmt::Debug for RedisLease {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisLease")
            .field("duration", &self.duration)
            .finish_non_exhaustive()
    }
}

/// Returns the claim that keeps other processes from requesting a token, and how much longer it does.
pub(crate) fn holds(place: &LeasePlace, (now, value): &Seen) -> Option<(Claim, Duration)> {
    let claim = place.claim(value)?;
    Some((claim, claim.left(*now)?))
}

async fn look(link: &Arc<Link>, place: &LeasePlace) -> Result<Seen, Error> {
    run(link, scripts::look(&place.names)).await
}

async fn run<T: redis::FromRedisValue + Send + 'static>(
    link: &Arc<Link>,
    command: Cmd,
) -> Result<T, Error> {
    link.run(|mut connection| async move { command.query_async(&mut connection).await })
        .await
}

/// Returns that another process holds the lease, or an error if this process has waited for long enough.
fn held_or_error<T>(is_over: bool, link: &Link) -> Result<Option<T>, Error> {
    match is_over {
        true => Err(held_for_too_long(link)),
        false => Ok(None),
    }
}

fn held_for_too_long(link: &Link) -> Error {
    let message = format!(
        "Redis at {link:?}: the holders of the lease on the token request left neither a token nor a \
         failure behind; expected one of them within one and a half times the lease"
    );
    Error::new(ErrorKind::SharedStore, message)
}

fn keeps_changing(link: &Link) -> Error {
    let message = format!(
        "Redis at {link:?}: the lease on the token request could not be acquired, because another \
         client changed it {MAX_TRIES} times meanwhile; check who may write to the keys of auth-redis"
    );
    Error::new(ErrorKind::SharedStore, message)
}
