//! The processors that this process may use, and threads that are pinned to one of them.

use std::sync::OnceLock;

/// Returns the numbers of the processors, as the first caller may use them. Call it before a thread is
/// pinned: a pinned thread may use only one. Empty where the system does not tell.
pub fn processors() -> &'static [usize] {
    static PROCESSORS: OnceLock<Vec<usize>> = OnceLock::new();
    PROCESSORS.get_or_init(system::allowed)
}

/// Pins the calling thread to a processor. Returns whether that is permitted.
pub fn pin(processor: usize) -> bool {
    system::pin(processor)
}

#[cfg(target_os = "linux")]
mod system {
    use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

    pub(super) fn allowed() -> Vec<usize> {
        let allowed = sched_getaffinity(None);
        let numbers = |set: CpuSet| {
            (0..CpuSet::MAX_CPU)
                .filter(|&one| set.is_set(one))
                .collect()
        };
        allowed.map(numbers).unwrap_or_default()
    }

    pub(super) fn pin(processor: usize) -> bool {
        let mut one = CpuSet::new();
        one.set(processor);
        sched_setaffinity(None, &one).is_ok()
    }
}

#[cfg(not(target_os = "linux"))]
mod system {
    pub(super) fn allowed() -> Vec<usize> {
        Vec::new()
    }

    pub(super) fn pin(_processor: usize) -> bool {
        false
    }
}
