//! Client assertions, and clients without a secret, at the token endpoint.

use std::{
    fs,
    path::PathBuf,
    process,
    sync::{
        Arc,
        atomic::{AtomicU64, AtomicUsize, Ordering::SeqCst},
    },
    time::Duration,
};

use auth_core::{
    Assertion, AssertionContext, AssertionFile, AssertionSource, ClientAuthentication,
    ClientCredentials, ClientSecret, Error, ErrorKind, Form, TokenCache, TokenEndpoint,
    TokenEndpointBuilder, TokenRequest, TokenSource, assertion_fn, async_trait,
};
use auth_testing::ManualClock;

use crate::recording_transport::Recording;

const ENDPOINT: &str = "https://as.example/token";
/// A JWT without an end.
const JWT: &str = "e30.e30.c2ln";

fn grant(
    authentication: ClientAuthentication,
    transport: &Recording,
) -> Result<ClientCredentials, Error> {
    ClientCredentials::builder(ENDPOINT, "my-client", authentication).build(transport.clone())
}

async fn form(authentication: ClientAuthentication) -> String {
    let transport = Recording::issuing();
    let source = grant(authentication, &transport).unwrap();
    source.fetch(&TokenRequest::default()).await.unwrap();
    assert!(!transport.headers().contains_key("authorization"));
    transport.form()
}

fn numbered() -> impl AssertionSource {
    let count = Arc::new(AtomicUsize::new(0));
    assertion_fn(move |_| {
        let number = count.fetch_add(1, SeqCst) + 1;
        async move { Assertion::new(format!("jwt-{number}")) }
    })
}

#[tokio::test]
async fn rfc7523_2_2_the_assertion_type_is_exact() {
    let form = form(ClientAuthentication::client_assertion(numbered())).await;
    assert_eq!(
        form,
        "grant_type=client_credentials&client_id=my-client\
         &client_assertion_type=urn%3Aietf%3Aparams%3Aoauth%3Aclient-assertion-type%3Ajwt-bearer\
         &client_assertion=jwt-1"
    );
}

#[tokio::test]
async fn the_assertion_type_can_be_another_one() {
    let spiffe = "urn:ietf:params:oauth:client-assertion-type:jwt-spiffe";
    let form = form(ClientAuthentication::client_assertion_of_type(
        spiffe,
        numbered(),
    ))
    .await;
    assert!(
        form.contains("client-assertion-type%3Ajwt-spiffe"),
        "{form}"
    );
    let blank = ClientAuthentication::client_assertion_of_type("a b", numbered());
    let error = grant(blank, &Recording::issuing()).unwrap_err();
    assert!(
        error.to_string().contains("client assertion type"),
        "{error}"
    );
}

#[tokio::test]
async fn the_client_id_in_the_form_can_be_switched_off_where_it_is_optional() {
    let transport = Recording::issuing();
    let builder = |authentication| {
        ClientCredentials::builder(ENDPOINT, "my-client", authentication).client_id_in_form(false)
    };
    let source = builder(ClientAuthentication::client_assertion(numbered()));
    let source = source.build(transport.clone()).unwrap();
    source.fetch(&TokenRequest::default()).await.unwrap();
    assert!(!transport.form().contains("client_id"));
    for required in [
        ClientAuthentication::tls_client_auth(),
        ClientAuthentication::client_secret_post("s3cr3t"),
    ] {
        let error = builder(required).build(Recording::issuing()).unwrap_err();
        assert!(error.to_string().contains("client_id_in_form"), "{error}");
    }
}

#[tokio::test]
async fn rfc8705_2_a_client_with_a_certificate_sends_its_id_and_no_secret() {
    for authentication in [
        ClientAuthentication::tls_client_auth(),
        ClientAuthentication::self_signed_tls_client_auth(),
        ClientAuthentication::none(),
    ] {
        let form = form(authentication).await;
        assert_eq!(form, "grant_type=client_credentials&client_id=my-client");
    }
}

