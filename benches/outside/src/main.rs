//! Reads tokens for the bench `token_read`. Each line of the input names a read, the number of threads and
//! the number of reads of each thread. The answer is the average time of a thread in nanoseconds.

#![forbid(unsafe_code)]

use std::{
    error::Error,
    io::{self, Write as _},
};

use bench_support::reads::READS;

fn main() -> Result<(), Box<dyn Error>> {
    for line in io::stdin().lines() {
        let line = line?;
        let fields: Vec<_> = line.split_whitespace().collect();
        let [name, threads, reads] = fields[..] else {
            return Err(format!("expected NAME THREADS READS, got {line:?}").into());
        };
        let read = READS.iter().find(|(known, _)| *known == name);
        let (_, read) = read.ok_or_else(|| format!("expected a read of READS, got {name:?}"))?;
        let took = read(threads.parse()?, reads.parse()?);
        println!("{}", took.as_nanos());
        io::stdout().flush()?;
    }
    Ok(())
}
