//! Every limit of the product, with its unit, its default and the reason for it.
//!
//! What an operator may change stands in [`Limits`]; what is fixed stands as a constant.

use std::time::Duration;

/// Names (packs, actions, tasks, connections), in characters: what still fits a line of a table.
pub const NAME_CHARS_MAX: usize = 128;

/// A file of a pack other than a component, in bytes. A workflow of a thousand tasks is about 200 KiB.
pub const YAML_BYTES_MAX: usize = 256 * 1024;
/// Nesting of a YAML document, in levels. The deepest real file that we know has 14.
pub const YAML_DEPTH_MAX: usize = 32;
/// Nodes of a YAML document. A workflow of a thousand tasks has about 20,000.
pub const YAML_NODES_MAX: usize = 50_000;
/// Steps for comparing two patterns of paths. Two that real packs write take some hundreds; a longer comparison counts as
/// "not covered", which only asks the operator once more.
pub const PERMISSION_COMPARE_MAX: usize = 250_000;
/// How long a grant that another process records is not noticed.
pub const GRANTS_LOOK: Duration = Duration::from_secs(1);
/// Aliases in a YAML document: enough to share a block or two, too few for a bomb.
pub const YAML_ALIASES_MAX: usize = 100;
/// Mistakes reported for one pack: a reader mends the first ones first.
pub const DIAGNOSTICS_MAX: usize = 200;
/// Files in one directory of a pack. The largest pack of the StackStorm Exchange has 3,581 actions.
pub const PACK_FILES_MAX: usize = 10_000;
/// How long nothing may change in the packs directories before they are read: a copy is done by then, as a rule.
pub const PACKS_QUIET: Duration = Duration::from_millis(200);
/// How long after the first change they are read all the same: what is copied can be run within 2 s.
pub const PACKS_PATIENCE: Duration = Duration::from_secs(1);
/// How often is looked whether a packs directory is another one now, and at all files where the system tells of no changes.
pub const PACKS_LOOK: Duration = Duration::from_secs(1);
/// How often is looked at all files where the system does tell: a network filesystem says nothing of what others do.
pub const PACKS_LOOK_ANYWAY: Duration = Duration::from_secs(15);
/// How long an old version of a pack stays after it was last asked for, though no execution is known to need it: one may
/// be about to be recorded.
pub const PACK_KEPT_MIN: Duration = Duration::from_secs(60 * 60);
/// An archive of a pack, packed, in bytes: no more than it may become.
pub const PACK_ARCHIVE_BYTES_MAX: u64 = 64 * 1024 * 1024;
/// The files of a pack that is installed, together, in bytes: two components of the largest size.
pub const PACK_UNPACKED_BYTES_MAX: u64 = 64 * 1024 * 1024;
/// How many times its size an archive's files may be together: sources and components come to five.
pub const PACK_ARCHIVE_RATIO_MAX: u64 = 20;
/// Files of an archive that may be there whatever its size is, in bytes: small texts shrink to nearly nothing.
pub const PACK_ARCHIVE_RATIO_FROM: u64 = 1024 * 1024;
/// Files and directories of a pack that is installed. Our largest pack has 275, the largest of the StackStorm Exchange 3,581
/// actions alone.
pub const PACK_ENTRIES_MAX: usize = 5_000;
/// The path of a file below its pack's directory, in bytes: the longest of our packs has 60.
pub const PACK_PATH_BYTES_MAX: usize = 200;
/// Directories within directories of a pack: the deepest of our packs has five.
pub const PACK_PATH_DEPTH_MAX: usize = 20;
/// How long an archive may take to come, over all.
pub const PACK_FETCH: Duration = Duration::from_secs(300);
/// How often the way to an archive may lead on: a release's page, its storage, and one more.
pub const PACK_REDIRECTS_MAX: usize = 3;
/// The file of installed packs, in bytes: a hundred packs of the most files, with their sums.
pub const PACK_LOCK_BYTES_MAX: usize = 64 * 1024 * 1024;
/// A file with the result of a mocked step, in bytes: as much as an action may return.
pub const MOCK_RESULT_BYTES_MAX: usize = 1024 * 1024;
/// The longest `timeout` that an action can ask for: a migration that takes weeks belongs into several steps.
pub const ACTION_TIMEOUT_MAX: Duration = Duration::from_secs(30 * 24 * 60 * 60);
/// A component, in bytes, before it is handed to the compiler: compile time grows with it.
pub const COMPONENT_BYTES_MAX: usize = 32 * 1024 * 1024;

