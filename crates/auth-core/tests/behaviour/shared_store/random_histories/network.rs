//! A network path to a server, on which messages take time, get lost and are executed late.

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

/// The condition of the server at the other end.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Condition {
    Works,
    /// Each direction takes up to this many milliseconds.
    Slow(u64),
    /// The server cannot be reached.
    Unreachable,
    /// The server accepts requests, and executes them when it works again.
    Hangs,
}

/// The network path to one server, the same for all processes.
#[derive(Clone)]
pub(super) struct Network(Arc<State>);

struct State {
    condition: watch::Sender<Condition>,
    rng: Mutex<fastrand::Rng>,
    /// The maximum latency of each direction when the server works.
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

    /// Returns whether the server works or is slow.
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
        let max = match self.condition() {
            Condition::Slow(millis) => Duration::from_millis(millis),
            _ => self.0.usual,
        };
        max.mul_f64(self.0.rng.lock().unwrap().f64())
    }

    /// Has the server do `work`, whose argument is the latency of the request. The work is done even if the
    /// sender has given up or has been dropped.
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
