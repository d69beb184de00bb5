//! The header `grpc-timeout`
//! ([gRPC over HTTP/2](https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md)): 1 to 8 digits
//! and a unit.

use std::time::Duration;

use http::{HeaderName, HeaderValue};

pub(crate) const GRPC_TIMEOUT: HeaderName = HeaderName::from_static("grpc-timeout");

/// The largest number of 8 digits.
const MAX: u128 = 99_999_999;

/// The units and their lengths in nanoseconds, the shortest first.
const UNITS: [(u8, u64); 6] = [
    (b'n', 1),
    (b'u', 1_000),
    (b'm', 1_000_000),
    (b'S', 1_000_000_000),
    (b'M', 60_000_000_000),
    (b'H', 3_600_000_000_000),
];

/// Returns `None` if the value is malformed: tonic and other implementations ignore it then.
pub(crate) fn parse(value: &HeaderValue) -> Option<Duration> {
    let (unit, digits) = value.as_bytes().split_last()?;
    let (_, length) = UNITS.iter().find(|(name, _)| name == unit)?;
    if !(1..=8).contains(&digits.len()) || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let number: u64 = std::str::from_utf8(digits).ok()?.parse().ok()?;
    let nanoseconds = u128::from(number) * u128::from(*length);
    let second = u128::from(UNITS[3].1);
    Some(Duration::new(
        u64::try_from(nanoseconds / second).ok()?,
        u32::try_from(nanoseconds % second).ok()?,
    ))
}

/// Returns the value in the shortest unit whose number has at most 8 digits, rounded down.
pub(crate) fn format(timeout: Duration) -> HeaderValue {
    let number = |length: u64| timeout.as_nanos() / u128::from(length);
    let [.., longest] = UNITS;
    let fits = |(_, length): &&(u8, u64)| number(*length) <= MAX;
    let (unit, length) = *UNITS.iter().find(fits).unwrap_or(&longest);
    let text = format!("{}{}", number(length).min(MAX), char::from(unit));
    HeaderValue::try_from(text).unwrap_or(HeaderValue::from_static("0n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(text: &str) -> HeaderValue {
        HeaderValue::from_bytes(text.as_bytes()).unwrap()
    }

    #[test]
    fn every_unit_is_parsed_and_formatted() {
        let secs = Duration::from_secs;
        for (text, expected, formatted) in [
            ("0n", Duration::ZERO, "0n"),
            ("1n", Duration::from_nanos(1), "1n"),
            ("7u", Duration::from_micros(7), "7000n"),
            ("99999999n", Duration::from_nanos(99_999_999), "99999999n"),
            ("100m", Duration::from_millis(100), "100000u"),
            ("00000001S", secs(1), "1000000u"),
            ("99999999u", Duration::from_micros(99_999_999), "99999999u"),
            ("100S", secs(100), "100000m"),
            ("3M", secs(180), "180000m"),
            ("28H", secs(100_800), "100800S"),
            ("99999999S", secs(99_999_999), "99999999S"),
            ("99999999M", secs(5_999_999_940), "99999999M"),
            ("99999999H", secs(359_999_996_400), "99999999H"),
        ] {
            assert_eq!(parse(&value(text)), Some(expected), "{text}");
            assert_eq!(format(expected), formatted, "{text}");
        }
        assert_eq!(format(Duration::MAX), "99999999H");
        assert_eq!(format(Duration::from_nanos(1_234_567_899)), "1234567u");
    }

    #[test]
    fn a_malformed_value_is_ignored() {
        for text in [
            "",
            "S",
            "1",
            "1s",
            "1 S",
            " 1S",
            "1S ",
            "+1S",
            "-1S",
            "1.5S",
            "1e3m",
            "0x1S",
            "1SS",
            "000000001S",
            "100000000n",
            "1h",
            "1U",
            "1N",
            "١S",
            "1\u{b5}",
            "1S,2S",
        ] {
            assert_eq!(parse(&value(text)), None, "{text:?}");
        }
    }
}
