//! When a document is requested again, and what happens if that fails.

use super::*;

#[tokio::test]
async fn a_document_that_changes_is_noticed_after_an_hour_and_after_a_failure() {
    let (server, clock) = (Server::default(), ManualClock::new());
    server.naming(OAUTH, "https://as.example/old");
    let tokens = TokenCache::builder(source(builder(), &server)).clock(clock.clone());
    let tokens = tokens.build();
    tokens.token().await.unwrap();
    server.naming(OAUTH, "https://as.example/new");
    // the token lives 600 s
    clock.advance(Duration::from_secs(601));
    tokens.token().await.unwrap();
    assert!(
        server
            .requests()
            .contains(&"POST https://as.example/old".to_owned())
    );
    clock.advance(Duration::from_secs(3001));
    tokens.token().await.unwrap();
    let expected = [
        format!("GET {OAUTH}"),
        "POST https://as.example/new".to_owned(),
    ];
    assert_eq!(server.requests(), expected);
    // the server moves again, and its old endpoint is gone
    server.naming(OAUTH, "https://as.example/newest");
    server.set("https://as.example/new", 404, "");
    clock.advance(Duration::from_secs(601));
    let error = tokens.token().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    clock.advance(error.retry_after().unwrap());
    tokens.token().await.unwrap();
    let last = server.requests();
    assert!(
        last.ends_with(&["POST https://as.example/newest".to_owned()]),
        "{last:?}"
    );
}

#[tokio::test]
async fn an_outage_of_the_document_is_none_of_the_token_endpoint() {
    let (server, clock) = (Server::default(), ManualClock::new());
    server.naming(OAUTH, "https://as.example/t");
    let tokens = TokenCache::builder(source(builder(), &server)).clock(clock.clone());
    let tokens = tokens.build();
    tokens.token().await.unwrap();
    server.set(OAUTH, 503, "");
    clock.advance(Duration::from_secs(4000));
    tokens.token().await.unwrap();
    let expected = [
        format!("GET {OAUTH}"),
        "POST https://as.example/t".to_owned(),
    ];
    assert_eq!(server.requests()[2..], expected);
}

#[tokio::test]
async fn a_document_that_cannot_be_used_any_more_leaves_the_last_one_in_use() {
    for (status, body) in [
        (503, String::new()),
        (200, "<html>maintenance</html>".to_owned()),
        (200, "{}".to_owned()),
        (200, metadata("ftp://as.example/t")),
        (302, String::new()),
        (403, String::new()),
        (429, String::new()),
        (0, String::new()),
    ] {
        let (server, clock) = (Server::default(), ManualClock::new());
        server.naming(OAUTH, "https://as.example/t");
        let source = source(builder(), &server);
        let tokens = TokenCache::builder(source).clock(clock.clone()).build();
        tokens.token().await.unwrap();
        server.set(OAUTH, status, body.clone());
        clock.advance(Duration::from_secs(4000));
        let read = tokens.token().await;
        assert!(read.is_ok(), "{status} {body}: {read:?}");
    }
}

#[tokio::test]
async fn an_outage_of_the_document_is_one_warning_and_the_next_outage_another() {
    let (log, _guard) = CapturedLog::start_at(Level::WARN);
    let (server, clock) = (Server::default(), ManualClock::new());
    server.naming(OAUTH, "https://as.example/t");
    let source = source(builder(), &server);
    // each time the cache is new, and the document more than an hour old
    let fetch = async || {
        let tokens = TokenCache::builder(source.clone()).clock(clock.clone());
        tokens.build().token().await.unwrap();
        clock.advance(Duration::from_secs(4000));
    };
    fetch().await;
    log.assert_empty();
    for (status, body, reason) in [
        (503, "s3cr3t", "status 503"),
        (200, "<html>s3cr3t", "a JSON object"),
        (0, "s3cr3t", "no response"),
    ] {
        let (log, _guard) = CapturedLog::start_at(Level::WARN);
        server.set(OAUTH, status, body);
        for _ in 0..3 {
            fetch().await;
        }
        let text = log.text();
        assert_eq!(text.lines().count(), 1, "{text}");
        for expected in [ISSUER, reason, "next_attempt_in_s=30", "stays in use"] {
            assert!(text.contains(expected), "{expected}: {text}");
        }
        assert!(!text.contains("s3cr3t"), "{text}");
        server.naming(OAUTH, "https://as.example/t");
        fetch().await;
        assert_eq!(log.text(), text, "the document is there again");
    }
}

