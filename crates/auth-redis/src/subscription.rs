//! A waiter's subscription to the change notifications of a token.

use std::sync::Arc;

use futures_util::future::select_all;
use tokio::{runtime::Handle, sync::watch};

use crate::{
    channels::Channel,
    events,
    link::{Link, OpenConnection},
};

/// The subscription of one waiter, to one or more channels; it ends when it is dropped.
///
/// The server sees one SUBSCRIBE per channel, connection and process, however many waiters there are.
#[derive(Debug)]
pub(crate) struct Subscription {
    link: Arc<Link>,
    listeners: Vec<Listener>,
}

/// A waiter on one channel.
#[derive(Debug)]
struct Listener {
    channel_name: String,
    channel: Arc<Channel>,
    messages: watch::Receiver<()>,
}

impl Subscription {
    pub(crate) fn new(link: &Arc<Link>, channel_names: impl IntoIterator<Item = String>) -> Self {
        let listener = |channel_name: String| {
            let channel = link.channels().join(&channel_name);
            let messages = channel.messages.subscribe();
            Listener {
                channel_name,
                channel,
                messages,
            }
        };
        Self {
            link: link.clone(),
            listeners: channel_names.into_iter().map(listener).collect(),
        }
    }

    /// Subscribes to each channel on this connection, unless that has been done. If the server does
    /// not allow it, the waiter only polls.
    pub(crate) async fn ensure(&self, open: &OpenConnection) {
        for listener in &self.listeners {
            let subscribed_on = Arc::clone(&listener.channel.subscribed_on);
            let mut subscribed_on = subscribed_on.lock_owned().await;
            if *subscribed_on == Some(open.number) {
                continue;
            }
            *subscribed_on = Some(open.number);
            let mut connection = open.connection.clone();
            let name = listener.channel_name.clone();
            let subscribe = async move {
                let outcome = connection.subscribe(&name).await;
                // if the waiter is dropped meanwhile, the command continues and keeps the lock
                drop(subscribed_on);
                outcome
            };
            if let Err(error) = self.link.run_on(open, subscribe).await {
                events::subscription_failed(&error);
            }
        }
    }

    /// Completes at the next message on any of the channels.
    pub(crate) async fn message(&mut self) {
        let messages = self.listeners.iter_mut().map(|listener| {
            Box::pin(async {
                // it cannot fail: the listener holds the channel, and the channel the sender
                let _ = listener.messages.changed().await;
            })
        });
        select_all(messages).await;
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        for Listener { channel_name, .. } in self.listeners.drain(..) {
            let unused = self.link.channels().leave(&channel_name);
            let (Some(channel), Ok(runtime)) = (unused, Handle::try_current()) else {
                continue;
            };
            runtime.spawn(unsubscribe(self.link.clone(), channel_name, channel));
        }
    }
}

/// Unsubscribes from a channel without waiters, unless a waiter has joined it meanwhile.
async fn unsubscribe(link: Arc<Link>, name: String, channel: Arc<Channel>) {
    let mut subscribed_on = channel.subscribed_on.lock().await;
    if !link.channels().is_unused(&name, &channel) {
        return;
    }
    let number = subscribed_on.take();
    if let Some(open) = link.current().filter(|open| Some(open.number) == number) {
        let (mut connection, name) = (open.connection.clone(), name.clone());
        let unsubscribe = async move { connection.unsubscribe(&name).await };
        // a failure leaves a subscription whose messages find no waiter
        let _ = link.run_on(&open, unsubscribe).await;
    }
    link.channels().remove_unused(&name, &channel);
}