/// An expression's source, in characters: longer ones belong into an action.
pub const EXPRESSION_CHARS_MAX: usize = 4 * 1024;
/// Operations of one expression: about 5 ms of work.
pub const EXPRESSION_OPERATIONS_MAX: u64 = 50_000;
/// Time of one expression: the stop of last resort, a hundred times what the others leave room for in practice.
pub const EXPRESSION_TIME_MAX: Duration = Duration::from_secs(1);
/// Nesting of an expression. Rhai's own default differs between debug and release builds, so it is set.
pub const EXPRESSION_DEPTH_MAX: usize = 32;
/// Nested calls within an expression (closures of `map` and `filter`).
pub const EXPRESSION_CALLS_MAX: usize = 16;
/// A string made by an expression, in bytes: as much as an action may return, so that a whole result can be made a text.
pub const EXPRESSION_STRING_BYTES_MAX: usize = 1024 * 1024;
/// A text in which an expression looks for a pattern, in bytes: the longest patterns take some seconds for more.
pub const EXPRESSION_SEARCHED_BYTES_MAX: usize = 256 * 1024;
/// Lists and maps within one another while an expression puts them together: what comes of it is no deeper than JSON, and
/// whatever walks through it needs a stack for it.
pub const EXPRESSION_NESTING_MAX: usize = JSON_DEPTH_MAX;
/// Variables of an expression: parameters of its closures.
pub const EXPRESSION_VARIABLES_MAX: usize = 64;
/// An array or map made by an expression, in elements: a list of 10,000 volumes can still be filtered.
pub const EXPRESSION_ELEMENTS_MAX: usize = 20_000;

/// A regular expression of a rule, compiled, in bytes: ten times what the largest of real rules takes.
pub const REGEX_COMPILED_BYTES_MAX: usize = 1024 * 1024;

/// Nesting of a JSON value from outside (`serde_json`'s own recursion limit).
pub const JSON_DEPTH_MAX: usize = 128;
/// Parameters of one execution, in bytes of JSON.
pub const PARAMETERS_BYTES_MAX: usize = 1024 * 1024;

/// Steps of one execution: a cycle that never ends is stopped here.
pub const STEPS_MAX: usize = 10_000;

/// Items of one step: a list of an estate's volumes fits, a list of its files does not.
pub const ITEMS_MAX: usize = 50_000;
/// Tries of one step or item, polls included: a day of polls every second.
pub const ATTEMPTS_MAX: u32 = 100_000;
/// Times that the command `retry` runs a step again: Orquesta's own number.
pub const RETRY_COMMAND_MAX: u32 = 3;
/// What a delay can be of the one before: beyond that the second is the longest already.
pub const BACKOFF_MAX: f64 = 100.0;
/// The key that ties an event to the step that waits for it, in bytes: an id, perhaps with a few words before it.
pub const EVENT_KEY_BYTES_MAX: usize = 512;
/// How long a `poll` goes on that names no `timeout`.
pub const POLL_TIMEOUT: Duration = Duration::from_secs(24 * 60 * 60);
/// The longest delay, timeout or interval of a workflow: ten years, which no date overflows.
pub const FLOW_TIME_MAX: Duration = Duration::from_secs(10 * 365 * 24 * 60 * 60);

