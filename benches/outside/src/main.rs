//! Reads tokens for the bench `token_read`. Each line of the input names a read, the number of threads and
//! the number of reads of each thread. The answer is the average time of a thread in nanoseconds, the
//! number of parts of batches that count, and how many of them count although a thread did not have its core to
//! itself.

#![forbid(unsafe_code)]

use std::{
    error::Error,
    io::{self, Write as _},
};

use bench_support::{
    reads::{auth_core_cached, floor, floor_in_place},
    threads::{counted_parts, describe_parts, disturbed_parts},
};

fn main() -> Result<(), Box<dyn Error>> {
    for line in io::stdin().lines() {
        let line = line?;
        let fields: Vec<_> = line.split_whitespace().collect();
        let [name, threads, reads] = fields[..] else {
            return Err(format!("expected NAME THREADS READS, got {line:?}").into());
        };
        let read = match name {
            "auth_core_cached" => auth_core_cached,
            "floor" => floor,
            "floor_in_place" => floor_in_place,
            _ => return Err(format!("expected the name of a read, got {name:?}").into()),
        };
        let (counted, disturbed) = (counted_parts(), disturbed_parts());
        let took = read(threads.parse()?, reads.parse()?).as_nanos();
        println!(
            "{took} {} {}",
            counted_parts() - counted,
            disturbed_parts() - disturbed
        );
        io::stdout().flush()?;
    }
    eprintln!("the program outside the workspace: {}", describe_parts());
    Ok(())
}
