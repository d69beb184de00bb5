//! The auto traits of every public type, in one place: to lose one breaks somebody's build.

use std::marker::PhantomData;

use auth_core::{
    AccessToken, Authorization, Authorizer, AuthorizerBuilder, BoxError, ClientAuthentication,
    ClientCredentials, ClientCredentialsBuilder, ClientSecret, Error, ErrorKind, HttpTransport,
    Origin, ReplayMethods, RequestHead, Scopes, SecretString, TokenCache, TokenCacheBuilder,
    TokenCaches, TokenCachesBuilder, TokenRequest, TokenRequestBuilder, TokenResponse, TokenSource,
    TransportBody,
    adapter::{
        Attempt, AttemptFuture, Decision, Redirect, Renewal, RenewalFuture, ResponseHead, Target,
        Verdict,
    },
    provider::Provider,
    time::{Clock, Now, Sleep, SystemClock},
};
use auth_reqwest::{AuthMiddleware, ReqwestTransport};
use auth_testing::{
    Answer, AuthorizationServer, AuthorizationServerBuilder, BytesCodec,
    ClientAuthenticationMethod, EchoClient, Fault, ManualClock, ProtectedApi, TokioClock,
};
use auth_tower::{Auth, AuthLayer, Bounded, CloneBody, NoReplay, ResponseFuture, TowerTransport};
use bytes::Bytes;
use http_body_util::Full;
use tonic::transport::Channel;

use crate::support::clients::HyperClient;

/// What the inherent constant below hides where there is one.
trait Otherwise {
    const YES: bool = false;
}

/// Whether a type implements a trait.
macro_rules! implements {
    ($type:ty, $trait:path) => {{
        struct Probe<T: ?Sized>(PhantomData<T>);
        impl<T: ?Sized> Otherwise for Probe<T> {}
        #[allow(dead_code, reason = "used where the type implements the trait")]
        impl<T: ?Sized + $trait> Probe<T> {
            const YES: bool = true;
        }
        <Probe<$type>>::YES
    }};
}

/// Those of the five traits that a type implements have to be those that are listed.
macro_rules! table {
    ($($type:ty: $traits:literal,)*) => {
        $({
            let mut found = Vec::new();
            found.extend(implements!($type, Send).then_some("Send"));
            found.extend(implements!($type, Sync).then_some("Sync"));
            found.extend(implements!($type, Unpin).then_some("Unpin"));
            found.extend(implements!($type, Clone).then_some("Clone"));
            assert_eq!(found.join(" "), $traits, "{}", stringify!($type));
        })*
    };
}

#[test]
fn of_auth_core() {
    table! {
        AccessToken: "Send Sync Unpin Clone",
        Attempt: "Send Sync Unpin",
        AttemptFuture: "Send Unpin",
        Authorization: "Send Sync Unpin Clone",
        Authorizer: "Send Sync Unpin Clone",
        AuthorizerBuilder: "Send Sync Unpin Clone",
        BoxError: "Send Sync Unpin",
        ClientAuthentication: "Send Sync Unpin Clone",
        ClientCredentials: "Send Sync Unpin Clone",
        ClientCredentialsBuilder: "Send Sync Unpin Clone",
        ClientSecret: "Send Sync Unpin Clone",
        Decision: "Send Unpin",
        Error: "Send Sync Unpin Clone",
        ErrorKind: "Send Sync Unpin Clone",
        Now: "Send Sync Unpin Clone",
        Origin: "Send Sync Unpin Clone",
        Provider: "Send Sync Unpin Clone",
        Redirect: "Send Sync Unpin Clone",
        Renewal: "Send Sync Unpin",
        RenewalFuture: "Send Unpin",
        ReplayMethods: "Send Sync Unpin Clone",
        ResponseHead<'_>: "Send Sync Unpin Clone",
        Verdict: "Send Unpin",
        RequestHead<'_>: "Send Sync Unpin Clone",
        Scopes: "Send Sync Unpin Clone",
        SecretString: "Send Sync Unpin Clone",
        Sleep: "Send Unpin",
        SystemClock: "Send Sync Unpin Clone",
        Target<'_>: "Send Sync Unpin Clone",
        TokenCache: "Send Sync Unpin Clone",
        TokenCacheBuilder: "Send Sync Unpin Clone",
        TokenCaches: "Send Sync Unpin Clone",
        TokenCachesBuilder: "Send Sync Unpin Clone",
        TokenRequest: "Send Sync Unpin Clone",
        TokenRequestBuilder: "Send Sync Unpin Clone",
        TokenResponse: "Send Sync Unpin Clone",
        TransportBody: "Send Unpin",
        dyn Clock: "Send Sync",
        dyn HttpTransport: "Send Sync",
        dyn TokenSource: "Send Sync",
    }
}

/// The futures are as those inside them are: hyper's response future is neither `Sync` nor `Clone`.
#[test]
fn of_auth_tower() {
    type TonicBody = tonic::body::Body;
    table! {
        Auth<Channel>: "Send Sync Unpin Clone",
        Auth<HyperClient>: "Send Sync Unpin Clone",
        Auth<HyperClient, NoReplay>: "Send Sync Unpin Clone",
        ResponseFuture<Channel, TonicBody, Bounded>: "Send Unpin",
        ResponseFuture<HyperClient, Full<Bytes>, Bounded>: "Send Unpin",
        AuthLayer: "Send Sync Unpin Clone",
        AuthLayer<CloneBody>: "Send Sync Unpin Clone",
        Bounded: "Send Sync Unpin Clone",
        CloneBody: "Send Sync Unpin Clone",
        NoReplay: "Send Sync Unpin Clone",
        TowerTransport<HyperClient>: "Send Sync Unpin Clone",
    }
}

#[test]
fn of_auth_reqwest() {
    table! {
        AuthMiddleware: "Send Sync Unpin Clone",
        ReqwestTransport: "Send Sync Unpin Clone",
    }
}

#[test]
fn of_auth_testing() {
    table! {
        Answer: "Send Sync Unpin Clone",
        AuthorizationServer: "Send Sync Unpin Clone",
        AuthorizationServerBuilder: "Send Sync Unpin Clone",
        BytesCodec: "Send Sync Unpin Clone",
        ClientAuthenticationMethod: "Send Sync Unpin Clone",
        EchoClient<Channel>: "Send Sync Unpin Clone",
        Fault: "Send Sync Unpin Clone",
        ManualClock: "Send Sync Unpin Clone",
        ProtectedApi: "Send Sync Unpin Clone",
        TokioClock: "Send Sync Unpin Clone",
    }
}

/// A type that has none of them, so that the table is known to be able to say no.
#[test]
fn the_table_can_say_no() {
    struct Bare(PhantomData<(*const (), std::marker::PhantomPinned)>);
    table! { Bare: "", Box<Bare>: "Unpin", }
    let _ = Bare(PhantomData);
}