#[tokio::test]
async fn rfc8414_3_3_a_document_that_becomes_that_of_another_issuer_is_an_error() {
    let (server, clock) = (Server::default(), ManualClock::new());
    server.naming(OAUTH, "https://as.example/t");
    let tokens = TokenCache::builder(source(builder(), &server)).clock(clock.clone());
    let tokens = tokens.build();
    tokens.token().await.unwrap();
    let other = metadata("https://as.example/t").replace("/realm", "/other");
    server.set(OAUTH, 200, other);
    clock.advance(Duration::from_secs(4000));
    let error = tokens.token().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidResponse);
    assert!(error.to_string().contains("expected the issuer"), "{error}");
}

#[tokio::test]
async fn a_document_that_failed_is_requested_again_after_30_s_or_when_the_server_permits_it() {
    for (status, pause) in [(503, 30), (429, 120)] {
        let (server, clock) = (Server::default(), ManualClock::new());
        server.naming(OAUTH, "https://as.example/t");
        let source = source(builder(), &server);
        let documents = async || {
            let tokens = TokenCache::builder(source.clone()).clock(clock.clone());
            tokens.build().token().await.unwrap();
            let requests = server.requests();
            let documents = requests.iter().filter(|request| request.starts_with("GET"));
            documents.count()
        };
        assert_eq!(documents().await, 1);
        server.set(OAUTH, status, "");
        clock.advance(Duration::from_secs(4000));
        assert_eq!(documents().await, 1, "the document is an hour old");
        clock.advance(Duration::from_secs(pause - 1));
        assert_eq!(documents().await, 0, "it failed {} s ago", pause - 1);
        clock.advance(Duration::from_secs(1));
        assert_eq!(documents().await, 1, "it failed {pause} s ago");
    }
}

#[tokio::test]
async fn rfc9110_10_2_3_a_server_that_is_busy_is_not_asked_for_the_other_document() {
    let server = Server::default();
    server.set(OAUTH, 429, "");
    let error = fetch(&source(builder(), &server)).await.unwrap_err();
    assert_eq!(error.server_retry_after(), Some(Duration::from_secs(120)));
    assert_eq!(server.requests(), [format!("GET {OAUTH}")]);
}

#[tokio::test(start_paused = true)]
async fn an_endpoint_that_moved_and_whose_old_address_drops_packets_is_found() {
    let server = Server::default();
    server.naming(OAUTH, "https://as.example/old");
    let tokens = TokenCache::builder(source(builder(), &server)).clock(TokioClock::new());
    let tokens = tokens.build();
    tokens.token().await.unwrap();
    server.naming(OAUTH, "https://as.example/new");
    server.set("https://as.example/old", HANGS, "");
    // the token lives 600 s
    tokio::time::advance(Duration::from_secs(601)).await;
    let error = tokens.token().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout);
    tokio::time::advance(error.retry_after().unwrap()).await;
    tokens.token().await.unwrap();
    let last = server.requests().pop();
    assert_eq!(last.as_deref(), Some("POST https://as.example/new"));
}

#[tokio::test]
async fn a_denial_without_a_code_is_one_that_a_moved_endpoint_may_have_caused() {
    let server = Server::default();
    server.naming(OAUTH, "https://as.example/old");
    let source = source(builder(), &server);
    fetch(&source).await.unwrap();
    server.naming(OAUTH, "https://as.example/new");
    server.set("https://as.example/old", 401, "");
    let error = fetch(&source).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Denied);
    fetch(&source).await.unwrap();
}

#[tokio::test]
async fn a_revocation_endpoint_that_moved_is_found() {
    let naming = |endpoint: &str| {
        let first = format!(r#"{{"revocation_endpoint":"{endpoint}","#);
        metadata("https://as.example/t").replacen('{', &first, 1)
    };
    let server = Server::default();
    server.set(OAUTH, 200, naming("https://as.example/old"));
    server.set("https://as.example/new", 200, "");
    let endpoint = builder().build(server.clone()).unwrap();
    endpoint.revoke("token").await.unwrap_err();
    server.set(OAUTH, 200, naming("https://as.example/new"));
    endpoint.revoke("token").await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_document_that_hangs_leaves_half_of_the_time_to_that_of_openid_connect() {
    let server = Server::default();
    server.set(OAUTH, HANGS, "");
    server.naming(OIDC, "https://as.example/t");
    let tokens = TokenCache::builder(source(builder(), &server)).clock(TokioClock::new());
    tokens.build().token().await.unwrap();
    server.set(OIDC, 404, "");
    let tokens = TokenCache::builder(source(builder(), &server)).clock(TokioClock::new());
    let error = tokens.build().token().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout);
}
