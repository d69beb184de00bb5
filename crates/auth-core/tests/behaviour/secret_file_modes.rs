//! Modes of secret files that draw a warning, and modes that a mount sets.

#![cfg(unix)]

use std::{
    fs::{self, Permissions},
    os::unix::fs::{PermissionsExt, symlink},
    path::{Path, PathBuf},
    process,
};

use auth_core::{ClientAuthentication, ClientCredentials, ClientSecret, TokenRequest, TokenSource};

use crate::{captured_log::CapturedLog, recording_transport::Recording};

/// A directory for one test, removed on drop.
struct Directory(PathBuf);

impl Directory {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("auth-core-modes-{name}-{}", process::id()));
        let _ = fs::remove_dir_all(&path);
        fs::create_dir(&path).unwrap();
        Self(path)
    }

    fn file(&self, name: &str, mode: u32) -> PathBuf {
        let path = self.0.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        let _ = fs::remove_file(&path);
        fs::write(&path, "s3cr3t").unwrap();
        fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
        path
    }

    fn link(&self, name: &str, target: impl AsRef<Path>) -> PathBuf {
        let path = self.0.join(name);
        symlink(target, &path).unwrap();
        path
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Reads a secret at construction and for a token request.
async fn warns(path: &Path) -> bool {
    let (log, guard) = CapturedLog::start();
    let secret = ClientSecret::from_file(path).unwrap();
    let authentication = ClientAuthentication::client_secret_post(secret);
    let source = ClientCredentials::builder("https://as.example/token", "id", authentication)
        .build(Recording::issuing())
        .unwrap();
    source.fetch(&TokenRequest::default()).await.unwrap();
    drop(guard);
    log.text().contains("chmod 600")
}

#[tokio::test]
async fn mode_of_owner_and_group_draws_no_warning() {
    let directory = Directory::new("group");
    for mode in [
        0o400, 0o600, 0o700, 0o440, 0o640, 0o660, 0o750, 0o620, 0o601,
    ] {
        let path = directory.file(&format!("{mode:o}"), mode);
        assert!(!warns(&path).await, "{mode:o}");
    }
}

#[tokio::test]
async fn mode_by_which_others_may_read_or_write_draws_a_warning() {
    let directory = Directory::new("others");
    for mode in [0o604, 0o644, 0o444, 0o602, 0o666, 0o777] {
        let path = directory.file(&format!("{mode:o}"), mode);
        assert!(warns(&path).await, "{mode:o}");
        let link = directory.link(&format!("link-{mode:o}"), &path);
        assert!(warns(&link).await, "{mode:o}: a link to it");
    }
}

/// <https://kubernetes.io/docs/concepts/storage/projected-volumes/>: `defaultMode` is 0644. The kubelet
/// exchanges all files of a volume at once by renaming the link `..data`.
#[tokio::test]
async fn mode_of_a_file_in_a_kubernetes_volume_draws_no_warning() {
    let directory = Directory::new("kubernetes");
    let inner = "..2026_01_02_03_04_05.678901234";
    directory.link("..data", inner);
    for mode in [0o644, 0o444, 0o440, 0o640, 0o604] {
        let name = format!("{mode:o}");
        let inside = directory.file(&format!("{inner}/{name}"), mode);
        let link = directory.link(&name, format!("..data/{name}"));
        let elsewhere = directory.link(&format!("elsewhere-{name}"), &link);
        for path in [
            &link,
            &directory.0.join("..data").join(&name),
            &inside,
            &elsewhere,
        ] {
            assert!(!warns(path).await, "{mode:o}: {}", path.display());
        }
    }
    // `items[].path` with a directory
    directory.file(&format!("{inner}/client/key/secret"), 0o644);
    directory.link("client", "..data/client");
    assert!(!warns(&directory.0.join("client/key/secret")).await);
    // a file that others may write is no default of Kubernetes
    directory.file(&format!("{inner}/writable"), 0o646);
    assert!(warns(&directory.link("writable", "..data/writable")).await);
}

#[tokio::test]
async fn mode_of_a_file_beside_a_kubernetes_volume_draws_a_warning() {
    let directory = Directory::new("beside");
    directory.file("..2026/secret", 0o644);
    // no `..data`
    assert!(warns(&directory.0.join("..2026/secret")).await);
    directory.link("..data", "..2026");
    // not behind it
    assert!(warns(&directory.file("own", 0o644)).await);
    assert!(warns(&directory.file("folder/own", 0o644)).await);
}
