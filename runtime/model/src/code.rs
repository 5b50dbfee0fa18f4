//! Every error code that a user can see, with what it means. A code is never renumbered or used again.
//!
//! `runtime/docs/errors.md` is made from this table; a test keeps the two the same.

use std::fmt;

/// A stable error code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Code {
    id: &'static str,
    meaning: &'static str,
}

impl Code {
    /// The code, such as `E-PACK-0007`.
    #[must_use]
    pub const fn id(self) -> &'static str {
        self.id
    }

    /// What it means, in one sentence.
    #[must_use]
    pub const fn meaning(self) -> &'static str {
        self.meaning
    }

    /// The code with this id.
    #[must_use]
    pub fn find(id: &str) -> Option<Self> {
        ALL.iter().copied().find(|code| code.id.eq_ignore_ascii_case(id))
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.id)
    }
}

macro_rules! codes {
    ($($name:ident = $id:literal, $meaning:literal;)*) => {
        $(#[doc = $meaning] pub const $name: Code = Code { id: $id, meaning: $meaning };)*

        /// Every code, in the order of the table.
        pub const ALL: &[Code] = &[$($name),*];
    };
}

codes! {
    // Packs: files that are wrong. Found by `runner pack check`.
    PACK_SYNTAX = "E-PACK-0001", "The file is not valid YAML.";
    PACK_LIMIT = "E-PACK-0002", "The file is larger, deeper or has more nodes or aliases than allowed.";
    PACK_DUPLICATE_KEY = "E-PACK-0003", "A key stands twice in the same mapping.";
    PACK_UNKNOWN_KEY = "E-PACK-0004", "A key that is not known here.";
    PACK_WRONG_TYPE = "E-PACK-0005", "A value of the wrong type.";
    PACK_MISSING_KEY = "E-PACK-0006", "A required key is missing.";
    PACK_BAD_VALUE = "E-PACK-0007", "A value of the right type that is not allowed.";
    PACK_MISSING_FILE = "E-PACK-0008", "A file that is referred to does not exist.";
    PACK_UNREADABLE = "E-PACK-0009", "A file or directory cannot be read.";
    PACK_BAD_SCHEMA = "E-PACK-0010", "A JSON Schema is not valid.";
    PACK_DUPLICATE_NAME = "E-PACK-0011", "Two things of the same kind have the same name.";
    PACK_BAD_DEFAULT = "E-PACK-0012", "A default does not fit its own schema.";
    PACK_CONFIG = "E-PACK-0013", "The pack's configuration does not fit its schema.";
    PACK_UNKNOWN_PACK = "E-PACK-0014", "There is no such pack.";
    PACK_NOT_LOADED = "E-PACK-0015", "The pack has mistakes and cannot be used.";
    PACK_DEPENDENCY = "E-PACK-0016", "A pack that this one depends on is missing or has another version.";
    PACK_BUILD = "E-PACK-0017", "The pack's component could not be built.";
    PACK_DRIFT = "E-PACK-0018", "An action's metadata and the component's own description of it differ.";
    PACK_RUNNER_VERSION = "E-PACK-0019", "The pack needs another version of runner.";
    PACK_NOT_SUPPORTED = "E-PACK-0020", "A key or value that is part of the format, but that this version cannot carry out.";
    PACK_ARCHIVE = "E-PACK-0021", "The archive of a pack is damaged, or of another kind than packs come in.";
    PACK_ENTRY = "E-PACK-0022", "Something in an archive or a directory that no pack that is installed may hold: a link, a device, a name that leads elsewhere or is another's.";
    PACK_TOO_LARGE = "E-PACK-0023", "A pack that is to be installed is larger, or has more files or longer paths, than allowed.";
    PACK_SUM = "E-PACK-0024", "The archive is another one than was expected: its SHA-256 differs.";
    PACK_CHANGED = "E-PACK-0025", "An installed pack differs from what `runner.lock` says of it.";
    PACK_INSTALLED = "E-PACK-0026", "Another version of the pack is installed already.";
    PACK_NEEDED = "E-PACK-0027", "The pack is still needed.";
    PACK_FETCH = "E-PACK-0028", "The archive of a pack cannot be fetched.";
    PACK_LOCK = "E-PACK-0029", "`runner.lock` or the packs directory cannot be read or written.";
    PACK_NOT_GRANTED = "E-PACK-0030", "The action needs what its pack asks for, and nobody granted the pack anything.";
    PACK_GRANT_BEYOND = "E-PACK-0031", "This version of the pack asks for more than was looked at when it was granted.";
    PACK_GRANT = "E-PACK-0032", "Such a grant cannot be made.";
    PACK_GRANT_STALE = "E-PACK-0033", "The pack is not the one any more that was looked at.";

    // Workflows: files that are valid YAML but do not make a workflow.
    FLOW_UNKNOWN_TASK = "E-FLOW-0001", "A transition leads to a task that does not exist.";
    FLOW_RESERVED_NAME = "E-FLOW-0002", "A task has the name of an engine command.";
    FLOW_NO_START = "E-FLOW-0003", "No task can start: each one is reached from another.";
    FLOW_UNREACHABLE_TASK = "E-FLOW-0004", "A task cannot be reached from any start.";
    FLOW_UNKNOWN_ACTION = "E-FLOW-0005", "A task calls an action that does not exist.";
    FLOW_UNKNOWN_PARAMETER = "E-FLOW-0006", "A task passes a parameter that the action does not have.";
    FLOW_MISSING_PARAMETER = "E-FLOW-0007", "A task does not pass a parameter that the action requires.";
    FLOW_BAD_PARAMETER = "E-FLOW-0008", "A task passes a value that does not fit the action's parameter.";
    FLOW_UNKNOWN_VARIABLE = "E-FLOW-0009", "A context variable is read that nothing on the way has set.";
    FLOW_UNREACHABLE_JOIN = "E-FLOW-0010", "A join waits for transitions that can no longer be taken.";
    FLOW_TOO_MANY_STEPS = "E-FLOW-0011", "The execution has made as many steps as are allowed.";
    FLOW_FAILED_BY_COMMAND = "E-FLOW-0012", "The workflow ended at a `fail` command.";
    FLOW_BAD_JOIN = "E-FLOW-0013", "A join that cannot be met: it needs more transitions than lead to it.";

    FLOW_WAIT_EXPIRED = "E-FLOW-0014", "What a step waited for did not come in time.";
    FLOW_POLL = "E-FLOW-0015", "A `poll` ended because its `fail_when` held, or its time was over.";
    FLOW_TOO_MANY_ATTEMPTS = "E-FLOW-0016", "A step has been tried as often as is allowed.";
    FLOW_BAD_VALUE = "E-FLOW-0017", "A setting of a task has a value that cannot be used: a delay that is no number, items that are no list.";
    FLOW_DEADLINE = "E-FLOW-0018", "The workflow did not end within its timeout.";
    FLOW_HEARTBEAT = "E-FLOW-0019", "An attempt did not give a sign of life within its `heartbeat_timeout`.";
    FLOW_ITEMS = "E-FLOW-0020", "Items of a step did not succeed.";
    FLOW_NO_ACTION = "E-FLOW-0021", "A task with `with` has no action to run for its items.";
    FLOW_HELD = "E-FLOW-0022", "A step of a relaxed workflow waits for the disk all the same: what it calls may not run twice.";

    // Rules, sensors and policies: files that are valid YAML but can never do what they say.
    RULE_UNKNOWN_TRIGGER = "E-RULE-0001", "A rule waits for a trigger that does not exist.";
    RULE_BAD_TRIGGER = "E-RULE-0002", "A rule gives a trigger parameters that do not fit it.";
    RULE_CRITERION = "E-RULE-0003", "A criterion is not well-formed.";
    RULE_SCHEDULE = "E-RULE-0004", "A schedule cannot be understood, or never comes.";
    RULE_WEBHOOK = "E-RULE-0005", "Rules answer the same webhook with different settings.";
    RULE_UNKNOWN_ACTION = "E-RULE-0006", "A rule or a policy names an action that does not exist.";
    RULE_UNKNOWN_PARAMETER = "E-RULE-0007", "A rule passes, or a policy tells apart by, a parameter that the action does not have.";
    RULE_MISSING_PARAMETER = "E-RULE-0008", "A rule does not pass a parameter that the action requires.";
    RULE_BAD_PARAMETER = "E-RULE-0009", "A rule passes a value that does not fit the action's parameter.";

    // Expressions.
    EXPR_SYNTAX = "E-EXPR-0001", "The expression does not compile.";
    EXPR_UNCLOSED = "E-EXPR-0002", "An expression was opened with `<%` and not closed.";
    EXPR_RUNTIME = "E-EXPR-0003", "The expression failed when it was evaluated.";
    EXPR_NOT_BOOLEAN = "E-EXPR-0004", "A condition gave something other than true or false.";
    EXPR_LIMIT = "E-EXPR-0005", "The expression needed more operations, depth or space than allowed.";
    EXPR_UNKNOWN_FUNCTION = "E-EXPR-0006", "The expression calls a function that does not exist.";
    EXPR_WRONG_TYPE = "E-EXPR-0007", "The expression gave a value of another type than is needed here.";
    EXPR_OUT_OF_PLACE = "E-EXPR-0008", "The expression asks for something that is not there where it stands: an item, a completed task.";

    // Parameters of an execution.
    PARAM_UNKNOWN = "E-PARAM-0001", "The action has no such parameter.";
    PARAM_MISSING = "E-PARAM-0002", "A required parameter is missing.";
    PARAM_INVALID = "E-PARAM-0003", "A value does not fit the parameter's schema.";
    PARAM_IMMUTABLE = "E-PARAM-0004", "The parameter is immutable.";
    PARAM_TOO_LARGE = "E-PARAM-0005", "The parameters are larger than allowed.";
    PARAM_SYNTAX = "E-PARAM-0006", "A parameter on the command line cannot be read.";

    // Running actions in the sandbox.
    HOST_TRAP = "E-HOST-0001", "The guest trapped: it did something that WebAssembly forbids, or panicked.";
    HOST_TIMEOUT = "E-HOST-0002", "The action did not end within its timeout.";
    HOST_MEMORY = "E-HOST-0003", "The guest asked for more memory than allowed.";
    HOST_STACK = "E-HOST-0004", "The guest's stack overflowed.";
    HOST_RESULT_TOO_LARGE = "E-HOST-0005", "The action's result is larger than allowed.";
    HOST_BAD_RESULT = "E-HOST-0006", "The action returned something that is not JSON.";
    HOST_CALLS = "E-HOST-0007", "The guest called the host more often, or passed it more data, than allowed.";
    HOST_BAD_COMPONENT = "E-HOST-0008", "The file is not a component, or not one that this host can run.";
    HOST_COMPONENT_TOO_LARGE = "E-HOST-0009", "The component is larger than allowed.";
    HOST_CACHE = "E-HOST-0010", "A compiled component in the cache cannot be trusted or written.";
    HOST_OTHER = "E-HOST-0011", "The host failed.";
    HOST_BUSY = "E-HOST-0012", "As many actions run already as are allowed.";
    HOST_TABLE = "E-HOST-0013", "The guest asked for more table elements, instances or resources of the host than allowed.";
    HOST_COMPILE_CPU = "E-HOST-0014", "Compiling the component took more processor time than allowed.";
    HOST_COMPILE_MEMORY = "E-HOST-0015", "Compiling the component took more memory than allowed.";
    HOST_COMPILE_LATE = "E-HOST-0016", "The compiler did not come to an end in time: the machine is too busy.";
    HOST_COMPILE_CRASH = "E-HOST-0017", "The compiler failed on the component, or could not be started.";

    // Outgoing HTTP.
    NET_DENIED = "E-NET-0001", "The request is not permitted: the pack does not ask for it, or the operator did not grant it.";
    NET_UNKNOWN_CONNECTION = "E-NET-0002", "There is no connection with this name.";
    NET_BAD_REQUEST = "E-NET-0003", "The request is malformed.";
    NET_DNS = "E-NET-0004", "The host name cannot be resolved.";
    NET_CONNECT = "E-NET-0005", "The connection could not be made.";
    NET_TLS = "E-NET-0006", "The TLS handshake failed: the certificate is not trusted, or not for this host.";
    NET_TIMEOUT = "E-NET-0007", "The request did not end within its timeout.";
    NET_TOO_LARGE = "E-NET-0008", "The body or the headers are larger than allowed.";
    NET_CLOSED = "E-NET-0009", "The connection was closed before the response was complete.";
    NET_PROTOCOL = "E-NET-0010", "The response is not valid HTTP.";
    NET_NO_SIMULATOR = "E-NET-0011", "No pack has a simulator for this kind of connection.";
    NET_SIMULATOR = "E-NET-0012", "The simulator failed.";
    NET_NOT_NOW = "E-NET-0013", "The server asks to be left alone for longer than the request may take.";
    NET_TOKEN = "E-NET-0014", "The token endpoint gave no access token.";
    NET_ADDRESS = "E-NET-0015", "The host has an address that the request may not reach: private, of this machine, of a metadata service.";

    // Recorded requests.
    TAPE_UNREADABLE = "E-TAPE-0001", "The cassette cannot be read.";
    TAPE_MISMATCH = "E-TAPE-0002", "Another request came than the cassette holds.";
    TAPE_WRITE = "E-TAPE-0003", "The cassette cannot be written.";

    // Key-value data.
    KV_DENIED = "E-KV-0001", "The pack has no permission for its key-value data, or only for reading.";
    KV_TOO_LARGE = "E-KV-0002", "A key or a value is larger than allowed.";
    KV_CONFLICT = "E-KV-0003", "The value has changed in the meantime.";
    KV_BAD_VALUE = "E-KV-0004", "The value is not JSON.";

    // The store.
    STORE_OPEN = "E-STORE-0001", "The data directory cannot be opened.";
    STORE_FULL = "E-STORE-0002", "The disk is full.";
    STORE_CORRUPT = "E-STORE-0003", "The database is damaged.";
    STORE_CONFLICT = "E-STORE-0004", "Somebody else has written to this execution in the meantime.";
    STORE_FENCED = "E-STORE-0005", "The execution belongs to another process now.";
    STORE_NOT_FOUND = "E-STORE-0006", "There is no such execution.";
    STORE_BUSY = "E-STORE-0007", "Another process has locked the database for too long.";
    STORE_VERSION = "E-STORE-0008", "The database was written by a newer version of runner.";
    STORE_IO = "E-STORE-0009", "The database could not be read or written.";
    STORE_EXISTS = "E-STORE-0010", "There is an execution with this id already.";
    STORE_ILLEGAL = "E-STORE-0011", "The entries do not fit the execution's status, or cannot be written down.";
    STORE_HALTED = "E-STORE-0012", "The store stopped writing because the disk failed.";
    STORE_PREFIX = "E-STORE-0013", "Too few characters of an execution's id.";
    STORE_CLOSED = "E-STORE-0014", "The store is closed.";
    STORE_NO_EVENT = "E-STORE-0015", "There is no such event.";
    STORE_NO_KEY = "E-STORE-0016", "There is no key to seal what is secret.";
    STORE_SEALED = "E-STORE-0017", "Something sealed was changed, belongs elsewhere, or was sealed with another key.";

    // Executions.
    EXEC_UNKNOWN_ACTION = "E-EXEC-0001", "There is no such action.";
    EXEC_DISABLED = "E-EXEC-0002", "The action is disabled.";
    EXEC_UNKNOWN_OUTCOME = "E-EXEC-0003", "The process ended while the action ran: what it did is unknown.";
    EXEC_CANCELED = "E-EXEC-0004", "The execution was cancelled.";
    EXEC_JOURNAL = "E-EXEC-0005", "The journal does not fit the pack: it was written by another version of it.";
    EXEC_DEPTH = "E-EXEC-0006", "Workflows are nested deeper than allowed.";
    EXEC_NO_ACTION_FILE = "E-EXEC-0007", "A component of the pack cannot be read.";
    EXEC_ENDED = "E-EXEC-0009", "The execution has ended already.";
    EXEC_NOT_WAITING = "E-EXEC-0010", "The execution does not wait for this.";
    EXEC_BAD_ANSWER = "E-EXEC-0011", "The answer does not fit the schema of the inquiry.";
    EXEC_NOT_ENDED = "E-EXEC-0012", "The execution has not ended: it cannot be run again yet.";
    EXEC_RERUN = "E-EXEC-0013", "The execution cannot be run again from there.";
    EXEC_OWNED = "E-EXEC-0008", "Another process works on this execution.";
    EXEC_MOCKED = "E-EXEC-0014", "A mock of a rehearsal ended the step; its result is what the mock says.";
    EXEC_SIMULATED = "E-EXEC-0016", "A simulated execution cannot go on with real systems, nor a real one with simulated ones.";
    EXEC_SILENT = "E-EXEC-0015", "The process that works on this execution does not answer.";
    EXEC_FULL = "E-EXEC-0017", "As many executions are at work or wait for a place as are allowed.";
    EXEC_DRAINING = "E-EXEC-0018", "The process stops: it begins nothing new.";
    EXEC_EXISTS = "E-EXEC-0019", "There is an execution with this id already: it is not begun again.";
    EXEC_POLICY = "E-EXEC-0020", "A policy does not allow another run of the action now.";

    // Events, rules and sensors at work.
    EVENT_PAYLOAD = "E-EVENT-0001", "The payload of an event does not fit its trigger.";
    EVENT_KEY = "E-EVENT-0002", "The key of an event is longer than allowed.";
    EVENT_CHAIN = "E-EVENT-0003", "Rules and executions lead to one another without an end.";
    EVENT_STOPPED = "E-EVENT-0004", "The process is ending and takes no events any more.";
    EVENT_NO_RULE = "E-EVENT-0005", "There is no such rule.";
    EVENT_UNDECLARED = "E-EVENT-0006", "A sensor emitted a trigger that it does not declare.";

    // What comes in over HTTP.
    API_REQUEST = "E-API-0001", "The request cannot be understood, or is not allowed.";
    API_KEY = "E-API-0002", "The API key is missing, or opens nothing: unknown, expired or revoked.";
    API_ROLE = "E-API-0003", "The API key does not allow this.";
    API_NOT_FOUND = "E-API-0004", "There is nothing at this address.";
    API_METHOD = "E-API-0005", "The address does not know this method.";
    API_TOO_LARGE = "E-API-0006", "The request is larger than allowed.";
    API_MEDIA_TYPE = "E-API-0007", "The body of the request is of another type than is taken here.";
    API_ORIGIN = "E-API-0008", "The request comes from a web page of another origin, or asks for another host.";
    API_IDEMPOTENCY = "E-API-0009", "The key of the request was used for another request before.";
    API_DRAINING = "E-API-0010", "The process stops: it takes nothing new.";
    API_SLOW = "E-API-0011", "The body of the request did not come in time.";
    API_INTERNAL = "E-API-0012", "A defect in runner.";

    // Deliveries to webhooks.
    HOOK_UNKNOWN = "E-HOOK-0001", "No rule answers a webhook with this path.";
    HOOK_SIGNATURE = "E-HOOK-0002", "The delivery's signature is missing, cannot be read, or is not that of what was sent.";
    HOOK_REPLAY = "E-HOOK-0003", "The delivery was signed too long ago, or ahead of this machine's clock.";
    HOOK_SECRET = "E-HOOK-0004", "The webhook's secret is missing in the configuration, or cannot be used.";
    HOOK_BODY = "E-HOOK-0005", "The delivery's body is not what its content type says.";
    HOOK_DELIVERY = "E-HOOK-0006", "The header that tells deliveries apart stands more than once, or holds no id.";

    // Secrets, their key, and the log of who changed what.
    SECRET_KEY = "E-SECRET-0001", "The key that seals secrets cannot be read, or is no key.";
    SECRET_KEY_EXPOSED = "E-SECRET-0002", "Others can read the file of the key that seals secrets.";
    SECRET_OTHER_KEY = "E-SECRET-0003", "A sealed value needs a key that is not configured.";
    SECRET_UNKNOWN = "E-SECRET-0004", "There is no such secret.";
    SECRET_IN_USE = "E-SECRET-0005", "A connection or a webhook uses the secret.";
    SECRET_VALUE = "E-SECRET-0006", "The value of a secret is empty, too large or cannot be read.";
    SECRET_CONFLICT = "E-SECRET-0007", "Somebody else has changed the secret in the meantime.";
    AUDIT_BROKEN = "E-AUDIT-0001", "The audit log was changed: its chain is broken.";

    // Configuration and command line.
    CONF_SYNTAX = "E-CONF-0001", "The configuration file is not valid TOML.";
    CONF_INVALID = "E-CONF-0002", "The configuration file has an unknown key or a bad value.";
    CONF_UNREADABLE = "E-CONF-0003", "The configuration file, or a file it names, cannot be read.";
    CONF_SECRET = "E-CONF-0004", "A credential cannot be read.";
    CLI_NOT_FOUND = "E-CLI-0001", "There is nothing with this name.";
    CLI_TOOLCHAIN = "E-CLI-0002", "What is needed to build a pack is not installed.";
    CLI_EXISTS = "E-CLI-0003", "There is something with this name already.";
    CLI_LISTEN = "E-CLI-0004", "The address cannot be listened on.";
    CLI_USAGE = "E-CLI-0005", "The command line cannot be understood.";
    CLI_DAEMON = "E-CLI-0006", "The process cannot be the daemon of the data directory.";
    CLI_REMOTE = "E-CLI-0007", "The daemon that was asked cannot be reached, or does not answer as one.";
    CLI_NO_DAEMON = "E-CLI-0008", "Only a daemon does this, and none is there.";
    CLI_DEVELOPMENT = "E-CLI-0009", "Development mode grants packs whatever they ask for: it is for this machine only, and nobody else may reach it.";
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_code_is_well_formed_and_used_once() {
        let mut seen = BTreeSet::new();
        for code in ALL {
            assert!(seen.insert(code.id()), "{code} stands twice");
            let parts: Vec<_> = code.id().split('-').collect();
            assert!(matches!(parts.as_slice(), ["E", area, number]
                if area.chars().all(|c| c.is_ascii_uppercase()) && number.len() == 4 && number.parse::<u32>().is_ok()));
            assert!(code.meaning().ends_with('.'), "{code}");
            assert_eq!(Code::find(&code.id().to_lowercase()), Some(*code));
        }
    }
}
