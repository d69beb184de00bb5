//! The log of unlisted origins: spellings of one host are one origin.

use auth_core::{
    Authorizer,
    adapter::{RequestHead, Target},
};
use http::HeaderMap;

use super::{API, carries_token, get, listed};
use crate::captured_log::CapturedLog;

fn request(authorizer: &Authorizer, uri: &str) {
    assert!(!carries_token(authorizer, &get(uri)), "{uri}");
}

#[test]
fn spellings_and_paths_of_one_unlisted_origin_are_logged_once() {
    for spellings in [
        &[
            "https://other.example/a",
            "https://OTHER.example/b?c",
            "HTTPS://other.example:443",
            "https://other.example:0443/",
            "https://other.example:/",
            "https://other.example./",
            "https://user:s3cr3t@other.example/",
        ][..],
        &[
            "http://[::2]/",
            "http://[0:0:0:0:0:0:0:2]:80/",
            "http://[::0.0.0.2]/",
        ],
        &[
            "http://127.0.0.1/",
            "http://0x7f.1/",
            "http://0X7F000001/",
            "http://2130706433/",
            "http://0177.0.0.01:80/",
            "http://127.0.0.1./",
            "http://127.1/",
        ],
        &["https://_.example,x/", "https://_.EXAMPLE,x/"],
        &[
            "https://other.example:65536/",
            "https://OTHER.example:65537/a",
        ],
    ] {
        let (log, _guard) = CapturedLog::start();
        let authorizer = listed(API);
        for spelling in spellings {
            request(&authorizer, spelling);
        }
        let log = log.text();
        assert_eq!(log.matches("WARN").count(), 1, "{spellings:?}: {log}");
        assert!(!log.contains("s3cr3t"), "{log}");
    }
}

#[test]
fn the_parts_of_a_url_are_the_origin_of_the_same_uri() {
    let (log, _guard) = CapturedLog::start();
    let (authorizer, headers) = (listed(API), HeaderMap::new());
    request(&authorizer, "https://other.example/");
    for (host, port) in [("other.example", None), ("Other.example.", Some(443))] {
        let target = Target::from_parts("https", host, port);
        assert!(!carries_token(
            &authorizer,
            RequestHead::new(target, &headers)
        ));
    }
    assert_eq!(log.text().matches("WARN").count(), 1, "{}", log.text());
}

#[test]
fn other_schemes_ports_and_hosts_are_other_origins() {
    let (log, _guard) = CapturedLog::start();
    let authorizer = listed(API);
    for (i, uri) in [
        "https://other.example/",
        "http://other.example/",
        "https://other.example:8443/",
        "https://a.other.example/",
        "https://intranet/",
        "https://intranet./",
    ]
    .into_iter()
    .enumerate()
    {
        request(&authorizer, uri);
        assert_eq!(log.text().matches("WARN").count(), i + 1, "{uri}");
    }
}

#[test]
fn after_64_unlisted_origins_one_line_says_that_further_ones_are_not_logged() {
    let (log, _guard) = CapturedLog::start();
    let authorizer = listed(API);
    for i in 0..64 {
        request(&authorizer, &format!("https://{i}.example/"));
    }
    assert_eq!(log.text().matches("WARN").count(), 64);
    assert!(!log.text().contains("are not logged"));
    for i in 0..1000 {
        request(&authorizer, &format!("https://{i}.example/"));
    }
    let log = log.text();
    assert_eq!(log.matches("WARN").count(), 65, "{log}");
    assert!(
        log.lines().last().unwrap().contains("are not logged"),
        "{log}"
    );
}
