//! `Retry-After` in each form, and its effect on the backoff.

use std::time::{Duration, SystemTime};

use auth_core::{Error, ErrorKind, TokenCache};
use auth_test_support::{
    scripted::{self, Scripted},
    secs, settle, with_timeout,
};
use auth_testing::{ManualClock, TokioClock};

use super::{Answer, OUTAGE};

const DATE: &str = "Sun, 06 Nov 1994 08:49:37 GMT";

/// Returns what a 503 with these lines asks for, in seconds.
async fn asked(lines: &[&str]) -> Option<u64> {
    let mut answer = Answer::new(503, "").header("date", DATE);
    for line in lines {
        answer = answer.header("retry-after", *line);
    }
    let wait = answer.error().await.server_retry_after();
    wait.inspect(|wait| assert_eq!(wait.subsec_nanos(), 0))
        .map(|wait| wait.as_secs())
}

#[tokio::test]
async fn seconds_in_every_form() {
    for (line, seconds) in [
        ("120", Some(120)),
        ("0120", Some(120)),
        ("  7\t", Some(7)),
        ("1.5", Some(2)),
        ("1.0", Some(1)),
        ("0.001", Some(1)),
        (".2", Some(1)),
        ("7.", Some(7)),
        ("18446744073709551615", Some(u64::MAX)),
        ("99999999999999999999999999", Some(u64::MAX)),
        ("99999999999999999999999999.5", Some(u64::MAX)),
        ("-1", None),
        ("-0.5", None),
        ("", None),
        (".", None),
        ("soon", None),
        ("1e3", None),
        ("NaN", None),
        ("0x10", None),
        ("1 2", None),
        ("\u{661}\u{662}", None),
    ] {
        assert_eq!(asked(&[line]).await, seconds, "{line:?}");
    }
    assert_eq!(asked(&[&"9".repeat(4000)]).await, Some(u64::MAX));
    assert_eq!(asked(&[]).await, None);
}

#[tokio::test]
async fn a_date_in_every_form_is_read_against_the_date_of_the_answer() {
    for (line, seconds) in [
        ("Sun, 06 Nov 1994 08:50:07 GMT", Some(30)),
        ("Sunday, 06-Nov-94 08:50:07 GMT", Some(30)),
        ("Sun Nov  6 08:50:07 1994", Some(30)),
        ("Sun Nov 06 08:50:07 1994", Some(30)),
        ("Sun, 06 Nov 1994 08:50:07 UTC", Some(30)),
        ("Sun, 06 Nov 1994 08:50:07 UT", Some(30)),
        ("Sun, 06 Nov 1994 08:50:07 Z", Some(30)),
        ("Sun, 06 Nov 1994 08:50:07 +0000", Some(30)),
        ("Sun, 06 Nov 1994 08:50:07 -0000", Some(30)),
        ("Sun, 06 Nov 1994 08:50:07 +00:00", Some(30)),
        ("Sun, 06 Nov 1994 09:50:07 +0100", Some(30)),
        ("Sun, 06 Nov 1994 03:50:07 -0500", Some(30)),
        ("sun, 06 nov 1994 08:50:07 gmt", Some(30)),
        ("SUN, 06 NOV 1994 08:50:07 GMT", Some(30)),
        ("Sun, 6 Nov 1994 08:50:07 GMT", Some(30)),
        ("06 Nov 1994 08:50:07 GMT", Some(30)),
        ("Sun, 06 Nov 1994 08:49:60 GMT", Some(23)),
        ("Sun, 06 Nov 1994 08:49:61 GMT", None),
        ("Mon, 06 Nov 1994 08:50:07 GMT", Some(30)),
        ("  Sun, 06 Nov 1994 08:50:07 GMT  ", Some(30)),
        (DATE, None),
        ("Sun, 06 Nov 1994 08:49:36 GMT", None),
        ("Sun, 06 Nov 1994 08:50:07", None),
        ("Sun, 06 Nov 1994 08:50:07 PST", None),
        ("Sun, 31 Feb 1995 08:50:07 GMT", None),
        ("Sun, 06 Nov 1994 25:50:07 GMT", None),
        ("Thu, 01 Jan 1970 00:00:00 GMT", None),
        (
            "Fri, 31 Dec 9999 23:59:59 GMT",
            Some(253_402_300_799 - 784_111_777),
        ),
        ("Sat, 01 Jan 99999 00:00:00 GMT", None),
        ("Sun, 06 Foo 1994 08:50:07 GMT", None),
        ("1994-11-06T08:50:07Z", None),
        (",,,", None),
    ] {
        assert_eq!(asked(&[line]).await, seconds, "{line:?}");
    }
}

