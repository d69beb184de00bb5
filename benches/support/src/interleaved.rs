//! Functions measured in turn, round after round, so that other activity of the machine affects all of
//! them equally.
//!
//! criterion measures one function after the other. A machine that gets slower between two functions
//! changes their ratio. Here each round runs every function once, in alternating orders, each time
//! starting at another function, and a ratio is taken within a round. criterion then receives the times
//! of the rounds as samples, in the order of the rounds, and keeps them in its usual place.
//!
//! Functions with several threads are measured between two probes of as many threads. If one of the probes
//! shows that the threads do not run at the same time, the times are void. A file beside criterion's says
//! so: see [`Rounds`].

use std::{
    collections::BTreeMap,
    env,
    sync::atomic::{AtomicBool, Ordering::Relaxed},
    thread,
    time::Duration,
};

use criterion::{Bencher, BenchmarkGroup, BenchmarkId, SamplingMode, measurement::WallTime};

use crate::{
    paired::{Estimate, quantile},
    probe::{LEAST_RATIO, Probe},
    processors,
    report::{self, Directory, Rounds, new_run},
    threads, whole_core,
};

/// criterion calls a function during its warm-up again, with twice as many iterations, until this time
/// has passed. The first call of each function waits for that long, so that there is no second call.
const WARM_UP: Duration = Duration::from_micros(1);
/// criterion computes the number of iterations from this and the time of the warm-up. A large number
/// keeps fractions of a nanosecond in the multiplication.
const MEASUREMENT: Duration = Duration::from_secs(1);
/// The number of rounds of `--quick`.
const QUICK_ROUNDS: usize = 10;
/// With `--quick` a batch takes this part of its time.
const QUICK_PART: u32 = 5;
/// criterion's quick mode calls a function with 1, 2, 4, … iterations until 100 ms have passed and two
/// times agree, or until this time has passed.
const QUICK_MEASUREMENT: Duration = Duration::from_millis(150);
/// As many of these calls return at once. With 1,024 iterations, the time of one is exact to a picosecond.
const QUICK_CALLS: usize = 10;
/// The time of each call after these.
const QUICK_CALL: Duration = Duration::from_millis(110);

/// The number of attempts at a batch in which all threads have their cores to themselves.
const ATTEMPTS: usize = 10;

/// How often a function runs in a batch, and on how many threads.
#[derive(Clone, Copy, Debug)]
pub struct Iterations {
    number: Number,
    threads: usize,
}

#[derive(Clone, Copy, Debug)]
enum Number {
    Fixed(u64),
    Lasting(Duration),
}

impl Iterations {
    pub fn of(number: u64) -> Self {
        Self {
            number: Number::Fixed(number),
            threads: 1,
        }
    }

    /// As many iterations as take this time. Where threads have to share processors, they take at least
    /// [`shortest_batch`](threads::shortest_batch).
    pub fn lasting(time: Duration) -> Self {
        Self {
            number: Number::Lasting(time),
            threads: 1,
        }
    }

    /// The function runs on this many threads at the same time.
    #[must_use]
    pub fn on(self, threads: usize) -> Self {
        Self { threads, ..self }
    }
}

impl From<u64> for Iterations {
    fn from(number: u64) -> Self {
        Self::of(number)
    }
}

/// The functions of a group, and the figures to compute from their times.
pub struct Interleaved<'a> {
    group: &'static str,
    rounds: usize,
    functions: Vec<Function<'a>>,
    figures: Vec<(String, Figure)>,
    contended: Vec<(String, Figure)>,
}

type Figure = Box<dyn Fn(&Round<'_>) -> f64>;

struct Function<'a> {
    id: String,
    number: Number,
    threads: usize,
    iterations: u64,
    run: Box<dyn FnMut(u64) -> Duration + 'a>,
    /// The time of an iteration in nanoseconds, by round.
    times: Vec<f64>,
    /// The rounds in which a thread did not have its core to itself.
    disturbed: Vec<usize>,
}