#[tokio::test]
async fn a_client_without_authentication_needs_no_id() {
    let transport = Recording::issuing();
    let endpoint = TokenEndpoint::builder(ENDPOINT, ClientAuthentication::none());
    let endpoint = endpoint.build(transport.clone()).unwrap();
    let source = ClientCredentials::new(endpoint, TokenRequest::default()).unwrap();
    source.fetch(&TokenRequest::default()).await.unwrap();
    assert_eq!(transport.form(), "grant_type=client_credentials");
    for required in [
        ClientAuthentication::tls_client_auth(),
        ClientAuthentication::client_secret_basic("s3cr3t"),
    ] {
        let builder = TokenEndpoint::builder(ENDPOINT, required);
        let error = builder.build(Recording::issuing()).unwrap_err();
        assert!(error.to_string().contains("client_id()"), "{error}");
    }
}

#[tokio::test]
async fn each_attempt_has_an_assertion_of_its_own() {
    let transport = Recording::failing(|| "connection reset");
    let source = grant(
        ClientAuthentication::client_assertion(numbered()),
        &transport,
    );
    let tokens = TokenCache::new(source.unwrap());
    tokens.token().await.unwrap_err();
    let forms = transport.forms();
    assert_eq!(
        forms.len(),
        2,
        "the immediate retry after a broken connection"
    );
    assert!(forms[0].ends_with("client_assertion=jwt-1"), "{forms:?}");
    assert!(forms[1].ends_with("client_assertion=jwt-2"), "{forms:?}");
}

#[tokio::test]
async fn the_context_describes_the_token_request() {
    let clock = ManualClock::new();
    let (now, transport) = (clock.clone(), Recording::issuing());
    let source = assertion_fn(move |context: AssertionContext| {
        let text = format!(
            "{}|{}|{}|{}|{}",
            context.token_endpoint(),
            context.client_id().unwrap_or_default(),
            context.grant_type(),
            context.request().scopes(),
            context.issuer().unwrap_or("none"),
        );
        assert_eq!(context.time(), auth_core::time::Clock::now(&now).wall);
        async move { Assertion::new(text) }
    });
    let source = ClientCredentials::builder(
        "https://as.example/token?tenant=1",
        "my-client",
        ClientAuthentication::client_assertion(source),
    );
    let source = source.scope("orders").build(transport.clone()).unwrap();
    let tokens = TokenCache::builder(source).clock(clock).build();
    tokens.token().await.unwrap();
    let expected = "https://as.example/token?tenant=1|my-client|client_credentials|orders|none";
    let encoded: String = form_urlencoded::byte_serialize(expected.as_bytes()).collect();
    assert!(transport.form().ends_with(&encoded), "{}", transport.form());
}

#[tokio::test(start_paused = true)]
async fn a_source_that_hangs_or_panics_is_an_error_that_names_it() {
    let hangs = assertion_fn(|_| std::future::pending());
    let panics = assertion_fn(|_| async { panic!("s3cr3t of the source") });
    for (authentication, kind) in [
        (
            ClientAuthentication::client_assertion(hangs),
            ErrorKind::Timeout,
        ),
        (
            ClientAuthentication::client_assertion(panics),
            ErrorKind::Panicked,
        ),
    ] {
        let transport = Recording::issuing();
        let tokens = TokenCache::new(grant(authentication, &transport).unwrap());
        let error = tokens.token().await.unwrap_err();
        assert_eq!(error.kind(), kind, "{error}");
        assert!(
            error.to_string().starts_with("client assertion: "),
            "{error}"
        );
        assert!(!format!("{error:?}").contains("s3cr3t"), "{error:?}");
        assert_eq!(transport.requests(), 0);
    }
}

#[tokio::test]
async fn an_assertion_is_struck_out_where_the_server_repeats_it() {
    let body =
        r#"{"error":"invalid_client","error_description":"bad assertion eyJh.eyJz.c2lnbmF0dXJl"}"#;
    let transport = Recording::answering(400, body);
    let source = assertion_fn(|_| async { Assertion::new("eyJh.eyJz.c2lnbmF0dXJl") });
    let source = grant(ClientAuthentication::client_assertion(source), &transport).unwrap();
    let error = source.fetch(&TokenRequest::default()).await.unwrap_err();
    let text = format!("{error} {error:?}");
    assert!(
        !text.contains("eyJz") && text.contains("[redacted]"),
        "{text}"
    );
    assert!(
        text.contains("audience"),
        "the advice is about assertions: {text}"
    );
}

