use super::*;

fn error_of(arguments: &[&str]) -> String {
    one_line(&Args::try_parse_from([&["call"], arguments].concat()).unwrap_err())
}

#[test]
fn an_error_is_one_line() {
    for (arguments, expected) in [
        (
            &["--client-id", "id", "https://api/"][..],
            "the following required arguments were not provided: \
             <--provider <NAME>|--token-url <URL>|--issuer <URL>>",
        ),
        (
            &["--provider", "a", "--token-url", "b"],
            "the argument '--provider <NAME>' cannot be used with '--token-url <URL>'",
        ),
        (
            &["-n", "0"],
            "invalid value '0' for '-n <N>': expected a number from 1",
        ),
        (
            &["--duration", "10"],
            "invalid value '10' for '--duration <DURATION>': \
             expected a duration such as 500ms, 10s, 5m or 1h",
        ),
        (
            &["--rate", "NaN"],
            "invalid value 'NaN' for '--rate <PER_SECOND>': \
             expected a number from 0.001 to 1000000",
        ),
        (
            &["--tenants", "0"],
            "invalid value '0' for '--tenants <N>': expected a number from 1 to 100000",
        ),
        (
            &["--max-replay-body", "-1"],
            "invalid value '-1' for '--max-replay-body <BYTES>': \
             expected a number of bytes, such as 65536",
        ),
        (
            &["--no-replay", "--max-replay-body", "1"],
            "the argument '--no-replay' cannot be used with '--max-replay-body <BYTES>'",
        ),
        (
            &[
                "--provider",
                "a",
                "--client-id",
                "id",
                "--redis",
                "redis://h",
                "https://api/",
            ],
            "the following required arguments were not provided: --seal-key-file <FILE>",
        ),
        (
            &["--client-secret", "s3cr3t"],
            "--client-secret is not an option, because arguments are visible to other users: \
             export AUTH_CLIENT_SECRET, \
             or use --client-secret-file",
        ),
        (
            &["--client-secret=s3cr3t"],
            "--client-secret is not an option, because arguments are visible to other users: \
             export AUTH_CLIENT_SECRET, \
             or use --client-secret-file",
        ),
    ] {
        assert_eq!(error_of(arguments), expected);
    }
}

/// As with `--key "$(cat key.pem)"`.
#[test]
fn an_argument_that_may_be_a_secret_is_not_shown() {
    let key = "-----BEGIN PRIVATE KEY-----\nMC4Cs3cr3t\n-----END PRIVATE KEY-----";
    let long = format!("s3cr3t{}", "a".repeat(40));
    let common = ["--token-url", "t", "--client-id", "c", "https://api/"];
    for arguments in [
        &["--key", key][..],
        &[key],
        &["s3cr3t"],
        &["-s3cr3t"],
        &["--no-such=s3cr3t"],
        &["--auth-method", &long],
        &["--rate", &long],
    ] {
        let error = error_of(&[&common, arguments].concat());
        assert!(!error.contains("s3cr3t"), "{error}");
        assert!(
            error.starts_with("unexpected argument") || error.starts_with("invalid value"),
            "{error}"
        );
    }
    let error = error_of(&[&common[..], &["--no-such", "x"]].concat());
    assert_eq!(error, "unexpected argument '--no-such' found");
}

#[test]
fn with_a_duration_the_number_of_requests_is_unlimited() {
    let requests = |arguments: &[&str]| {
        let common = ["call", "--token-url", "t", "--client-id", "c", "u"];
        Args::try_parse_from([&common, arguments].concat())
            .unwrap()
            .requests()
    };
    assert_eq!(requests(&[]), Some(1));
    assert_eq!(requests(&["--duration", "1s"]), None);
    assert_eq!(requests(&["--duration", "1s", "-n", "7"]), Some(7));
}
