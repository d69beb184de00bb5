use std::{env, fs, path::PathBuf, process};

use crate::paired::Estimate;

use super::*;

/// A criterion directory of this process with invented times, which is removed afterwards.
struct Scratch(PathBuf);

impl Scratch {
    fn new(name: &str) -> Self {
        Self(env::temp_dir().join(format!("bench-report-{name}-{}", process::id())))
    }

    fn directory(&self) -> Directory {
        Directory::new(self.0.clone())
    }

    /// Writes twenty rounds, in which an iteration takes `time` × 1, 2, …: the machine gets slower.
    fn measured(&self, id: &str, time: f64) {
        let times = (1..=20).map(|round| time * f64::from(round)).collect();
        self.write(id, rounds(times));
    }

    fn write(&self, id: &str, rounds: Rounds) {
        let (group, function) = id.split_once('/').unwrap();
        let directory = self.directory();
        let threads = if function.ends_with("/2") { 2 } else { 1 };
        let threads = threads.max(rounds.threads);
        let rounds = Rounds { threads, ..rounds };
        directory.write(group, function, &rounds).unwrap();
    }

    fn report(&self) -> Result<String, Error> {
        all(&self.directory(), &self.directory())
    }

    /// Returns the cells of the only row with this figure.
    fn row(&self, what: &str) -> [String; 4] {
        let report = self.report().unwrap();
        let rows = report.lines().map(|line| {
            let cells = line.trim_matches('|').split(" | ");
            cells.map(|cell| cell.trim().to_owned()).collect::<Vec<_>>()
        });
        let mut rows = rows.filter(|cells| cells[0] == what);
        let row = rows.next().unwrap_or_else(|| panic!("no row {what}"));
        assert_eq!(rows.next(), None, "two rows {what}");
        row.try_into().unwrap()
    }

