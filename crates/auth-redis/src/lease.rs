//! The right to request a token, kept at the server.

use std::{fmt, future::pending, sync::Arc, time::Duration};

use auth_core::{Error, Lease, async_trait};
use futures_util::future::join_all;
use redis::Cmd;
use tokio::{runtime::Handle, time::sleep};

use crate::{events, link::Link, names::Names, random::random, scripts};

/// Tells holders apart; nobody can guess that of another one.
type Owner = [u8; 16];

/// Leases under the names of all keys of the ring: processes whose rings have a key in common
/// exclude each other, whichever key is the first.
pub(crate) struct RedisLease {
    link: Arc<Link>,
    names: Vec<Names>,
    owner: Owner,
    time: Duration,
    /// Whether it was taken under all its names. Nobody waits for a part of one.
    is_whole: bool,
}

impl RedisLease {
    /// `None`: somebody else has it.
    pub(crate) async fn take(
        link: &Arc<Link>,
        mut names: Vec<Names>,
        time: Duration,
    ) -> Result<Option<Self>, Error> {
        // everybody takes them in the same order, so that of those who try at once one succeeds
        names.sort_by(|one, other| one.lease.cmp(&other.lease));
        let owner = random()?;
        // what is dropped here, or arrives when nobody waits any more, is given back
        let mut lease = Self {
            link: link.clone(),
            names: Vec::with_capacity(names.len()),
            owner,
            time,
            is_whole: false,
        };
        for name in names {
            let command = scripts::lease(&name, &owner, time);
            let mut taken = Self {
                link: link.clone(),
                names: Vec::new(),
                owner,
                time,
                is_whole: false,
            };
            let taken = link
                .run(|mut connection| async move {
                    // from here on it may be ours
                    taken.names.push(name);
                    let is_ours: bool = command.query_async(&mut connection).await?;
                    if !is_ours {
                        taken.names.clear();
                    }
                    Ok(taken)
                })
                .await?;
            let mut taken = taken;
            if taken.names.is_empty() {
                return Ok(None);
            }
            lease.names.append(&mut taken.names);
        }
        lease.is_whole = true;
        Ok(Some(lease))
    }

    /// Whether all of it is still ours.
    async fn renew(&self) -> Result<bool, Error> {
        let renewals = self.names.iter().map(|names| {
            let command = scripts::renew(names, &self.owner, self.time);
            self.link.run(|mut connection| async move {
                command.query_async::<bool>(&mut connection).await
            })
        });
        let renewals = join_all(renewals).await;
        let renewals: Vec<bool> = renewals.into_iter().collect::<Result<_, _>>()?;
        Ok(renewals.into_iter().all(|is_ours| is_ours))
    }
}

#[async_trait]
impl Lease for RedisLease {
    async fn hold(&self) {
        let mut pause = self.time / 3;
        loop {
            sleep(pause).await;
            pause = match self.renew().await {
                Ok(true) => self.time / 3,
                Ok(false) => {
                    events::lease_lost();
                    return pending().await;
                }
                Err(error) => {
                    events::lease_not_renewed(&error);
                    self.time / 12
                }
            };
        }
    }

    async fn release(mut self: Box<Self>) -> Result<(), Error> {
        let names = std::mem::take(&mut self.names);
        give_back(&self.link, names, self.owner, scripts::release).await
    }

    async fn release_after(mut self: Box<Self>, pause: Duration) -> Result<(), Error> {
        let names = std::mem::take(&mut self.names);
        let pauses = names.iter().map(|names| {
            let command = scripts::pause(names, &self.owner, pause);
            self.link.run(|mut connection| async move {
                command.query_async::<bool>(&mut connection).await
            })
        });
        let pauses = join_all(pauses).await;
        pauses.into_iter().try_for_each(|pause| pause.map(drop))
    }
}

impl Drop for RedisLease {
    /// Others need not wait for the end of a lease that nobody holds any more.
    fn drop(&mut self) {
        let names = std::mem::take(&mut self.names);
        if names.is_empty() {
            return;
        }
        if let Ok(runtime) = Handle::try_current() {
            let (link, owner) = (self.link.clone(), self.owner);
            let command = match self.is_whole {
                true => scripts::release,
                false => scripts::release_quietly,
            };
            runtime.spawn(async move {
                // if it fails, the lease ends by itself
                let _ = give_back(&link, names, owner, command).await;
            });
        }
    }
}

impl fmt::Debug for RedisLease {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisLease")
            .field("time", &self.time)
            .finish_non_exhaustive()
    }
}

async fn give_back(
    link: &Arc<Link>,
    names: Vec<Names>,
    owner: Owner,
    command: fn(&Names, &[u8]) -> Cmd,
) -> Result<(), Error> {
    let releases = names.iter().map(|names| {
        let command = command(names, &owner);
        link.run(|mut connection| async move { command.query_async::<bool>(&mut connection).await })
    });
    let releases = join_all(releases).await;
    releases
        .into_iter()
        .try_for_each(|release| release.map(drop))
}
