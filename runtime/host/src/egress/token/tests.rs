//! When a token is kept, renewed, and used although it could not be renewed.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use runner_model::limits::HttpLimits;
use runner_model::{ConnectionName, Limits};
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::Instant;

use super::TokenSource;
use crate::egress::connection::{Auth, ConnectionConfig};
use crate::egress::door::Door;

fn limits() -> HttpLimits {
    Limits::default().http
}

/// An endpoint: request number n gets the status, and if that is 200 the token `token-n`.
async fn endpoint(status: impl Fn(usize) -> u16 + Send + Sync + 'static) -> (TokenSource, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/token?x=y", listener.local_addr().unwrap());
    let count = Arc::new(AtomicUsize::new(0));
    let (counted, status) = (Arc::clone(&count), Arc::new(status));
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            tokio::spawn(answer(stream, Arc::clone(&counted), Arc::clone(&status)));
        }
    });
    let oauth2 = json!({ "token_url": url, "client_id": "a", "client_secret": "b" });
    let config = json!({ "kind": "k", "base_url": "http://h", "auth": { "oauth2": oauth2 } });
    let config: ConnectionConfig = serde_json::from_value(config).unwrap();
    let Auth::OAuth2(oauth2) = &config.auth else { panic!("it is") };
    let (limits, name) = (limits(), ConnectionName::new("box").unwrap());
    let source = TokenSource::new(oauth2, &config, &limits, &Door::of(&limits), &name).unwrap();
    (source, count)
}

async fn answer(mut stream: TcpStream, counted: Arc<AtomicUsize>, status: Arc<impl Fn(usize) -> u16>) {
    let mut seen = Vec::new();
    while !String::from_utf8_lossy(&seen).contains("grant_type") {
        if stream.read_buf(&mut seen).await.unwrap_or(0) == 0 {
            return;
        }
    }
    let number = counted.fetch_add(1, Ordering::SeqCst);
    let body = json!({ "access_token": format!("token-{number}"), "expires_in": 1000 }).to_string();
    let (status, length) = (status(number), body.len());
    let head = format!("HTTP/1.1 {status} X\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n");
    stream.write_all(format!("{head}{body}").as_bytes()).await.unwrap();
}

/// The token is as old as that now.
async fn age(source: &TokenSource, age: Duration) {
    let mut state = source.state.lock().await;
    let token = state.token.as_mut().unwrap();
    for instant in [&mut token.renewed_at, &mut token.ends_at] {
        *instant = Some(instant.unwrap().checked_sub(age).unwrap());
    }
}

async fn header(source: &TokenSource) -> String {
    source.get(&limits()).await.unwrap().header().to_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_token_is_renewed_when_four_fifths_of_its_life_are_over() {
    let (source, count) = endpoint(|_| 200).await;
    assert_eq!(header(&source).await, "Bearer token-0");
    age(&source, Duration::from_secs(790)).await;
    assert_eq!(header(&source).await, "Bearer token-0");
    age(&source, Duration::from_secs(20)).await;
    assert_eq!(header(&source).await, "Bearer token-1");
    assert_eq!(header(&source).await, "Bearer token-1");
    assert_eq!(count.load(Ordering::SeqCst), 2);
    assert!(!source.endpoint().contains("x=y"), "a query may be secret");
}

#[tokio::test]
async fn a_token_that_cannot_be_renewed_is_used_to_its_end_and_no_longer() {
    let (source, count) = endpoint(|number| if number == 0 { 200 } else { 503 }).await;
    header(&source).await;
    age(&source, Duration::from_secs(810)).await;
    for _ in 0..5 {
        assert_eq!(header(&source).await, "Bearer token-0");
    }
    assert_eq!(count.load(Ordering::SeqCst), 2, "not every request tries to renew it");
    age(&source, Duration::from_secs(100)).await;
    assert_eq!(header(&source).await, "Bearer token-0");
    assert_eq!(count.load(Ordering::SeqCst), 3, "it is tried again when half of what is left is over");
    age(&source, Duration::from_secs(100)).await;
    let failed = source.get(&limits()).await.err().unwrap();
    assert!(failed.retryable(), "{failed}");
}

#[tokio::test]
async fn giving_up_while_a_token_is_fetched_leaves_the_fetch_to_the_next() {
    let (source, count) = endpoint(|_| 200).await;
    {
        let limits = limits();
        let first = source.get(&limits);
        tokio::pin!(first);
        tokio::select! {
            biased;
            _ = &mut first => panic!("nobody answers that fast"),
            () = std::future::ready(()) => {}
        }
    }
    assert!(header(&source).await.starts_with("Bearer token-"));
    assert!(count.load(Ordering::SeqCst) >= 1);
    let token = source.get(&limits()).await.unwrap();
    assert!(token.ends_at.unwrap() > Instant::now());
}
