//! Ctrl-C.

use std::io::{BufRead as _, BufReader, Read as _};
use std::process::Stdio;

use crate::kit::{Place, interrupt};

#[test]
fn the_first_ctrl_c_cancels_and_the_end_is_recorded() {
    let place = Place::new();
    place.bad_pack("loop_forever", "timeout: 60\n");
    let mut child = place.command(&["exec", "bad.loop_forever"]).stderr(Stdio::piped()).spawn().unwrap();
    let mut stderr = BufReader::new(child.stderr.take().unwrap());
    let mut first = String::new();
    stderr.read_line(&mut first).unwrap();
    let id = first.split_whitespace().nth(1).unwrap().to_owned();
    // The guest runs for a minute, if nothing stops it.
    loop {
        let view = place.run(&["execution", "get", &id, "--json"]).json();
        if view["steps"][0]["status"] == "running" {
            break;
        }
    }
    interrupt(&child);
    assert_eq!(child.wait().unwrap().code(), Some(130));
    let mut rest = String::new();
    stderr.read_to_string(&mut rest).unwrap();
    assert!(rest.contains("cancelling") && rest.contains("E-EXEC-0004"), "{rest}");
    let view = place.run(&["execution", "get", &id, "--json"]).json();
    assert_eq!((&view["status"], &view["steps"][0]["status"]), (&"canceled".into(), &"canceled".into()));
}