/// The path of a webhook, in characters: it is typed into other systems' forms.
pub const WEBHOOK_PATH_CHARS_MAX: usize = 256;
/// A delivery's body, in bytes, where the rule says nothing: most are a few KiB.
pub const WEBHOOK_BODY_BYTES: usize = 1024 * 1024;
/// What a rule can allow for a delivery's body, in bytes: GitHub sends no more.
pub const WEBHOOK_BODY_BYTES_MAX: usize = 25 * 1024 * 1024;
/// Bodies of deliveries that are read at the same time, in bytes: anybody can send one, and it is known only at its end
/// who it was.
pub const WEBHOOK_BODIES_BYTES_MAX: usize = 256 * 1024 * 1024;
/// How old a signed delivery may be, or how far ahead the sender's clock: what Stripe, Slack and Standard Webhooks say.
pub const WEBHOOK_REPLAY_WINDOW: Duration = Duration::from_secs(300);
/// The longest such time that a rule can set: beyond a day a signature's time protects from nothing.
pub const WEBHOOK_REPLAY_WINDOW_MAX: Duration = Duration::from_secs(24 * 60 * 60);
/// How long a sender waits for a result where the rule names no time.
pub const WEBHOOK_WAIT: Duration = Duration::from_secs(30);
/// How long a sender can be made to wait: proxies on the way cut longer requests.
pub const WEBHOOK_WAIT_MAX: Duration = Duration::from_secs(300);
/// Headers of a webhook's own reply: more is no reply but a page.
pub const WEBHOOK_REPLY_HEADERS_MAX: usize = 32;

/// How many executions can come one after the other from the end of another: rules that start one another stop there.
pub const EVENT_CHAIN_MAX: u32 = 16;
/// Matches that wait in memory to be made into executions; the others are read from the store when it is their turn.
pub const DISPATCH_WAITING_MAX: usize = 1_024;
/// Executions of matches that are begun at the same time: enough to share a commit.
pub const DISPATCH_AT_ONCE_MAX: usize = 64;
/// Events that are read from the store together: each may hold a large delivery.
pub const EVENT_PAGE: usize = 64;
/// Events that are read together for a listing.
pub const EVENT_LIST_READ: usize = 16;
/// Events of a listing, in bytes of JSON, after which its page ends: a delivery may be 25 MiB long.
pub const EVENT_LIST_BYTES: usize = 8 * 1024 * 1024;
/// Ends of executions that rules are asked about together.
pub const ENDED_PAGE: usize = 64;

/// How often a schedule can come at the most: what comes more often is a stream, which a sensor reads.
pub const SCHEDULE_INTERVAL_MIN: Duration = Duration::from_secs(1);
/// How long after its time a schedule that was missed is still made up for, where the rule says nothing.
pub const SCHEDULE_WINDOW: Duration = Duration::from_secs(60 * 60);
/// The longest such time that a rule can set: a month, in which a machine comes back or does not.
pub const SCHEDULE_WINDOW_MAX: Duration = Duration::from_secs(31 * 24 * 60 * 60);
/// How long after its time a schedule still counts as on time: what stops a process for less is no downtime.
pub const SCHEDULE_LATE: Duration = Duration::from_secs(60);
/// Instants of one schedule that are made up for in one commit.
pub const SCHEDULE_BATCH: usize = 64;
/// Instants of one schedule that wait for earlier executions to end: beyond that it comes too often.
pub const SCHEDULE_QUEUE_MAX: usize = 1_000;
/// By how much chance can put off a schedule: enough to spread a whole estate over an hour.
pub const SCHEDULE_JITTER_MAX: Duration = Duration::from_secs(60 * 60);

/// Criteria of one rule, those within a `search` included: each is compiled when its pack loads and looked at for each
/// event of its trigger. More is a table, which belongs into an action.
pub const RULE_CRITERIA_MAX: usize = 100;
/// How long a rule remembers the key of what it has run, where it says nothing.
pub const RULE_ONCE_WINDOW: Duration = Duration::from_secs(60 * 60);
/// The longest such time: events are kept for seven days.
pub const RULE_ONCE_WINDOW_MAX: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// How often a sensor looks that names no interval.
pub const SENSOR_INTERVAL: Duration = Duration::from_secs(30);
/// How often a sensor can look at the most: each look is a run of its component.
pub const SENSOR_INTERVAL_MIN: Duration = Duration::from_secs(1);

/// Sensors that look at the same time: each takes the place of a guest.
pub const SENSOR_POLLS_MAX: usize = 8;
/// The longest pause after a sensor failed again and again.
pub const SENSOR_BACKOFF_MAX: Duration = Duration::from_secs(15 * 60);

/// The longest time that a policy's rate counts over: what it remembers is kept for as long.
pub const POLICY_RATE_PERIOD_MAX: Duration = Duration::from_secs(24 * 60 * 60);

