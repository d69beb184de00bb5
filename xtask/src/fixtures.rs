//! Copies the sources of the fixtures to the directory in which they run.

use std::{fs, path::Path};

use anyhow::{Context as _, Result};

/// Files that a fixture leaves if it is run in the source tree.
const NOT_SOURCES: [&str; 3] = ["__pycache__", "keys", "node_modules"];

/// Copies the files below `from`, also unchanged ones: they are few, and an outdated copy would mislead.
pub(crate) fn copy(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir_all(to).with_context(|| format!("cannot create {}", to.display()))?;
    let entries = fs::read_dir(from).with_context(|| format!("cannot read {}", from.display()))?;
    for entry in entries {
        let entry = entry.with_context(|| format!("cannot read {}", from.display()))?;
        let (source, target) = (entry.path(), to.join(entry.file_name()));
        if NOT_SOURCES.iter().any(|name| entry.file_name() == *name) {
            continue;
        }
        if source.is_dir() {
            copy(&source, &target)?;
        } else {
            fs::copy(&source, &target).with_context(|| {
                format!("cannot copy {} to {}", source.display(), target.display())
            })?;
        }
    }
    Ok(())
}