    fn verdict(&self, what: &str) -> String {
        let [_, _, _, verdict] = self.row(what);
        verdict
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn rounds(times: Vec<f64>) -> Rounds {
    Rounds {
        run: "1".to_owned(),
        threads: 1,
        processors: 2,
        void: None,
        probes: Vec::new(),
        times,
        disturbed: Vec::new(),
    }
}

const HIT_1: &str = "hit, header out, over the floor, 1 thread";
const HIT_2: &str = "hit, header out, over the floor, 2 threads";
const WAITERS: &str = "the last of 10,000 waiters, over a bare `watch` broadcast";

#[test]
fn a_ratio_is_taken_within_a_round() {
    let scratch = Scratch::new("ratio");
    scratch.measured("token_read/auth_core_cached/1", 24.0);
    scratch.measured("token_read/floor/1", 20.0);
    // each of the two alone goes from one to twenty times its first value
    assert_eq!(
        scratch.row(HIT_1),
        [
            HIT_1,
            "1.200 (1.200 to 1.200)",
            "≤ 1.10",
            "**does not hold**"
        ]
    );
    assert_eq!(scratch.row(HIT_2), [HIT_2, "–", "≤ 1.10", "not measured"]);
}

#[test]
fn a_row_says_whether_its_bar_holds() {
    let scratch = Scratch::new("bars");
    scratch.measured("herd/watch_broadcast/10000", 10.0);
    scratch.measured("herd/auth_core/10000", 14.0);
    assert_eq!(scratch.verdict(WAITERS), "holds");
    scratch.measured("herd/auth_core/10000", 16.0);
    assert_eq!(scratch.verdict(WAITERS), "**does not hold**");

    scratch.measured("middleware/tower_bare", 100.0);
    scratch.measured("middleware/tower_http_add_authorization", 140.0);
    scratch.measured("middleware/tower_auth_no_replay", 170.0);
    let layer =
        "time that the tower layer adds on a hit, replay off, over what `AddAuthorization` adds";
    let [_, measured, _, verdict] = scratch.row(layer);
    assert!(measured.starts_with("1.750 "), "{measured}");
    assert_eq!(verdict, "holds");
}

#[test]
fn rows_whose_threads_did_not_run_at_the_same_time_are_not_measured() {
    let scratch = Scratch::new("void");
    let why = "the threads did not run at the same time";
    let void = || Rounds {
        void: Some(why.to_owned()),
        ..rounds(vec![10.0; 20])
    };
    scratch.measured("token_read/auth_core_cached/1", 10.0);
    scratch.measured("token_read/floor/1", 10.0);
    scratch.write("token_read/auth_core_cached/2", void());
    scratch.write("token_read/floor/2", void());
    assert_eq!(scratch.verdict(HIT_1), "holds");
    assert_eq!(scratch.row(HIT_2), [HIT_2, "–", "≤ 1.10", "not measured"]);
    // one void time is enough
    let scaling = "hit at 2 threads over 1 thread, over the floor's own ratio";
    assert_eq!(scratch.verdict(scaling), "not measured");
    let report = scratch.report().unwrap();
    assert!(report.contains(&format!(": {why}\n")), "{report}");
}

#[test]
fn threads_beyond_the_processors_are_named() {
    let scratch = Scratch::new("beyond");
    let eight = || Rounds {
        threads: 8,
        ..rounds(vec![10.0; 20])
    };
    scratch.write("token_read/auth_core_cached/8", eight());
    scratch.write("token_read/floor/8", eight());
    let what = "hit, header out, over the floor, 8 threads, on 2 processors";
    assert_eq!(scratch.verdict(what), "holds");
}

#[test]
fn a_mode_that_a_third_of_the_caches_has_is_seen() {
    let scratch = Scratch::new("worst");
    let worst = "hit, header out, over the floor, 1 thread, the worst of all caches";
    let write = |times: Vec<f64>| {
        let floor = vec![10.0; times.len()];
        scratch.write("token_read/floor/1", rounds(floor));
        scratch.write("token_read/auth_core_cached/1", rounds(times));
    };
    write(vec![10.0; 39]);
    assert_eq!(scratch.verdict(worst), "not measured");
    write([vec![10.5; 26], vec![20.0; 14]].concat());
    assert_eq!(scratch.verdict(HIT_1), "holds");
    assert_eq!(
        scratch.row(worst),
        [
            worst,
            "2.000, 99th percentile 2.000",
            "≤ 1.35",
            "**does not hold**"
        ]
    );
    // one of 101 caches, which the 99th percentile does not show
    write([vec![10.5; 100], vec![13.0]].concat());
    let [_, measured, _, verdict] = scratch.row(worst);
    assert_eq!(measured, "1.300, 99th percentile 1.050");
    assert_eq!(verdict, "holds");
}

#[test]
fn a_round_in_which_a_thread_did_not_have_its_core_to_itself_does_not_count() {
    let scratch = Scratch::new("disturbed");
    let worst = "hit, header out, over the floor, 1 thread, the worst of all caches";
    let times = [vec![10.5; 40], vec![20.0]].concat();
    let write = |disturbed: Vec<usize>, floor_disturbed: Vec<usize>| {
        let cached = Rounds {
            disturbed,
            ..rounds(times.clone())
        };
        let floor = Rounds {
            disturbed: floor_disturbed,
            ..rounds(vec![10.0; 41])
        };
        scratch.write("token_read/auth_core_cached/1", cached);
        scratch.write("token_read/floor/1", floor);
        scratch.row(worst)[1].clone()
    };
    assert_eq!(write(vec![], vec![]), "2.000, 99th percentile 2.000");
    assert_eq!(write(vec![40], vec![]), "1.050, 99th percentile 1.050");
    assert_eq!(write(vec![40], vec![40]), "1.050, 99th percentile 1.050");
    write(vec![40], vec![0]);
    assert_eq!(scratch.verdict(worst), "not measured");
}

#[test]
fn a_count_needs_no_rounds() {
    let scratch = Scratch::new("count");
    let bytes = "bytes per key, with a token of 900 characters";
    scratch.write("keyed/bytes_per_key", rounds(vec![2_433.0]));
    assert_eq!(
        scratch.row(bytes),
        [bytes, "2433", "≤ 1600", "**does not hold**"]
    );
    let allocations = "allocations of `cached()` on a hit";
    scratch.write("middleware/allocations_cached", rounds(vec![0.0]));
    assert_eq!(scratch.row(allocations), [allocations, "0", "0", "holds"]);
}

#[test]
fn throughput_is_judged_by_the_lower_bound() {
    let scratch = Scratch::new("lower-bound");
    scratch.write("loopback/hyper_static_header", rounds(vec![99.0; 20]));
    // slower in 8 rounds of 20: the median does not show it
    scratch.write(
        "loopback/hyper_auth",
        rounds([[100.0; 12].as_slice(), &[120.0; 8]].concat()),
    );
    let what = "throughput over loopback with the layer, over the same header set by hand";
    assert_eq!(
        scratch.row(what),
        [
            what,
            "0.990 (0.825 to 0.990)",
            "lower bound ≥ 0.98",
            "**does not hold**"
        ]
    );
}

#[test]
fn scaling_is_measured_by_the_floors_own() {
    let scratch = Scratch::new("scaling");
    scratch.measured("token_read/auth_core_cached/1", 20.0);
    scratch.measured("token_read/auth_core_cached/2", 33.0);
    scratch.measured("token_read/floor/1", 10.0);
    scratch.measured("token_read/floor/2", 15.0);
    let [_, measured, _, verdict] =
        scratch.row("hit at 2 threads over 1 thread, over the floor's own ratio");
    assert_eq!(measured, "1.100 (1.100 to 1.100)");
    assert_eq!(verdict, "**does not hold**");
}

#[test]
fn the_fastest_other_library_is_one_that_returns_a_header() {
    let scratch = Scratch::new("libraries");
    scratch.measured("herd/auth_core/10000", 1.0);
    scratch.measured("herd/watch_broadcast/10000", 1.0);
    let none = "a read by the fastest other library, over ours, 2 threads";
    assert_eq!(scratch.verdict(none), "not measured");
    scratch.measured("peers/auth_core/2", 20.0);
    scratch.measured("peers/slow/2", 900.0);
    scratch.measured("peers/fast/2", 120.0);
    scratch.measured("peers/fast/1", 1.0);
    scratch.measured("peers/faster_lent/2", 60.0);
    let fast = "a read by the fastest other library (`fast`), over ours, 2 threads";
    assert_eq!(
        scratch.row(fast),
        [fast, "6.000 (6.000 to 6.000)", "≥ 5.00", "holds"]
    );
    // a bench that knows nothing of its threads has no probe
    let directory = scratch.directory();
    let unprobed = rounds(vec![120.0; 20]);
    directory.write("peers", "fast/2", &unprobed).unwrap();
    assert_eq!(scratch.verdict(fast), "not measured");
}

#[test]
fn the_file_of_a_function_has_its_probes() {
    let scratch = Scratch::new("probes");
    let probed = Rounds {
        probes: vec!["before".to_owned(), "after".to_owned()],
        ..rounds(vec![10.0; 20])
    };
    scratch.write("peers/fast/1", probed.clone());
    let read = scratch.directory().read("peers", "fast/1").unwrap();
    assert_eq!(read, Some(probed));
    // of an earlier version
    let file = scratch.0.join("peers/fast/1/rounds.json");
    let earlier = r#"{"run":"1","threads":1,"processors":2,"void":null,"times":[10.0]}"#;
    fs::write(file, earlier).unwrap();
    let read = scratch.directory().read("peers", "fast/1").unwrap();
    assert_eq!(read, Some(rounds(vec![10.0])));
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
    scratch.write("herd/auth_core/10000", rounds(vec![1.0]));
    assert!(error().contains("are not of one run"), "{}", error());
    let other = Rounds {
        run: "2".to_owned(),
        ..rounds(vec![1.0; 20])
    };
    scratch.write("herd/auth_core/10000", other);
    assert!(error().contains("are not of one run"), "{}", error());
    let file = scratch.0.join("herd/auth_core/10000/rounds.json");
    fs::write(file, r#"{"times":[]}"#).unwrap();
    assert!(error().starts_with("cannot use /"), "{}", error());
}

#[test]
fn a_part_has_the_rows_of_one_group() {
    let scratch = Scratch::new("part");
    let part = part(&scratch.directory(), "herd").unwrap();
    let columns = part.lines().next().unwrap().matches('|').count();
    assert_eq!(columns, 5, "{part}");
    assert!(part.contains(WAITERS), "{part}");
    assert!(!part.contains(HIT_1), "{part}");
    assert!(
        part.ends_with("- 1 of 1: the bench has not been run\n"),
        "{part}"
    );
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
