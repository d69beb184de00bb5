use auth_redis::auth_core::SharedTokenStore;

use crate::{
    directory::Directory,
    fixture::{Fixture, NEW, eventually, key, secret, token},
    server::Server,
};

#[tokio::test]
async fn a_unix_socket() {
    let directory = Directory::new();
    let socket = directory.file("socket");
    let _server = Server::start(&["--unixsocket", &socket, "--requirepass", "s3cr3t"]).await;
    for scheme in ["unix", "redis+unix"] {
        let store = Fixture::at(format!("{scheme}://{socket}?pass=s3cr3t&db=3")).store([NEW]);
        // it may listen on TCP some moments before
        eventually("it listens there", || async {
            store.save(&key(), &token("abc", 0)).await.ok()
        })
        .await;
        let found = store.load(&key()).await.unwrap();
        assert_eq!(secret(found.as_ref()), Some("abc"));
    }
}
