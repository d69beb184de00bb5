//! The `jti` of assertions that were accepted.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
    time::Duration,
};

use crate::sync::lock;

/// The used ids, each until its assertion expires. Clones share them.
#[derive(Clone, Debug, Default)]
pub(super) struct UsedIds(Arc<Mutex<HashMap<String, Duration>>>);

impl UsedIds {
    /// Records an id. Returns whether it is new.
    pub(super) fn record(&self, id: &str, expires_at: Duration, now: Duration) -> bool {
        let mut used = lock(&self.0);
        used.retain(|_, end| *end > now);
        used.insert(id.to_owned(), expires_at).is_none()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_new_once_while_its_assertion_is_valid() {
        let (used, clone) = {
            let used = UsedIds::default();
            (used.clone(), used)
        };
        let seconds = Duration::from_secs;
        assert!(used.record("a", seconds(10), seconds(1)));
        assert!(!clone.record("a", seconds(10), seconds(9)));
        assert!(used.record("b", seconds(10), seconds(9)));
        assert!(used.record("a", seconds(20), seconds(10)));
    }
}
