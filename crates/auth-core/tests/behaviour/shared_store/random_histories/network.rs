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
pub(super) enum Mood {
    Works,
    /// Each way may take so many milliseconds.
    Slow(u64),
    /// Cannot be reached.
    Gone,
    /// Takes what is sent, and does it when it is well again.
    Hangs,
}

/// The way to one server, the same for all processes.
#[derive(Clone)]
pub(super) struct Network(Arc<State>);

struct State {
    mood: watch::Sender<Mood>,
    rng: Mutex<fastrand::Rng>,
    /// When the server works, each way takes up to so long.
    usual: Duration,
}

impl Network {
    pub(super) fn new(usual: Duration, seed: u64) -> Self {
        Self(Arc::new(State {
            mood: watch::Sender::new(Mood::Works),
            rng: Mutex::new(fastrand::Rng::with_seed(seed)),
            usual,
        }))
    }

    pub(super) fn mood(&self) -> Mood {
        *self.0.mood.borrow()
    }

    pub(super) fn set(&self, mood: Mood) {
        self.0.mood.send_replace(mood);
    }

    /// The server works, or is slow.
    pub(super) fn is_up(&self) -> bool {
        !matches!(self.mood(), Mood::Hangs | Mood::Gone)
    }

    pub(super) async fn until_it_answers(&self) {
        let mut mood = self.0.mood.subscribe();
        let _ = mood.wait_for(|mood| *mood != Mood::Hangs).await;
    }

    fn way(&self) -> Duration {
        let longest = match self.mood() {
            Mood::Slow(millis) => Duration::from_millis(millis),
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
        if self.mood() == Mood::Gone {
            return Err(Error::new(ErrorKind::Connection, "scripted: gone"));
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
