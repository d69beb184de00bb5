//! `call`, the evaluation tool, as a process: what it prints and how it exits.

mod counted;
mod failed;
mod printed;
mod trusted;
mod usage;
