//! A TCP relay between a store and its server, which counts and delays connections.

use std::{
    net::Ipv4Addr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
};

use tokio::{
    io::copy_bidirectional,
    net::{TcpListener, TcpStream},
    sync::watch,
};

pub(crate) struct TcpRelay {
    port: u16,
    accepted: Arc<AtomicUsize>,
    is_open: watch::Sender<bool>,
}

impl TcpRelay {
    /// Starts a relay to a port, which forwards nothing until it is [opened](Self::open). Without a
    /// port, the relay closes every connection.
    pub(crate) async fn start(to: Option<u16>) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let accepted = Arc::new(AtomicUsize::new(0));
        let is_open = watch::Sender::new(false);
        let (count, opened) = (accepted.clone(), is_open.subscribe());
        tokio::spawn(async move {
            while let Ok((mut client, _)) = listener.accept().await {
                count.fetch_add(1, SeqCst);
                let Some(to) = to else { continue };
                let mut opened = opened.clone();
                tokio::spawn(async move {
                    opened.wait_for(|is_open| *is_open).await.unwrap();
                    let mut server = TcpStream::connect((Ipv4Addr::LOCALHOST, to)).await.unwrap();
                    let _ = copy_bidirectional(&mut client, &mut server).await;
                });
            }
        });
        Self {
            port,
            accepted,
            is_open,
        }
    }

    pub(crate) fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    pub(crate) fn open(&self) {
        self.is_open.send_replace(true);
    }

    /// Returns the number of connections so far.
    pub(crate) fn accepted(&self) -> usize {
        self.accepted.load(SeqCst)
    }
}
