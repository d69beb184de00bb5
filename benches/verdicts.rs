//! Prints the figures of all benches with their bars and verdicts, without measuring anything. `cargo bench`
//! runs the benches in the order of their names, so this table is its end.

use std::{env, error::Error, path::Path};

use bench_support::report::{self, Directory};

fn main() -> Result<(), Box<dyn Error + Send + Sync>> {
    let is_given = |wanted: &str| env::args().any(|argument| argument == wanted);
    if !is_given("--bench") || is_given("--test") || is_given("--list") {
        return Ok(());
    }
    let peers = Path::new("benches/peers/Cargo.toml");
    let table = report::all(&Directory::of(None)?, &Directory::of(Some(peers))?)?;
    println!("\n{table}");
    Ok(())
}
