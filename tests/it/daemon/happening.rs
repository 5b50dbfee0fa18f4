//! Rules, schedules, sensors, events and keys on the command line: the same words with a daemon and without one.

mod alike;
mod events;
mod keys;
mod rules;

use crate::kit::{Place, Run, root};

/// A pack with a rule of each kind, a sensor that is off, and an action with a secret.
fn place() -> Place {
    let place = Place::new();
    place.write("packs/demo/pack.yaml", "ref: demo\nversion: 1.2.3\n");
    place.write(
        "packs/demo/actions/act.yaml",
        "runner_type: noop\nparameters: {text: {type: string}, token: {type: string, secret: true}}\n",
    );
    place.write(
        "packs/demo/rules/hook.yaml",
        "description: Says what was pushed\n\
         trigger: {type: core.webhook, parameters: {path: demo, auth: none}}\n\
         criteria:\n  trigger.body.ref: {type: equals, pattern: main}\n  trigger.body.size: {type: greaterthan, pattern: 3}\n\
         when: <% event().body.size < 100 %>\n\
         action: {ref: demo.act, parameters: {text: <% event().body.ref %>, token: <% \"s3cret\" %>}}\n\
         deduplicate: {key: <% event().body.id %>, window: 1h}\n",
    );
    place.write(
        "packs/demo/rules/nightly.yaml",
        "trigger: {type: core.cron, parameters: {expression: 30 2 * * *, timezone: Europe/Berlin, overlap: skip, on_missed: skip}}\n\
         action: {ref: demo.act}\n",
    );
    place.write(
        "packs/demo/rules/yearly.yaml",
        "enabled: false\ntrigger: {type: core.interval, parameters: {every: 365d}}\naction: {ref: demo.act}\n",
    );
    place.write(
        "packs/demo/rules/seen.yaml",
        "trigger: {type: demo.seen}\naction: {ref: demo.act, parameters: {text: <% event().name %>}}\n",
    );
    place.write(
        "packs/demo/sensors/watch.yaml",
        "description: Looks\nenabled: false\ncomponent: demo\ninterval: 60\ntrigger_types: [{name: seen}]\n",
    );
    std::fs::create_dir_all(place.path("packs/demo/components")).unwrap();
    let guest = root().join("tests/guests/components/host-guest.wasm");
    std::fs::copy(guest, place.path("packs/demo/components/demo.wasm")).unwrap();
    place
}

/// A payload that the rule `demo.hook` matches.
const MATCHING: &str = r#"{"body": {"ref": "main", "size": 7, "id": "a1"}}"#;
/// One that it does not.
const OTHER: &str = r#"{"body": {"ref": "next", "size": 7, "id": "a1"}}"#;

fn seen(place: &Place, arguments: &[&str], exit: i32) -> Run {
    let run = place.run(arguments);
    assert_eq!(run.code, Some(exit), "{}", run.seen());
    run
}
