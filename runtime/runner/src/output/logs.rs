//! The process' own log: to standard error, above whatever progress is being drawn there. A daemon's has times, and is one
//! JSON object a line if it is wanted so. **What others wrote cannot make a line of it, nor drive the terminal.**

use std::fmt::{self, Write as _};
use std::io::{self, Write};
use std::sync::OnceLock;

use indicatif::MultiProgress;
use tracing::field::Field;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::format::{self, Writer};

use super::text::drives_terminal;
use crate::cli::GlobalArgs;
use crate::config::Environment;

static PROGRESS: OnceLock<MultiProgress> = OnceLock::new();

/// What draws progress, if something does: its lines give way to the log's.
pub(crate) fn above_progress(progress: MultiProgress) {
    // Only one thing draws in a process.
    let _ = PROGRESS.set(progress);
}

struct Above;

impl Write for Above {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let write = || io::stderr().write(bytes);
        match PROGRESS.get() {
            Some(progress) => progress.suspend(write),
            None => write(),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        io::stderr().flush()
    }
}

/// A line of JSON, in which what JSON leaves as it is and a terminal does not is escaped too.
struct PlainJson<W>(W);

impl<W: Write> Write for PlainJson<W> {
    /// Takes whole lines, as they are written here.
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let line = String::from_utf8_lossy(bytes);
        // Outside of texts there is nothing of the kind but the end of the line.
        if !line.contains(drives_terminal) {
            self.0.write_all(line.as_bytes())?;
            return Ok(bytes.len());
        }
        let mut plain = String::with_capacity(line.len());
        for c in line.chars() {
            match drives_terminal(c) {
                false => plain.push(c),
                true => plain.push_str(&format!("\\u{:04x}", u32::from(c))),
            }
        }
        self.0.write_all(plain.as_bytes())?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

/// Starts the log. Of a command warnings are shown, of a daemon also what it does; `-v` shows more of runner itself, `-vvv`
/// of everything, and `RUNNER_LOG` what it says, in the language of `tracing`'s filters.
pub(crate) fn start(global: &GlobalArgs, environment: &Environment, is_daemon: bool) {
    let wish = environment.get("RUNNER_LOG").filter(|_| !global.quiet && global.verbose == 0);
    let wish = wish.map(EnvFilter::try_new);
    let wrong = wish.as_ref().and_then(|wish| wish.as_ref().err().map(ToString::to_string));
    let level = EnvFilter::try_new(level(global, is_daemon)).unwrap_or_default();
    let builder = tracing_subscriber::fmt().with_env_filter(wish.and_then(Result::ok).unwrap_or(level));
    let builder = builder.with_ansi(console::colors_enabled_stderr());
    // Set once, here.
    let _ = match (is_daemon, global.json) {
        (true, true) => {
            let builder = builder.json().with_current_span(false).with_span_list(false);
            tracing::subscriber::set_global_default(builder.with_writer(|| PlainJson(Above)).finish())
        }
        (true, false) => tracing::subscriber::set_global_default(
            builder.fmt_fields(format::debug_fn(write_field)).with_writer(|| Above).finish(),
        ),
        (false, _) => {
            let builder = builder.fmt_fields(format::debug_fn(write_field)).without_time().with_target(false);
            tracing::subscriber::set_global_default(builder.with_writer(|| Above).finish())
        }
    };
    if let Some(error) = wrong {
        tracing::warn!(error, "RUNNER_LOG is no filter");
    }
}

/// What is shown by default, and what the flags ask for.
const fn level(global: &GlobalArgs, is_daemon: bool) -> &'static str {
    match (global.quiet, global.verbose, is_daemon) {
        (true, _, _) => "error",
        (false, 0, false) => "warn",
        (false, 0, true) | (false, 1, false) => "warn,runner=info",
        (false, 1, true) | (false, 2, _) => "info,runner=debug",
        (false, _, _) => "debug",
    }
}

/// One field of a line: the message as it is, others with their names.
fn write_field(writer: &mut Writer<'_>, field: &Field, value: &dyn fmt::Debug) -> fmt::Result {
    if field.name() != "message" {
        write!(writer, "{}=", field.name())?;
    }
    write!(OneLine(writer), "{value:?}")?;
    writer.write_char(' ')
}

/// What is written stays on its line.
struct OneLine<'a, 'w>(&'a mut Writer<'w>);

impl fmt::Write for OneLine<'_, '_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let mut rest = text;
        while let Some((at, c)) = rest.char_indices().find(|(_, c)| matches!(c, '\n' | '\t') || drives_terminal(*c)) {
            let (before, behind) = rest.split_at(at);
            self.0.write_str(before)?;
            match c {
                '\n' | '\t' => write!(self.0, "{}", c.escape_default())?,
                _ => write!(self.0, "{}", c.escape_unicode())?,
            }
            rest = behind.get(c.len_utf8()..).unwrap_or_default();
        }
        self.0.write_str(rest)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use serde_json::Value;

    use super::*;

    const HOSTILE: &str = "a\x1b[2J\u{9b}\u{202e}\n2026-01-01T00:00:00Z ERROR b\tc";

    #[derive(Clone, Default)]
    struct Kept(Arc<Mutex<Vec<u8>>>);

    impl Write for Kept {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    impl Kept {
        fn text(&self) -> String {
            String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
        }
    }

    fn say() {
        tracing::warn!(text = HOSTILE, shown = %HOSTILE, "message {HOSTILE}");
    }

    #[test]
    fn what_others_wrote_makes_no_line_of_the_log() {
        let kept = Kept::default();
        let writer = kept.clone();
        let builder = tracing_subscriber::fmt().with_ansi(false).fmt_fields(format::debug_fn(write_field));
        tracing::subscriber::with_default(builder.with_writer(move || writer.clone()).finish(), say);
        let text = kept.text();
        assert_eq!(text.lines().count(), 1, "{text}");
        assert!(!text.trim_end_matches('\n').contains(char::is_control), "{text:?}");
        assert!(text.contains("\\u{1b}[2J") && text.contains(" shown=a") && !text.contains('\u{202e}'), "{text}");
    }

    #[test]
    fn a_line_of_json_says_what_was_said_without_a_control_character() {
        let kept = Kept::default();
        let writer = kept.clone();
        let builder = tracing_subscriber::fmt().json().with_current_span(false).with_span_list(false);
        tracing::subscriber::with_default(builder.with_writer(move || PlainJson(writer.clone())).finish(), say);
        let text = kept.text();
        assert!(!text.trim_end_matches('\n').contains(char::is_control) && !text.contains('\u{202e}'), "{text:?}");
        let line: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(line["fields"]["text"], HOSTILE);
        assert_eq!(line["level"], "WARN");
        assert!(line["timestamp"].is_string() && line["target"].is_string(), "{line}");
    }
}
