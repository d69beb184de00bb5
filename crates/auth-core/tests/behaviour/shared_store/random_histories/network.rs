//! A way to a server and back, on which things take time, get lost and are executed late.

use std::{
    fmt,
    future::Future,
    sync::{Arc, Mutex},
    time::Duration,
};

use auth_core::{Error, ErrorKind};
use tokio::{
    sync::{oneshot, watch},
    time::{Instant, sleep, sleep_until},
};

use super::machine::Machine;

/// How the server at the other end is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Condition {
    Works,
    /// Each way may take so many milliseconds.
    Slow(u64),
    /// Cannot be reached.
    Unreachable,
    /// Takes what is sent, and does it when it is well again.
    Hangs,
}

/// The way to one server, the same for all processes.
#[derive(Clone)]
pub(super) struct Network(Arc<State>);

struct State {
    condition: watch::Sender<Condition>,
    rng: Mutex<fastrand::Rng>,
    /// When the server works, each way takes up to so long.
    usual: Duration,
}

impl Network {
    pub(super) fn new(usual: Duration, seed: u64) -> Self {
        Self(Arc::new(State {
            condition: watch::Sender::new(Condition::Works),
            rng: Mutex::new(fastrand::Rng::with_seed(seed)),
            usual,
        }))
    }

    pub(super) fn condition(&self) -> Condition {
        *self.0.condition.borrow()
    }

    pub(super) fn set(&self, condition: Condition) {
        self.0.condition.send_replace(condition);
    }

    /// The server works, or is slow.
    pub(super) fn is_up(&self) -> bool {
        !matches!(self.condition(), Condition::Hangs | Condition::Unreachable)
    }

    pub(super) async fn until_it_answers(&self) {
        let mut condition = self.0.condition.subscribe();
        let _ = condition
            .wait_for(|condition| *condition != Condition::Hangs)
            .await;
    }

    fn way(&self) -> Duration {
        let longest = match self.condition() {
            Condition::Slow(millis) => Duration::from_millis(millis),
            _ => self.0.usual,
        };
        longest.mul_f64(self.0.rng.lock().unwrap().f64())
    }

    /// Has the server do `work`, which is told how long it was on its way: also if the sender
    /// has given up meanwhile, or is gone.
    pub(super) async fn send<T: Send + 'static, F: Future<Output = Result<T, Error>> + Send>(
        &self,
        from: &Machine,
        work: impl FnOnce(Duration) -> F + Send + 'static,
    ) -> Result<T, Error> {
        if self.condition() == Condition::Unreachable {
            return Err(Error::new(ErrorKind::Connection, "scripted: unreachable"));
        }
        let (answer, answered) = oneshot::channel();
        let (network, there, back) = (self.clone(), self.way(), self.way());
        let sent = Instant::now();
        tokio::spawn(async move {
            sleep(there).await;
            network.until_it_answers().await;
            let outcome = work(sent.elapsed()).await;
            // the sender may have given up
            let _ = answer.send((outcome, Instant::now() + back));
        });
        let answer = async {
            let (outcome, arrives) = answered.await.unwrap();
            sleep_until(arrives).await;
            outcome
        };
        from.run(answer).await
    }
}

impl fmt::Debug for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Network")
    }
}
