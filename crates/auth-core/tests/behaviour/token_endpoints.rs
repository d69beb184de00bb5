//! A token endpoint by itself: forms of other grants, and headers.

use auth_core::{
    Assertion, ClientAuthentication, Error, Form, TokenEndpoint, TokenEndpointBuilder,
    TokenRequest, assertion_fn,
};

use crate::recording_transport::Recording;

fn builder() -> TokenEndpointBuilder {
    let authentication = ClientAuthentication::client_secret_basic("s3cr3t");
    TokenEndpoint::builder("https://as.example/token", authentication).client_id("my-client")
}

fn request() -> TokenRequest {
    let request = TokenRequest::builder().scope("orders").parameter("x", "1");
    request.build().unwrap()
}

#[tokio::test]
async fn a_grant_decides_its_type_and_its_fields() {
    let transport = Recording::issuing();
    let endpoint = builder().build(transport.clone()).unwrap();
    let form = Form::new("account_credentials").field("account_id", "a b");
    endpoint.request(&form, &request()).await.unwrap();
    assert_eq!(
        transport.form(),
        "grant_type=account_credentials&account_id=a+b&scope=orders&x=1"
    );
    endpoint
        .request(&form.without_request_parameters(), &request())
        .await
        .unwrap();
    assert_eq!(
        transport.form(),
        "grant_type=account_credentials&account_id=a+b"
    );
}

#[tokio::test]
async fn a_parameter_that_the_grant_sets_is_an_error() {
    let endpoint = builder().build(Recording::issuing()).unwrap();
    let form = Form::new("custom").field("X", "2");
    let error = endpoint.request(&form, &request()).await.unwrap_err();
    assert!(
        error.to_string().contains("the grant custom sets"),
        "{error}"
    );
    let url = "https://as.example/token?account_id=1";
    let endpoint = builder().url(url).build(Recording::issuing()).unwrap();
    let form = Form::new("custom").field("account_id", "2");
    let error = endpoint.request(&form, &request()).await.unwrap_err();
    assert!(error.to_string().contains("sent twice"), "{error}");
    let error = endpoint
        .request(&Form::new(""), &request())
        .await
        .unwrap_err();
    assert!(error.to_string().contains("grant type"), "{error}");
}

/// RFC 6749 §2.3 and §3.2.
#[tokio::test]
async fn a_field_that_would_be_sent_twice_is_an_error() {
    let transport = Recording::issuing();
    let endpoint = builder().build(transport.clone()).unwrap();
    for (form, told) in [
        (
            Form::new("custom").field("a", "1").field("A", "2"),
            "it once",
        ),
        (
            Form::new("custom").field("client_secret", "s"),
            "authentication",
        ),
        (
            Form::new("custom").field("Client_Assertion", "s"),
            "authentication",
        ),
        (
            Form::new("custom").field("grant_type", "x"),
            "sets by itself",
        ),
        (
            Form::new("custom").field("scope", "x"),
            "without_request_parameters()",
        ),
        (
            Form::new("custom").field("resource", "x"),
            "without_request_parameters()",
        ),
    ] {
        let error = endpoint.request(&form, &request()).await.unwrap_err();
        assert!(error.to_string().contains(told), "{error}");
    }
    assert_eq!(transport.requests(), 0);
    let form = Form::new("custom").without_request_parameters();
    let form = form.field("resource", "a").field("resource", "b");
    let form = form.field("scope", "c");
    endpoint.request(&form, &request()).await.unwrap();
    let sent = transport.form();
    assert_eq!(sent, "grant_type=custom&resource=a&resource=b&scope=c");
}