impl Function<'_> {
    /// Returns the times of the rounds in which all threads had their cores to themselves.
    fn undisturbed(&self) -> Vec<f64> {
        let rounds = self.times.iter().enumerate();
        let undisturbed = rounds.filter(|(round, _)| !self.disturbed.contains(round));
        undisturbed.map(|(_, time)| *time).collect()
    }

    /// Runs a batch. The time is an error if a thread did not have its core to itself: one of the batch's
    /// threads, or the bench's own if that does the work. In the latter case the batch runs again. Workers of a
    /// runtime are not looked at.
    fn batch(&mut self) -> Result<Duration, Duration> {
        let attempts = if is_quick() || is_test() { 1 } else { ATTEMPTS };
        let mut attempt = 0;
        loop {
            attempt += 1;
            let (counted, disturbed) = (threads::counted_parts(), threads::disturbed_parts());
            let had_core = whole_core::is_whole();
            let took = (self.run)(self.iterations);
            let has_core = had_core && whole_core::is_whole();
            let is_own_thread = self.threads == 1 && threads::counted_parts() == counted;
            if is_own_thread && !has_core {
                if attempt < attempts {
                    continue;
                }
                return Err(took);
            }
            let is_disturbed = threads::disturbed_parts() != disturbed;
            return if is_disturbed { Err(took) } else { Ok(took) };
        }
    }

    /// Determines the number of iterations of a batch.
    fn calibrate(&mut self) {
        let Number::Lasting(time) = self.number else {
            return;
        };
        let part = if is_quick() { QUICK_PART } else { 1 };
        let time = (time / part).max(threads::shortest_batch(self.threads));
        loop {
            let took = (self.run)(self.iterations).max(Duration::from_nanos(1));
            let times = time.as_secs_f64() / took.as_secs_f64();
            if took >= time / 4 {
                self.iterations = (self.iterations as f64 * times) as u64;
                return;
            }
            self.iterations *= (times as u64).clamp(2, 16);
        }
    }
}

/// One round, in which every function was measured once.
pub struct Round<'a> {
    functions: &'a [Function<'a>],
    number: usize,
}

impl Round<'_> {
    /// Returns the time of an iteration of the function `id`, in nanoseconds. It is no number if a thread did
    /// not have its core to itself.
    pub fn time(&self, id: &str) -> f64 {
        let function = self.functions.iter().find(|function| function.id == id);
        let function = function.expect("a function of this group");
        match function.disturbed.contains(&self.number) {
            true => f64::NAN,
            false => function.times[self.number],
        }
    }
}

impl<'a> Interleaved<'a> {
    /// Creates a group that is measured in this many rounds, at least ten: criterion requires ten samples.
    /// With `--quick` there are ten.
    pub fn new(group: &'static str, rounds: usize) -> Self {
        Self {
            group,
            rounds: if is_quick() { QUICK_ROUNDS } else { rounds },
            functions: Vec::new(),
            figures: Vec::new(),
            contended: Vec::new(),
        }
    }

