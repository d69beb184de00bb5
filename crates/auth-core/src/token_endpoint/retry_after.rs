//! `Retry-After` (RFC 9110 §10.2.3).

use std::{
    borrow::Cow,
    time::{Duration, SystemTime},
};

use http::{HeaderMap, HeaderName, header};

const MONTHS: [&str; 12] = [
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
];
const WEEKDAYS: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
/// A two-digit year that would be further ahead than this means the century before (RFC 9110
/// §5.6.7).
const FIFTY_YEARS: Duration = Duration::from_secs(50 * 36_525 * 864);

/// Returns the longest wait that the response asks for. A date is read against the response's own
/// `Date` or, if it has none, against `wall`, the time since 1970. A time in the past asks for
/// nothing.
pub(super) fn retry_after(headers: &HeaderMap, wall: Duration) -> Option<Duration> {
    let date = lines(headers, header::DATE).find_map(|line| http_date(line, wall));
    let now = date.unwrap_or(wall);
    let waits = lines(headers, header::RETRY_AFTER).flat_map(values);
    waits.filter_map(|value| wait(&value, now)).max()
}

fn lines(headers: &HeaderMap, name: HeaderName) -> impl Iterator<Item = &str> {
    let lines = headers.get_all(name).into_iter();
    lines.filter_map(|line| line.to_str().ok())
}

/// Splits a line that combines several (RFC 9110 §5.3). A date has a comma after its weekday.
fn values(line: &str) -> Vec<String> {
    let mut values: Vec<String> = Vec::new();
    for part in line.split(',') {
        match values.last_mut() {
            // a blank part would grow the weekday with each comma
            _ if part.trim().is_empty() => {}
            Some(last) if is_weekday(last.trim()) => {
                last.push(' ');
                last.push_str(part);
            }
            _ => values.push(part.to_owned()),
        }
    }
    values
}

fn is_weekday(text: &str) -> bool {
    let start = text.get(..3).unwrap_or_default();
    let is_known = WEEKDAYS.iter().any(|day| day.eq_ignore_ascii_case(start));
    is_known && text.bytes().all(|octet| octet.is_ascii_alphabetic())
}

/// Returns the wait of one value, in whole seconds, rounded up.
fn wait(value: &str, now: Duration) -> Option<Duration> {
    let value = value.trim();
    if value.contains(':') {
        let wait = http_date(value, now)?.checked_sub(now)?;
        return (!wait.is_zero()).then_some(wait);
    }
    let (seconds, fraction) = value.split_once('.').unwrap_or((value, ""));
    let is_number = |text: &str| text.bytes().all(|octet| octet.is_ascii_digit());
    if !is_number(seconds) || !is_number(fraction) || (seconds.is_empty() && fraction.is_empty()) {
        return None;
    }
    let rounded_up = fraction.bytes().any(|digit| digit != b'0');
    // more digits than a u64 has are more seconds than any limit
    let seconds = match seconds {
        "" => 0,
        seconds => seconds.parse().unwrap_or(u64::MAX),
    };
    Some(Duration::from_secs(
        seconds.saturating_add(rounded_up.into()),
    ))
}

/// Returns the time since 1970 of a date: each form of RFC 9110 §5.6.7, in any case, with or
/// without its weekday, and with the zones of RFC 5322. `now` chooses the century of a two-digit
/// year.
fn http_date(text: &str, now: Duration) -> Option<Duration> {
    // 06-Nov-94 has the hyphens of a date, -0500 that of a zone
    let is_part_of_date = |part: &&str| part.starts_with(|c: char| c.is_ascii_digit());
    let parts = text.split([' ', '\t', ',']).filter(|part| !part.is_empty());
    let mut parts: Vec<&str> = parts
        .flat_map(
            |part| match is_part_of_date(&part) && part.matches('-').count() == 2 {
                true => part.splitn(3, '-').collect::<Vec<_>>(),
                false => vec![part],
            },
        )
        .collect();
    if parts.first().is_some_and(|first| is_weekday(first)) {
        parts.remove(0);
    }
    let (day, month, year, time, zone) = match parts[..] {
        [month, day, time, year] if time.contains(':') => (day, month, year, time, "GMT"),
        [day, month, year, time, zone] => (day, month, year, time, zone),
        _ => return None,
    };
    let month = MONTHS
        .iter()
        .find(|name| name.eq_ignore_ascii_case(month))?;
    let is_number = day
        .bytes()
        .chain(year.bytes())
        .all(|octet| octet.is_ascii_digit());
    if day.len() > 2 || !is_number {
        return None;
    }
    let offset = offset(zone)?;
    // the parser knows no leap second
    let (time, leap) = match time.strip_suffix(":60") {
        Some(minute) => (Cow::from(format!("{minute}:59")), Duration::from_secs(1)),
        None => (Cow::from(time), Duration::ZERO),
    };
    let at = |year: &str| {
        // the parser requires the weekday of the date
        let date = WEEKDAYS.iter().find_map(|weekday| {
            let date = format!("{weekday}, {day:0>2} {month} {year} {time} GMT");
            httpdate::parse_http_date(&date).ok()
        });
        let date = date?.duration_since(SystemTime::UNIX_EPOCH).ok()?;
        i64::try_from(date.as_secs())
            .ok()?
            .checked_sub(offset)?
            .try_into()
            .ok()
            .map(|seconds| Duration::from_secs(seconds) + leap)
    };
    match year.len() {
        4 => at(year),
        2 => {
            let date = at(&format!("20{year}"))?;
            let is_too_far = date > now.saturating_add(FIFTY_YEARS);
            if is_too_far {
                at(&format!("19{year}"))
            } else {
                Some(date)
            }
        }
        _ => None,
    }
}

/// Returns the seconds by which the zone is ahead of UTC.
fn offset(zone: &str) -> Option<i64> {
    if ["GMT", "UTC", "UT", "Z"]
        .iter()
        .any(|utc| utc.eq_ignore_ascii_case(zone))
    {
        return Some(0);
    }
    let (sign, digits) = match zone.split_at_checked(1)? {
        ("+", digits) => (1, digits.replace(':', "")),
        ("-", digits) => (-1, digits.replace(':', "")),
        _ => return None,
    };
    if digits.len() != 4 || !digits.bytes().all(|octet| octet.is_ascii_digit()) {
        return None;
    }
    let digits: i64 = digits.parse().ok()?;
    Some(sign * (digits / 100 * 3600 + digits % 100 * 60))
}
