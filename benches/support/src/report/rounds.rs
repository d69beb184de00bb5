//! The times of the rounds of a function, in a file beside those that criterion keeps.
//!
//! `GROUP/FUNCTION/rounds.json` in criterion's directory says what criterion's files do not: whether the
//! threads ran at the same time, and which functions were measured in the same rounds.

use std::{
    env, fs,
    io::ErrorKind,
    path::{Path, PathBuf},
    process::{self, Command},
    time::SystemTime,
};

use serde_json::{Value, json};

use crate::processors;

/// A sentence for the person who runs the benches.
pub type Error = Box<dyn std::error::Error + Send + Sync>;

/// The measurement of one function in one run.
#[derive(Clone, Debug, PartialEq)]
pub struct Rounds {
    /// The same for all functions that were measured in the same rounds.
    pub run: String,
    pub threads: usize,
    /// The number of processors that the process could use.
    pub processors: usize,
    /// Why the times do not show what happens on this many threads.
    pub void: Option<String>,
    /// What the probes of these threads showed, before and after the rounds. Empty for one thread.
    pub probes: Vec<String>,
    /// The time of an iteration in nanoseconds, by round. A count has one round.
    pub times: Vec<f64>,
    /// The numbers of the rounds in which a thread did not have its core to itself. They count for no figure.
    pub disturbed: Vec<usize>,
}

impl Rounds {
    /// Times of one thread, whose rounds are a run of their own.
    pub fn of(times: Vec<f64>) -> Self {
        Self {
            run: new_run(),
            threads: 1,
            processors: processors::count(),
            void: None,
            probes: Vec::new(),
            times,
            disturbed: Vec::new(),
        }
    }

    /// A count, such as bytes or requests.
    pub fn count(count: f64) -> Self {
        Self::of(vec![count])
    }
}

/// Returns the times of functions of one run, by round, without the rounds in which a thread of one of them did
/// not have its core to itself.
pub fn undisturbed_rounds(functions: &[Rounds]) -> impl Iterator<Item = Vec<f64>> {
    let rounds = functions.first().map_or(0, |one| one.times.len());
    let is_disturbed = |round| functions.iter().any(|one| one.disturbed.contains(&round));
    let undisturbed = (0..rounds).filter(move |round| !is_disturbed(*round));
    undisturbed.map(|round| functions.iter().map(|one| one.times[round]).collect())
}

/// Returns a name for a run that no other run has.
pub fn new_run() -> String {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    let now = now.map_or(0, |now| now.as_nanos());
    format!("{now}-{}", process::id())
}

/// The directory in which criterion keeps its files.
#[derive(Clone, Debug)]
pub struct Directory(PathBuf);

impl Directory {
    pub fn new(path: PathBuf) -> Self {
        Self(path)
    }

    /// Returns the directory of the benches of `manifest`, or of the package in the current directory.
    ///
    /// # Errors
    ///
    /// If cargo does not name its target directory.
    pub fn of(manifest: Option<&Path>) -> Result<Self, Error> {
        if let Some(path) = env::var_os("CRITERION_HOME") {
            return Ok(Self(path.into()));
        }
        let mut metadata = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        metadata.args(["metadata", "--no-deps", "--format-version", "1"]);
        if let Some(manifest) = manifest {
            metadata.arg("--manifest-path").arg(manifest);
        }
        let output = metadata
            .output()
            .map_err(|error| format!("cannot start `cargo metadata`: {error}"))?;
        let metadata: Value = serde_json::from_slice(&output.stdout).map_err(|error| {
            let errors = String::from_utf8_lossy(&output.stderr);
            format!("`cargo metadata` did not print JSON ({error}); its errors:\n{errors}")
        })?;
        let target = metadata["target_directory"].as_str();
        let target = target.ok_or("`cargo metadata` printed no `target_directory`")?;
        Ok(Self(Path::new(target).join("criterion")))
    }

    pub fn path(&self) -> &Path {
        &self.0
    }

    fn file(&self, group: &str, function: &str) -> PathBuf {
        self.0.join(group).join(function).join("rounds.json")
    }

    /// # Errors
    ///
    /// If the file cannot be written.
    pub fn write(&self, group: &str, function: &str, rounds: &Rounds) -> Result<(), Error> {
        let Rounds {
            run,
            threads,
            processors,
            void,
            probes,
            times,
            disturbed,
        } = rounds;
        let json = json!({
            "run": run, "threads": threads, "processors": processors, "void": void, "probes": probes,
            "times": times, "disturbed": disturbed,
        });
        let file = self.file(group, function);
        let directory = file.parent().ok_or("a file in a directory")?;
        fs::create_dir_all(directory)
            .and_then(|()| fs::write(&file, json.to_string()))
            .map_err(|error| format!("cannot write {}: {error}", file.display()).into())
    }

    /// Returns `None` if the function has not been measured.
    ///
    /// # Errors
    ///
    /// If the file cannot be read.
    pub fn read(&self, group: &str, function: &str) -> Result<Option<Rounds>, Error> {
        let file = self.file(group, function);
        let text = match fs::read_to_string(&file) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            text => text.map_err(|error| format!("cannot read {}: {error}", file.display()))?,
        };
        let rounds = parse(&text);
        let what = "expected `run`, `threads`, `processors`, `void` and `times`";
        rounds
            .ok_or_else(|| format!("cannot use {}: {what}", file.display()).into())
            .map(Some)
    }

    /// Returns the names of a group's functions, sorted. Empty if the group has not been run.
    ///
    /// # Errors
    ///
    /// If the directory cannot be read.
    pub fn functions(&self, group: &str) -> Result<Vec<String>, Error> {
        let directory = self.0.join(group);
        let entries = match fs::read_dir(&directory) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
            entries => entries,
        };
        let names = entries.and_then(|entries| {
            let name = |entry: fs::DirEntry| entry.file_name().to_string_lossy().into_owned();
            entries
                .map(|entry| entry.map(name))
                .collect::<Result<Vec<_>, _>>()
        });
        let mut names =
            names.map_err(|error| format!("cannot read {}: {error}", directory.display()))?;
        names.sort();
        Ok(names)
    }
}

fn parse(text: &str) -> Option<Rounds> {
    let json: Value = serde_json::from_str(text).ok()?;
    let number = |name: &str| json[name].as_u64()?.try_into().ok();
    Some(Rounds {
        run: json["run"].as_str()?.to_owned(),
        threads: number("threads")?,
        processors: number("processors")?,
        void: match &json["void"] {
            Value::Null => None,
            why => Some(why.as_str()?.to_owned()),
        },
        // a file of an earlier version has none
        probes: json["probes"].as_array().map_or(Some(Vec::new()), |all| {
            let texts = all.iter().map(|probe| probe.as_str().map(str::to_owned));
            texts.collect()
        })?,
        times: json["times"]
            .as_array()?
            .iter()
            .map(Value::as_f64)
            .collect::<Option<_>>()?,
        // a file of an earlier version has none
        disturbed: json["disturbed"]
            .as_array()
            .map_or(Some(Vec::new()), |all| {
                let numbers = all.iter().map(|one| one.as_u64()?.try_into().ok());
                numbers.collect()
            })?,
    })
}
