//! The client credentials grant against a certified third-party authorization server.

use std::{fs, time::Duration};

use anyhow::Result;
use auth_core::{
    AccessToken, ClientAuthentication, ClientCredentials, ClientCredentialsBuilder, Error,
    ErrorKind, HttpTransport, TokenCache,
    time::{Clock, Now, Sleep, SystemClock},
};
use auth_jose::{DpopKey, PrivateKeyJwt, SigningKey};
use auth_reqwest::ReqwestTransport;
use auth_tower::TowerTransport;
use bytes::Bytes;
use http_body_util::Full;
use hyper_util::{client::legacy::Client, rt::TokioExecutor};

use crate::harness::{OidcProvider, http_client, http_client_builder, keys_dir};

const ODD_SECRET: &str = "p@ss:w%rd+/= &?#~\"\\";

fn basic(secret: &str) -> ClientAuthentication {
    ClientAuthentication::client_secret_basic(secret)
}

fn post(secret: &str) -> ClientAuthentication {
    ClientAuthentication::client_secret_post(secret)
}

fn client(
    provider: &OidcProvider,
    id: &str,
    authentication: ClientAuthentication,
) -> ClientCredentialsBuilder {
    ClientCredentials::builder(provider.token_endpoint(), id, authentication)
}

async fn token(
    builder: ClientCredentialsBuilder,
    transport: impl HttpTransport,
) -> Result<AccessToken, Error> {
    TokenCache::new(builder.build(transport)?).token().await
}

fn hyper() -> impl HttpTransport {
    TowerTransport::new(Client::builder(TokioExecutor::new()).build_http::<Full<Bytes>>())
}

fn reqwest() -> Result<impl HttpTransport> {
    Ok(ReqwestTransport::new(http_client_builder()?)?)
}

async fn fetch_error(builder: ClientCredentialsBuilder) -> Error {
    let error = token(builder, hyper()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Denied, "{error}");
    error
}

#[tokio::test]
async fn basic_and_post_over_hyper_and_reqwest() -> Result<()> {
    let provider = OidcProvider::start(&[]).await?;
    for (id, authentication) in [
        ("basic-client", basic("basic-secret")),
        (
            "basic-client",
            ClientAuthentication::client_secret_basic_raw("basic-secret"),
        ),
        ("post-client", post("post-secret")),
    ] {
        let client = client(&provider, id, authentication).scope("document_read event");
        for token in [
            token(client.clone(), hyper()).await?,
            token(client, reqwest()?).await?,
        ] {
            assert_eq!(token.scopes().to_string(), "document_read event");
            let api = http_client()?
                .get(provider.api())
                .bearer_auth(token.secret());
            assert_eq!(api.send().await?.status(), 200);
        }
    }
    assert_eq!(provider.stats().await?["token_ok"], 6);
    Ok(())
}

#[tokio::test]
async fn an_id_and_a_secret_with_characters_that_need_encoding() -> Result<()> {
    let provider = OidcProvider::start(&[]).await?;
    token(client(&provider, "we:ird id", basic(ODD_SECRET)), hyper()).await?;
    token(client(&provider, "we:ird post", post(ODD_SECRET)), hyper()).await?;
    Ok(())
}

#[tokio::test]
async fn a_wrong_secret_and_an_unknown_client_are_invalid_client() -> Result<()> {
    let provider = OidcProvider::start(&[]).await?;
    for client in [
        client(&provider, "basic-client", basic("wr0ng")),
        client(&provider, "post-client", post("wr0ng")),
        client(&provider, "unknown-client", basic("wr0ng")),
    ] {
        let error = fetch_error(client).await;
        assert_eq!(error.error_code(), Some("invalid_client"));
        assert_eq!(error.status().unwrap(), 401);
        assert!(!format!("{error} {error:?}").contains("wr0ng"));
    }
    Ok(())
}

/// The server accepts `client_secret_basic` and `client_secret_post` from every client with a secret. A
/// client that is registered for a signature is denied.
#[tokio::test]
async fn a_client_that_is_registered_for_a_signature_is_denied_with_a_secret() -> Result<()> {
    let provider = OidcProvider::start(&[]).await?;
    let secret = "a-long-enough-shared-secret-for-hs256-mac!";
    for client in [
        client(&provider, "hs-jwt-client", post(secret)),
        client(&provider, "hs-jwt-client", basic(secret)),
        client(&provider, "pk-es256", basic(secret)),
    ] {
        assert_eq!(
            fetch_error(client).await.error_code(),
            Some("invalid_client")
        );
    }
    Ok(())
}

#[tokio::test]
async fn a_scope_that_the_client_may_not_request_is_named_in_the_error() -> Result<()> {
    let provider = OidcProvider::start(&[]).await?;
    let client = client(&provider, "narrow-client", basic("narrow-secret"));
    let error = fetch_error(client.scope("document_read document_write")).await;
    assert_eq!(error.error_code(), Some("invalid_scope"));
    let text = error.to_string();
    assert!(text.contains("\"document_read document_write\""), "{text}");
    Ok(())
}

