//! The bare parts: axum, and SQLite with a group commit, and nothing else.

use std::sync::mpsc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::post;
use rusqlite::Connection;
use tokio::sync::oneshot;

/// With this argument the bench is the bare server.
pub(crate) const ARGUMENT: &str = "--bare";
/// Rows in one commit: as many as the store takes.
const BATCH_MAX: usize = 512;

type Row = (Bytes, oneshot::Sender<()>);

/// Serves until it is killed.
pub(crate) fn serve(database: &str) {
    let db = Connection::open(database).unwrap();
    db.execute_batch(
        "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;
         CREATE TABLE IF NOT EXISTS events (id INTEGER PRIMARY KEY, body BLOB NOT NULL) STRICT;",
    )
    .unwrap();
    let (sender, rows) = mpsc::channel::<Row>();
    std::thread::spawn(move || write(&db, &rows));
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        println!("listening on http://{}", listener.local_addr().unwrap());
        let router = Router::new().route("/hook", post(take)).with_state(sender);
        axum::serve(listener, router).await.unwrap();
    });
}

async fn take(State(rows): State<mpsc::Sender<Row>>, body: Bytes) -> (StatusCode, &'static str) {
    let (reply, committed) = oneshot::channel();
    rows.send((body, reply)).unwrap();
    committed.await.unwrap();
    (StatusCode::ACCEPTED, "{\"accepted\":true}")
}

fn write(db: &Connection, rows: &mpsc::Receiver<Row>) {
    while let Ok(first) = rows.recv() {
        let mut batch = vec![first];
        batch.extend(rows.try_iter().take(BATCH_MAX - 1));
        db.execute_batch("BEGIN IMMEDIATE").unwrap();
        for (body, _) in &batch {
            db.prepare_cached("INSERT INTO events (body) VALUES (?1)").unwrap().execute([&body[..]]).unwrap();
        }
        db.execute_batch("COMMIT").unwrap();
        for (_, reply) in batch {
            let _ = reply.send(());
        }
    }
}
