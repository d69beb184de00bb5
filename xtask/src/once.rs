//! Runs a step of the set-up once for each state of its inputs.

use std::{fs, path::Path};

use anyhow::{Context as _, Result};

/// A file in the installed directory, so that removing the directory removes the file.
const STAMP: &str = ".installed-from";

/// Runs `install`, which fills `directory`, unless it has done so from the same `inputs` before.
///
/// `inputs` is the text that determines the result, such as a lock file or a version. Files from other
/// inputs, or from an interrupted installation, are removed first.
///
/// # Errors
///
/// Those of `install`, and of the file system.
pub(crate) fn install(
    directory: &Path,
    inputs: &str,
    what: &str,
    install: impl FnOnce() -> Result<()>,
) -> Result<()> {
    let stamp = directory.join(STAMP);
    if fs::read_to_string(&stamp).is_ok_and(|found| found == inputs) {
        return Ok(());
    }
    eprintln!("interop: {what}");
    if directory.exists() {
        fs::remove_dir_all(directory)
            .with_context(|| format!("cannot remove the outdated {}", directory.display()))?;
    }
    install().with_context(|| format!("{what} failed"))?;
    fs::write(&stamp, inputs).with_context(|| format!("cannot write {}", stamp.display()))
}

#[cfg(test)]
mod tests {
    use std::{cell::Cell, env, path::PathBuf, process};

    use anyhow::bail;

    use super::*;

    #[test]
    fn installs_again_only_when_the_inputs_change_or_the_last_time_failed() {
        let directory = Scratch::new("once");
        let runs = Cell::new(0);
        let fill = || {
            assert!(!directory.0.exists(), "leftovers were not removed");
            fs::create_dir_all(&directory.0)?;
            runs.set(runs.get() + 1);
            Ok(())
        };

        install(&directory.0, "one", "test", fill).unwrap();
        install(&directory.0, "one", "test", fill).unwrap();
        assert_eq!(runs.get(), 1);

        install(&directory.0, "two", "test", fill).unwrap();
        assert_eq!(runs.get(), 2);

        let failure = install(&directory.0, "three", "test", || bail!("no network"));
        assert_eq!(
            format!("{:#}", failure.unwrap_err()),
            "test failed: no network"
        );
        install(&directory.0, "two", "test", fill).unwrap();
        assert_eq!(runs.get(), 3, "a failed installation left a stamp");
    }

    /// A directory name of this process, and nothing left of it afterwards.
    struct Scratch(PathBuf);

    impl Scratch {
        fn new(name: &str) -> Self {
            Self(env::temp_dir().join(format!("xtask-{name}-{}", process::id())))
        }
    }

    impl Drop for Scratch {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }
}