/// How far away something must be that an execution waits for, so that it is parked until then, in milliseconds: to
/// read it again costs a fraction of a millisecond.
pub const PARK_AFTER_MS: i64 = 10_000;
/// How often the progress of one attempt goes into the journal at the most, in milliseconds.
pub const PROGRESS_RECORD_MS: i64 = 1_000;
/// How soon a parked execution is looked at that was taken over from another process, at the earliest.
pub const FIRST_LOOK: Duration = Duration::from_secs(30);
/// Over how long such looks are spread: 100,000 of them are some 300 a second.
pub const FIRST_LOOK_SPREAD: Duration = Duration::from_secs(300);
/// How long to sleep before looking at the clock again: it may have been set, or the machine have slept.
pub const CLOCK_LOOK: Duration = Duration::from_secs(60);

/// When whoever was refused because of [`QUEUE_MAX`] may ask again: by then some have ended, if any do.
pub const QUEUE_RETRY_AFTER: Duration = Duration::from_secs(1);

/// Entries of an execution of a relaxed workflow that may be decided and not on the disk before it waits: a crash loses no
/// more, which is some twenty to eighty short steps. A flush is over long before, unless the disk is in trouble.
pub const AHEAD_ENTRIES_MAX: usize = 256;

/// Workflows within workflows: a workflow that calls itself is stopped here.
pub const WORKFLOW_DEPTH_MAX: u32 = 10;

/// How long a process owns an execution without saying so again. A lost one's executions are taken over after that.
pub const LEASE: Duration = Duration::from_secs(15);
/// How often a process says that it still owns its executions: two may fail before a lease runs out.
pub const LEASE_RENEWAL: Duration = Duration::from_secs(5);
/// Events of progress that wait for a slow listener before it loses some.
pub const PROGRESS_QUEUE_MAX: usize = 1024;

/// How long to wait before a write is tried again that failed because the disk is full or the database locked: at first,
/// and at the most. What is waited for is freed by people, so seconds are soon enough.
pub const STORE_RETRY_FIRST: Duration = Duration::from_millis(100);
/// See [`STORE_RETRY_FIRST`].
pub const STORE_RETRY_LAST: Duration = Duration::from_secs(5);

/// A key of key-value data, in bytes.
pub const KV_KEY_BYTES_MAX: usize = 256;
/// A value of key-value data, in bytes of JSON.
pub const KV_VALUE_BYTES_MAX: usize = 256 * 1024;

