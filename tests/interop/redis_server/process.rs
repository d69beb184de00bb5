//! The process of a server: it is started, paused, and killed on drop.

use std::{
    ffi::OsStr,
    fmt, fs,
    fs::File,
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    thread,
};

use anyhow::{Context as _, Result};
use rustix::process::{Pid, Signal, WaitOptions, kill_process, waitpid};

/// Waits until its stdin closes, so until the test process ends, even if that is killed.
const WATCHDOG: &str = "read -r _; kill -9 \"$1\"; rm -rf \"$2\"";

#[derive(Debug)]
pub(super) struct Process {
    child: Child,
    watchdog: Child,
    log: PathBuf,
}

impl Process {
    /// Starts `program ARGUMENTS` in `directory`, where its log goes to `log`.
    pub(super) fn start(program: &OsStr, arguments: &[&str], directory: &Path) -> Result<Self> {
        let cannot = || format!("cannot start {}", program.display());
        let log = directory.join("log");
        let stdout = File::options().create(true).append(true).open(&log)?;
        let mut child = Command::new(program)
            .args(arguments)
            .current_dir(directory)
            .stdin(Stdio::null())
            .stderr(stdout.try_clone()?)
            .stdout(stdout)
            .spawn()
            .with_context(cannot)?;
        let watchdog = Command::new("sh")
            .args(["-c", WATCHDOG, "watchdog", &child.id().to_string()])
            .arg(directory)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn();
        match watchdog {
            Ok(watchdog) => Ok(Self {
                child,
                watchdog,
                log,
            }),
            Err(error) => {
                end(&mut child);
                Err(error).with_context(cannot)
            }
        }
    }

    /// Returns the exit status, if the process has ended.
    pub(super) fn ended(&mut self) -> Result<Option<ExitStatus>> {
        Ok(self.child.try_wait()?)
    }

    /// Returns when the process has stopped (`SIGSTOP`).
    pub(super) fn pause(&self) -> Result<()> {
        let pid = Pid::from_child(&self.child);
        kill_process(pid, Signal::STOP).context("cannot pause the server")?;
        waitpid(Some(pid), WaitOptions::UNTRACED)
            .context("the paused server is not a child of this process")?;
        Ok(())
    }

    pub(super) fn resume(&self) -> Result<()> {
        kill_process(Pid::from_child(&self.child), Signal::CONT).context("cannot resume the server")
    }

    pub(super) fn id(&self) -> u32 {
        self.child.id()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // the watchdog first: once the server has ended, its id may belong to another process
        end(&mut self.watchdog);
        end(&mut self.child);
        if thread::panicking() {
            eprintln!("{self}");
        }
    }
}

/// Returns the log of the server.
impl fmt::Display for Process {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let log = fs::read(&self.log).unwrap_or_default();
        let log = String::from_utf8_lossy(&log);
        write!(f, "{} says:\n{log}", self.log.display())
    }
}

fn end(child: &mut Child) {
    let _ = child.kill();
    let _ = child.wait();
}
