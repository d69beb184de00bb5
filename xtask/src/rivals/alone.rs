//! Programs that depend on one library alone: the crates that they link, and the time of a cold build.
//!
//! The dependency, with its features, is that of `benches/peers`, and so are the versions of all crates.

use std::{
    collections::BTreeSet,
    fs, io,
    path::{Path, PathBuf},
    time::Instant,
};

use anyhow::{Context as _, Result};
use bench_support::report::{Directory, Rounds, new_run};
use serde_json::{Value, json};

use crate::{command, workspace::cargo};

use super::libraries::{PACKAGES, PAIRED};

/// The group of the counts.
pub(crate) const CRATES: &str = "peers_crates";
/// The group of the times of builds, in nanoseconds.
pub(crate) const BUILDS: &str = "peers_build";

const PAIRS: usize = 3;

/// The programs, in a directory of their own.
#[derive(Debug)]
pub(crate) struct Programs {
    directory: PathBuf,
}

impl Programs {
    /// Writes a program for each package that depends on it as the package `peers` does.
    pub(crate) fn write(peers: &Path, directory: PathBuf) -> Result<Self> {
        let mut metadata = cargo();
        metadata.args([
            "metadata",
            "--no-deps",
            "--format-version",
            "1",
            "--manifest-path",
        ]);
        let metadata = command::output(metadata.arg(peers))?;
        let metadata: Value =
            serde_json::from_str(&metadata).context("`cargo metadata` did not print JSON")?;
        let dependencies = metadata["packages"][0]["dependencies"].as_array();
        let dependencies = dependencies.context("`cargo metadata` printed no dependencies")?;
        for package in &PACKAGES {
            let dependency = dependencies.iter().find(|one| one["name"] == package.name);
            let dependency = dependency.with_context(|| {
                format!("{} does not depend on {}", peers.display(), package.name)
            })?;
            let program = directory.join(package.name);
            let write = || -> io::Result<()> {
                fs::create_dir_all(program.join("src"))?;
                fs::write(program.join("src/lib.rs"), "")?;
                fs::write(
                    program.join("Cargo.toml"),
                    manifest(dependency, package.of_tokio),
                )?;
                let lock = peers.with_file_name("Cargo.lock");
                fs::copy(lock, program.join("Cargo.lock")).map(drop)
            };
            write().with_context(|| format!("cannot write {}", program.display()))?;
        }
        Ok(Self { directory })
    }

    /// Counts the crates that each program links, and records the counts.
    pub(crate) fn count_crates(&self, record: &Directory) -> Result<()> {
        for package in &PACKAGES {
            let mut tree = self.cargo("tree", package.name);
            tree.args(["-e", "normal", "--prefix", "none", "--format", "{p}"]);
            let linked = linked(&command::output(&mut tree)?);
            let all = [
                ("crates", linked.all.len()),
                ("http_client", usize::from(linked.http_client)),
                ("tls", usize::from(linked.tls)),
            ];
            for (what, count) in all {
                let id = format!("{}/{what}", package.name);
                let written = record.write(CRATES, &id, &Rounds::count(count as f64));
                written.map_err(anyhow::Error::from_boxed)?;
            }
            println!("{}: {} crates", package.name, linked.all.len());
        }
        Ok(())
    }

    /// Builds the programs, each from nothing and next to a build of [`PAIRED`], and records the times.
    ///
    /// A quick run builds one pair of one program, and measures nothing.
    pub(crate) fn build(&self, record: &Directory, quick: bool) -> Result<()> {
        let (rounds, others) = if quick { (1, 1) } else { (PAIRS, usize::MAX) };
        let others: Vec<_> = PACKAGES[1..].iter().take(others).collect();
        let mut times = vec![(Vec::new(), Vec::new()); others.len()];
        for package in &PACKAGES {
            command::output(&mut self.cargo("fetch", package.name))?;
        }
        for _ in 0..rounds {
            // a build of ours between two of theirs is paired with both
            for (two, times) in others.chunks(2).zip(times.chunks_mut(2)) {
                let before = self.cold_build(two[0].name)?;
                let ours = self.cold_build(PAIRED)?;
                times[0].0.push(ours);
                times[0].1.push(before);
                if let [_, after] = two {
                    times[1].0.push(ours);
                    times[1].1.push(self.cold_build(after.name)?);
                }
            }
        }
        for (package, (ours, theirs)) in others.iter().zip(times) {
            let run = new_run();
            for (what, times) in [("ours", ours), ("theirs", theirs)] {
                let id = format!("{}/{what}", package.name);
                let rounds = Rounds {
                    run: run.clone(),
                    void: quick.then(|| "the run was a quick one, of few rounds".to_owned()),
                    ..Rounds::of(times)
                };
                let written = record.write(BUILDS, &id, &rounds);
                written.map_err(anyhow::Error::from_boxed)?;
            }
        }
        Ok(())
    }

