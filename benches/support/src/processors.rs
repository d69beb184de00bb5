//! The processors that this process may use, and threads that run on one of them only.

use std::{collections::BTreeSet, fs, io, sync::OnceLock, thread};

/// A processor, by the number that the system gives it.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Processor(usize);

/// The processors of a number of threads.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Places {
    /// Each thread runs on a processor of its own.
    Pinned(Vec<Processor>),
    /// The system places the threads.
    Unpinned { threads: usize, why: String },
}

impl Places {
    /// Returns a processor for each thread. There are none if the process may use fewer processors than
    /// threads, or if the system does not permit a thread to choose its processor.
    pub fn of(threads: usize) -> Self {
        match available() {
            Err(why) => Self::Unpinned {
                threads,
                why: why.clone(),
            },
            Ok(processors) if processors.len() < threads => Self::Unpinned {
                threads,
                why: format!("{threads} threads, {} processors", processors.len()),
            },
            Ok(processors) => Self::Pinned(processors[..threads].to_vec()),
        }
    }

    pub fn threads(&self) -> usize {
        match self {
            Self::Pinned(processors) => processors.len(),
            Self::Unpinned { threads, .. } => *threads,
        }
    }

    pub fn are_pinned(&self) -> bool {
        matches!(self, Self::Pinned(_))
    }

    /// Pins the calling thread, the one with this number, to its processor.
    pub fn enter(&self, thread: usize) {
        if let Self::Pinned(processors) = self {
            pin(processors[thread]).expect("a processor to which threads were pinned before");
        }
    }
}

/// Returns the number of processors that this process may use.
pub fn count() -> usize {
    match available() {
        Ok(processors) => processors.len(),
        Err(_) => thread::available_parallelism().map_or(1, usize::from),
    }
}

/// Returns whether two processors are hardware threads of one core, as far as the system says.
pub fn share_a_core(one: Processor, other: Processor) -> bool {
    core(one).contains(&other)
}

/// Returns the processors that the main thread may use, to all of which a thread can be pinned: first one
/// of each core, then the others. The error says why threads cannot be pinned.
pub fn available() -> &'static Result<Vec<Processor>, String> {
    static AVAILABLE: OnceLock<Result<Vec<Processor>, String>> = OnceLock::new();
    AVAILABLE.get_or_init(|| {
        let search = || -> io::Result<Vec<Processor>> {
            let processors = of_main_thread()?;
            // in another thread, because a pinned thread stays where it is
            let pinned = thread::scope(|scope| {
                let all = scope.spawn(|| processors.iter().try_for_each(|&one| pin(one)));
                all.join().expect("does not panic")
            });
            pinned.map(|()| one_of_each_core_first(&processors, core))
        };
        search().map_err(|error| format!("threads cannot be pinned to processors: {error}"))
    })
}

fn one_of_each_core_first(
    processors: &[Processor],
    core: impl Fn(Processor) -> BTreeSet<Processor>,
) -> Vec<Processor> {
    let mut taken = BTreeSet::new();
    let (mut first, others): (Vec<_>, Vec<_>) = processors.iter().partition(|&&one| {
        let is_new = !taken.contains(&one);
        taken.extend(core(one));
        is_new
    });
    first.extend(others);
    first
}

/// Returns the processors that are hardware threads of the same core.
fn core(processor: Processor) -> BTreeSet<Processor> {
    let Processor(number) = processor;
    let file = format!("/sys/devices/system/cpu/cpu{number}/topology/thread_siblings_list");
    let mut core = fs::read_to_string(file).map_or_else(|_| BTreeSet::new(), |list| parse(&list));
    core.insert(processor);
    core
}

/// Reads a list such as `0-1,8`.
fn parse(list: &str) -> BTreeSet<Processor> {
    let range = |range: &str| {
        let (first, last) = range.split_once('-').unwrap_or((range, range));
        Some(first.parse().ok()?..=last.parse().ok()?)
    };
    let ranges = list.trim().split(',').filter_map(range);
    ranges.flatten().map(Processor).collect()
}

#[cfg(any(target_os = "android", target_os = "linux"))]
fn of_main_thread() -> io::Result<Vec<Processor>> {
    use rustix::{
        process::getpid,
        thread::{CpuSet, sched_getaffinity},
    };
    // the main thread, whose number is that of the process, is never pinned
    let set = sched_getaffinity(Some(getpid()))?;
    let all = (0..CpuSet::MAX_CPU).filter(|&one| set.is_set(one));
    Ok(all.map(Processor).collect())
}

#[cfg(any(target_os = "android", target_os = "linux"))]
fn pin(Processor(number): Processor) -> io::Result<()> {
    use rustix::thread::{CpuSet, sched_setaffinity};
    let mut set = CpuSet::new();
    set.set(number);
    Ok(sched_setaffinity(None, &set)?)
}

#[cfg(not(any(target_os = "android", target_os = "linux")))]
fn of_main_thread() -> io::Result<Vec<Processor>> {
    Err(io::ErrorKind::Unsupported.into())
}

#[cfg(not(any(target_os = "android", target_os = "linux")))]
fn pin(_: Processor) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbers(processors: impl IntoIterator<Item = Processor>) -> Vec<usize> {
        processors.into_iter().map(|Processor(one)| one).collect()
    }

    #[test]
    fn a_list_of_processors_is_read() {
        assert_eq!(numbers(parse("0-2,8\n")), [0, 1, 2, 8]);
        assert_eq!(numbers(parse("3")), [3]);
        assert!(parse("").is_empty());
    }

    #[test]
    fn threads_are_given_different_cores_before_hardware_threads_of_one_core() {
        let all: Vec<_> = (0..6).map(Processor).collect();
        // 0 and 1 are one core, as are 2 and 3, and 4 and 5
        let pairs = |Processor(one)| [one / 2 * 2, one / 2 * 2 + 1].map(Processor).into();
        assert_eq!(
            numbers(one_of_each_core_first(&all, pairs)),
            [0, 2, 4, 1, 3, 5]
        );
    }

    #[test]
    fn a_pinned_thread_may_use_its_processor_only() {
        let Places::Pinned(one) = Places::of(1) else {
            eprintln!("SKIPPED: threads cannot be pinned to processors here");
            return;
        };
        let places = Places::Pinned(one);
        thread::spawn(move || {
            places.enter(0);
            assert_eq!(thread::available_parallelism().unwrap().get(), 1);
        })
        .join()
        .unwrap();
    }

    #[test]
    fn more_threads_than_processors_are_not_pinned() {
        let places = Places::of(count() + 1);
        assert!(!places.are_pinned(), "{places:?}");
        assert_eq!(places.threads(), count() + 1);
    }
}
