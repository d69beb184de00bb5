//! A file that a test replaces as Kubernetes replaces a projected token.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process,
};

/// A file that is removed at the end of the test.
#[derive(Debug)]
pub(crate) struct TemporaryFile(PathBuf);

impl TemporaryFile {
    pub(crate) fn new(name: &str) -> Self {
        Self(env::temp_dir().join(format!("auth-it-{name}-{}", process::id())))
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    /// Replaces the file by a rename, so that no reader sees a part of it.
    pub(crate) fn replace(&self, text: &str) {
        let next = self.0.with_extension("next");
        fs::write(&next, text).unwrap();
        fs::rename(&next, &self.0).unwrap();
    }
}

impl Drop for TemporaryFile {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}
