//! The lease on a token request, kept in Redis.

use std::{fmt, future::pending, sync::Arc, time::Duration};

use auth_core::{Error, async_trait, shared_store::Lease};
use futures_util::future::join_all;
use redis::Cmd;
use tokio::{runtime::Handle, time::sleep};

use crate::{events, format::KeyNames, link::Link, scripts, seal_keys::random_bytes};

/// The value of the lease's keys: random, so that only the holder can renew or release the lease.
type HolderId = [u8; 16];

/// A lease under the names that each seal key of the ring gives. Processes whose rings have a key in
/// common therefore exclude each other, whatever the order of the rings.
pub(crate) struct RedisLease {
    link: Arc<Link>,
    names: Vec<KeyNames>,
    holder: HolderId,
    duration: Duration,
    /// Whether the lease was acquired under all its names. Waiters wait only for complete leases.
    is_complete: bool,
}

impl RedisLease {
    /// Returns `None` if another process holds the lease.
    pub(crate) async fn acquire(
        link: &Arc<Link>,
        mut names: Vec<KeyNames>,
        duration: Duration,
    ) -> Result<Option<Self>, Error> {
        // one order for all processes, so that one of several concurrent attempts succeeds
        names.sort_by(|one, other| one.lease.cmp(&other.lease));
        let holder = random_bytes()?;
        // an incomplete lease is released on drop
        let mut lease = Self {
            link: link.clone(),
            names: Vec::with_capacity(names.len()),
            holder,
            duration,
            is_complete: false,
        };
        for name in names {
            let command = scripts::acquire(&name, &holder, duration);
            let mut part = Self {
                link: link.clone(),
                names: Vec::new(),
                holder,
                duration,
                is_complete: false,
            };
            let mut part = link
                .run(|mut connection| async move {
                    // once the command is sent, the server may have granted the lease
                    part.names.push(name);
                    let acquired: bool = command.query_async(&mut connection).await?;
                    if !acquired {
                        part.names.clear();
                    }
                    Ok(part)
                })
                .await?;
            if part.names.is_empty() {
                return Ok(None);
            }
            lease.names.append(&mut part.names);
        }
        lease.is_complete = true;
        Ok(Some(lease))
    }

    /// Renews the lease. Returns whether it is still held under all its names.
    async fn renew(&self) -> Result<bool, Error> {
        let holder = self.holder;
        let duration = self.duration;
        let renewed = on_each(&self.link, &self.names, |names| {
            scripts::renew(names, &holder, duration)
        });
        Ok(renewed.await?.into_iter().all(|is_held| is_held))
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
        let names = std::mem::take(&mut self.names);
        let holder = self.holder;
        let released = on_each(&self.link, &names, |names| scripts::release(names, &holder));
        released.await.map(drop)
    }

    async fn release_after(mut self: Box<Self>, delay: Duration) -> Result<(), Error> {
        let names = std::mem::take(&mut self.names);
        let holder = self.holder;
        let released = on_each(&self.link, &names, |names| {
            scripts::release_after(names, &holder, delay)
        });
        released.await.map(drop)
    }
}

impl Drop for RedisLease {
    /// Releases the lease, so that other processes need not wait for its end.
    fn drop(&mut self) {
        let names = std::mem::take(&mut self.names);
        if names.is_empty() {
            return;
        }
        if let Ok(runtime) = Handle::try_current() {
            let (link, holder) = (self.link.clone(), self.holder);
            let command = match self.is_complete {
                true => scripts::release,
                false => scripts::release_silently,
            };
            runtime.spawn(async move {
                // after a failure the lease ends by itself
                let _ = on_each(&link, &names, |names| command(names, &holder)).await;
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

/// Runs a command for each name, concurrently. Fails if one of them fails, once all have finished.
async fn on_each(
    link: &Arc<Link>,
    names: &[KeyNames],
    command: impl Fn(&KeyNames) -> Cmd,
) -> Result<Vec<bool>, Error> {
    let answers = names.iter().map(|names| {
        let command = command(names);
        link.run(|mut connection| async move { command.query_async(&mut connection).await })
    });
    join_all(answers).await.into_iter().collect()
}