#[tokio::test]
async fn a_denial_names_the_grant() {
    for (code, told) in [
        (
            "unauthorized_client",
            "the grant account_credentials for the client",
        ),
        ("invalid_grant", "denied the grant account_credentials"),
    ] {
        let transport = Recording::answering(400, format!(r#"{{"error":"{code}"}}"#));
        let endpoint = builder().build(transport).unwrap();
        let form = Form::new("account_credentials");
        let error = endpoint.request(&form, &request()).await.unwrap_err();
        assert!(error.to_string().contains(told), "{error}");
    }
}

#[tokio::test]
async fn a_field_of_a_form_is_struck_out_where_the_server_repeats_it() {
    let transport = Recording::answering(
        400,
        r#"{"error":"invalid_grant","error_description":"v4lue-of-it"}"#,
    );
    let endpoint = builder().header("x-key", "h34der-of-it").build(transport);
    let form = Form::new("custom").field("subject_token", "v4lue-of-it");
    let error = endpoint
        .unwrap()
        .request(&form, &request())
        .await
        .unwrap_err();
    assert!(!error.to_string().contains("v4lue"), "{error}");
    assert!(!format!("{form:?}").contains("v4lue"), "{form:?}");
}

#[tokio::test]
async fn a_header_is_sent_and_treated_like_a_secret() {
    let transport =
        Recording::answering(400, r#"{"error":"x","error_description":"h34der-of-it"}"#);
    let built = builder().header("Ocp-Apim-Subscription-Key", "h34der-of-it");
    let debug = format!("{built:?}");
    let endpoint = built.build(transport.clone()).unwrap();
    let form = Form::new("client_credentials");
    let error = endpoint.request(&form, &request()).await.unwrap_err();
    assert_eq!(
        transport.headers()["ocp-apim-subscription-key"],
        "h34der-of-it"
    );
    for text in [debug, format!("{endpoint:?}"), format!("{error} {error:?}")] {
        assert!(!text.contains("h34der"), "{text}");
    }
}

#[test]
fn headers_take_part_in_the_shared_key() {
    let key = |builder: TokenEndpointBuilder| {
        let endpoint = builder.build(Recording::issuing()).unwrap();
        endpoint.shared_key(&Form::new("client_credentials"), &request())
    };
    assert_ne!(key(builder()), key(builder().header("TenantId", "1")));
    let (one, two) = (
        builder().header("TenantId", "1"),
        builder().header("TenantId", "2"),
    );
    assert_ne!(key(one.clone()), key(two));
    assert_eq!(key(one.clone()), key(one));
}

#[test]
fn rfc8705_3_the_certificate_takes_part_in_the_shared_key() {
    let key = |thumbprint: Option<&'static str>| {
        let builder = builder();
        let builder = match thumbprint {
            Some(thumbprint) => builder.certificate_thumbprint(move || thumbprint.to_owned()),
            None => builder,
        };
        let endpoint = builder.build(Recording::issuing()).unwrap();
        endpoint.shared_key(&Form::new("client_credentials"), &request())
    };
    assert_ne!(key(None), key(Some("a")));
    assert_ne!(key(Some("a")), key(Some("b")));
    assert_eq!(key(Some("a")), key(Some("a")));
}

#[test]
fn a_header_that_cannot_be_sent_is_an_error() {
    for (name, value, told) in [
        ("a b", "x", "a name of letters"),
        ("x-key", "a\nb", "visible ASCII"),
        ("x-key", " a", "visible ASCII"),
        ("x-key", "", "visible ASCII"),
        ("Authorization", "x", "none that the token request"),
        ("content-type", "x", "none that the token request"),
        ("Host", "x", "none that the token request"),
    ] {
        let error = builder().header(name, value).build(Recording::issuing());
        let error = error.unwrap_err().to_string();
        assert!(error.contains(told) && error.contains(name), "{error}");
    }
    let twice = builder().header("x-key", "1").header("X-Key", "2");
    let error = twice.build(Recording::issuing()).unwrap_err().to_string();
    assert!(error.contains("twice"), "{error}");
}

#[tokio::test]
async fn the_assertion_of_a_grant_names_its_parameter_in_errors() {
    let endpoint = builder().build(Recording::issuing()).unwrap();
    let source = assertion_fn(|_| async { Err::<Assertion, _>(Error::configuration("no key")) });
    let grant_type = "urn:ietf:params:oauth:grant-type:jwt-bearer";
    let request = request();
    let assertion = endpoint.assertion("assertion", &source, grant_type, &request);
    assert_eq!(
        assertion.await.unwrap_err().to_string(),
        "assertion: no key"
    );
}

#[test]
fn a_form_names_what_its_fields_decide_about_the_token() {
    let endpoint = builder().header("key", "part").build(Recording::issuing());
    let endpoint = endpoint.unwrap();
    let key = |form: Form| endpoint.shared_key(&form, &request());
    let form = || Form::new("account_credentials");
    let keys = [
        form(),
        form().key_part("a"),
        form().key_part("b"),
        form().key_part("a").key_part("b"),
        form().key_part("ab"),
        form().key_part("key").key_part("part"),
    ];
    let keys = keys.map(key);
    for (at, one) in keys.iter().enumerate() {
        assert!(keys[..at].iter().all(|other| other != one), "{at}");
    }
    assert!(key(form().key_part("a").field("account_id", "1")) == keys[1]);
}
