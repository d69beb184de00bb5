//! The auto traits of every public type. Losing one breaks the build of a user.

use std::marker::PhantomData;

use auth_core::{
    AccessToken, Authorization, Authorizer, AuthorizerBuilder, BoxError, CacheStatus,
    ClientAuthentication, ClientCredentials, ClientCredentialsAuthorizerBuilder,
    ClientCredentialsBuilder, ClientSecret, Error, ErrorKind, Form, HttpTransport, JwtBearer,
    NewConnection, Origin, PendingToken, RefreshPolicy, RefreshPolicyBuilder, RefreshToken,
    RefreshTokenStore, Replacement, ReplayMethods, RequestHead, Scopes, SecretString,
    TenantsBuilder, TokenCache, TokenCacheBuilder, TokenCaches, TokenCachesBuilder, TokenChanges,
    TokenEndpoint, TokenEndpointBuilder, TokenExchange, TokenRequest, TokenRequestBuilder,
    TokenResponse, TokenSource, TokenType, TransportBody,
    adapter::{
        Attempt, AttemptFuture, Deadline, Decision, Redirect, Renewal, RenewalFuture, ResponseHead,
        Target, Verdict,
    },
    provider::Provider,
    shared_store::{Lease, SharedKey, SharedToken, SharedTokenStore},
    time::{Clock, Now, Sleep, SystemClock},
};
use auth_test_support::assert_auto_traits;

#[test]
fn auto_traits_of_public_types() {
    assert_auto_traits! {
        AccessToken: "Send Sync Unpin Clone",
        Attempt: "Send Sync Unpin",
        AttemptFuture: "Send Unpin",
        Authorization: "Send Sync Unpin Clone",
        Authorizer: "Send Sync Unpin Clone",
        AuthorizerBuilder: "Send Sync Unpin Clone",
        BoxError: "Send Sync Unpin",
        CacheStatus: "Send Sync Unpin Clone",
        ClientAuthentication: "Send Sync Unpin Clone",
        ClientCredentials: "Send Sync Unpin Clone",
        ClientCredentialsAuthorizerBuilder: "Send Sync Unpin Clone",
        ClientCredentialsBuilder: "Send Sync Unpin Clone",
        ClientSecret: "Send Sync Unpin Clone",
        Deadline: "Send Unpin",
        Decision: "Send Unpin",
        Error: "Send Sync Unpin Clone",
        ErrorKind: "Send Sync Unpin Clone",
        Form: "Send Sync Unpin Clone",
        JwtBearer: "Send Sync Unpin Clone",
        NewConnection: "Send Sync Unpin Clone",
        Now: "Send Sync Unpin Clone",
        Origin: "Send Sync Unpin Clone",
        PendingToken: "Send Sync Unpin Clone",
        Provider: "Send Sync Unpin Clone",
        Redirect: "Send Sync Unpin Clone",
        RefreshPolicy: "Send Sync Unpin Clone",
        RefreshPolicyBuilder: "Send Sync Unpin Clone",
        RefreshToken: "Send Sync Unpin Clone",
        Renewal: "Send Sync Unpin",
        RenewalFuture: "Send Unpin",
        Replacement: "Send Sync Unpin Clone",
        ReplayMethods: "Send Sync Unpin Clone",
        ResponseHead<'_>: "Send Sync Unpin Clone",
        Verdict: "Send Unpin",
        RequestHead<'_>: "Send Sync Unpin Clone",
        Scopes: "Send Sync Unpin Clone",
        SecretString: "Send Sync Unpin Clone",
        SharedKey: "Send Sync Unpin Clone",
        SharedToken: "Send Sync Unpin Clone",
        Sleep: "Send Unpin",
        SystemClock: "Send Sync Unpin Clone",
        Target<'_>: "Send Sync Unpin Clone",
        TenantsBuilder<u8, fn(), fn()>: "Send Sync Unpin",
        TokenCache: "Send Sync Unpin Clone",
        TokenCacheBuilder: "Send Sync Unpin Clone",
        TokenCaches: "Send Sync Unpin Clone",
        TokenCachesBuilder: "Send Sync Unpin Clone",
        TokenChanges: "Send Sync Unpin Clone",
        TokenEndpoint: "Send Sync Unpin Clone",
        TokenEndpointBuilder: "Send Sync Unpin Clone",
        TokenExchange: "Send Sync Unpin Clone",
        TokenRequest: "Send Sync Unpin Clone",
        TokenRequestBuilder: "Send Sync Unpin Clone",
        TokenResponse: "Send Sync Unpin Clone",
        TokenType: "Send Sync Unpin Clone",
        TransportBody: "Send Unpin",
        dyn Clock: "Send Sync",
        dyn HttpTransport: "Send Sync",
        dyn Lease: "Send Sync",
        dyn RefreshTokenStore: "Send Sync",
        dyn SharedTokenStore: "Send Sync",
        dyn TokenSource: "Send Sync",
    }
}

/// The type implements none of the traits: the macro detects a missing trait.
#[test]
fn the_table_detects_missing_traits() {
    struct Bare(PhantomData<(*const (), std::marker::PhantomPinned)>);
    assert_auto_traits! { Bare: "", Box<Bare>: "Unpin", }
    let _ = Bare(PhantomData);
}
