//! `call`, the evaluation tool, as a process: its output and its exit status.

mod certificates;
mod counts;
mod failures;
mod output;
mod usage;
