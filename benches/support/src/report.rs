//! The last figures of the benches, compared with their bars.

mod figures;
mod samples;
#[cfg(test)]
mod tests;

use std::path::PathBuf;

use anyhow::{Result, bail};

use samples::Samples;

/// The directories in which criterion keeps the samples of our benches, and of those of other libraries.
#[derive(Debug)]
pub struct Report {
    ours: Samples,
    peers: Samples,
}

impl Report {
    pub fn new(ours: PathBuf, peers: PathBuf) -> Self {
        Self {
            ours: Samples::new(ours),
            peers: Samples::new(peers),
        }
    }

    /// Returns the tables, in Markdown: the figures with their bars, and the times of all functions.
    ///
    /// # Errors
    ///
    /// If no bench has been run, or the samples of a bench cannot be read.
    pub fn tables(&self) -> Result<String> {
        let rows = figures::all(&self.ours, &self.peers)?;
        if rows.iter().all(figures::Row::is_missing) {
            bail!(
                "no bench has been run (looked in {}); run `cargo xtask bench-report --run`",
                self.ours
            );
        }
        let mut text = String::new();
        for samples in [&self.ours, &self.peers] {
            for (group, concurrency) in samples.probes()? {
                text.push_str(&format!("{group}: {concurrency}\n"));
            }
        }
        text.push_str("\nA figure is a ratio of times that were measured in the same round: the median over the rounds,\n");
        text.push_str("and the interval that contains it with 95 % confidence.\n\n");
        text.push_str("| figure | bar | measured (95 % interval) | |\n|---|---|---|---|\n");
        for row in &rows {
            text.push_str(&format!("{row}\n"));
        }
        text.push_str("\nTimes in nanoseconds, of one read or request by one thread, over the rounds. In a group whose \
                       threads did\nnot run at the same time, the rows with several threads are void.\n\n");
        text.push_str(
            "| group/function | median | 99th percentile | worst round |\n|---|---|---|---|\n",
        );
        for samples in [&self.ours, &self.peers] {
            for line in samples.distributions()? {
                text.push_str(&format!("{line}\n"));
            }
        }
        text.push_str(
            "\nAllocations are counted, and printed, by `cargo bench --bench middleware`.\n",
        );
        Ok(text)
    }
}
