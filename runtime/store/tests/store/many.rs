//! What takes as long however much there is.

use runner_model::limits;
use runner_store::{Catalogue as _, ExecutionFilter, Journal as _};
use rusqlite::Connection;

use crate::given::{by_rule, new, rule, sqlite};

#[tokio::test]
async fn a_count_says_so_many_or_more() {
    let dir = tempfile::tempdir().unwrap();
    let store = sqlite(dir.path()).await;
    store.create(new(1)).await.unwrap();
    store.create(by_rule(2, "nightly", 1)).await.unwrap();
    // Lines without journals: nobody reads those.
    let sql = "WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < ?1)
               INSERT INTO executions (id, pack, action, status, open, origin, created_at, version, token)
               SELECT randomblob(16), pack, action, status, open, origin, created_at, version, token
               FROM n, (SELECT * FROM executions WHERE rule IS NULL)";
    let db = Connection::open(dir.path().join("runner.db")).unwrap();
    db.execute(sql, [limits::EXECUTION_COUNT_MAX as i64 - 2]).unwrap();
    let all = ExecutionFilter::default();
    let max = limits::EXECUTION_COUNT_MAX as u64;
    assert_eq!(store.count(&all).await, Ok(max));
    assert_eq!(store.count(&ExecutionFilter { open: Some(true), ..all.clone() }).await, Ok(max));
    assert_eq!(store.count(&ExecutionFilter { rule: Some(rule("nightly")), ..all.clone() }).await, Ok(1));
    db.execute(sql, [7]).unwrap();
    assert_eq!(store.count(&all).await, Ok(max));
}
