//! Seal keys in files: who may read them, how they are made, and which ones are no keys.
#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "a test")]

use std::{
    fs::{self, File, Permissions},
    io::Write as _,
    os::unix::fs::{PermissionsExt, symlink},
    path::PathBuf,
    process::Command,
};

use auth_redis::SealKeys;
use auth_test_support::log::Warnings;
use tracing::subscriber::with_default;

const KEY: [u8; 32] = *b"a seal key for tests, 32 bytes..";

fn warnings_of(read: impl FnOnce()) -> Vec<String> {
    let warnings = Warnings::of("auth_redis");
    with_default(warnings.clone(), read);
    warnings.take()
}

/// A directory for one test, removed on drop.
struct Directory(PathBuf);

impl Directory {
    fn new() -> Self {
        let path = std::env::temp_dir().join(format!("seal-{:016x}", fastrand::u64(..)));
        fs::create_dir(&path).unwrap();
        Self(path)
    }

    fn file(&self, name: &str, mode: u32, content: &[u8]) -> PathBuf {
        let path = self.0.join(name);
        File::create(&path).unwrap().write_all(content).unwrap();
        fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
        path
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

#[test]
fn a_file_that_others_may_read_or_change_draws_one_warning() {
    let directory = Directory::new();
    for mode in [0o644, 0o604, 0o602, 0o666, 0o777, 0o444] {
        let path = directory.file("key", mode, &KEY);
        let warnings = warnings_of(|| drop(SealKeys::from_files([&path]).unwrap()));
        let [warning] = &warnings[..] else {
            panic!("{mode:o}: {warnings:?}");
        };
        let command = format!("chmod 600 {}", path.display());
        for part in [
            "auth_redis.seal_key_file_open_to_others",
            &path.display().to_string(),
            &format!("{mode:04o}"),
            &command,
        ] {
            assert!(warning.contains(part), "{part}: {warning}");
        }
        assert!(!warning.contains("a seal key"), "{warning}");
        fs::remove_file(path).unwrap();
    }
}

#[test]
fn a_file_of_its_owner_and_its_group_draws_no_warning() {
    let directory = Directory::new();
    for mode in [0o600, 0o400, 0o700, 0o440, 0o640, 0o660, 0o620, 0o610] {
        let path = directory.file(&format!("{mode:o}"), mode, &KEY);
        assert_eq!(
            warnings_of(|| drop(SealKeys::from_files([path]).unwrap())),
            Vec::<String>::new()
        );
    }
}

/// The kubelet exchanges the files of a volume by renaming the link `..data`. The default mode is 0644.
#[test]
fn a_file_in_a_volume_of_kubernetes_draws_no_warning() {
    let directory = Directory::new();
    fs::create_dir(directory.0.join("..2026")).unwrap();
    symlink("..2026", directory.0.join("..data")).unwrap();
    for (mode, count) in [(0o644, 0), (0o444, 0), (0o646, 1)] {
        let name = format!("{mode:o}");
        directory.file(&format!("..2026/{name}"), mode, &KEY);
        let link = directory.0.join(&name);
        symlink(format!("..data/{name}"), &link).unwrap();
        let warnings = warnings_of(|| drop(SealKeys::from_files([link]).unwrap()));
        assert_eq!(warnings.len(), count, "{mode:o}: {warnings:?}");
    }
    let beside = directory.file("beside", 0o644, &KEY);
    let warnings = warnings_of(|| drop(SealKeys::from_files([beside]).unwrap()));
    assert_eq!(warnings.len(), 1, "{warnings:?}");
}

#[test]
fn the_mode_of_the_file_counts_and_not_that_of_a_link_to_it() {
    let directory = Directory::new();
    for (mode, count) in [(0o600, 0), (0o644, 1)] {
        let path = directory.file(&format!("{mode:o}"), mode, &KEY);
        let link = directory.0.join(format!("link-{mode:o}"));
        symlink(path, &link).unwrap();
        let warnings = warnings_of(|| drop(SealKeys::from_files([link]).unwrap()));
        assert_eq!(warnings.len(), count, "{warnings:?}");
    }
}

#[test]
fn each_file_of_a_ring_draws_its_own_warning() {
    let directory = Directory::new();
    let one = directory.file("one", 0o644, &KEY);
    let other = directory.file("other", 0o644, b"another seal key, also 32 bytes.");
    let warnings = warnings_of(|| drop(SealKeys::from_files([one, other]).unwrap()));
    assert_eq!(warnings.len(), 2, "{warnings:?}");
}

/// Returns the command of the README that makes a seal key.
fn documented_command() -> &'static str {
    let readme = include_str!("../README.md");
    let command = readme.lines().find(|line| line.contains("/dev/urandom"));
    command.unwrap()
}

#[test]
fn the_documented_command_makes_a_key_that_only_its_owner_may_read() {
    for umask in ["000", "022", "077"] {
        let directory = Directory::new();
        let script = format!("umask {umask}; {}", documented_command());
        let status = Command::new("sh")
            .args(["-c", &script])
            .current_dir(&directory.0)
            .status()
            .unwrap();
        assert!(status.success(), "{script}");
        let path = directory.0.join("seal-key");
        let mode = fs::metadata(&path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode, 0o600, "{script}");
        let warnings = warnings_of(|| drop(SealKeys::from_files([path]).unwrap()));
        assert_eq!(warnings, Vec::<String>::new(), "{script}");
    }
}

#[test]
fn every_documented_way_to_make_a_key_is_the_same_command() {
    for text in [
        include_str!("../README.md"),
        include_str!("../src/seal_keys.rs"),
        include_str!("../../../examples/call/args.rs"),
    ] {
        for (at, _) in text.match_indices("head -c 32") {
            assert!(text[..at].ends_with("(umask 077 && "), "{}", &text[..at]);
        }
    }
}

#[test]
fn a_file_that_is_no_key_is_an_error_that_shows_no_content() {
    let directory = Directory::new();
    for (content, expected) in [
        (&b"s3cr3t"[..], "has 6 bytes"),
        (b"", "has 0 bytes"),
        (b"a seal key for tests, 32 bytes..\n", "has 33 bytes"),
        (&[b's'; 5000], "has at least 128 bytes"),
        (&[0; 32], "is not random"),
        (b"s3cr3ts3cr3ts3cr3ts3cr3ts3cr3ts3", "is not random"),
    ] {
        let path = directory.file("key", 0o600, content);
        let error = SealKeys::from_files([&path]).unwrap_err();
        let shown = format!("{error} {error:?}");
        assert!(shown.contains(expected), "{shown}");
        assert!(!shown.contains("s3cr3t"), "{shown}");
        fs::remove_file(path).unwrap();
    }
    let none = directory.0.join("none");
    let error = SealKeys::from_files([none]).unwrap_err().to_string();
    assert!(error.contains("none cannot be read"), "{error}");
}

#[test]
fn an_endless_file_is_no_key() {
    let error = SealKeys::from_files(["/dev/zero"]).unwrap_err().to_string();
    assert!(
        error.contains("has at least 128 bytes; expected 32"),
        "{error}"
    );
}

#[test]
fn a_key_of_few_different_bytes_is_refused() {
    for key in [
        [0; 32],
        [0xff; 32],
        [b'a'; 32],
        std::array::from_fn(|at| u8::from(at == 31)),
        std::array::from_fn(|at| u8::try_from(at % 2).unwrap()),
        std::array::from_fn(|at| b"passwrd"[at % 7]),
    ] {
        let error = SealKeys::new([KEY, key]).unwrap_err().to_string();
        assert!(error.contains("seal key number 2 is not random"), "{error}");
    }
    for _ in 0..10_000 {
        let random: [u8; 32] = std::array::from_fn(|_| fastrand::u8(..));
        SealKeys::new([random]).unwrap();
    }
}