/// Commands that ride in one commit of the store: enough that a full disk queue is one flush, few enough that the
/// first does not wait long for the last.
pub const STORE_BATCH_MAX: usize = 512;
/// How long the store's writer waits at the most for a half of those that are expected to come aboard a commit: less than a flush takes
/// where the cores are busy.
pub const STORE_BATCH_WAIT_MAX: Duration = Duration::from_micros(500);
/// Commands that wait for the store's writer before callers wait too.
pub const STORE_QUEUE_MAX: usize = 4096;
/// Bytes of commands that ride in one commit: what is copied to the log and flushed in some milliseconds.
pub const STORE_BATCH_BYTES_MAX: usize = 4 * 1024 * 1024;
/// A value of an entry (a result, an input, parameters, an answer), in bytes of JSON, that stands in the journal itself.
/// A larger one is a blob beside it: four pages of the database, from where compressing it and keeping it once, though a
/// step and its execution both return it, saves more than finding it costs.
pub const RESULT_INLINE_BYTES_MAX: usize = 16 * 1024;
/// A secret's value, in bytes: room for the longest chains of certificates, and none for files that are no secret.
pub const SECRET_BYTES_MAX: usize = 64 * 1024;
/// A secret's description, in characters: a sentence or two.
pub const SECRET_DESCRIPTION_CHARS_MAX: usize = 256;
/// How long a program may take to give the key that seals secrets: some ask a service on the network.
pub const SEAL_KEY_COMMAND: Duration = Duration::from_secs(10);
/// What is read of the key that seals secrets, in bytes: many times its 64 digits.
pub const SEAL_KEY_TEXT_BYTES_MAX: usize = 4 * 1024;
/// What an entry of the audit log may say beside who and what, in bytes of JSON.
pub const AUDIT_DETAILS_BYTES_MAX: usize = 16 * 1024;
/// Entries of the audit log that are read at once.
pub const AUDIT_PAGE: usize = 1_000;
/// How long the store waits for a lock of another process, in milliseconds.
pub const STORE_BUSY_MS: u64 = 10_000;
/// Connections of one process that read the database at the same time: more than that only compete for the cores.
pub const STORE_READERS_MAX: usize = 4;
/// Pages of SQLite's log (4 KiB each) after which they are moved into the database: SQLite's own default.
pub const STORE_LOG_PAGES_MAX: u32 = 1_000;
/// Pages of SQLite's log from which on commits wait until it is moved to its end, so that it begins anew: as many as are
/// kept on disk.
pub const STORE_LOG_PAGES_LONG: u32 = 4_000;
/// Bytes that SQLite's log keeps on disk after it was moved into the database.
pub const STORE_LOG_BYTES_KEPT: u64 = 16 * 1024 * 1024;
/// How long the store's writer has nothing to do before it tidies up, in milliseconds.
pub const STORE_IDLE_MS: u64 = 1_000;
/// A database up to this size, in bytes, is checked whole when it is opened: some 12 ms. Of a larger one only what is
/// read is checked, so that the time to start does not grow with the history.
pub const STORE_CHECK_BYTES_MAX: u64 = 8 * 1024 * 1024;
/// Characters of an execution's id that are enough to look for it.
pub const EXECUTION_PREFIX_CHARS_MIN: usize = 4;
/// Executions that are named when the beginning of an id fits several.
pub const EXECUTION_PREFIX_MATCHES_MAX: usize = 10;
/// Executions that are counted before a count says "so many or more": some milliseconds of reading.
pub const EXECUTION_COUNT_MAX: usize = 10_000;
/// Rows of journals after which the removal of old executions lets other writers in between: some 20 ms. A tree of
/// executions goes whole, however large it is.
pub const STORE_PRUNE_ROWS_MAX: u64 = 5_000;

/// Keys that one listing of key-value data gives: a page for a person, a batch for a program.
pub const KV_KEYS_MAX: usize = 1_000;

/// A URL of an outgoing request with its query, in bytes: what servers take at the most.
pub const URL_BYTES_MAX: usize = 16 * 1024;
/// Random bytes that a guest gets with one call: the contract of `random.bytes`.
pub const RANDOM_BYTES_MAX: usize = 65_536;
/// Resources of WASI that a guest may hold: streams, pollables, requests. Enough for a program, too few to fill the host.
pub const RESOURCES_MAX: usize = 1_000;
/// Headers of one message that a guest builds with `wasi:http`, in bytes as the host holds them: what may be sent, and
/// some for keeping it.
pub const WASI_FIELDS_BYTES_MAX: usize = 64 * 1024;
/// What a guest may write of a body with `wasi:http` before the host has taken it, in bytes.
pub const WASI_BODY_CHUNK_BYTES_MAX: usize = 64 * 1024;
/// The progress that one heartbeat reports, in bytes: it goes into the journal.
pub const HEARTBEAT_BYTES_MAX: usize = 64 * 1024;
/// Fields of one log line: more is a document.
pub const LOG_FIELDS_MAX: usize = 32;
/// Linear memories of one component: most have one, an adapter may bring another.
pub const MEMORIES_PER_COMPONENT_MAX: u32 = 4;
/// Simulators of one process: each keeps its instance, so their places are apart from those of the attempts.
pub const SIMULATORS_MAX: u32 = 32;
/// Requests that wait for one simulator before callers wait too.
pub const SIMULATOR_QUEUE_MAX: usize = 64;
/// How long a simulator may work on one request. It only computes: what is slow there is stuck.
pub const SIMULATOR_CALL: Duration = Duration::from_secs(10);
/// A cassette, in bytes: it is read whole, and holds 100,000 answers of 2 KiB.
pub const CASSETTE_BYTES_MAX: u64 = 256 * 1024 * 1024;
/// How long a component's description of itself may take.
pub const DESCRIBE: Duration = Duration::from_secs(10);

