use auth_redis::auth_core::shared_store::SharedTokenStore;

use crate::redis_store::{
    fixture::{Fixture, NEW, eventually, key, secret, token},
    server::Server,
    temporary_directory::TemporaryDirectory,
};

#[tokio::test]
async fn a_store_connects_over_a_unix_socket() {
    let directory = TemporaryDirectory::new();
    let socket = directory.file("socket");
    let _server = Server::start(&["--unixsocket", &socket, "--requirepass", "s3cr3t"]).await;
    for scheme in ["unix", "redis+unix"] {
        let store = Fixture::at(format!("{scheme}://{socket}?pass=s3cr3t&db=3")).store([NEW]);
        // the server may listen on TCP first
        eventually("the server listens on the socket", || async {
            store.save(&key(), &token("abc", 0)).await.ok()
        })
        .await;
        let found = store.load(&key()).await.unwrap();
        assert_eq!(secret(found.as_ref()), Some("abc"));
    }
}
