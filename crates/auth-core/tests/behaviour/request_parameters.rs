//! Parameters of a token request: names without case, and resources that are no URIs.

use auth_core::{
    ClientAuthentication, ClientCredentials, ClientCredentialsBuilder, Error, TokenRequest,
    TokenSource,
};

use crate::recording_transport::Recording;

fn builder(url: &str) -> ClientCredentialsBuilder {
    let authentication = ClientAuthentication::client_secret_post("s3cr3t-of-it");
    ClientCredentials::builder(url, "my-client", authentication)
}

fn built(name: &str) -> Result<TokenRequest, Error> {
    TokenRequest::builder().parameter(name, "v").build()
}

#[test]
fn parameter_names_are_compared_without_case_against_ours() {
    for name in [
        "Grant_Type",
        "SCOPE",
        "Client_ID",
        "client_Secret",
        "Client_Assertion",
        "CLIENT_ASSERTION_TYPE",
        "Audience",
        "Refresh_Token",
        "Resource",
    ] {
        let error = built(name).unwrap_err().to_string();
        assert!(error.contains("parameter"), "{name}: {error}");
    }
}

#[test]
fn a_parameter_name_with_blanks_or_invisible_characters_is_an_error() {
    for name in [
        " scope",
        "scope ",
        "sco\u{200b}pe",
        "scope\0",
        "\u{feff}scope",
        "a\nb",
    ] {
        assert!(built(name).is_err(), "{name:?}");
    }
    assert!(built("x-vendor param").is_ok());
}

#[test]
fn parameter_names_are_compared_without_case_against_each_other() {
    let twice = TokenRequest::builder()
        .parameter("tenant", "1")
        .parameter("Tenant", "2")
        .build();
    assert!(twice.unwrap_err().to_string().contains("twice"));
}

#[tokio::test]
async fn a_parameter_of_a_request_replaces_the_default_of_another_case() {
    let transport = Recording::issuing();
    let source = builder("https://as.example/token").parameter("tenant", "1");
    let source = source.build(transport.clone()).unwrap();
    let request = TokenRequest::builder().parameter("Tenant", "2").build();
    source.fetch(&request.unwrap()).await.unwrap();
    let form = transport.form().to_ascii_lowercase();
    assert_eq!(form.matches("tenant=").count(), 1, "{form}");
    assert!(form.contains("tenant=2"), "{form}");
}

#[tokio::test]
async fn parameter_names_are_compared_without_case_against_the_query() {
    for url in [
        "https://as.example/token?Tenant=1",
        "https://as.example/token?a=b&tEn%61nt=1",
    ] {
        let error = builder(url)
            .parameter("tenant", "2")
            .build(Recording::issuing());
        assert!(error.unwrap_err().to_string().contains("tenant"), "{url}");
        let source = builder(url).build(Recording::issuing()).unwrap();
        let request = TokenRequest::builder().parameter("TENANT", "2").build();
        assert!(source.fetch(&request.unwrap()).await.is_err(), "{url}");
    }
}

#[test]
fn a_query_with_a_parameter_of_ours_in_another_case_is_an_error() {
    for name in [
        "Scope",
        "CLIENT_SECRET",
        "Grant_type",
        "client%5FID",
        "RESOURCE",
    ] {
        let url = format!("https://as.example/token?{name}=x");
        let error = builder(&url).build(Recording::issuing()).unwrap_err();
        assert!(error.to_string().contains("sent twice"), "{error}");
    }
}

#[tokio::test]
async fn a_resource_that_is_no_uri_is_a_parameter_and_may_be_repeated() {
    let transport = Recording::issuing();
    let source = builder("https://as.example/token")
        .parameter("resource", "orders service")
        .parameter("resource", "00000002-0000-0000-c000-000000000000")
        .resource("https://api.example/")
        .build(transport.clone())
        .unwrap();
    source.fetch(&TokenRequest::default()).await.unwrap();
    assert_eq!(
        transport.form(),
        "grant_type=client_credentials&resource=00000002-0000-0000-c000-000000000000\
         &resource=https%3A%2F%2Fapi.example%2F&resource=orders+service\
         &client_id=my-client&client_secret=s3cr3t-of-it"
    );
}

#[test]
fn resources_as_parameters_take_part_in_the_key() {
    let with = |value: &str| TokenRequest::builder().parameter("resource", value).build();
    assert_ne!(with("a").unwrap(), with("b").unwrap());
    let uri = TokenRequest::builder().resource("urn:a").build().unwrap();
    assert_eq!(with("urn:a").unwrap(), uri);
    assert!(with("").is_err());
}