    /// Adds a function with the id `NAME` or `NAME/PARAMETER`. Each round calls `run` once. `run`
    /// creates what it measures anew, runs the given number of iterations, and returns their time.
    pub fn function(
        &mut self,
        id: impl Into<String>,
        iterations: impl Into<Iterations>,
        run: impl FnMut(u64) -> Duration + 'a,
    ) {
        let Iterations { number, threads } = iterations.into();
        self.functions.push(Function {
            id: id.into(),
            number,
            threads,
            iterations: match number {
                Number::Fixed(number) => number,
                Number::Lasting(_) => 1_000,
            },
            run: Box::new(run),
            times: Vec::new(),
            disturbed: Vec::new(),
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

    /// Adds a ratio that shows the contention of code whose threads are known to contend.
    ///
    /// The bench fails if the ratio, up to the upper bound of its interval, is below 2 although the probes
    /// show that the threads run at the same time: then it does not measure what it says.
    pub fn known_contention(
        &mut self,
        what: impl Into<String>,
        compute: impl Fn(&Round<'_>) -> f64 + 'static,
    ) {
        self.contended.push((what.into(), Box::new(compute)));
    }

    /// Measures, prints the figures, and passes the times to criterion.
    pub fn run(mut self, group: &mut BenchmarkGroup<'_, WallTime>) {
        group
            .sampling_mode(SamplingMode::Flat)
            .sample_size(self.rounds)
            .warm_up_time(WARM_UP)
            .measurement_time(if is_quick() {
                QUICK_MEASUREMENT
            } else {
                MEASUREMENT
            });
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
        let before = self.probe();
        for function in &mut self.functions {
            function.calibrate();
        }
        // a warm-up, whose times are discarded
        self.round(0);
        for function in &mut self.functions {
            function.times.clear();
            function.disturbed.clear();
        }
        for number in 0..self.rounds {
            self.round(number);
        }
        let after = self.probe();
        let mut void = BTreeMap::new();
        let mut probes: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for (threads, probe) in before.into_iter().chain(after) {
            probes.entry(threads).or_default().push(probe.to_string());
            void.extend(probe.void().map(|why| (threads, why)));
        }
        println!("\n{}: {}", self.group, threads::describe_parts());
        self.print_times();
        self.print_figures();
        let failure = void.is_empty().then(|| self.missing_contention()).flatten();
        if let Some(why) = &failure {
            for function in self.functions.iter().filter(|one| one.threads > 1) {
                void.insert(function.threads, why.clone());
            }
        }
        self.record(&void, &probes);
        if let Some(why) = failure {
            panic!("{}: {why}", self.group);
        }
    }

    /// Probes the threads of all functions, and prints the results. The keys are the numbers of threads.
    fn probe(&self) -> BTreeMap<usize, Probe> {
        let mut probes = BTreeMap::new();
        for function in &self.functions {
            if function.threads < 2 {
                continue;
            }
            probes.entry(function.threads).or_insert_with(|| {
                let probe = Probe::of(function.threads);
                println!("\n{}: probe, {}", self.group, Probe::of(1));
                println!("{}: probe, {probe}", self.group);
                if let Some(why) = probe.void() {
                    let threads = function.threads;
                    println!("{}: rows at {threads} threads are VOID: {why}", self.group);
                }
                if let Some(why) = threads::why_not_pinned(function.threads) {
                    let threads = function.threads;
                    let least = threads::shortest_batch(threads).as_millis();
                    println!(
                        "{}: {threads} threads are not pinned ({why}); a batch takes {least} ms or more",
                        self.group
                    );
                }
                probe
            });
        }
        probes
    }

    /// Writes the times into files beside those of criterion. `void` has the reason for each number of
    /// threads whose times are void, and `probes` what the probes of these threads showed.
    fn record(&self, void: &BTreeMap<usize, String>, probes: &BTreeMap<usize, Vec<String>>) {
        HAS_MEASURED.store(true, Relaxed);
        let directory = directory();
        let run = new_run();
        for function in &self.functions {
            let rounds = Rounds {
                run: run.clone(),
                threads: function.threads,
                processors: processors::count(),
                void: match is_quick() {
                    true => Some("the run was a quick one, of few rounds".to_owned()),
                    false => void.get(&function.threads).cloned(),
                },
                probes: probes.get(&function.threads).cloned().unwrap_or_default(),
                times: function.times.clone(),
                disturbed: function.disturbed.clone(),
            };
            let written = directory.write(self.group, &function.id, &rounds);
            written.expect("criterion writes beside this file");
        }
    }

    /// Returns what is wrong with a bench that shows no contention where there must be some.
    fn missing_contention(&self) -> Option<String> {
        let (what, ratio) = self.contended.iter().find_map(|(what, compute)| {
            let ratio = self.estimate(compute)?;
            (ratio.high < LEAST_RATIO).then_some((what, ratio))
        })?;
        Some(format!(
            "{what}: expected {LEAST_RATIO} or more, measured {ratio}. The threads of this code contend, and \
             the probes show that they run at the same time, so the bench does not measure what it says"
        ))
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
            let took = function.batch();
            if took.is_err() {
                function.disturbed.push(number);
            }
            let (Ok(took) | Err(took)) = took;
            let time = took.as_secs_f64() * 1e9 / function.iterations as f64;
            function.times.push(time);
        }
    }

    fn print_times(&self) {
        println!();
        for function in &self.functions {
            let mut sorted = function.undisturbed();
            sorted.sort_by(f64::total_cmp);
            if sorted.is_empty() {
                println!("{}/{}: no round counts", self.group, function.id);
                continue;
            }
            let [median, p99, worst] = [0.5, 0.99, 1.0].map(|part| quantile(&sorted, part));
            println!(
                "{}/{}: median of {} rounds {median:.1} ns, 99th percentile {p99:.1} ns, worst {worst:.1} ns",
                self.group,
                function.id,
                sorted.len(),
            );
        }
    }

    fn print_figures(&self) {
        for (what, compute) in self.figures.iter().chain(&self.contended) {
            match self.estimate(compute) {
                Some(estimate) => println!("{}: {what}: {estimate}", self.group),
                None => println!("{}: {what}: not measured, too few rounds count", self.group),
            }
        }
    }

    /// Returns `None` if there are too few rounds in which the threads had their cores to themselves.
    fn estimate(&self, compute: &Figure) -> Option<Estimate> {
        let round = |number| Round {
            functions: &self.functions,
            number,
        };
        let values = (0..self.rounds).map(|number| compute(&round(number)));
        Estimate::of(values.filter(|value| !value.is_nan()).collect())
    }
}

/// Whether this process has measured anything: criterion's filter may have excluded all.
static HAS_MEASURED: AtomicBool = AtomicBool::new(false);

/// Prints the table of a group, with its bars and verdicts.
pub fn print_table(group: &str) {
    if !HAS_MEASURED.load(Relaxed) {
        return;
    }
    let table = report::part(&directory(), group).expect("the files that were just written");
    println!("\n{table}");
}

/// Prints that a group cannot be measured here, and why. The figures of an earlier run become void.
pub fn skip(group: &str, why: &str) {
    println!("{group}: not measured: {why}");
    if is_test() {
        return;
    }
    let directory = directory();
    for function in directory.functions(group).unwrap_or_default() {
        let Ok(Some(rounds)) = directory.read(group, &function) else {
            continue;
        };
        let void = Rounds {
            void: Some(why.to_owned()),
            ..rounds
        };
        let written = directory.write(group, &function, &void);
        written.expect("criterion writes beside this file");
    }
}

/// Records a count, such as bytes or allocations, as a figure of the report.
pub fn record_count(group: &str, id: &str, count: f64) {
    if is_test() {
        return;
    }
    let written = directory().write(group, id, &Rounds::count(count));
    written.expect("criterion writes beside this file");
}

pub(crate) fn directory() -> Directory {
    Directory::of(None).expect("the target directory, where criterion writes")
}

/// The times that criterion's calls receive.
///
/// Normally the first call is the warm-up, and each further call a round. In quick mode the calls receive
/// the medians of the even and the odd rounds in turn. criterion measures how long its calls take there, and
/// calls without end if they take no time.
fn sample(times: &[f64], calls: &mut usize, iterations: u64) -> Duration {
    let call = *calls;
    *calls += 1;
    let time = match call {
        _ if is_quick() && !is_test() => {
            if call >= QUICK_CALLS {
                thread::sleep(QUICK_CALL);
            }
            let mut half: Vec<_> = times.iter().copied().skip(call % 2).step_by(2).collect();
            half.sort_by(f64::total_cmp);
            quantile(&half, 0.5)
        }
        0 => {
            threads::spin(WARM_UP);
            times[0]
        }
        call => times[(call - 1) % times.len()],
    };
    Duration::from_nanos((time * iterations as f64) as u64)
}

/// Returns whether criterion only tests that the functions run. One round is then enough.
fn is_test() -> bool {
    is_given("--test") || !is_given("--bench")
}

/// Returns whether criterion measures for a short time. The intervals are then wide.
fn is_quick() -> bool {
    is_given("--quick")
}

fn is_given(wanted: &str) -> bool {
    env::args().any(|argument| argument == wanted)
}
