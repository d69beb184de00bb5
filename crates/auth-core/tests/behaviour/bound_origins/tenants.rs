//! Several tenants, each of which binds token requests to origins.

use auth_core::Origin;
use http::Uri;

use super::*;

/// The tenant of a request is the origin it goes to.
fn by_origin() -> Authorizer {
    Authorizer::per_tenant(
        |request: &RequestHead<'_>| request.origin(),
        |origin: &Origin| {
            let scope = scope(&format!("port-{}", origin.port()));
            builder().origin_with(origin.to_string(), scope).build()
        },
    )
    .build()
    .unwrap()
}

#[tokio::test]
async fn two_apis_on_one_host_are_two_tenants() {
    let authorizer = by_origin();
    for (uri, token) in [
        ("https://api.example/", "port-443"),
        ("https://API.example:443/", "port-443"),
        ("https://api.example:8443/", "port-8443"),
    ] {
        assert_eq!(sent(&authorizer, uri, None).await, token, "{uri}");
    }
    let nowhere = token(&authorizer, &request("/path", None)).await;
    assert_eq!(nowhere.unwrap(), None);
}

/// The tenant of a request is a text in its extensions. Both tenants bind token requests to the same
/// origins.
fn by_extension() -> Authorizer {
    Authorizer::per_tenant(
        |request: &RequestHead<'_>| request.extension::<&'static str>().copied(),
        |tenant: &&'static str| {
            builder()
                .origin_with(ORDERS, scope(&format!("{tenant}-orders")))
                .origin(OTHER)
                .build()
        },
    )
    .build()
    .unwrap()
}

fn of(tenant: &'static str, uri: &str, picked: Option<&TokenRequest>) -> Request<()> {
    let mut request = request(uri, picked);
    request.extensions_mut().insert(tenant);
    request
}

#[tokio::test]
async fn each_tenant_has_its_own_bound_token() {
    let authorizer = by_extension();
    for (tenant, expected) in [("one", "one-orders"), ("two", "two-orders")] {
        let token = token(&authorizer, &of(tenant, ORDERS, None)).await;
        assert_eq!(token.unwrap().unwrap(), expected);
    }
    let orders = scope("one-orders");
    let error = token(&authorizer, &of("one", OTHER, Some(&orders))).await;
    let error = error.unwrap_err().to_string();
    assert!(error.contains(ORDERS) && error.contains(OTHER), "{error}");
    // the other tenant does not bind it
    let picked = token(&authorizer, &of("two", OTHER, Some(&orders))).await;
    assert_eq!(picked.unwrap().unwrap(), "one-orders");
}

#[tokio::test]
async fn over_a_channel_a_tenants_binding_of_its_endpoint_applies() {
    let channel = Uri::from_static(ORDERS);
    let authorizer = by_extension().for_channel(&channel).unwrap();
    let path = of("one", "/pkg.Service/Method", None);
    let token = token(&authorizer, &path).await;
    assert_eq!(token.unwrap().unwrap(), "one-orders");
}
