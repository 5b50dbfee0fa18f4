//! Random workflows, written as their authors would: what each of them promises can be read off the action it calls.

use std::fmt::Write as _;

use super::chance::Chance;

/// A workflow's file.
pub(crate) struct Written {
    text: String,
    tasks: usize,
}

/// The `number`th workflow of a pack; it may call those before it.
pub(crate) fn workflow(chance: &mut Chance, number: u64) -> String {
    let mut written = Written { text: String::new(), tasks: 0 };
    let blocks = chance.between(1, 4);
    for block in 0..blocks {
        written.block(chance, number, block + 1 == blocks);
    }
    let timeout = if chance.hits(800) { format!("timeout: {}\n", chance.of(&[3, 20, 60])) } else { String::new() };
    let on_cancel = if chance.hits(1_000) { "on_cancel: {action: s.again, input: {tag: all}}\n" } else { "" };
    format!(
        "parameters: {{key: {{type: string, default: k}}}}\nvars: [{{n: 0}}]\n{timeout}{on_cancel}\
         tasks:\n{}output: [{{n: '<% ctx(\"n\") %>'}}]\n",
        written.text
    )
}

impl Written {
    fn name(&mut self) -> String {
        self.tasks += 1;
        format!("t{}", self.tasks)
    }

    fn block(&mut self, chance: &mut Chance, number: u64, is_last: bool) {
        // A cycle has to be reached from somewhere.
        match chance.below(if self.tasks == 0 { 9 } else { 10 }) {
            0..=4 => {
                let name = self.name();
                let next = self.following(is_last);
                self.task(chance, number, &name, &next, "");
            }
            5..=8 => self.fork(chance, number, is_last),
            _ => self.cycle(chance, is_last),
        }
    }

    /// The name of the task that comes after the next one that is written; none at the end.
    fn following(&self, is_last: bool) -> Vec<String> {
        if is_last { Vec::new() } else { vec![format!("t{}", self.tasks + 1)] }
    }

    fn fork(&mut self, chance: &mut Chance, number: u64, is_last: bool) {
        let (first, width) = (self.name(), chance.between(2, 3));
        let names: Vec<_> = (0..width).map(|_| self.name()).collect();
        self.task(chance, number, &first, &names, "");
        let join = self.name();
        for name in &names {
            self.task(chance, number, name, std::slice::from_ref(&join), "");
        }
        let next = self.following(is_last);
        let how = chance.of(&["all", "all", "1", "2"]);
        self.task(chance, number, &join, &next, &format!("    join: {how}\n"));
    }

    fn cycle(&mut self, chance: &mut Chance, is_last: bool) {
        let name = self.name();
        let rounds = chance.between(1, 3);
        let after = self.following(is_last).pop().map(|next| format!("        do: {next}\n")).unwrap_or_default();
        let action = chance.of(&["once", "again", "noop"]);
        let input = if action == "noop" { "" } else { "    input: {tag: cycle}\n" };
        let _ = write!(
            self.text,
            "  {name}:\n    action: s.{action}\n{input}    next:\n      - when: <% completed() && ctx(\"n\") < {rounds} %>\n        \
             publish: [{{n: '<% ctx(\"n\") + 1 %>'}}]\n        do: {name}\n      - when: <% ctx(\"n\") >= {rounds} %>\n{}",
            if after.is_empty() { "        do: noop\n".to_owned() } else { after }
        );
    }

    fn task(&mut self, chance: &mut Chance, number: u64, name: &str, next: &[String], more: &str) {
        let _ = write!(self.text, "  {name}:\n{}{more}", body(chance, number));
        if chance.hits(700) {
            let _ = writeln!(self.text, "    delay: {}", chance.of(&["0.2", "2", "15"]));
        }
        if chance.hits(600) {
            let _ = writeln!(self.text, "    if: <% ctx(\"n\") < {} %>", chance.of(&[0, 9]));
        }
        if next.is_empty() {
            if chance.hits(3_000) {
                let command = chance.of(&["noop", "continue", "fail"]);
                let _ = writeln!(self.text, "    next: [{{when: '<% failed() %>', do: {command}}}]");
            }
            return;
        }
        let next = next.join(", ");
        let when = chance.of(&["succeeded()", "succeeded()", "completed()", "completed()", "!failed()"]);
        let _ = writeln!(self.text, "    next:\n      - when: <% {when} %>\n        do: {next}");
    }
}

/// What a task calls, and how.
fn body(chance: &mut Chance, number: u64) -> String {
    let code = chance.of(&["once", "again"]);
    let plain = format!("    action: s.{code}\n    input: {{tag: x}}\n");
    match chance.below(18) {
        0..=2 => plain,
        3 => "    action: s.noop\n".to_owned(),
        4 | 5 => {
            let (many, wide) = (chance.between(0, 6), chance.between(1, 3));
            let retry = if chance.hits(3_000) { "    retry: {count: 1, delay: 0.5}\n" } else { "" };
            let compensate = compensation(chance, 2_000);
            format!("{plain}    with: {{items: '<% range(0, {many}) %>', concurrency: {wide}}}\n{retry}{compensate}")
        }
        6 | 7 => {
            let delay = chance.of(&["0", "0.3", "12"]);
            format!("{plain}    retry: {{count: {}, delay: {delay}, backoff: 2, jitter: 0.3}}\n", chance.between(1, 3))
        }
        8 => {
            let interval = chance.of(&["1", "11"]);
            format!("{plain}    poll: {{until: '<% result().n >= 2 %>', interval: {interval}, timeout: 60}}\n")
        }
        9 => {
            let more = chance.of(&["on_timeout: timeout", "on_timeout: answer, default_answer: {approved: true}"]);
            format!("    action: s.ask\n    input: {{prompt: well, ttl: {}, {more}}}\n", chance.of(&["0", "1", "0.2"]))
        }
        10 => {
            let timeout = chance.of(&["", ", timeout: 30"]);
            format!("    action: s.wait\n    input: {{key: '<% ctx(\"key\") %>'{timeout}}}\n")
        }
        11 | 12 if number > 0 => {
            let called = chance.below(number);
            let timeout = if chance.hits(2_000) { "    timeout: 4\n" } else { "" };
            let retry = if chance.hits(2_000) { "    retry: {count: 1, delay: 0.5}\n" } else { "" };
            let with = if chance.hits(2_000) { "    with: {items: '<% range(0, 3) %>', concurrency: 2}\n" } else { "" };
            format!("    action: s.w{called}\n{timeout}{retry}{with}")
        }
        13 => format!("{plain}{}", compensation(chance, 10_000)),
        14 => format!("{plain}    timeout: {}\n", chance.of(&["0.2", "2", "8"])),
        15 => format!("{plain}    timeout: 30\n    heartbeat_timeout: 1\n    retry: {{count: 2, delay: 1}}\n"),
        16 => "    action: s.once_retry\n    input: {tag: x}\n    on_unknown: retry\n".to_owned(),
        17 => "    action: s.once_ask\n    input: {tag: x}\n    on_unknown: ask\n".to_owned(),
        _ => format!("{plain}    on_cancel: {{action: s.again, input: {{tag: stop}}}}\n"),
    }
}

fn compensation(chance: &mut Chance, of_ten_thousand: u64) -> String {
    if !chance.hits(of_ten_thousand) {
        return String::new();
    }
    let action = chance.of(&["once", "again"]);
    format!("    compensate: {{action: s.{action}, input: {{tag: undo}}, retry: {{count: 1}}}}\n")
}
