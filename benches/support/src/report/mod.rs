//! The figures of the benches, compared with their bars, in one table.
//!
//! Each bench prints its own part at its end. `cargo xtask bench-report` prints all of it.

mod figures;
mod rounds;
mod rows;
mod table;
#[cfg(test)]
mod tests;

pub use rounds::{Directory, Error, Rounds, new_run, undisturbed_rounds};

/// Returns the table, in Markdown.
///
/// # Errors
///
/// If no bench has been run, or the times of a bench cannot be read.
pub fn all(ours: &Directory, peers: &Directory) -> Result<String, Error> {
    let mut rows = figures::ours(ours, |_| true)?;
    rows.push(figures::against_the_fastest_library(peers)?);
    if rows.iter().all(rows::Row::was_not_run) {
        let path = ours.path().display();
        let run = "cargo xtask bench-report --run";
        return Err(format!("no bench has been run (looked in {path}); run `{run}`").into());
    }
    Ok(table::markdown(&rows))
}

/// Returns the part of one group, in Markdown.
///
/// # Errors
///
/// If the times of a bench cannot be read.
pub fn part(ours: &Directory, group: &str) -> Result<String, Error> {
    Ok(table::markdown(&figures::ours(ours, |of| of == group)?))
}
