//! Where requests wait while a test arranges the rest.

use tokio::sync::watch;

/// Open until it is closed; those who come while it is closed pass when it opens.
#[derive(Debug, Default)]
pub(crate) struct Gate {
    closed: watch::Sender<bool>,
}

impl Gate {
    pub(crate) fn close(&self) {
        self.closed.send_replace(true);
    }

    pub(crate) fn open(&self) {
        self.closed.send_replace(false);
    }

    pub(crate) async fn pass(&self) {
        // An error would mean that the sender is gone, and `self` holds it.
        let _ = self.closed.subscribe().wait_for(|closed| !closed).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn holds_while_closed() {
        let gate = Gate::default();
        gate.pass().await;
        gate.close();
        let waiter = gate.pass();
        tokio::pin!(waiter);
        assert!(futures_util::poll!(&mut waiter).is_pending());
        gate.open();
        waiter.await;
    }
}