#[tokio::test]
async fn a_silently_narrowed_scope_is_that_of_the_token() -> Result<()> {
    let provider = OidcProvider::start(&[]).await?;
    let client = client(&provider, "basic-client", basic("basic-secret"));
    let token = token(client.scope("document_read unheard_of"), hyper()).await?;
    assert_eq!(token.scopes().to_string(), "document_read");
    Ok(())
}

#[tokio::test]
async fn a_client_without_the_grant_is_denied() -> Result<()> {
    let provider = OidcProvider::start(&[]).await?;
    let error = fetch_error(client(&provider, "no-cc-client", basic("no-cc-secret"))).await;
    assert_eq!(error.status().unwrap(), 400);
    Ok(())
}

#[tokio::test]
async fn rfc8707_a_resource_is_asked_for() -> Result<()> {
    let provider = OidcProvider::start(&[]).await?;
    let client = client(&provider, "basic-client", basic("basic-secret"));
    let asked = client.clone().resource("https://api.example.test/es256");
    let token = token(asked.scope("document_read"), hyper()).await?;
    assert_eq!(
        token.secret().split('.').count(),
        3,
        "a JWT, the token format of this resource"
    );
    let unknown = fetch_error(client.resource("https://unknown.test/")).await;
    assert_eq!(unknown.error_code(), Some("invalid_target"));
    Ok(())
}

#[tokio::test]
async fn an_outage_is_transient_and_its_retry_after_is_returned() -> Result<()> {
    let provider = OidcProvider::start(&[]).await?;
    let client = client(&provider, "basic-client", basic("basic-secret"));
    let outage = serde_json::json!({ "fail_next": 1, "retry_after": 3 });
    provider.faults(outage).await?;
    let error = token(client.clone(), hyper()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    assert_eq!(error.server_retry_after().unwrap().as_secs(), 3);
    Ok(())
}

#[tokio::test]
async fn a_connection_that_breaks_is_retried_once() -> Result<()> {
    let provider = OidcProvider::start(&[]).await?;
    let client = client(&provider, "basic-client", basic("basic-secret"));
    provider
        .faults(serde_json::json!({ "drop_next": 1 }))
        .await?;
    token(client.clone(), hyper()).await?;
    assert_eq!(provider.stats().await?["token_requests"], 2);
    provider
        .faults(serde_json::json!({ "drop_next": 2 }))
        .await?;
    let error = token(client, hyper()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Connection);
    assert_eq!(provider.stats().await?["token_requests"], 4);
    Ok(())
}

/// The machine's clocks, of which the wall clock is ten minutes late.
#[derive(Debug)]
struct Late;

impl Clock for Late {
    fn now(&self) -> Now {
        let now = SystemClock.now();
        Now {
            wall: now.wall.saturating_sub(Duration::from_secs(600)),
            ..now
        }
    }

    fn sleep_until(&self, deadline: Duration) -> Sleep {
        SystemClock.sleep_until(deadline)
    }
}

async fn late_token(builder: ClientCredentialsBuilder) -> Result<AccessToken, Error> {
    let tokens = TokenCache::builder(builder.build(hyper())?).clock(Late);
    tokens.build().token().await
}

/// RFC 7523 §3.
#[tokio::test]
async fn an_assertion_of_a_late_clock_is_denied_with_an_error_that_names_the_clock() -> Result<()> {
    let provider = OidcProvider::start(&[]).await?;
    let pem = fs::read_to_string(keys_dir()?.join("pk-es256.private.pem"))?;
    let assertion = PrivateKeyJwt::new(SigningKey::from_pem(&pem)?)?;
    let assertion = ClientAuthentication::client_assertion(assertion);
    let client = client(&provider, "pk-es256", assertion);
    let error = late_token(client.clone()).await.unwrap_err();
    assert_eq!(error.error_code(), Some("invalid_client"), "{error}");
    let text = error.to_string();
    assert!(text.contains("the clock of this machine"), "{text}");
    token(client, hyper()).await?;
    Ok(())
}

/// RFC 9449 §8: this server demands a nonce where the time of a proof is too old, and a nonce is new whatever
/// the clock of the client says.
#[tokio::test]
async fn a_proof_of_a_late_clock_is_accepted_with_the_nonce_that_the_server_demands() -> Result<()>
{
    let provider = OidcProvider::start(&[]).await?;
    let client = client(&provider, "dpop-client", basic("dpop-secret")).dpop(DpopKey::generate()?);
    token(client.clone(), hyper()).await?;
    assert_eq!(provider.stats().await?["token_requests"], 1);
    late_token(client).await?;
    assert_eq!(provider.stats().await?["token_requests"], 3);
    Ok(())
}
