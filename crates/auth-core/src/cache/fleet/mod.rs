//! A flight that looks for a token in the store that processes share before it asks for one.

mod operation;
mod worth;

use std::{
    future::{Future, poll_fn},
    pin::pin,
    sync::Arc,
    time::Duration,
};

use self::operation::Trouble;
use super::journey::{Journey, unpanicked};
use crate::{
    Error, ErrorKind, Lease, SharedKey, SharedToken, SharedTokenStore, TokenResponse, events,
    time::Now,
};

/// The place of one token in the store.
pub(super) struct Place {
    store: Arc<dyn SharedTokenStore>,
    key: SharedKey,
}

/// What a flight came back with.
pub(super) struct Found {
    /// When the request was sent, or the token taken from the store.
    pub(super) sent: Now,
    pub(super) result: Result<TokenResponse, Error>,
    pub(super) is_shared: bool,
    /// Where others will look for it.
    pub(super) place: Option<Place>,
    /// To be given back when the token has been saved.
    pub(super) lease: Option<Box<dyn Lease>>,
}

impl Found {
    fn asked((sent, result): (Now, Result<TokenResponse, Error>)) -> Self {
        Self {
            sent,
            result,
            is_shared: false,
            place: None,
            lease: None,
        }
    }
}

enum Chance {
    Saved(Saved),
    Leased(Box<dyn Lease>),
    /// Somebody else has the lease.
    Taken,
}

/// A token that somebody has saved, and that is worth having.
struct Saved {
    token: SharedToken,
    /// Before the store was asked. What it said may have waited since, for a process that was frozen.
    asked: Now,
}

/// Whoever fails keeps others from trying no longer than this.
const LONGEST_PAUSE: Duration = Duration::from_secs(10);
/// Between two tries for the lease, and up to twice as long: a store may tell of changes that are none.
const BETWEEN_TRIES: Duration = Duration::from_millis(50);

impl Journey {
    /// A token that another process has saved, or one that was asked for.
    pub(super) async fn find(&self) -> Found {
        let Some(place) = self.place().await else {
            return Found::asked(self.ask().await);
        };
        let found = match self.before_asking(&place).await {
            Ok(Chance::Saved(Saved { token, asked })) => Found {
                is_shared: true,
                ..Found::asked((asked, Ok(token.into_response())))
            },
            Ok(Chance::Leased(lease)) => {
                let asked = held(&*lease, self.ask()).await;
                Found {
                    lease: Some(lease),
                    ..Found::asked(asked)
                }
            }
            Ok(Chance::Taken) => {
                let why = "another process is to request the token, and no token has come";
                let in_vain = Error::new(ErrorKind::Timeout, why);
                Found::asked((self.clock.now(), Err(in_vain)))
            }
            Err(trouble) => {
                if let Trouble::NoTime(operation, too_slow) = trouble {
                    self.failed(operation, &too_slow);
                }
                Found::asked(self.ask().await)
            }
        };
        Found {
            place: Some(place),
            ..found
        }
    }

    /// A token that makes asking needless, or the right to ask, or neither in time.
    async fn before_asking(&self, place: &Place) -> Result<Chance, Trouble> {
        let now = self.clock.now().monotonic;
        // a dead one's lease ends before that, and what is left is enough to ask
        let patient = now + self.deadline.saturating_sub(now) * 3 / 4;
        if let Some(chance) = self.until(place, patient, false).await? {
            return Ok(chance);
        }
        // the holder lives, and its request hangs. If all asked now, a server that does not answer
        // would be asked by the whole fleet at once
        events::lease_held_too_long();
        let deputy = place.key.deputy();
        let lease = async { place.store.lease(&deputy).await };
        match self.patiently(place, "lease", lease).await {
            Ok(Some(lease)) => return Ok(self.leased(place, lease).await),
            Ok(None) | Err(Trouble::NoTime(..)) => {}
            Err(Trouble::Failed) => return Err(Trouble::Failed),
        }
        // in its last moments an attempt has no time for an answer of the store
        let left = self.deadline.saturating_sub(self.clock.now().monotonic);
        let end = self.deadline - operation::patience(place).await.min(left / 2);
        let chance = self.until(place, end, true).await?;
        Ok(chance.unwrap_or(Chance::Taken))
    }

