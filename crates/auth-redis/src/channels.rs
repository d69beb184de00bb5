//! The channels of change notifications, and how many waiters each has. It does no I/O.

use std::{
    collections::{HashMap, hash_map::Entry},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::sync::watch;

/// The channels that have at least one waiter in this process, by name.
#[derive(Debug, Default)]
pub(crate) struct Channels {
    by_name: Mutex<HashMap<String, Joined>>,
}

#[derive(Debug)]
struct Joined {
    channel: Arc<Channel>,
    waiters: usize,
}

#[derive(Debug)]
pub(crate) struct Channel {
    /// Notified at each message on the channel.
    pub(crate) messages: watch::Sender<()>,
    /// The number of the connection on which this channel was last subscribed to. The lock is held
    /// while a command is sent, so that SUBSCRIBE and UNSUBSCRIBE reach the server in that order.
    pub(crate) subscribed_on: Arc<tokio::sync::Mutex<Option<u64>>>,
}

impl Channels {
    /// Wakes the waiters on this channel.
    pub(crate) fn notify(&self, channel: &[u8]) {
        let Ok(name) = std::str::from_utf8(channel) else {
            return;
        };
        if let Some(joined) = self.by_name().get(name) {
            joined.channel.messages.send_replace(());
        }
    }

    /// Adds a waiter to the channel.
    pub(crate) fn join(&self, name: &str) -> Arc<Channel> {
        let mut channels = self.by_name();
        let joined = channels.entry(name.to_owned()).or_insert_with(|| Joined {
            channel: Arc::new(Channel {
                messages: watch::Sender::new(()),
                subscribed_on: Arc::default(),
            }),
            waiters: 0,
        });
        joined.waiters += 1;
        joined.channel.clone()
    }

    /// Removes a waiter from the channel. Returns the channel if that was the last one.
    pub(crate) fn leave(&self, name: &str) -> Option<Arc<Channel>> {
        let mut channels = self.by_name();
        let joined = channels.get_mut(name)?;
        joined.waiters -= 1;
        (joined.waiters == 0).then(|| joined.channel.clone())
    }

    /// Whether this very channel has no waiters. A later channel of the same name is another one.
    pub(crate) fn is_unused(&self, name: &str, channel: &Arc<Channel>) -> bool {
        let channels = self.by_name();
        let joined = channels.get(name);
        joined.is_some_and(|joined| joined.waiters == 0 && Arc::ptr_eq(&joined.channel, channel))
    }

    /// Forgets this very channel if it has no waiters.
    pub(crate) fn remove_unused(&self, name: &str, channel: &Arc<Channel>) {
        if let Entry::Occupied(joined) = self.by_name().entry(name.to_owned())
            && joined.get().waiters == 0
            && Arc::ptr_eq(&joined.get().channel, channel)
        {
            joined.remove();
        }
    }

    fn by_name(&self) -> MutexGuard<'_, HashMap<String, Joined>> {
        self.by_name.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
