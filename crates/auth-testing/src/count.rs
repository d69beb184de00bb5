//! A number that a test can wait for.

use tokio::sync::watch;

/// Counts up, and wakes those who wait for a value.
#[derive(Debug, Default)]
pub(crate) struct Count(watch::Sender<usize>);

impl Count {
    pub(crate) fn increment(&self) {
        self.0.send_modify(|value| *value += 1);
    }

    pub(crate) fn value(&self) -> usize {
        *self.0.borrow()
    }

    pub(crate) async fn until(&self, at_least: usize) {
        // An error would mean that the sender is gone, and `self` holds it.
        let _ = self
            .0
            .subscribe()
            .wait_for(|value| *value >= at_least)
            .await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn wakes_at_the_value_and_not_before() {
        let count = Count::default();
        count.until(0).await;
        let waiter = count.until(2);
        tokio::pin!(waiter);
        for _ in 0..2 {
            assert!(futures_util::poll!(&mut waiter).is_pending());
            count.increment();
        }
        waiter.await;
        assert_eq!(count.value(), 2);
    }
}
