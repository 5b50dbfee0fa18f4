//! A program that prints the key: held to a size and a time, and started without a shell.

use std::io::Read as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use runner_model::Secret;
use runner_model::limits::{SEAL_KEY_COMMAND, SEAL_KEY_TEXT_BYTES_MAX};
use zeroize::Zeroizing;

/// How long to sleep between two looks at a program that has closed its output but not ended.
const LOOK: Duration = Duration::from_millis(5);

/// What the program prints. Relative paths count from `base`; what it says on its standard error is the user's to read.
pub(super) fn output(words: &[String], base: &Path) -> Result<Secret, String> {
    within(words, base, SEAL_KEY_COMMAND)
}

fn within(words: &[String], base: &Path, time: Duration) -> Result<Secret, String> {
    let (program, arguments) = words.split_first().ok_or("no program is named")?;
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::null()).stdout(Stdio::piped());
    if !base.as_os_str().is_empty() {
        command.current_dir(base);
    }
    let mut child = command.spawn().map_err(|error| format!("it cannot be started: {error}"))?;
    let done = read(&mut child, Instant::now() + time);
    // Whatever it still does is not waited for; after its end this does nothing.
    let _ = child.kill();
    let _ = child.wait();
    done
}

fn read(child: &mut Child, deadline: Instant) -> Result<Secret, String> {
    let mut stdout = child.stdout.take().ok_or("it has no output")?;
    let (answer, answered) = channel();
    // A read cannot be given up: the thread ends when the program, or whoever has its output, does.
    std::thread::spawn(move || {
        let mut text = Zeroizing::new(Vec::with_capacity(SEAL_KEY_TEXT_BYTES_MAX + 1));
        let read = stdout.by_ref().take(SEAL_KEY_TEXT_BYTES_MAX as u64 + 1).read_to_end(&mut text);
        let _ = answer.send(read.map(|_| text));
    });
    let late = || "it did not end in time".to_owned();
    let text = match answered.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
        Ok(text) => text.map_err(|error| format!("its output cannot be read: {error}"))?,
        Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => return Err(late()),
    };
    if text.len() > SEAL_KEY_TEXT_BYTES_MAX {
        return Err(format!("it prints more than {SEAL_KEY_TEXT_BYTES_MAX} bytes"));
    }
    let status = loop {
        match child.try_wait().map_err(|error| error.to_string())? {
            Some(status) => break status,
            None if Instant::now() >= deadline => return Err(late()),
            None => std::thread::sleep(LOOK),
        }
    };
    if !status.success() {
        return Err(format!("it ended with {status}"));
    }
    let text = std::str::from_utf8(&text).map_err(|_| "its output is no text".to_owned())?;
    Ok(Secret::new(text.to_owned()))
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    fn shell(script: &str, millis: u64) -> Result<Secret, String> {
        let words = ["sh", "-c", script].map(str::to_owned);
        within(&words, Path::new(""), Duration::from_millis(millis))
    }

    #[test]
    fn the_output_of_a_program_is_bounded_in_size_and_time() {
        assert_eq!(shell("echo abc", 10_000).unwrap().expose(), "abc\n");
        let cases = [
            ("yes", 10_000, "more than 4096 bytes"),
            ("sleep 60", 50, "in time"),
            ("exec >&-; sleep 60", 50, "in time"),
            ("exit 3", 10_000, "exit status: 3"),
            ("printf '\\377'", 10_000, "no text"),
        ];
        for (script, millis, expected) in cases {
            let refused = shell(script, millis).map(|_| ()).unwrap_err();
            assert!(refused.contains(expected), "{script}: {refused}");
        }
        let missing = within(&["/nowhere/at/all".to_owned()], Path::new(""), Duration::from_secs(1)).map(|_| ());
        assert!(missing.unwrap_err().starts_with("it cannot be started"));
    }
}
