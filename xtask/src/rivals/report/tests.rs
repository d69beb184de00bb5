use std::{env, fs, path::PathBuf, process};

use super::*;

/// A criterion directory of this process with invented times, which is removed afterwards.
struct Scratch(PathBuf);

impl Scratch {
    fn new(name: &str) -> Self {
        Self(env::temp_dir().join(format!("rivals-report-{name}-{}", process::id())))
    }

    fn directory(&self) -> Directory {
        Directory::new(self.0.clone())
    }

    fn write(&self, group: &str, function: &str, rounds: &Rounds) {
        self.directory().write(group, function, rounds).unwrap();
    }

    /// Writes twenty rounds of one run.
    fn measured(&self, group: &str, function: &str, threads: usize, time: f64) {
        self.write(group, function, &rounds(threads, vec![time; 20]));
    }

    fn report(&self) -> Report {
        let version = |(name, version): (&str, &str)| (name.to_owned(), version.to_owned());
        let versions = [("huskarl", "0.11.10"), ("azure_core", "1.2.0")];
        let context = Context {
            versions: versions.map(version).into(),
            machine: Some("commit 1234567; 2 processors".to_owned()),
        };
        of(&self.directory(), &context).unwrap()
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn rounds(threads: usize, times: Vec<f64>) -> Rounds {
    Rounds {
        run: "1".to_owned(),
        threads,
        processors: 2,
        void: None,
        probes: Vec::new(),
        times,
        disturbed: Vec::new(),
    }
}

/// Returns the first line that begins with this.
fn line<'a>(text: &'a str, begins: &str) -> &'a str {
    let mut lines = text.lines().filter(|line| line.starts_with(begins));
    lines
        .next()
        .unwrap_or_else(|| panic!("no line {begins} in:\n{text}"))
}

fn svg<'a>(report: &'a Report, file: &str) -> &'a str {
    let mut pictures = report.pictures.iter().filter(|(name, _)| *name == file);
    &pictures.next().unwrap().1
}

#[test]
fn a_read_is_shown_with_its_ratio_to_ours() {
    let scratch = Scratch::new("reads");
    for (threads, ours, theirs) in [(1, 20.0, 50.0), (2, 25.0, 200.0), (8, 80.0, 640.0)] {
        scratch.measured("peers", &format!("auth_core/{threads}"), threads, ours);
        scratch.measured("peers", &format!("huskarl/{threads}"), threads, theirs);
        scratch.measured("peers", &format!("huskarl_lent/{threads}"), threads, ours);
    }
    let report = scratch.report();
    assert_eq!(
        line(&report.text, "| `huskarl`"),
        "| `huskarl` 0.11.10 | built from the token | 50 ns, × 2.50 (2.50 to 2.50) | 200 ns, × 8.00 (8.00 to 8.00) \
         | 640 ns, × 8.00 (8.00 to 8.00) |"
    );
    let lent = line(&report.text, "| `huskarl_lent`");
    assert!(
        lent.contains("the token, in an `Arc` | 20 ns, × 1.00"),
        "{lent}"
    );
    assert_eq!(
        line(&report.text, "| library | header"),
        "| library | header | 1 thread | 2 threads | 8 threads on 2 processors |"
    );
    assert!(
        report
            .text
            .starts_with("Measured at commit 1234567; 2 processors.\n")
    );
    assert!(report.text.contains("](docs/rivals-reads.svg)\n"));
    let svg = svg(&report, "rivals-reads.svg");
    assert!(svg.contains(">25 ns, 2 threads</text>"), "{svg}");
    assert!(svg.contains(">200 ns</text>"), "{svg}");
    assert_eq!(svg.matches("<circle").count(), 9);
}

#[test]
fn void_figures_and_those_of_parts_that_were_not_run_are_not_measured() {
    let scratch = Scratch::new("void");
    scratch.measured("peers", "auth_core/1", 1, 20.0);
    let void = Rounds {
        void: Some("the threads did not run at the same time".to_owned()),
        ..rounds(2, vec![777.0; 20])
    };
    scratch.write("peers", "auth_core/2", &void);
    let report = scratch.report();
    assert_eq!(
        line(&report.text, "| `auth_core`"),
        "| `auth_core` | kept ready, cloned | 20 ns | not measured | not measured |"
    );
    let why = "\n- 1 of 91: the threads did not run at the same time\n";
    assert!(report.text.contains(why), "{}", report.text);
    assert!(
        report
            .text
            .contains("\n- 89 of 91: the bench has not been run\n")
    );
    assert!(!report.text.contains("777"), "{}", report.text);
    let svg = svg(&report, "rivals-reads.svg");
    assert!(svg.contains(">not measured, 2 threads</text>"), "{svg}");
    assert!(!svg.contains("777"), "{svg}");
    assert_eq!(svg.matches("<circle").count(), 1);
    for (file, svg) in &report.pictures[1..] {
        assert_eq!(svg.matches("<circle").count(), 0, "{file}");
        assert!(svg.contains("not measured"), "{file}");
    }
}

