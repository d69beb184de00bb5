//! Parses the values of options.

use std::time::Duration;

pub(super) fn at_least_one(text: &str) -> Result<u64, String> {
    match text.parse() {
        Ok(number) if number > 0 => Ok(number),
        _ => Err("expected a number from 1".into()),
    }
}

pub(super) fn up_to_100_000(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(number) if (1..=100_000).contains(&number) => Ok(number),
        _ => Err("expected a number from 1 to 100000".into()),
    }
}

pub(super) fn bytes(text: &str) -> Result<usize, String> {
    text.parse()
        .map_err(|_| "expected a number of bytes, such as 65536".into())
}

pub(super) fn duration(text: &str) -> Result<Duration, String> {
    match humantime::parse_duration(text) {
        Ok(duration) if !duration.is_zero() => Ok(duration),
        _ => Err("expected a duration such as 500ms, 10s, 5m or 1h".into()),
    }
}

pub(super) fn rate(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(rate) if (0.001..=1e6).contains(&rate) => Ok(rate),
        _ => Err("expected a number from 0.001 to 1000000".into()),
    }
}
