//! Functions measured in turn, round after round, so that other activity of the machine affects all of
//! them equally.
//!
//! criterion measures one function after the other. A machine that gets slower between two functions
//! changes their ratio. Here each round runs every function once, in alternating orders, each time
//! starting at another function, and a ratio is taken within a round. criterion then receives the times
//! of the rounds as samples, in the order of the rounds, and keeps them in its usual place. They can
//! therefore be paired again.

use std::{
    env,
    hint::spin_loop,
    time::{Duration, Instant},
};

use criterion::{Bencher, BenchmarkGroup, BenchmarkId, SamplingMode, measurement::WallTime};

use crate::paired::Estimate;

/// criterion calls a function during its warm-up again, with twice as many iterations, until this time
/// has passed. The first call of each function waits for that long, so that there is no second call.
const WARM_UP: Duration = Duration::from_micros(1);
/// criterion computes the number of iterations from this and the time of the warm-up. A large number
/// keeps fractions of a nanosecond in the multiplication.
const MEASUREMENT: Duration = Duration::from_secs(1);

/// The functions of a group, and the figures to compute from their times.
pub struct Interleaved<'a> {
    group: &'static str,
    rounds: usize,
    functions: Vec<Function<'a>>,
    figures: Vec<(String, Figure)>,
}

type Figure = Box<dyn Fn(&Round<'_>) -> f64>;

struct Function<'a> {
    id: String,
    iterations: u64,
    run: Box<dyn FnMut(u64) -> Duration + 'a>,
    /// The time of an iteration in nanoseconds, by round.
    times: Vec<f64>,
}

/// One round, in which every function was measured once.
pub struct Round<'a> {
    functions: &'a [Function<'a>],
    number: usize,
}

impl Round<'_> {
    /// Returns the time of an iteration of the function `id`, in nanoseconds.
    pub fn time(&self, id: &str) -> f64 {
        let function = self.functions.iter().find(|function| function.id == id);
        function.expect("a function of this group").times[self.number]
    }
}

impl<'a> Interleaved<'a> {
    /// Creates a group that is measured in this many rounds, at least ten: criterion requires ten samples.
    pub fn new(group: &'static str, rounds: usize) -> Self {
        Self {
            group,
            rounds,
            functions: Vec::new(),
            figures: Vec::new(),
        }
    }

    /// Adds a function with the id `NAME` or `NAME/PARAMETER`. Each round calls `run` once. `run`
    /// creates what it measures anew, runs the given number of iterations, and returns their time.
    pub fn function(
        &mut self,
        id: impl Into<String>,
        iterations: u64,
        run: impl FnMut(u64) -> Duration + 'a,
    ) {
        self.functions.push(Function {
            id: id.into(),
            iterations,
            run: Box::new(run),
            times: Vec::new(),
        });
    }

    /// Adds a figure to compute within each round, and to print: a ratio of times.
    pub fn figure(
        &mut self,
        what: impl Into<String>,
        compute: impl Fn(&Round<'_>) -> f64 + 'static,
    ) {
        self.figures.push((what.into(), Box::new(compute)));
    }

    /// Measures, prints the figures, and passes the times to criterion.
    pub fn run(mut self, group: &mut BenchmarkGroup<'_, WallTime>) {
        group
            .sampling_mode(SamplingMode::Flat)
            .sample_size(self.rounds)
            .warm_up_time(WARM_UP)
            .measurement_time(MEASUREMENT);
        for index in 0..self.functions.len() {
            let id = self.functions[index].id.clone();
            let mut calls = 0;
            // nothing is measured before criterion calls a function: its filter may exclude all
            let hand_over = |bencher: &mut Bencher<'_>| {
                self.measure();
                let times = &self.functions[index].times;
                bencher.iter_custom(|iterations| sample(times, &mut calls, iterations));
            };
            match id.split_once('/') {
                Some((name, parameter)) => {
                    group.bench_function(BenchmarkId::new(name, parameter), hand_over)
                }
                None => group.bench_function(id, hand_over),
            };
        }
    }

    /// Measures all functions, once for all of them.
    fn measure(&mut self) {
        if self.functions.iter().any(|one| !one.times.is_empty()) {
            return;
        }
        if is_test() {
            self.round(0);
            return;
        }
        // a warm-up, whose times are discarded
        self.round(0);
        for function in &mut self.functions {
            function.times.clear();
        }
        for number in 0..self.rounds {
            self.round(number);
        }
        self.print_figures();
    }

    fn round(&mut self, number: usize) {
        let count = self.functions.len();
        for turn in 0..count {
            let turn = if number.is_multiple_of(2) {
                turn
            } else {
                count - 1 - turn
            };
            let function = &mut self.functions[(number / 2 + turn) % count];
            let took = (function.run)(function.iterations);
            let time = took.as_secs_f64() * 1e9 / function.iterations as f64;
            function.times.push(time);
        }
    }

    fn print_figures(&self) {
        println!();
        for (what, compute) in &self.figures {
            let round = |number| Round {
                functions: &self.functions,
                number,
            };
            let values = (0..self.rounds).map(|number| compute(&round(number)));
            let estimate = Estimate::of(values.collect()).expect("ten rounds or more");
            println!("{}: {what}: {estimate}", self.group);
        }
    }
}

/// The times that criterion's calls receive: the first call is the warm-up, each further call a round.
fn sample(times: &[f64], calls: &mut usize, iterations: u64) -> Duration {
    let round = match *calls {
        0 => {
            let started = Instant::now();
            while started.elapsed() <= WARM_UP {
                spin_loop();
            }
            0
        }
        calls => (calls - 1) % times.len(),
    };
    *calls += 1;
    Duration::from_nanos((times[round] * iterations as f64) as u64)
}

/// Returns whether criterion only tests that the functions run. One round is then enough.
fn is_test() -> bool {
    let given = |wanted: &str| env::args().any(|argument| argument == wanted);
    given("--test") || !given("--bench")
}
