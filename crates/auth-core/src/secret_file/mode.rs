//! Which users may read or change a file that holds a secret.

use std::{
    fs::{File, Metadata},
    path::Path,
};

/// Returns the mode of a file that holds a secret, if it is worth a warning: users other than the owner
/// and the group of the file may read or write it. `file` is the open file at `path`.
///
/// It is not if the mount decides about the mode, because no process that reads the file can change
/// it:
///
/// - a mount is read-only (known on Linux), as those of Kubernetes and of Docker for secrets
/// - others may only read a file in a volume that the kubelet maintains, where `path` leads through a
///   link named `..data`; 0644 is the default there
#[cfg(unix)]
#[must_use]
pub fn open_to_others(path: &Path, file: &File, metadata: &Metadata) -> Option<u32> {
    use std::os::unix::fs::PermissionsExt;

    let mode = metadata.permissions().mode() & 0o7777;
    let may_write = mode & 0o002 != 0;
    let may_read = mode & 0o004 != 0 && !is_in_kubernetes_volume(path);
    ((may_write || may_read) && !is_read_only(file)).then_some(mode)
}

/// Where files have no such modes.
#[cfg(not(unix))]
#[must_use]
pub fn open_to_others(_: &Path, _: &File, _: &Metadata) -> Option<u32> {
    None
}

/// Returns whether the file is in the directory to which a link named `..data` beside it leads, or has
/// led: the kubelet exchanges the files of a volume by renaming that link.
#[cfg(unix)]
fn is_in_kubernetes_volume(path: &Path) -> bool {
    let Ok(path) = path.canonicalize() else {
        // the file was exchanged after it had been opened
        return true;
    };
    path.ancestors().skip(1).any(|directory| {
        let name = directory.file_name().unwrap_or_default();
        let link = directory.with_file_name("..data");
        name.as_encoded_bytes().starts_with(b"..") && link.is_symlink()
    })
}

#[cfg(target_os = "linux")]
fn is_read_only(file: &File) -> bool {
    use rustix::fs::{StatVfsMountFlags, fstatvfs};

    fstatvfs(file).is_ok_and(|found| found.f_flag.contains(StatVfsMountFlags::RDONLY))
}

#[cfg(all(unix, not(target_os = "linux")))]
fn is_read_only(_: &File) -> bool {
    false
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::{fs, os::unix::fs::MetadataExt};

    use rustix::fs::{major, minor};

    use super::*;

    /// Mounts of servers are left out: opening one may wait for its server.
    const LOCAL: [&str; 8] = [
        "btrfs", "ext4", "overlay", "proc", "squashfs", "sysfs", "tmpfs", "xfs",
    ];

    /// `proc_pid_mountinfo(5)` describes the fields.
    #[test]
    fn a_mount_is_read_only_if_the_kernel_lists_it_so() {
        let text = fs::read_to_string("/proc/self/mountinfo").unwrap();
        let mut compared = 0;
        for line in text.lines() {
            let (mount, system) = line.split_once(" - ").unwrap();
            let mount: Vec<_> = mount.split(' ').collect();
            let system: Vec<_> = system.split(' ').collect();
            let (device, place, options) = (mount[2], mount[4], [mount[5], system[2]]);
            let is_local_directory = LOCAL.contains(&system[0]) && Path::new(place).is_dir();
            let Some(file) = is_local_directory.then(|| File::open(place).ok()).flatten() else {
                continue;
            };
            // another mount may be above this one
            let found = file.metadata().unwrap().dev();
            if device == format!("{}:{}", major(found), minor(found)) {
                let mut options = options.iter().flat_map(|options| options.split(','));
                let expected = options.any(|option| option == "ro");
                assert_eq!(is_read_only(&file), expected, "{line}");
                compared += 1;
            }
        }
        assert!(compared > 0);
    }
}