/// Connections that one listener serves at the same time; more wait in the operating system's queue.
pub const LISTEN_CONNECTIONS_MAX: usize = 256;
/// How long a client may take for the TLS handshake.
pub const LISTEN_HANDSHAKE: Duration = Duration::from_secs(10);
/// How often the files of a server's certificate are looked at: whoever renews it, days before it expires, need tell nobody.
pub const CERTIFICATE_LOOK: Duration = Duration::from_secs(60);
/// How long a client may take to send a request's headers, and how long an idle connection is kept.
pub const LISTEN_HEADERS: Duration = Duration::from_secs(30);
/// How long a client may take to send a request's body.
pub const LISTEN_BODY: Duration = Duration::from_secs(60);
/// How long requests may go on after a listener was told to stop.
pub const LISTEN_STOP: Duration = Duration::from_secs(3);

/// The port that a daemon listens on if nobody says otherwise: StackStorm's API had it.
pub const DAEMON_PORT: u16 = 9101;
/// How long running attempts may go on after a daemon was told to stop: what service managers wait for by default is
/// three times as long.
pub const DRAIN_GRACE: Duration = Duration::from_secs(30);
/// Executions at work, or waiting for a place, before new ones are refused: beyond that a request waits longer than those
/// who sent it.
pub const QUEUE_MAX: usize = 10_000;
/// Connections that a daemon serves at the same time: more than slow clients of one host can hold open.
pub const API_CONNECTIONS_MAX: usize = 4_096;
/// How long a client of a daemon may take to send a request's headers, and how long an idle connection is kept: slow
/// clients hold nothing but a connection, and not for long.
pub const API_HEADERS: Duration = Duration::from_secs(10);
/// A request's headers, in bytes: what web servers take as a rule.
pub const API_HEADERS_BYTES_MAX: usize = 16 * 1024;
/// Items on a page of a list where whoever asks says nothing: as StackStorm.
pub const API_PAGE: usize = 100;
/// Items on a page at the most: some 500 KiB of executions.
pub const API_PAGE_MAX: usize = 1_000;
/// How long `?wait=` can ask for: proxies on the way cut longer requests.
pub const API_WAIT_MAX: Duration = Duration::from_secs(300);
/// How long a looked-up key is believed: so soon a revoked one ends.
pub const API_KEY_CACHE: Duration = Duration::from_secs(1);
/// Keys that were looked up within that time and are kept, wrong guesses included.
pub const API_KEYS_CACHED_MAX: usize = 10_000;
/// How long a request with an `Idempotency-Key` is known again.
pub const IDEMPOTENCY_KEPT: Duration = Duration::from_secs(24 * 60 * 60);
/// An `Idempotency-Key`, in characters: a UUID, perhaps with words before it.
pub const IDEMPOTENCY_KEY_CHARS_MAX: usize = 255;
/// Lines of an execution (log, requests, heartbeats) that are kept for whoever comes to follow it.
pub const TAIL_LINES_MAX: usize = 1_000;
/// Bytes of such lines over all executions: those of the execution that was quiet for longest go first.
pub const TAIL_BYTES_MAX: usize = 32 * 1024 * 1024;
/// How often a stream says that it is alive when nothing happens: proxies cut what is silent for half a minute.
pub const STREAM_HEARTBEAT: Duration = Duration::from_secs(15);
/// How often a followed execution is looked at that another process drives: nothing tells this one.
pub const STREAM_LOOK: Duration = Duration::from_secs(2);
/// Streams of one process at the same time: each costs a task.
pub const STREAMS_MAX: usize = 1_000;
/// A body of an answer, in bytes, below which it is sent as it is: compressed it would not be one packet less.
pub const API_COMPRESSED_BYTES_MIN: u16 = 1_024;
/// A request's body, in bytes, unless a webhook allows more: the parameters of an execution.
pub const API_BODY_BYTES_MAX: usize = PARAMETERS_BYTES_MAX;
/// How long an execution is kept after its end: a month, so that what went wrong can still be looked at after a holiday.
pub const EXECUTIONS_KEPT: Duration = Duration::from_secs(30 * 24 * 60 * 60);
/// Ended executions that are kept at the most: some 2 GiB of workflows with ten steps.
pub const EXECUTIONS_KEPT_MAX: u64 = 500_000;
/// How long an event is kept, at the least: senders repeat deliveries for three days.
pub const EVENTS_KEPT: Duration = Duration::from_secs(7 * 24 * 60 * 60);
/// How far the time of an event's id lies from that of its record at the most, in milliseconds. Both are taken one after the
/// other; a clock may be set meanwhile.
pub const EVENT_ID_AROUND_MS: i64 = 60_000;
/// How often a daemon looks for what is to be removed.
pub const RETENTION_INTERVAL: Duration = Duration::from_secs(60);
/// Executions and events that are removed in one commit: some milliseconds of the writer's time.
pub const RETENTION_BATCH: usize = 200;