fn temporary(name: &str, text: &str) -> PathBuf {
    let path = std::env::temp_dir().join(format!("auth-core-assertion-{name}-{}", process::id()));
    fs::write(&path, text).unwrap();
    path
}

#[tokio::test]
async fn the_file_is_read_anew_at_each_token_request() {
    let path = temporary("anew", JWT);
    let file = AssertionFile::new(&path).unwrap();
    let transport = Recording::issuing();
    let source = grant(ClientAuthentication::client_assertion(file), &transport).unwrap();
    source.fetch(&TokenRequest::default()).await.unwrap();
    fs::write(&path, "e30.e30.bmV4dA\n").unwrap();
    source.fetch(&TokenRequest::default()).await.unwrap();
    let forms = transport.forms();
    assert!(
        forms[0].ends_with("client_assertion=e30.e30.c2ln"),
        "{forms:?}"
    );
    assert!(
        forms[1].ends_with("client_assertion=e30.e30.bmV4dA"),
        "{forms:?}"
    );
    fs::remove_file(&path).unwrap();
    let error = source.fetch(&TokenRequest::default()).await.unwrap_err();
    assert!(
        error.is_transient() && error.to_string().contains("assertion"),
        "{error}"
    );
}

#[test]
fn a_file_that_holds_no_jwt_is_an_error_at_construction() {
    for (name, text, told) in [
        ("empty", "", "is empty"),
        ("opaque", "opaque-t0ken", "holds another text"),
        (
            "pem",
            "-----BEGIN PRIVATE KEY-----\nMIIB\n-----END PRIVATE KEY-----\n",
            "holds PEM in place of a signed JWT in compact form",
        ),
        ("json", r#"{"value":"e30.e30.t0ken"}"#, "holds JSON"),
        ("saml", "<saml:Assertion>t0ken", "holds XML"),
        ("two", "e30.e30.c2ln\ne30.e30.c2ln\n", "holds several lines"),
        ("blank", " e30.e30.c2ln\n\n", "holds a text with a blank"),
        ("encrypted", "e30.t0ken.c2ln.c2ln.c2ln", "an encrypted JWT"),
        ("unsigned", "e30.e30.", "a JWT without a signature"),
        ("bytes", "e30.e30.c2ln é", "ASCII"),
    ] {
        let path = temporary(name, text);
        let error = AssertionFile::new(&path).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Configuration);
        let shown = format!("{error} {error:?}");
        assert!(
            shown.contains(told) && shown.contains("assertion"),
            "{name}: {shown}"
        );
        assert!(
            !shown.contains("t0ken") && !shown.contains("MIIB"),
            "{shown}"
        );
        fs::remove_file(path).unwrap();
    }
    let path = temporary("any", "opaque-t0ken");
    assert!(AssertionFile::any_text(&path).is_ok());
    fs::remove_file(path).unwrap();
}

#[tokio::test]
async fn a_jwt_that_has_expired_is_an_error_before_it_is_sent() {
    // {"exp":1000000000}
    let path = temporary("expired", "e30.eyJleHAiOjEwMDAwMDAwMDB9.c2ln");
    let file = AssertionFile::new(&path).unwrap();
    let context = AssertionContext::new(ENDPOINT);
    let before = context.clone().with_time(Duration::from_secs(999_999_999));
    assert!(file.assertion(&before).await.is_ok());
    let late = context.with_time(Duration::from_secs(1_000_003_600));
    let error = file.assertion(&late).await.unwrap_err();
    let text = error.to_string();
    assert!(
        text.contains("expired 3600 s ago") && error.is_transient(),
        "{text}"
    );
    fs::remove_file(path).unwrap();
}

/// Signs with a key whose version a test sets.
#[derive(Clone, Debug, Default)]
struct Versioned(Arc<AtomicU64>);