#[test]
fn times_of_different_runs_have_no_ratio() {
    let scratch = Scratch::new("runs");
    scratch.measured("peers", "auth_core/1", 1, 20.0);
    let other = Rounds {
        run: "2".to_owned(),
        ..rounds(1, vec![50.0; 20])
    };
    scratch.write("peers", "huskarl/1", &other);
    let text = scratch.report().text;
    let line = line(&text, "| `huskarl`");
    assert!(
        line.contains("| 50 ns | not measured | not measured |"),
        "{line}"
    );
}

#[test]
fn a_layer_costs_what_it_adds_to_the_client_without_it() {
    let scratch = Scratch::new("layers");
    scratch.measured("peers_layer", "azure_core_bare", 1, 20.0);
    scratch.measured("peers_layer", "azure_core", 1, 280.0);
    scratch.measured("peers_layer", "tower_bare", 1, 70.0);
    scratch.measured("peers_layer", "auth_tower", 1, 69.0);
    let report = scratch.report();
    let azure = line(&report.text, "| azure_core");
    assert!(
        azure.starts_with("| azure_core 1.2.0 | 260 ns (260 to 260) |"),
        "{azure}"
    );
    let svg = svg(&report, "rivals-layers.svg");
    assert!(svg.contains(">260 ns</text>"), "{svg}");
    // less than nothing has no place on a logarithmic axis
    assert!(svg.contains(">-1 ns</text>"), "{svg}");
    assert_eq!(svg.matches("<circle").count(), 1);
}

#[test]
fn a_library_without_waiters_has_no_herd() {
    let scratch = Scratch::new("herd");
    scratch.measured("peers_herd", "auth_core/1000", 2, 400_000.0);
    scratch.measured("peers_herd", "huskarl/1000", 2, 1_000_000.0);
    scratch.write("peers_herd", "huskarl/requests", &Rounds::count(1.0));
    let text = scratch.report().text;
    let herd = text.split("### A herd").nth(1).unwrap();
    assert_eq!(
        line(herd, "| `huskarl`"),
        "| `huskarl` 0.11.10 | 1,000 µs | 2.50 (2.50 to 2.50) | token requests: 1 |"
    );
    assert_eq!(
        line(herd, "| `middle`"),
        "| `middle` | – | – | the constructor waits for the first token |"
    );
}

#[test]
fn a_build_is_compared_with_the_median_of_its_pairs() {
    let scratch = Scratch::new("builds");
    let seconds = |times: [f64; 3]| rounds(1, times.map(|time| time * 1e9).to_vec());
    scratch.write("peers_build", "huskarl/ours", &seconds([5.0, 4.0, 9.0]));
    scratch.write(
        "peers_build",
        "huskarl/theirs",
        &seconds([20.0, 21.0, 15.0]),
    );
    scratch.write("peers_crates", "huskarl/crates", &Rounds::count(97.0));
    scratch.write("peers_crates", "huskarl/http_client", &Rounds::count(0.0));
    scratch.write("peers_crates", "huskarl/tls", &Rounds::count(1.0));
    let report = scratch.report();
    assert_eq!(
        line(&report.text, "| huskarl"),
        "| huskarl 0.11.10 | 97 | TLS | 20 s | 4.00 |"
    );
    assert!(svg(&report, "rivals-builds.svg").contains(">20 s</text>"));
}

#[test]
fn the_probes_of_a_run_are_shown() {
    let scratch = Scratch::new("probes");
    let probed = Rounds {
        probes: vec!["ratio 4.1".to_owned(), "ratio 4.2".to_owned()],
        ..rounds(2, vec![20.0; 20])
    };
    scratch.write("peers", "auth_core/2", &probed);
    let text = scratch.report().text;
    assert!(text.contains("- Probe before the rounds of `peers` at 2 threads: ratio 4.1.\n"));
    assert!(text.contains("- Probe after the rounds of `peers` at 2 threads: ratio 4.2.\n"));
}
