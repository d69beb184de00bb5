//! Calls of tonic whose token grpcio and grpc-js reject, and their replays.

use anyhow::{Context as _, Result, bail};
use futures_util::{
    FutureExt as _, StreamExt as _,
    future::{Either, select},
    stream,
};
use tokio::sync::oneshot;
use tonic::{Request, transport::Endpoint};

use crate::{
    greeter_client::{Greeter, codec, greeter, greeter_client, hello},
    harness::{GrpcServer, OidcProvider, until},
    stacks::authorizer,
};

async fn client(provider: &OidcProvider, server: &GrpcServer) -> Result<Greeter> {
    let endpoint = Endpoint::from_shared(server.uri().to_owned())?;
    let mut client = greeter_client(&endpoint, authorizer(provider, server.uri())?)?;
    client.ready().await.map_err(anyhow::Error::from_boxed)?;
    Ok(client)
}

/// Makes a `call` that each server rejects once.
async fn is_made_again(call: impl AsyncFn(&mut Greeter, &GrpcServer) -> Result<()>) -> Result<()> {
    let provider = OidcProvider::start(&[]).await?;
    for server in [
        GrpcServer::python_asking(&provider).await?,
        GrpcServer::node_asking(&provider).await?,
    ] {
        provider.reset_stats().await?;
        let mut client = client(&provider, &server).await?;
        server.reject_next(1).await?;
        call(&mut client, &server).await?;
        let stats = server.stats().await?;
        assert_eq!(
            (&stats["calls"], &stats["unauthenticated"]),
            (&2.into(), &1.into())
        );
        assert_eq!(provider.stats().await?["token_requests"], 2);
    }
    Ok(())
}

#[tokio::test]
async fn a_unary_call_is_replayed() -> Result<()> {
    is_made_again(async |client, _| {
        let reply = client.unary(Request::new(hello("ann")), greeter("SayHello"), codec());
        assert_eq!(reply.await?.get_ref().message, "Hello ann");
        Ok(())
    })
    .await
}

/// The rejection is a trailers-only response, and arrives while the client is still streaming. The replay
/// contains the messages that were sent, and continues with the rest.
#[tokio::test]
async fn a_client_stream_rejected_while_it_is_open_continues_in_the_replay() -> Result<()> {
    is_made_again(async |client, server| {
        let (go_on, rest) = oneshot::channel();
        let rest = stream::once(rest.map(|_| hello("bob")));
        let names = stream::iter([hello("ann")]).chain(rest);
        let reply = client.client_streaming(Request::new(names), greeter("CollectHellos"), codec());
        let reply = match select(Box::pin(reply), Box::pin(called_twice(server))).await {
            Either::Left((reply, _)) => bail!("ended before bob was sent: {reply:?}"),
            Either::Right((called, reply)) => {
                called?;
                go_on
                    .send(())
                    .ok()
                    .context("the request stream has ended")?;
                reply.await?
            }
        };
        assert_eq!(reply.get_ref().message, "Hello ann, bob");
        Ok(())
    })
    .await
}

async fn called_twice(server: &GrpcServer) -> Result<()> {
    let calls = async || server.stats().await?["calls"].as_u64().context("no count");
    until("calls", 2, calls).await
}
