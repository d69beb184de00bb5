//! Copying the fixtures' sources to where they are run.

use std::{fs, path::Path};

use anyhow::{Context as _, Result};

/// What somebody who ran a fixture in the source tree may have left there.
const NOT_SOURCES: [&str; 3] = ["__pycache__", "keys", "node_modules"];

/// Copies the files below `from`, always: they are a handful, and a stale one would be puzzling.
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