#[async_trait]
impl AssertionSource for Versioned {
    async fn assertion(&self, _: &AssertionContext) -> Result<Assertion, Error> {
        Ok(Assertion::new("a.b.c")?.with_version(self.0.load(SeqCst)))
    }

    async fn version(&self) -> Option<u64> {
        Some(self.0.load(SeqCst))
    }
}

#[tokio::test]
async fn a_changed_key_ends_the_backoff_and_the_same_key_does_not() {
    let denied = r#"{"error":"invalid_client"}"#;
    let key = Versioned::default();
    let authentication = ClientAuthentication::client_assertion(key.clone());
    let source = grant(authentication, &Recording::answering(401, denied)).unwrap();
    assert!(!source.credentials_changed().await, "none was denied");
    source.fetch(&TokenRequest::default()).await.unwrap_err();
    assert!(!source.credentials_changed().await);
    key.0.store(1, SeqCst);
    assert!(source.credentials_changed().await);
    // a source that states no version is never asked again before the backoff ends
    let authentication = ClientAuthentication::client_assertion(numbered());
    let source = grant(authentication, &Recording::answering(401, denied)).unwrap();
    source.fetch(&TokenRequest::default()).await.unwrap_err();
    assert!(!source.credentials_changed().await);
}

/// A version that is not known is not compared: this source tells one with its assertion only.
#[tokio::test]
async fn an_assertion_whose_source_has_no_version_does_not_count_as_changed() {
    let source = assertion_fn(|_| async { Ok(Assertion::new(JWT)?.with_version(7)) });
    let transport = Recording::answering(401, r#"{"error":"invalid_client"}"#);
    let grant = grant(ClientAuthentication::client_assertion(source), &transport).unwrap();
    grant.fetch(&TokenRequest::default()).await.unwrap_err();
    assert!(!grant.credentials_changed().await);
}

#[tokio::test]
async fn a_file_that_is_gone_does_not_count_as_changed() {
    let path = temporary("gone", JWT);
    let source = AssertionFile::new(&path).unwrap();
    let transport = Recording::answering(401, r#"{"error":"invalid_client"}"#);
    let grant = grant(ClientAuthentication::client_assertion(source), &transport).unwrap();
    grant.fetch(&TokenRequest::default()).await.unwrap_err();
    fs::remove_file(&path).unwrap();
    assert!(!grant.credentials_changed().await);
}

#[tokio::test]
async fn a_secret_that_changes_beside_an_assertion_without_a_version_is_noticed() {
    let path = temporary("secret", "old");
    let secret = ClientSecret::from_file(&path).unwrap();
    let authentication = ClientAuthentication::client_secret_basic(secret);
    let transport = Recording::answering(401, r#"{"error":"invalid_client"}"#);
    let endpoint = TokenEndpoint::builder(ENDPOINT, authentication).client_id("my-client");
    let endpoint = endpoint.build(transport).unwrap();
    let subject = Arc::new(assertion_fn(|_| async { Assertion::new(JWT) }));
    let form = Form::new("x").assertion_from("assertion", subject.clone());
    let request = TokenRequest::default();
    endpoint.request(&form, &request).await.unwrap_err();
    assert!(!endpoint.credentials_changed(&[&*subject]).await);
    fs::write(&path, "new").unwrap();
    assert!(endpoint.credentials_changed(&[&*subject]).await);
    fs::remove_file(&path).unwrap();
}

#[test]
fn a_client_without_an_id_is_checked_as_well() {
    let of_type = |name: &'static str| {
        let source = numbered();
        let authentication = ClientAuthentication::client_assertion_of_type(name, source);
        TokenEndpoint::builder(ENDPOINT, authentication)
    };
    let build = |builder: TokenEndpointBuilder| builder.build(Recording::issuing());
    assert!(build(of_type("urn:example:type")).is_ok());
    let error = build(of_type("not a uri\n")).unwrap_err().to_string();
    assert!(error.contains("client assertion type"), "{error}");
    let error = build(of_type("urn:example:type").client_id_in_form(true)).unwrap_err();
    let error = error.to_string();
    assert!(error.contains("set it with client_id()"), "{error}");
}