/// Requests at the same time that a connection may be allowed: ONTAP's own queue holds some 750 of all clients.
pub const CONNECTION_CONCURRENCY_MAX: u32 = 512;
/// How often a request is sent unless a connection says otherwise, the first time included: what is over in two seconds
/// needs nobody's attention, the rest belongs to the step's own `retry`.
pub const RETRY_TRIES: u32 = 3;
/// How often it can be sent at the most.
pub const RETRY_TRIES_MAX: u32 = 20;
/// The wait before a second try, unless a connection says otherwise. Each further one is twice as long.
pub const RETRY_WAIT: Duration = Duration::from_millis(500);
/// The longest wait of one's own between two tries, unless a connection says otherwise.
pub const RETRY_WAIT_MAX: Duration = Duration::from_secs(30);
/// The longest that it can be set to: what takes longer is to be waited for durably, by a workflow.
pub const RETRY_WAIT_LONGEST: Duration = Duration::from_secs(300);
/// Codes of one rule about bodies: ONTAP has a dozen that mean "not now".
pub const RETRY_CODES_MAX: usize = 200;
/// The time to find the addresses of a host: a resolver of the system tries its second server after five seconds, so a
/// little more.
pub const DNS_TIMEOUT: Duration = Duration::from_secs(6);
/// Addresses of one host that are looked at; the largest services give a dozen.
pub const DNS_ANSWERS_MAX: usize = 64;
/// Names that are looked up at the same time: each takes a thread until the system's resolver gives up, however long
/// ago the request was.
pub const DNS_LOOKUPS_MAX: usize = 64;
/// Requests at the same time that a pack may be allowed: more than one process has sockets for, as a rule.
pub const PACK_REQUESTS_MAX: usize = 1024;
/// Idle connections that one pack keeps to one host: what comes one after the other needs one.
pub const POOL_IDLE_MAX: usize = 4;
/// Hosts to which one pack keeps idle connections; of more, those longest not used are closed.
pub const POOL_HOSTS_MAX: usize = 16;
/// The time to get an access token, unless the connection's own is shorter: a login that takes longer is broken.
pub const TOKEN_TIMEOUT: Duration = Duration::from_secs(30);
/// A token endpoint's answer, in bytes: the largest tokens that are seen, with groups in them, have 16 KiB.
pub const TOKEN_BYTES_MAX: usize = 256 * 1024;

/// How long a compiled component is kept after it was last loaded.
pub const COMPILED_KEPT: Duration = Duration::from_secs(30 * 24 * 60 * 60);
/// How long it is remembered that a component could not be compiled within the limits: calls of it fail at once meanwhile,
/// and do not cost that time again and again.
pub const COMPILE_REFUSED_KEPT: Duration = Duration::from_secs(10 * 60);
/// Components that are remembered so.
pub const COMPILE_REFUSED_MAX: usize = 256;
/// How much nicer than the daemon its compilers are (`nice`): whatever else runs comes first.
pub const COMPILE_NICE: i32 = 10;

/// How often the epoch of the engine advances: the resolution of a guest's deadline.
pub const EPOCH_TICK: Duration = Duration::from_millis(10);

/// Limits that an operator may change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// One guest.
    pub guest: GuestLimits,
    /// One HTTP request of a guest.
    pub http: HttpLimits,
    /// Compiling one component, where that is done by a process of its own.
    pub compile: CompileLimits,
}

/// What compiling one component may use. The largest real components, interpreters of some 20 MB, take 10 s and 430 MiB.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CompileLimits {
    /// Processor time, to whole seconds.
    pub cpu: Duration,
    /// Memory, in bytes.
    pub memory_bytes_max: u64,
    /// Wall-clock time: a compiler gives way to everything else, so that it can take much longer than it works.
    pub time: Duration,
    /// The machine code, in bytes: twice a component's own size, as a rule.
    pub code_bytes_max: usize,
    /// Components that are compiled at the same time; others wait. One that takes long then delays none that is small.
    pub at_once_max: usize,
}

