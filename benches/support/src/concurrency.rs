//! The result of the probe: whether the threads of a bench ran at the same time.

use std::{fmt, fs, io, path::Path};

/// The file in a group's directory that holds the result of the last run.
const FILE: &str = "concurrency.txt";

/// Below this ratio the threads are regarded as running in turn.
const LEAST_RATIO: f64 = 2.0;

/// What one addition to a counter costs: to one of the thread's own, and to one that all threads share.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Concurrency {
    pub threads: usize,
    /// In nanoseconds.
    pub own: f64,
    /// In nanoseconds.
    pub shared: f64,
}

impl Concurrency {
    pub fn ratio(&self) -> f64 {
        self.shared / self.own
    }

    /// Returns whether the threads ran at the same time. One thread needs no other.
    pub fn is_seen(&self) -> bool {
        self.threads < 2 || self.ratio() >= LEAST_RATIO
    }

    /// Writes the result next to the samples of a group.
    ///
    /// # Errors
    ///
    /// If the file cannot be written.
    pub fn save(&self, group: &Path) -> io::Result<()> {
        fs::create_dir_all(group)?;
        let Self {
            threads,
            own,
            shared,
        } = self;
        fs::write(group.join(FILE), format!("{threads} {own} {shared}\n"))
    }

    /// Reads the result of a group's last run. `None` if there is none.
    pub fn load(group: &Path) -> Option<Self> {
        let text = fs::read_to_string(group.join(FILE)).ok()?;
        let mut fields = text.split_whitespace();
        Some(Self {
            threads: fields.next()?.parse().ok()?,
            own: fields.next()?.parse().ok()?,
            shared: fields.next()?.parse().ok()?,
        })
    }
}

impl fmt::Display for Concurrency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            threads,
            own,
            shared,
        } = self;
        let ratio = self.ratio();
        write!(
            f,
            "{threads} threads: a shared counter takes {shared:.1} ns, a counter for each thread \
             {own:.1} ns, ratio {ratio:.1}: "
        )?;
        match self.is_seen() {
            _ if *threads < 2 => f.write_str("only one processor can be used"),
            true => f.write_str("the threads run at the same time"),
            false => write!(
                f,
                "the threads do not run at the same time (expected {LEAST_RATIO} or more), and the \
                 rows with several threads are void"
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{env, process};

    use super::*;

    #[test]
    fn a_result_is_read_as_it_was_written() {
        let directory = env::temp_dir().join(format!("bench-concurrency-{}", process::id()));
        let result = Concurrency {
            threads: 2,
            own: 2.1,
            shared: 9.7,
        };
        assert_eq!(Concurrency::load(&directory), None);
        result.save(&directory).unwrap();
        assert_eq!(Concurrency::load(&directory), Some(result));
        fs::remove_dir_all(&directory).unwrap();
        assert!(result.is_seen());
        let in_turn = Concurrency {
            shared: 2.2,
            ..result
        };
        assert!(!in_turn.is_seen());
        assert!(in_turn.to_string().contains("void"), "{in_turn}");
    }
}
