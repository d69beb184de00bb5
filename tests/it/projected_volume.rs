//! A volume of Kubernetes with a projected token.

use std::{
    env, fs,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    process,
};

/// A volume that is replaced as the kubelet does it (`AtomicWriter`): `token` links to `..data/token`, and
/// `..data` to the directory of the last replacement. It is removed at the end of the test.
#[derive(Debug)]
pub(crate) struct ProjectedVolume {
    directory: PathBuf,
    token: PathBuf,
}

impl ProjectedVolume {
    /// Creates a volume without a token.
    pub(crate) fn new() -> Self {
        let directory = env::temp_dir().join(format!("auth-it-volume-{}", process::id()));
        fs::create_dir(&directory).unwrap();
        let token = directory.join("token");
        symlink("..data/token", &token).unwrap();
        Self { directory, token }
    }

    /// Returns the path that a program reads.
    pub(crate) fn token(&self) -> &Path {
        &self.token
    }

    /// Replaces the token: the link to its directory is replaced by a rename, and the last directory is
    /// removed.
    pub(crate) fn replace(&self, number: usize, token: &str) {
        let name = format!("..{number}");
        fs::create_dir(self.directory.join(&name)).unwrap();
        fs::write(self.directory.join(&name).join("token"), token).unwrap();
        let (link, next) = (self.directory.join("..data"), self.directory.join("..next"));
        let last = fs::read_link(&link).ok();
        symlink(&name, &next).unwrap();
        fs::rename(next, link).unwrap();
        if let Some(last) = last {
            fs::remove_dir_all(self.directory.join(last)).unwrap();
        }
    }
}

impl Drop for ProjectedVolume {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.directory);
    }
}
