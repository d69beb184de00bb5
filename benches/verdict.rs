//! Measures nothing: prints the figures of the other benches with their bars, after they have run.
//! cargo runs the benches in the order of their names.

use std::{env, error::Error};

use bench_support::{interleaved::criterion_directory, report::Report};

fn main() -> Result<(), Box<dyn Error>> {
    if !env::args().any(|argument| argument == "--bench") {
        // `cargo test` runs the benches once, to see that they work, and keeps no samples
        return Ok(());
    }
    let ours = criterion_directory();
    let peers = ours
        .ancestors()
        .nth(2)
        .map(|root| root.join("benches/peers/target/criterion"));
    let report = Report::new(ours.clone(), peers.unwrap_or_default());
    match report.tables() {
        Ok(tables) => print!("\n{tables}"),
        // a single bench was run
        Err(error) => println!("{error:#}"),
    }
    Ok(())
}
