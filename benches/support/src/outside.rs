//! The program outside the workspace, which reads tokens in the same rounds.

use std::{
    cell::RefCell,
    io::{BufRead as _, BufReader, Write as _},
    path::Path,
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
    time::Duration,
};

use crate::{interleaved::directory, threads};

/// The program `benches/outside`. It is built, with the default release profile, and started at the
/// first read.
#[derive(Debug, Default)]
pub struct Outside(RefCell<Option<Running>>);

#[derive(Debug)]
struct Running {
    program: Child,
    /// `None` once there is nothing more to read.
    requests: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
}

impl Outside {
    /// Returns the average time of a thread for a number of reads on each thread.
    pub fn read(&self, name: &str, threads: usize, reads: u64) -> Duration {
        let mut running = self.0.borrow_mut();
        let running = running.get_or_insert_with(Running::start);
        let requests = running.requests.as_mut().expect("a program that runs");
        writeln!(requests, "{name} {threads} {reads}").expect("a program that runs");
        let mut answer = String::new();
        let read = running.answers.read_line(&mut answer);
        read.expect("a program that answers");
        let numbers: Result<Vec<_>, _> = answer.split_whitespace().map(str::parse).collect();
        let [nanoseconds, counted, disturbed] = numbers.expect("numbers")[..] else {
            panic!("expected three numbers, got {answer:?}");
        };
        threads::add_parts(counted, disturbed);
        Duration::from_nanos(nanoseconds)
    }
}

impl Running {
    fn start() -> Self {
        let manifest = Path::new(env!("CARGO_MANIFEST_DIR")).join("../outside/Cargo.toml");
        let mut cargo = Command::new(env!("CARGO"));
        cargo.args([
            "build",
            "--release",
            "--locked",
            "--quiet",
            "--manifest-path",
        ]);
        let target = directory().path().with_file_name("outside");
        let built = cargo
            .arg(&manifest)
            .arg("--target-dir")
            .arg(&target)
            .status();
        assert!(
            built.expect("cargo").success(),
            "benches/outside does not build"
        );
        let mut program = Command::new(target.join("release/outside"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the program that was built");
        Self {
            requests: program.stdin.take(),
            answers: BufReader::new(program.stdout.take().expect("a pipe")),
            program,
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // the end of the input ends the program
        drop(self.requests.take());
        let _ = self.program.wait();
    }
}
