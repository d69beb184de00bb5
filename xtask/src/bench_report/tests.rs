use std::{env, fs, path::PathBuf, process};

use bench_support::paired::Estimate;

use super::*;

/// A criterion directory of this process with invented samples, which is removed afterwards.
struct Scratch(PathBuf);

impl Scratch {
    fn new(name: &str) -> Self {
        Self(env::temp_dir().join(format!("xtask-bench-report-{name}-{}", process::id())))
    }

    /// Writes twenty rounds, in which an iteration takes `time` × 1, 2, …: the machine gets slower.
    fn measured(&self, id: &str, time: f64) {
        let iterations = 7.0;
        let times: Vec<f64> = (1..=20)
            .map(|round| time * iterations * f64::from(round))
            .collect();
        let iterations = vec![iterations; times.len()];
        self.write(
            id,
            &format!(r#"{{"iters":{iterations:?},"times":{times:?}}}"#),
        );
    }

    fn write(&self, id: &str, sample: &str) {
        let directory = self.0.join(id).join("new");
        fs::create_dir_all(&directory).unwrap();
        fs::write(directory.join("sample.json"), sample).unwrap();
    }

    fn report(&self) -> Result<String> {
        let samples = Samples::new(self.0.clone());
        report(&samples, &samples)
    }

    fn row(&self, what: &str) -> String {
        let report = self.report().unwrap();
        let mut rows = report.lines().filter(|line| line.contains(what));
        let row = rows.next().unwrap_or_else(|| panic!("no row {what}"));
        assert_eq!(rows.next(), None, "two rows {what}");
        row.to_owned()
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

#[test]
fn a_ratio_is_taken_within_a_round() {
    let scratch = Scratch::new("ratio");
    scratch.measured("token_read/auth_core_cached/1", 24.0);
    scratch.measured("token_read/floor/1", 20.0);
    // each of the two alone goes from one to twenty times its first value
    assert_eq!(
        scratch.row("hit, header out, over the floor, 1 thread"),
        "| hit, header out, over the floor, 1 thread | ≤ 1.20 | 1.200 (1.200 to 1.200) | holds |"
    );
    let other = scratch.row("hit, header out, over the floor, 2 threads");
    assert!(other.ends_with("| not run | |"), "{other}");
}

#[test]
fn a_row_says_whether_its_bar_holds() {
    let scratch = Scratch::new("bars");
    let verdict = |what: &str| {
        let row = scratch.row(what);
        row.trim_end_matches(" |")
            .rsplit("| ")
            .next()
            .unwrap()
            .to_owned()
    };
    scratch.measured("herd/watch_broadcast/10000", 10.0);
    scratch.measured("herd/auth_core/10000", 19.0);
    assert_eq!(verdict("10,000 waiters"), "holds");
    scratch.measured("herd/auth_core/10000", 21.0);
    assert_eq!(verdict("10,000 waiters"), "**does not hold**");

    scratch.measured("loopback/hyper_bare", 95.0);
    scratch.measured("loopback/hyper_auth", 100.0);
    assert_eq!(verdict("loopback"), "holds");
    scratch.measured("loopback/hyper_auth", 101.0);
    assert_eq!(verdict("loopback"), "**does not hold**");

    scratch.measured("middleware/tower_bare", 100.0);
    scratch.measured("middleware/tower_http_add_authorization", 140.0);
    scratch.measured("middleware/tower_auth_no_replay", 190.0);
    assert!(scratch.row("the tower layer adds").contains(" 2.250 "));
    assert_eq!(verdict("the tower layer adds"), "holds");
}

#[test]
fn throughput_is_judged_by_the_lower_bound() {
    let scratch = Scratch::new("lower-bound");
    let write = |id: &str, times: &[f64]| {
        let iterations = vec![1.0; times.len()];
        scratch.write(
            id,
            &format!(r#"{{"iters":{iterations:?},"times":{times:?}}}"#),
        );
    };
    write("loopback/hyper_bare", &[96.0; 20]);
    // slower in 8 rounds of 20: the median does not show it
    write(
        "loopback/hyper_auth",
        &[[100.0; 12].as_slice(), &[120.0; 8]].concat(),
    );
    let row = scratch.row("loopback");
    assert!(
        row.ends_with("| 0.960 (0.800 to 0.960) | **does not hold** |"),
        "{row}"
    );
}

#[test]
fn scaling_is_measured_by_the_floors_own() {
    let scratch = Scratch::new("scaling");
    scratch.measured("token_read/auth_core_cached/1", 20.0);
    scratch.measured("token_read/auth_core_cached/2", 33.0);
    scratch.measured("token_read/floor/1", 10.0);
    scratch.measured("token_read/floor/2", 15.0);
    let row = scratch.row("over the floor's own ratio");
    assert!(
        row.ends_with("| 1.100 (1.100 to 1.100) | **does not hold** |"),
        "{row}"
    );
}

#[test]
fn the_fastest_other_library_is_one_that_checks_its_token() {
    let scratch = Scratch::new("libraries");
    scratch.measured("herd/auth_core/10000", 1.0);
    scratch.measured("herd/watch_broadcast/10000", 1.0);
    assert!(
        scratch
            .row("the fastest other library")
            .ends_with("| not run | |")
    );
    scratch.measured("peers/auth_core/2", 20.0);
    scratch.measured("peers/slow/2", 900.0);
    scratch.measured("peers/fast/2", 120.0);
    scratch.measured("peers/fast/1", 1.0);
    scratch.measured("peers/faster_unchecked/2", 60.0);
    let row = scratch.row("the fastest other library");
    assert!(
        row.contains("(`fast`)") && row.ends_with("| 6.000 (6.000 to 6.000) | holds |"),
        "{row}"
    );
}

#[test]
fn missing_benches_and_unusable_files_are_errors() {
    let scratch = Scratch::new("errors");
    let error = || scratch.report().unwrap_err().to_string();
    assert!(
        error().starts_with("no bench has been run ("),
        "{}",
        error()
    );

    scratch.measured("herd/watch_broadcast/10000", 10.0);
    scratch.write("herd/auth_core/10000", r#"{"iters":[1.0],"times":[1.0]}"#);
    assert!(error().contains("are not of one run"), "{}", error());
    scratch.write("herd/auth_core/10000", r#"{"iters":[1.0],"times":[]}"#);
    assert!(error().starts_with("cannot use /"), "{}", error());
}

#[test]
fn the_interval_is_that_of_the_sign_test() {
    let first = |count: u32| Estimate::of((1..=count).rev().map(f64::from).collect());
    assert_eq!(first(5), None);
    let bounds = |count| first(count).map(|e| (e.low, e.median, e.high)).unwrap();
    // as in the tables for the median: ranks 1 and 6 of 6, 2 and 9 of 10, 10 and 21 of 30
    assert_eq!(bounds(6), (1.0, 3.5, 6.0));
    assert_eq!(bounds(10), (2.0, 5.5, 9.0));
    assert_eq!(bounds(30), (10.0, 15.5, 21.0));
    assert_eq!(bounds(61).1, 31.0);
}
