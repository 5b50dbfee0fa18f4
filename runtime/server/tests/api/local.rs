//! The API over the local socket: for the user of the process, without a key.

use bytes::Bytes;
use http::Request;
use http_body_util::{BodyExt as _, Full};
use runner_model::{NodeId, SystemEntropy};
use runner_server::AccessMode;
use runner_server::control::{Client, serve};
use runner_server::local::Nodes;
use serde_json::Value;

use crate::ask;
use crate::kit::{Place, Settings};

#[tokio::test(flavor = "multi_thread")]
async fn the_user_of_the_process_needs_no_key_where_others_do() {
    let place = Place::with(&[]);
    let process = place.start_with(Settings { access: AccessMode::Keys, ..Settings::default() }).await;
    assert_eq!(ask(&process, "GET", "/api/v1/version", None).await.status, 401);
    let directory = tempfile::tempdir().unwrap();
    let (nodes, node) = (Nodes::of(directory.path()), NodeId("test".to_owned()));
    let seat = nodes.join(&node).unwrap();
    let serving = serve(process.executor.clone(), &seat, &SystemEntropy).await.unwrap();
    let client = Client::new(nodes, node);
    let call = async |path: &str| {
        let answer = client.call(Request::get(path).body(Full::new(Bytes::new())).unwrap()).await.unwrap();
        let status = answer.status().as_u16();
        let body = answer.into_body().collect().await.unwrap().to_bytes();
        (status, serde_json::from_slice::<Value>(&body).unwrap())
    };
    assert_eq!(call("/api/v1/version").await.0, 404, "there is no API yet");
    serving.offer(&process.api);
    assert_eq!(call("/api/v1/version").await, (200, call("/api/v1/version").await.1));
    assert_eq!(call("/api/v1/keys").await.0, 200);
    assert_eq!(call("/node").await.1["node"], "test", "what is said between processes is still said");
    serving.stop().await;
    process.stop().await;
}