    /// A token or the lease, if either can be had by `end`. `works`: the store has answered before.
    async fn until(
        &self,
        place: &Place,
        end: Duration,
        mut works: bool,
    ) -> Result<Option<Chance>, Trouble> {
        // a token that is saved between our first look and this is news to nobody
        let mut look_again = operation::patience(place).await.saturating_mul(2);
        while self.clock.now().monotonic < end {
            match self.chance(place).await {
                Ok(Chance::Taken) => works = true,
                Ok(chance) => return Ok(Some(chance)),
                // somebody has the lease, and it is not for want of time that all may ask
                Err(Trouble::NoTime(..)) if works => {}
                Err(trouble) => return Err(trouble),
            }
            let changed = unpanicked(async { place.store.changed(&place.key).await });
            let news_by = self
                .clock
                .now()
                .monotonic
                .saturating_add(look_again)
                .min(end);
            look_again = Duration::MAX;
            let changed = self.clock.before(news_by, changed).await;
            if let Some(Err(error)) = changed.map(operation::of_store) {
                return Err(self.failed("wait", &error));
            }
            match self.saved(place).await {
                Ok(Some(saved)) => return Ok(Some(Chance::Saved(saved))),
                Ok(None) | Err(Trouble::NoTime(..)) => {}
                Err(Trouble::Failed) => return Err(Trouble::Failed),
            }
            let pause = BETWEEN_TRIES.mul_f64(1.0 + fastrand::f64());
            let next = self.clock.now().monotonic.saturating_add(pause);
            self.clock.sleep_until(next.min(end)).await;
        }
        Ok(None)
    }

    async fn chance(&self, place: &Place) -> Result<Chance, Trouble> {
        let Place { store, key } = place;
        if let Some(saved) = self.saved(place).await? {
            return Ok(Chance::Saved(saved));
        }
        let lease = async { store.lease(key).await };
        match self.patiently(place, "lease", lease).await? {
            Some(lease) => Ok(self.leased(place, lease).await),
            None => Ok(Chance::Taken),
        }
    }

    /// What to do with the lease that we have got.
    async fn leased(&self, place: &Place, lease: Box<dyn Lease>) -> Chance {
        // the one before us may have saved it just before giving the lease back
        match self.saved(place).await {
            Ok(Some(saved)) => {
                let release = async { lease.release().await };
                // if it fails, the lease ends by itself
                let _ = self.patiently(place, "release", release).await;
                Chance::Saved(saved)
            }
            Ok(None) | Err(_) => Chance::Leased(lease),
        }
    }

    /// The saved token, if it is worth having.
    async fn saved(&self, place: &Place) -> Result<Option<Saved>, Trouble> {
        let asked = self.clock.now();
        let load = async { place.store.load(&place.key).await };
        let token = self.patiently(place, "load", load).await?;
        let cache = self.cache.upgrade();
        let token = token.filter(|token| cache.is_some_and(|cache| cache.wants(token, asked)));
        Ok(token.map(|token| Saved { token, asked }))
    }

    /// Where the token is shared, if it is.
    async fn place(&self) -> Option<Place> {
        let store = self.store.clone()?;
        let key = unpanicked(async { self.source.shared_key(&self.request) });
        let key = key.await.ok().flatten();
        if key.is_none() {
            events::not_shareable();
        }
        Some(Place { store, key: key? })
    }

    /// Saves what came, and gives the lease back: after a `pause` if nothing did.
    pub(super) async fn share(
        &self,
        place: &Place,
        minted: Option<SharedToken>,
        lease: Option<Box<dyn Lease>>,
        pause: Option<Duration>,
    ) {
        if let Some(token) = minted {
            let save = async { place.store.save(&place.key, &token).await };
            let save = self.afterwards(place, "save", save);
            match &lease {
                Some(lease) => held(&**lease, save).await,
                None => save.await,
            }
        }
        let Some(lease) = lease else { return };
        let release = async {
            match pause {
                Some(pause) => lease.release_after(pause.min(LONGEST_PAUSE)).await,
                None => lease.release().await,
            }
        };
        self.afterwards(place, "release", release).await;
    }
}

/// What `asked` comes to, while the lease is held.
async fn held<T>(lease: &dyn Lease, asked: impl Future<Output = T>) -> T {
    let (mut hold, mut asked) = (pin!(unpanicked(lease.hold())), pin!(asked));
    let mut is_held = true;
    poll_fn(|cx| {
        if is_held && hold.as_mut().poll(cx).is_ready() {
            is_held = false;
        }
        asked.as_mut().poll(cx)
    })
    .await
}
