//! `kill -9` between two looks at a job.

use reqwest::Method;
use serde_json::json;

use super::served::Array;

#[tokio::test]
async fn a_process_that_dies_between_two_polls_of_a_job_leaves_nothing_to_be_made_twice() {
    let array = Array::start();
    let arguments = Array::provision("killed");
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    // Longer than it takes to see two polls, also on a machine with everything else on it.
    array.send(Method::POST, "/simulator/rules", &json!({ "job_ms": 20_000 })).await;
    let mut child = array.place.command(&arguments).spawn().unwrap();
    array.until("a volume is asked for", async || !array.came("POST", "/api/storage/volumes").await.is_empty()).await;
    let jobs = array.get("/api/cluster/jobs?order_by=start_time%20desc").await;
    let job = format!("/api/cluster/jobs/{}", jobs["records"][0]["uuid"].as_str().unwrap());
    array.until("it looks at the job twice", async || array.came("GET", &job).await.len() >= 2).await;
    child.kill().unwrap();
    child.wait().unwrap();

    let left = array.place.run(&["--json", "execution", "get", "last"]).json();
    assert_eq!(left["status"], "running", "{left}");
    let looks = array.came("GET", &job).await.len();
    let resumed = array.place.run(&["--json", "execution", "resume", "last"]);
    assert_eq!(resumed.code, Some(0), "{}", resumed.seen());
    let execution = resumed.json();
    assert_eq!((&execution["id"], &execution["status"]), (&left["id"], &json!("succeeded")));

    assert_eq!(array.came("POST", "/api/storage/volumes").await, [202], "the volume was asked for once");
    assert_eq!(array.came("POST", "/api/protocols/nfs/export-policies").await, [201]);
    assert!(array.came("GET", &job).await.len() > looks, "the job was looked at again");
    assert_eq!(array.count("storage/volumes", "name=killed").await, 1);
}
