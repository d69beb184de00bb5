//! Who waits for news, and on which channels the server tells them.

use std::{
    collections::{HashMap, hash_map::Entry},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use futures_util::future::select_all;
use tokio::{runtime::Handle, sync::watch};

use crate::{
    events,
    link::{Link, Up},
};

/// The channels that somebody waits on.
#[derive(Debug, Default)]
pub(crate) struct Channels {
    open: Mutex<HashMap<String, Open>>,
}

#[derive(Debug)]
struct Open {
    channel: Arc<Channel>,
    waiters: usize,
}

#[derive(Debug)]
struct Channel {
    news: watch::Sender<()>,
    /// On the connection of which number this was asked of the server. Held while it is asked, so
    /// that the server hears of coming and going in that order.
    subscribed: Arc<tokio::sync::Mutex<Option<u64>>>,
}

impl Channels {
    /// Wakes those who wait on this channel.
    pub(crate) fn tell(&self, channel: &[u8]) {
        let Ok(name) = std::str::from_utf8(channel) else {
            return;
        };
        if let Some(open) = self.open().get(name) {
            open.channel.news.send_replace(());
        }
    }

    fn join(&self, name: &str) -> Arc<Channel> {
        let mut channels = self.open();
        let open = channels.entry(name.to_owned()).or_insert_with(|| Open {
            channel: Arc::new(Channel {
                news: watch::Sender::new(()),
                subscribed: Arc::default(),
            }),
            waiters: 0,
        });
        open.waiters += 1;
        open.channel.clone()
    }

    /// The channel, if nobody is left who waits on it.
    fn leave(&self, name: &str) -> Option<Arc<Channel>> {
        let mut channels = self.open();
        let open = channels.get_mut(name)?;
        open.waiters -= 1;
        (open.waiters == 0).then(|| open.channel.clone())
    }

    /// Whether nobody waits on this very channel; one that was opened after it is another.
    fn is_deserted(&self, name: &str, channel: &Arc<Channel>) -> bool {
        let channels = self.open();
        let open = channels.get(name);
        open.is_some_and(|open| open.waiters == 0 && Arc::ptr_eq(&open.channel, channel))
    }

    fn close(&self, name: &str, channel: &Arc<Channel>) {
        if let Entry::Occupied(open) = self.open().entry(name.to_owned())
            && open.get().waiters == 0
            && Arc::ptr_eq(&open.get().channel, channel)
        {
            open.remove();
        }
    }

    fn open(&self) -> MutexGuard<'_, HashMap<String, Open>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Somebody who waits on some channels, until dropped.
#[derive(Debug)]
pub(crate) struct Waiter {
    link: Arc<Link>,
    places: Vec<Place>,
}

#[derive(Debug)]
struct Place {
    name: String,
    channel: Arc<Channel>,
    news: watch::Receiver<()>,
}

impl Waiter {
    pub(crate) fn new(link: &Arc<Link>, names: impl IntoIterator<Item = String>) -> Self {
        let place = |name: String| {
            let channel = link.channels().join(&name);
            let news = channel.news.subscribe();
            Place {
                name,
                channel,
                news,
            }
        };
        Self {
            link: link.clone(),
            places: names.into_iter().map(place).collect(),
        }
    }

    /// Sees to it that the server tells us. It is asked once on each connection; if it refuses, to
    /// look has to do.
    pub(crate) async fn subscribe(&self, up: &Up) {
        for place in &self.places {
            let subscribed = Arc::clone(&place.channel.subscribed);
            let mut subscribed = subscribed.lock_owned().await;
            if *subscribed == Some(up.number) {
                continue;
            }
            *subscribed = Some(up.number);
            let (mut connection, name) = (up.connection.clone(), place.name.clone());
            let asked = async move {
                let outcome = connection.subscribe(&name).await;
                // it is asked even if we give up waiting meanwhile
                drop(subscribed);
                outcome
            };
            if let Err(error) = self.link.run_on(up, asked).await {
                events::not_subscribed(&error);
            }
        }
    }

    /// Completes when there is news on one of the channels.
    pub(crate) async fn news(&mut self) {
        let news = self.places.iter_mut().map(|place| {
            Box::pin(async {
                // the sender lives in the channel, which we hold
                let _ = place.news.changed().await;
            })
        });
        select_all(news).await;
    }
}

impl Drop for Waiter {
    fn drop(&mut self) {
        for Place { name, .. } in self.places.drain(..) {
            let deserted = self.link.channels().leave(&name);
            let (Some(channel), Ok(runtime)) = (deserted, Handle::try_current()) else {
                continue;
            };
            runtime.spawn(unsubscribe(self.link.clone(), name, channel));
        }
    }
}

/// Tells the server that nobody waits any more, unless somebody does again.
async fn unsubscribe(link: Arc<Link>, name: String, channel: Arc<Channel>) {
    let mut subscribed = channel.subscribed.lock().await;
    if !link.channels().is_deserted(&name, &channel) {
        return;
    }
    let number = subscribed.take();
    if let Some(up) = link.current().filter(|up| Some(up.number) == number) {
        let (mut connection, name) = (up.connection.clone(), name.clone());
        let unsubscribed = async move { connection.unsubscribe(&name).await };
        // if it fails, the server tells somebody who does not listen
        let _ = link.run_on(&up, unsubscribed).await;
    }
    link.channels().close(&name, &channel);
}