    /// Returns the time of a build from nothing, in nanoseconds.
    fn cold_build(&self, package: &str) -> Result<f64> {
        let target = self.directory.join("target");
        match fs::remove_dir_all(&target) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            removed => removed.with_context(|| format!("cannot remove {}", target.display()))?,
        }
        let mut build = self.cargo("build", package);
        build.args(["--quiet", "--offline", "--locked", "--target-dir"]);
        // a cache of compilers would make the build a warm one
        build.arg(&target).env_remove("RUSTC_WRAPPER");
        let started = Instant::now();
        command::output(&mut build)?;
        let took = started.elapsed();
        println!("{package}: built in {:.1} s", took.as_secs_f64());
        Ok(took.as_secs_f64() * 1e9)
    }

    fn cargo(&self, subcommand: &str, package: &str) -> std::process::Command {
        let manifest = self.directory.join(package).join("Cargo.toml");
        let mut command = cargo();
        command
            .arg(subcommand)
            .arg("--manifest-path")
            .arg(manifest)
            .env_remove("CARGO_TARGET_DIR");
        command
    }
}

/// Returns the manifest of a program with this dependency, of `cargo metadata`, and with these features of
/// tokio.
fn manifest(dependency: &Value, of_tokio: &[&str]) -> String {
    let name = dependency["name"].as_str().unwrap_or_default();
    let features = dependency["features"].clone();
    let source = match &dependency["path"] {
        Value::String(path) => format!("path = {}", json!(path)),
        _ => format!("version = {}", dependency["req"]),
    };
    let default_features = &dependency["uses_default_features"];
    // the strings and lists of JSON are also those of TOML
    let mut manifest = format!(
        "[package]\nname = \"alone\"\nversion = \"0.0.0\"\nedition = \"2024\"\npublish = false\n\n\
         [workspace]\n\n[dependencies.{name}]\n{source}\ndefault-features = {default_features}\n\
         features = {features}\n"
    );
    if !of_tokio.is_empty() {
        let features = json!(of_tokio);
        manifest.push_str(&format!(
            "\n[dependencies.tokio]\nversion = \"1\"\ndefault-features = false\nfeatures = {features}\n"
        ));
    }
    manifest
}

/// The crates that a program links, besides itself.
#[derive(Debug)]
struct Linked {
    all: BTreeSet<String>,
    http_client: bool,
    tls: bool,
}

fn linked(tree: &str) -> Linked {
    let lines = tree
        .lines()
        .map(|line| line.trim_end_matches(" (*)").trim());
    let all: BTreeSet<_> = lines
        .filter(|line| !line.is_empty() && !line.starts_with("alone "))
        .map(str::to_owned)
        .collect();
    let links = |names: &[&str]| {
        all.iter()
            .any(|one| names.contains(&one.split(' ').next().unwrap_or_default()))
    };
    Linked {
        http_client: links(&["hyper", "reqwest", "ureq"]),
        tls: links(&["rustls", "native-tls", "openssl"]),
        all,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_crate_counts_once_and_the_program_itself_does_not() {
        let tree = "alone v0.0.0 (/tmp/alone)\nhttp v1.4.0\nbytes v1.11.0\nhyper v1.8.0\nhttp v1.4.0 (*)\n\
                    bytes v1.11.0\n\nserde_derive v1.0.0 (proc-macro)\n";
        let linked = linked(tree);
        let all: Vec<_> = linked.all.iter().map(String::as_str).collect();
        assert_eq!(
            all,
            [
                "bytes v1.11.0",
                "http v1.4.0",
                "hyper v1.8.0",
                "serde_derive v1.0.0 (proc-macro)"
            ]
        );
        assert!(linked.http_client);
        assert!(!linked.tls);
    }

    #[test]
    fn a_program_depends_on_a_library_as_the_peers_do() {
        let dependency = json!({
            "name": "middle", "req": "=0.5.0", "features": ["client-credentials"],
            "uses_default_features": false,
        });
        let manifest = manifest(&dependency, &[]);
        let lines = "[dependencies.middle]\nversion = \"=0.5.0\"\ndefault-features = false\n\
                     features = [\"client-credentials\"]\n";
        assert!(manifest.ends_with(lines), "{manifest}");
    }

    #[test]
    fn a_library_that_does_not_name_its_features_of_tokio_gets_them() {
        let dependency = json!({"name": "aliri_tokens", "req": "=0.3.2", "features": ["rand"]});
        let manifest = manifest(&dependency, &["rt", "sync"]);
        let lines = "[dependencies.tokio]\nversion = \"1\"\ndefault-features = false\n\
                     features = [\"rt\",\"sync\"]\n";
        assert!(manifest.ends_with(lines), "{manifest}");
    }

    #[test]
    fn our_own_crates_are_found_by_path() {
        let dependency = json!({
            "name": "auth-core", "req": "*", "features": [], "uses_default_features": true,
            "path": "/src/auth-core",
        });
        let manifest = manifest(&dependency, &[]);
        let lines = "path = \"/src/auth-core\"\ndefault-features = true\nfeatures = []\n";
        assert!(manifest.ends_with(lines), "{manifest}");
    }
}
