//! Assertions, subject, actor and refresh tokens are in no error, no log and no `Debug`.

use std::sync::Arc;

use auth_core::{
    Error, JwtBearer, RefreshToken, RefreshTokenStore, SecretString, TokenCache, TokenExchange,
    TokenRequest, TokenResponse, TokenSource, TokenType, async_trait,
};
use serde_json::json;

use super::{Fixed, endpoint};
use crate::{captured_log::CapturedLog, recording_transport::Recording};

const SUBJECT: &str = "eyJhbGciOiJSUzI1NiJ9.c3ViamVjdA.subject-s1gnature";
const ACTOR: &str = "eyJhbGciOiJSUzI1NiJ9.YWN0b3I.actor-s1gnature";
const OLD: &str = "old-r3fr3sh/token+of=user";
const NEW: &str = "new-r3fr3sh/token+of=user";

#[derive(Debug)]
struct Store;

#[async_trait]
impl RefreshTokenStore for Store {
    async fn load(&self) -> Result<SecretString, Error> {
        Ok(OLD.into())
    }

    async fn save(&self, _: &SecretString) -> Result<(), Error> {
        Err(Error::configuration("the disk is full"))
    }
}

fn sources(transport: &Recording) -> [Arc<dyn TokenSource>; 3] {
    let endpoint = || endpoint("https://as.example/token", transport);
    let exchange = TokenExchange::new(endpoint(), Fixed(SUBJECT), TokenType::JWT).unwrap();
    [
        Arc::new(JwtBearer::new(endpoint(), Fixed(SUBJECT)).unwrap()),
        Arc::new(exchange.actor(Fixed(ACTOR), TokenType::JWT).unwrap()),
        Arc::new(RefreshToken::new(endpoint(), Store).unwrap()),
    ]
}

#[track_caller]
fn assert_clean(text: &str) {
    let percent = OLD
        .replace('/', "%2F")
        .replace('+', "%2B")
        .replace('=', "%3D");
    for secret in ["s1gnature", "r3fr3sh", OLD, NEW, &*percent] {
        assert!(!text.contains(secret), "{secret} in {text}");
    }
}

#[tokio::test]
async fn what_a_grant_presents_and_what_it_receives_is_shown_nowhere() {
    let (log, guard) = CapturedLog::start();
    let echo = format!("{SUBJECT} {ACTOR} {OLD}");
    let denial = |code: &str| json!({"error": code, "error_description": echo}).to_string();
    let transports = [
        Recording::answering(400, denial("invalid_grant")),
        Recording::answering(401, denial("invalid_client")),
        Recording::answering(503, denial(&echo)),
        Recording::answering(
            200,
            json!({"access_token": "abc", "token_type": format!("x {NEW}"), "refresh_token": NEW})
                .to_string(),
        ),
        Recording::answering(
            200,
            json!({"access_token": "abc", "refresh_token": NEW, "issued_token_type": echo})
                .to_string(),
        ),
        {
            let echo = echo.clone();
            Recording::failing(move || format!("cannot send {echo}"))
        },
    ];
    for transport in transports {
        for source in sources(&transport) {
            assert_clean(&format!("{source:?} {source:#?}"));
            // as each of them knows only its own secrets, others need not be struck out
            let tokens = TokenCache::new(Arc::clone(&source));
            if let Err(error) = tokens.token().await {
                let shown = format!("{error} {error:?} {error:#?}");
                let own = transport.forms().pop().unwrap();
                for (secret, sent) in [
                    ("subject-s1gnature", own.contains("subject-s1gnature")),
                    ("actor-s1gnature", own.contains("actor-s1gnature")),
                    ("old-r3fr3sh", own.contains("refresh_token=")),
                    ("new-r3fr3sh", true),
                ] {
                    assert!(!sent || !shown.contains(secret), "{secret} in {shown}");
                }
            }
            let request = TokenRequest::default();
            if let Ok(response) = source.fetch(&request).await {
                assert_clean(&format!("{response:?} {response:#?}"));
            }
        }
    }
    drop(guard);
    let log = log.text();
    assert!(log.contains("token request failed"), "{log}");
    assert!(!log.contains(NEW), "{log}");
    let response = TokenResponse::bearer("abc")
        .unwrap()
        .with_refresh_token(NEW);
    assert_clean(&format!("{response:?}"));
    let store: Arc<dyn RefreshTokenStore> = Arc::new(Store);
    assert_eq!(store.load().await.unwrap().expose(), OLD);
}

/// A type is no secret: the server may say which one it does not know.
#[tokio::test]
async fn the_type_of_a_token_is_shown_where_the_server_repeats_it() {
    let body = json!({"error": "invalid_request", "error_description": TokenType::JWT.as_str()});
    let [_, exchange, _] = sources(&Recording::answering(400, body.to_string()));
    let error = exchange.fetch(&TokenRequest::default()).await.unwrap_err();
    assert!(
        error.to_string().contains(TokenType::JWT.as_str()),
        "{error}"
    );
}
