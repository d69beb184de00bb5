//! Random histories of a cache, compared with a reference.
//!
//! The test moves the clock, sends the answers of the source, and seeds the random numbers of the cache.
//! Each history is therefore reproducible. A history that fails is printed in its shortest form, and
//! [`replay`] runs it again.

mod agreement;
mod controlled_source;
mod reference;
mod rules;
mod simulation;
mod waiters;

use std::time::Duration;

use auth_core::ErrorKind;
use auth_test_support::secs;
use proptest::{
    collection::vec,
    prelude::{Just, Strategy, any, prop_oneof},
    sample::select,
    test_runner::{Config, TestError, TestRunner},
};
use tokio::runtime::Builder;

use self::{controlled_source::Answer, reference::Reference, simulation::Simulation};

/// One step of a history.
#[derive(Clone, Copy, Debug)]
enum Step {
    /// Time passes, and every task wakes in time.
    Advance(Ahead),
    /// Time passes, and no task runs during it.
    Stall(Ahead),
    /// Suspends the machine, or sets its wall clock forward.
    Suspend(Ahead),
    /// The wall clock is set back by this many seconds.
    SetBack(u64),
    Read,
    Wait,
    DropWaiter(usize),
    Answer(Answer),
    /// The source blocks its thread for this many seconds, during which a caller arrives, and then answers.
    AnswerLate(u64, Answer),
    ClearBackoff,
    CloneHandle,
    DropHandle,
    /// All handles and waiters are dropped, and a new cache is built.
    Rebuild,
}

/// The distance of a step in time.
#[derive(Clone, Copy, Debug)]
enum Ahead {
    Millis(u64),
    /// Until the token is certainly stale.
    Stale,
    /// Half of the time that the token remains usable.
    Half,
    /// A millisecond before the token expires.
    NearlyExpired,
    Expired,
    /// A millisecond before the next attempt is due.
    NearlyRetry,
    Retry,
    /// The deadline of the fetch in flight.
    Deadline,
}

impl Ahead {
    fn of(self, cache: &Reference) -> Duration {
        let nearly = |time: Duration| time.saturating_sub(Duration::from_millis(1));
        let left = cache.left().unwrap_or(secs(1));
        match self {
            Self::Millis(millis) => Duration::from_millis(millis),
            Self::Stale => cache
                .token
                .as_ref()
                .map_or(secs(1), |token| token.until_stale(cache.now)),
            Self::Half => left / 2,
            Self::NearlyExpired => nearly(left),
            Self::Expired => left,
            Self::NearlyRetry => nearly(cache.backoff_left()),
            Self::Retry => cache.backoff_left(),
            Self::Deadline => cache.fetch.as_ref().map_or(Duration::ZERO, |fetch| {
                fetch.deadline.saturating_sub(cache.now.monotonic)
            }),
        }
    }
}

fn ahead() -> impl Strategy<Value = Ahead> {
    use Ahead::{Deadline, Expired, Half, Millis, NearlyExpired, NearlyRetry, Retry, Stale};
    let moment = select(vec![
        Stale,
        Half,
        NearlyExpired,
        Expired,
        NearlyRetry,
        Retry,
        Deadline,
    ]);
    prop_oneof![
        3 => moment,
        1 => select(vec![1, 100, 800, 1000, 5000, 60_000, 4_000_000]).prop_map(Millis),
    ]
}

fn answer() -> impl Strategy<Value = Answer> {
    use ErrorKind::{Connection, Denied, Unavailable};
    let lifetime = select(vec![0, 1, 3, 60, 600, 3600]);
    let kind = || select(vec![Connection, Denied, Unavailable]);
    prop_oneof![
        4 => lifetime.prop_map(Answer::ExpiresIn),
        2 => kind().prop_map(Answer::Fails),
        1 => (kind(), select(vec![0, 7, 50, 7000])).prop_map(|(kind, s)| Answer::RetryAfter(kind, s)),
        1 => Just(Answer::Panics),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        8 => ahead().prop_map(Step::Advance),
        2 => ahead().prop_map(Step::Stall),
        1 => (10_000..20_000_u64).prop_map(|millis| Step::Stall(Ahead::Millis(millis))),
        2 => ahead().prop_map(Step::Suspend),
        1 => select(vec![1, 60, 4000]).prop_map(Step::SetBack),
        6 => Just(Step::Read),
        6 => Just(Step::Wait),
        2 => any::<usize>().prop_map(Step::DropWaiter),
        9 => answer().prop_map(Step::Answer),
        2 => (0..20_u64, answer()).prop_map(|(after, answer)| Step::AnswerLate(after, answer)),
        1 => Just(Step::ClearBackoff),
        1 => Just(Step::CloneHandle),
        1 => Just(Step::DropHandle),
        1 => Just(Step::Rebuild),
    ]
}

/// Runs one history, with the random numbers of `seed`.
fn replay(seed: u64, history: &[Step]) {
    fastrand::seed(seed);
    let runtime = Builder::new_current_thread().build().unwrap();
    runtime.block_on(async {
        let mut simulation = Simulation::new();
        for step in history {
            take(&mut simulation, *step).await;
        }
    });
}

async fn take(simulation: &mut Simulation, step: Step) {
    match step {
        Step::Advance(ahead) => simulation.advance(ahead.of(&simulation.reference)).await,
        Step::Stall(ahead) => simulation.stall(ahead.of(&simulation.reference)).await,
        Step::Suspend(ahead) => simulation.suspend(ahead.of(&simulation.reference)).await,
        Step::SetBack(by) => simulation.set_back(secs(by)).await,
        Step::Read => simulation.read().await,
        Step::Wait => simulation.wait().await,
        Step::DropWaiter(which) => simulation.drop_waiter(which).await,
        Step::Answer(answer) => simulation.answer(answer).await,
        Step::AnswerLate(after, answer) => simulation.answer_late(secs(after), answer).await,
        Step::ClearBackoff => simulation.clear_backoff().await,
        Step::Rebuild => simulation.rebuild().await,
        Step::CloneHandle => simulation.handles.push(simulation.handles[0].clone()),
        Step::DropHandle => simulation
            .handles
            .truncate(simulation.handles.len().saturating_sub(1).max(1)),
    }
}

#[test]
fn the_cache_agrees_with_its_reference_in_every_random_history() {
    let config = Config {
        cases: Config::default().cases.max(1024),
        failure_persistence: None,
        ..Config::default()
    };
    let histories = (any::<u64>(), vec(step(), 1..80));
    let found = TestRunner::new(config).run(&histories, |(seed, history)| {
        replay(seed, &history);
        Ok(())
    });
    match found {
        Ok(()) => {}
        Err(TestError::Fail(why, (seed, history))) => {
            let steps: Vec<_> = history.iter().map(|step| format!("    {step:?}")).collect();
            panic!("{why}, with seed {seed}, after\n{}", steps.join("\n"));
        }
        Err(aborted) => panic!("{aborted}"),
    }
}

/// The short lifetime of the response has ended when it arrives, because the machine was suspended.
#[test]
fn a_refreshed_token_past_its_end_does_not_replace_a_usable_one() {
    let history = [
        Step::Wait,
        Step::Answer(Answer::ExpiresIn(3600)),
        Step::Advance(Ahead::Stale),
        Step::Read,
        Step::Suspend(Ahead::Millis(60_000)),
        Step::Answer(Answer::ExpiresIn(3)),
        Step::Read,
    ];
    replay(0, &history);
}
