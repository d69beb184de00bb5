//! The auto traits of every public type. Losing one breaks the build of a user.

use auth_test_support::{assert_auto_traits, hyper_clients::HyperClient};
use auth_tower::{
    Auth, AuthLayer, Bounded, CloneBody, NoReplay, ResponseBody, ResponseFuture, TowerTransport,
};
use bytes::Bytes;
use http_body_util::Full;
use hyper_util::client::legacy::connect::HttpConnector;
use tonic::transport::Channel;

/// The futures have the auto traits of those inside them. hyper's response future is neither `Sync` nor
/// `Clone`.
#[test]
fn auto_traits_of_public_types() {
    type TonicBody = tonic::body::Body;
    assert_auto_traits! {
        Auth<Channel>: "Send Sync Unpin Clone",
        Auth<HyperClient>: "Send Sync Unpin Clone",
        Auth<HyperClient, NoReplay>: "Send Sync Unpin Clone",
        ResponseFuture<Channel, TonicBody, Bounded>: "Send Unpin",
        ResponseFuture<HyperClient, Full<Bytes>, Bounded>: "Send Unpin",
        ResponseBody<hyper::body::Incoming>: "Send Sync Unpin",
        ResponseBody<TonicBody>: "Send Unpin",
        AuthLayer: "Send Sync Unpin Clone",
        AuthLayer<CloneBody>: "Send Sync Unpin Clone",
        Bounded: "Send Sync Unpin Clone",
        CloneBody: "Send Sync Unpin Clone",
        NoReplay: "Send Sync Unpin Clone",
        auth_tower::HyperClient<HttpConnector>: "Send Sync Unpin Clone",
        TowerTransport<HyperClient>: "Send Sync Unpin Clone",
    }
}