#[tokio::test]
async fn a_two_digit_year_is_within_50_years() {
    let asked = async |date: &'static str, line: &'static str| {
        let answer = Answer::new(503, "").header("date", date);
        let error = answer.header("retry-after", line).error().await;
        error.server_retry_after()
    };
    let date = "Thu, 01 Jan 2026 00:00:00 GMT";
    let soon = "Thursday, 01-Jan-26 00:00:30 GMT";
    assert_eq!(asked(date, soon).await, Some(secs(30)));
    assert_eq!(
        asked(soon, "Thursday, 01-jan-26 00:01:00 utc").await,
        Some(secs(30))
    );
    assert_eq!(asked(date, "Sunday, 06-Nov-94 08:50:07 GMT").await, None);
}

#[tokio::test]
async fn the_longest_of_several_lines_counts() {
    for lines in [
        &["5", "30", "10"][..],
        &["5, 30"],
        &["30, soon", "-1", ""],
        &["5", "Sun, 06 Nov 1994 08:50:07 GMT"],
        &["5, Sun, 06 Nov 1994 08:50:07 GMT"],
        &["Sun, 06 Nov 1994 08:50:07 GMT, 5, Sun, 06 Nov 1994 08:49:57 GMT"],
    ] {
        assert_eq!(asked(lines).await, Some(30), "{lines:?}");
    }
}

/// The clock of the client is an hour ahead of, or behind, the server's.
#[tokio::test]
async fn a_date_does_not_depend_on_the_clock_of_the_client() {
    for skew in [-3600, 3600_i64] {
        let server = SystemTime::now().checked_add_signed_seconds(skew);
        let date = httpdate_text(server);
        let retry = httpdate_text(server + secs(30));
        let answer = Answer::new(503, "")
            .header("date", date)
            .header("retry-after", retry);
        assert_eq!(answer.error().await.server_retry_after(), Some(secs(30)));
    }
}

trait SignedSeconds {
    fn checked_add_signed_seconds(self, seconds: i64) -> Self;
}

impl SignedSeconds for SystemTime {
    fn checked_add_signed_seconds(self, seconds: i64) -> Self {
        let by = secs(seconds.unsigned_abs());
        if seconds < 0 { self - by } else { self + by }
    }
}

fn httpdate_text(time: SystemTime) -> String {
    httpdate::fmt_http_date(time)
}

#[tokio::test]
async fn without_a_date_of_the_answer_the_clock_of_the_cache_counts() {
    let clock = ManualClock::new();
    let now = auth_core::time::Clock::now(&clock).wall;
    let retry = httpdate_text(SystemTime::UNIX_EPOCH + now + secs(50));
    for answer in [
        Answer::new(503, ""),
        Answer::new(503, "").header("date", "yesterday"),
    ] {
        let answer = answer.header("retry-after", retry.as_str());
        let tokens = TokenCache::builder(answer.grant())
            .clock(clock.clone())
            .build();
        let error = with_timeout(tokens.token()).await.unwrap_err();
        let wait = error.server_retry_after().unwrap();
        assert!((secs(49)..=secs(51)).contains(&wait), "{wait:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn retry_after_lengthens_the_backoff_after_each_failure() {
    for status in [401, 403, 404, 429, 503, 307, 200] {
        let answer = Answer::new(status, "").header("retry-after", "50");
        let backoff = answer.backoff().await;
        assert!((backoff - 50.0).abs() < 0.1, "{status}: {backoff}");
        let answer = Answer::new(status, "").header("retry-after", "86400");
        assert!((answer.backoff().await - 60.0).abs() < 0.1, "{status}");
    }
}

#[tokio::test(start_paused = true)]
async fn retry_after_never_shortens_the_backoff_of_an_outage() {
    for line in ["0", "0.1", "1", DATE, "-5", "soon"] {
        let answer = Answer::new(503, "").header("retry-after", line);
        let backoff = answer.backoff().await;
        assert!(OUTAGE.contains(&backoff), "{line}: {backoff}");
    }
    let error = Error::new(ErrorKind::Unavailable, "busy").with_server_retry_after(secs(1));
    let source = Scripted::always(scripted::Answer::Fails(error));
    let tokens = TokenCache::builder(source.clone())
        .clock(TokioClock::new())
        .build();
    for _ in 0..3600 {
        with_timeout(tokens.token()).await.unwrap_err();
        tokio::time::advance(secs(1)).await;
        settle().await;
    }
    // 1, 2, 4, 8, 10, 10, … s apart, ±20 %
    let requests = source.requests();
    assert!((300..=460).contains(&requests), "{requests}");
}

#[tokio::test(start_paused = true)]
async fn an_endless_retry_after_overflows_nothing() {
    for kind in [ErrorKind::Unavailable, ErrorKind::Denied] {
        let error = Error::new(kind, "busy").with_server_retry_after(Duration::MAX);
        let source = Scripted::always(scripted::Answer::Fails(error));
        let tokens = TokenCache::builder(source).clock(TokioClock::new()).build();
        let error = with_timeout(tokens.token()).await.unwrap_err();
        assert_eq!(error.retry_after(), Some(secs(60)));
    }
}
