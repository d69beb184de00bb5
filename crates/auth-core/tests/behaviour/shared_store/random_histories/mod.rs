//! Random histories of processes that share a token. The processes, the store and the authorization server
//! may be slow, fail, hang and lose data.
//!
//! Time is tokio's paused time, and all random numbers come from a seed. A history that fails is printed in
//! its shortest form, and [`replay`] runs it again. `PROPTEST_CASES=30000` draws 30,000 new histories.

mod machine;
mod network;
mod process;
mod recovery;
mod request_checker;
mod rules;
mod server;
mod simulation;
mod store;

use proptest::{
    collection::vec,
    prelude::{Just, Strategy, any, prop_oneof},
    sample::select,
    test_runner::{Config, RngAlgorithm, TestError, TestRng, TestRunner},
};
use tokio::runtime::Builder;

use self::{network::Condition, server::Answers, simulation::Simulation, store::Notifications};

/// The parameters of a history.
#[derive(Clone, Copy, Debug)]
struct Parameters {
    processes: usize,
    /// The lifetime of a token, in seconds.
    lifetime: u64,
    /// The maximum latency of each direction to a working server, in milliseconds.
    way: u64,
}

/// One step of a history.
#[derive(Clone, Copy, Debug)]
enum Step {
    /// This many milliseconds pass.
    Pass(u64),
    /// This many hundredths of a token's lifetime pass.
    PassLife(u32),
    Store(Condition),
    Notifications(Notifications),
    /// The store loses all data.
    Restart,
    Server(Condition),
    Answers(Answers),
    /// All tokens issued so far are revoked.
    Revoke,
    Kill(usize),
    Start,
    /// A process is frozen for this many milliseconds.
    Freeze(usize, u64),
    /// The machine of a process is suspended for this many milliseconds.
    Suspend(usize, u64),
    /// The wall clock of a process is set forward by this many seconds.
    SetForward(usize, u64),
    SetBack(usize, u64),
}

fn parameters() -> impl Strategy<Value = Parameters> {
    let way = select(vec![0, 1, 5, 30, 60]);
    (1..=5_usize, select(vec![30, 60, 600]), way).prop_map(|(processes, lifetime, way)| {
        Parameters {
            processes,
            lifetime,
            way,
        }
    })
}

fn condition() -> impl Strategy<Value = Condition> {
    let slow = select(vec![50, 120, 300, 2000, 9000]);
    prop_oneof![
        4 => Just(Condition::Works),
        3 => slow.prop_map(Condition::Slow),
        1 => Just(Condition::Unreachable),
        2 => Just(Condition::Hangs),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    let pass = select(vec![20, 100, 400, 1000, 3000, 8000, 15_000]);
    let still = select(vec![200, 2000, 6000, 12_000, 40_000]);
    let process = || 0..6_usize;
    let answers = prop_oneof![
        3 => Just(Answers::Tokens),
        2 => Just(Answers::Unavailable),
        1 => select(vec![5, 40]).prop_map(Answers::RetryAfter),
        1 => Just(Answers::Denials),
    ];
    prop_oneof![
        12 => pass.prop_map(Step::Pass),
        6 => select(vec![20, 50, 70, 100]).prop_map(Step::PassLife),
        5 => condition().prop_map(Step::Store),
        2 => select(vec![Notifications::Delivered, Notifications::Lost, Notifications::Spurious]).prop_map(Step::Notifications),
        1 => Just(Step::Restart),
        4 => condition().prop_map(Step::Server),
        3 => answers.prop_map(Step::Answers),
        2 => Just(Step::Revoke),
        2 => process().prop_map(Step::Kill),
        3 => Just(Step::Start),
        2 => (process(), still.clone()).prop_map(|(which, millis)| Step::Freeze(which, millis)),
        1 => (process(), still).prop_map(|(which, millis)| Step::Suspend(which, millis)),
        1 => (process(), 1..4000_u64).prop_map(|(which, by)| Step::SetForward(which, by)),
        1 => (process(), 1..4000_u64).prop_map(|(which, by)| Step::SetBack(which, by)),
    ]
}

/// Runs one history, with the random numbers of `seed`.
fn replay(seed: u64, parameters: &Parameters, history: &[Step]) {
    fastrand::seed(seed);
    let runtime = Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .unwrap();
    runtime.block_on(async {
        let mut simulation = Simulation::new(parameters, seed);
        for step in history {
            simulation.take(*step).await;
        }
        simulation.end().await;
    });
}

#[test]
fn every_random_history_ends_with_a_token_in_every_process() {
    let config = Config {
        failure_persistence: None,
        ..Config::default()
    };
    // the same histories each time, unless `PROPTEST_CASES` is set
    let mut runner = match std::env::var_os("PROPTEST_CASES") {
        Some(_) => TestRunner::new(config),
        None => TestRunner::new_with_rng(
            Config {
                cases: 96,
                ..config
            },
            TestRng::deterministic_rng(RngAlgorithm::ChaCha),
        ),
    };
    let histories = (any::<u64>(), parameters(), vec(step(), 1..40));
    let found = runner.run(&histories, |(seed, parameters, history)| {
        replay(seed, &parameters, &history);
        Ok(())
    });
    match found {
        Ok(()) => {}
        Err(TestError::Fail(why, (seed, parameters, history))) => {
            let steps: Vec<_> = history.iter().map(|step| format!("    {step:?}")).collect();
            panic!(
                "{why}, with seed {seed} and {parameters:?}, after\n{}",
                steps.join("\n")
            );
        }
        Err(aborted) => panic!("{aborted}"),
    }
}