/// What one attempt of an action may use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GuestLimits {
    /// Linear memory of an attempt, in bytes, over all its memories. Rust guests use 1 to 2 MiB, an interpreter 20.
    pub memory_bytes_max: usize,
    /// Elements of one table. Tables hold functions; real components have a few hundred.
    pub table_elements_max: usize,
    /// Core instances of one component: an interpreter with its adapters takes ten.
    pub instances_max: u32,
    /// Stack of a guest, in bytes: wasmtime's own default, stated.
    pub stack_bytes_max: usize,
    /// Calls of one attempt into the host. A loop over a large estate makes some thousands.
    pub host_calls_max: u64,
    /// Bytes that one call may pass to the host by way of lists and strings (wasmtime's "hostcall fuel").
    pub host_call_bytes_max: usize,
    /// A result, in bytes of JSON: more belongs into a blob or a file.
    pub result_bytes_max: usize,
    /// Log lines of one attempt that are kept, first ones and last ones; the rest is counted.
    pub log_lines_max: u64,
    /// The same in bytes: half of it for the first lines, half for the last ones.
    pub log_bytes_max: usize,
    /// Log lines of one attempt within a second; the rest is counted. More can be read by nobody.
    pub log_lines_per_second_max: u64,
    /// One log line, in bytes; the rest is cut.
    pub log_line_bytes_max: usize,
    /// Wall-clock time of an attempt whose action names no `timeout`.
    pub timeout: Duration,
    /// Attempts that run at the same time; the pooling allocator reserves address space for each.
    pub concurrency_max: u32,
}

/// What one HTTP request of a guest may use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HttpLimits {
    /// Time to connect, TLS included.
    pub connect_timeout: Duration,
    /// Time for the whole request, unless the guest or the connection asks for less. ONTAP's `return_timeout` goes to
    /// 120 s, so it must be larger.
    pub timeout: Duration,
    /// A response's body, in bytes: 10,000 ONTAP records are about 4 MiB.
    pub response_bytes_max: usize,
    /// A request's body, in bytes: with URL and headers it is within what one call may pass.
    pub request_bytes_max: usize,
    /// Headers of a request or a response, in number.
    pub headers_max: usize,
    /// Names and values of the headers together, in bytes.
    pub header_bytes_max: usize,
    /// Requests at the same time on one connection.
    pub connection_concurrency_max: usize,
    /// Requests at the same time of one pack, over all connections and URLs: one that floods leaves the others sockets.
    pub pack_requests_max: usize,
    /// Time between two pieces of a response's body: a server that stands still for longer has stopped.
    pub idle_timeout: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            guest: GuestLimits {
                memory_bytes_max: 64 * 1024 * 1024,
                table_elements_max: 10_000,
                instances_max: 30,
                stack_bytes_max: 512 * 1024,
                host_calls_max: 100_000,
                host_call_bytes_max: 8 * 1024 * 1024,
                result_bytes_max: 1024 * 1024,
                log_lines_max: 5_000,
                log_bytes_max: 256 * 1024,
                log_lines_per_second_max: 1_000,
                log_line_bytes_max: 8 * 1024,
                timeout: Duration::from_secs(60),
                concurrency_max: 256,
            },
            http: HttpLimits {
                connect_timeout: Duration::from_secs(6),
                timeout: Duration::from_secs(150),
                response_bytes_max: 8 * 1024 * 1024,
                request_bytes_max: 7 * 1024 * 1024,
                headers_max: 100,
                header_bytes_max: 64 * 1024,
                connection_concurrency_max: 20,
                pack_requests_max: 32,
                idle_timeout: Duration::from_secs(30),
            },
            compile: CompileLimits {
                cpu: Duration::from_secs(20),
                memory_bytes_max: 1024 * 1024 * 1024,
                time: Duration::from_secs(120),
                code_bytes_max: 128 * 1024 * 1024,
                at_once_max: 2,
            },
        }
    }
}
