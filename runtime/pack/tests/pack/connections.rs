//! The kinds of connections of a pack: how they want to be talked to, and each mistake with its place.

use std::collections::BTreeSet;

use runner_model::{Manners, TestManners};
use runner_pack::check;

use crate::kit::{Demo, library, said};

const WHOLE: &str = "
  array:
    description: A storage array
    concurrency: 20
    headers: {x-dot-client-app: runner}
    retry:
      statuses: [429, 503]
      body: {pointer: /error/code, codes: [\"2621573\", 13434889]}
      tries: 5
      wait: 500ms
      wait_max: 30
    test: {path: /api/cluster}
";

fn demo(connections: &str) -> Demo {
    let demo = Demo::new();
    demo.file("pack.yaml", format!("ref: demo\nversion: 0.1.0\nconnections:{connections}"));
    demo
}

fn manners(connections: &str) -> Manners {
    let (pack, report) = check(&demo(connections).path(), &library());
    assert!(report.diagnostics.is_empty(), "{}", report.plain());
    pack.unwrap().manifest.connections["array"].manners.clone()
}

#[test]
fn a_kind_says_how_it_wants_to_be_talked_to() {
    let manners = manners(WHOLE);
    assert_eq!(manners.concurrency, Some(20));
    assert_eq!(manners.headers["x-dot-client-app"], "runner");
    assert_eq!(manners.test, Some(TestManners { path: "/api/cluster".to_owned() }));
    assert_eq!(manners.retry.statuses, Some(BTreeSet::from([429, 503])));
    assert_eq!(manners.retry.tries, Some(5));
    assert_eq!(manners.retry.wait.map(|wait| wait.as_millis()), Some(500));
    assert_eq!(manners.retry.wait_max.map(|wait| wait.as_secs()), Some(30));
    let rules = manners.retry.body.unwrap();
    assert_eq!(rules[0].pointer, "/error/code");
    assert_eq!(rules[0].codes, BTreeSet::from(["2621573".to_owned(), "13434889".to_owned()]));
}

#[test]
fn a_kind_need_not_say_anything_and_rules_about_bodies_may_be_several() {
    assert!(manners("\n  array: {description: x}\n").is_empty());
    let several = "\n  array: {retry: {body: [{pointer: /a, codes: 1}, {pointer: /b, codes: [x, y]}]}}\n";
    assert_eq!(manners(several).retry.body.unwrap().len(), 2);
}

#[test]
fn every_mistake_has_its_place_and_says_what_to_write() {
    insta::assert_snapshot!(said(&demo(
        "
  array:
    base_url: https://array
    tries: 3
    concurrency: 0
    headers:
      Authorization: Basic abc
      x-number: 5
      a b: c
    retry:
      statuses: [200, soon, 503]
      body:
        - {pointer: error.code, codes: [1]}
        - {codes: [1]}
        - {pointer: /error/code, codes: []}
        - {pointer: /error/code, codes: [1.5]}
        - {pointer: /error/code, code: 1}
      tries: 100
      wait: 0
      delay: 1
    test: {path: api, method: GET}
  other:
    concurrency: many
    headers: [x]
    retry: 5
    test: /api
    conccurrency: 5
"
    )));
}
