//! What the process says with its exit status.

use std::process::ExitCode;

/// The exit statuses. They are part of the interface: scripts branch on them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exit {
    /// Done; of an execution: it succeeded.
    Succeeded = 0,
    /// The execution failed, or what was tested did not pass.
    Failed = 1,
    /// The command line or the parameters are wrong.
    Usage = 2,
    /// There is no such action, pack, execution or connection.
    NotFound = 3,
    /// The configuration or a pack has mistakes, or something needed to build it is missing.
    Invalid = 4,
    /// The store or the host cannot be used.
    Broken = 5,
    /// The execution has not ended: it is paused, or waits for an answer, and nothing here would change that.
    Waiting = 6,
    /// The execution was cancelled, by Ctrl-C as a rule (128 + SIGINT, as shells have it).
    Canceled = 130,
}

/// The statuses, for `--help`.
pub(crate) const HELP: &str = "\
Exit status:
  0    done; of `exec`: the execution succeeded
  1    the execution failed, or what was tested did not pass
  2    the command line or the parameters are wrong
  3    there is no such action, pack, execution or connection
  4    the configuration or a pack has mistakes, or what is needed to build it is missing
  5    the store or the host cannot be used
  6    the execution has not ended: it is paused, or waits for an answer or an event
  130  the execution was cancelled";

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}
