//! Packs that change: what stays, what is kept, what is told.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant, SystemTime};

use runner_pack::{Archive, Changes, Library, Watch};

use crate::kit::Demo;

/// A pack with a noop action `a` that may be called with these parameters.
fn demo(parameters: &str) -> Demo {
    let demo = Demo::new();
    demo.file("actions/a.yaml", format!("runner_type: noop\n{parameters}\n"));
    demo
}

fn load(demo: &Demo) -> Library {
    Library::load(&[demo.above().to_owned()], None).0
}

fn next(demo: &Demo, previous: &Library) -> Library {
    Library::succeed(previous, &[demo.above().to_owned()], None).0
}

fn names<T: ToString>(list: &[T]) -> Vec<String> {
    list.iter().map(ToString::to_string).collect()
}

#[test]
fn a_good_pack_takes_the_place_of_the_old_one_whole() {
    let demo = demo("");
    let first = load(&demo);
    demo.file("pack.yaml", "ref: demo\nversion: 0.2.0\n").file("actions/b.yaml", "runner_type: noop\n");
    let second = next(&demo, &first);
    let changes = second.changes(&first);
    assert_eq!(names(&changes.changed), ["demo"]);
    assert_eq!(second.pack("demo").unwrap().manifest.version.to_string(), "0.2.0");
    assert!(second.pack("demo").unwrap().actions.contains_key("b"));
    assert_eq!(next(&demo, &second).changes(&second), Changes::default());
}

#[test]
fn of_a_broken_pack_the_good_version_stays_and_what_is_wrong_is_known() {
    let demo = demo("");
    let first = load(&demo);
    demo.file("pack.yaml", "ref: demo\nversion: 0.2.0\n").file("actions/a.yaml", "runner_type: nop\n");
    let second = next(&demo, &first);
    assert_eq!(second.digests(), first.digests());
    let [broken] = second.broken() else { panic!("{:?}", second.broken()) };
    assert_eq!((broken.kept.as_deref(), broken.mistakes), (Some("0.1.0"), 1));
    assert!(broken.report.plain().contains("actions/a.yaml:1"), "{}", broken.report.plain());
    let changes = second.changes(&first);
    assert_eq!((names(&changes.broken), changes.changed.len()), (vec!["demo".to_owned()], 0));
    // It is told of once, and stays as long as it takes.
    let third = next(&demo, &second);
    assert!(third.changes(&second).is_empty());
    assert_eq!(third.broken()[0].kept.as_deref(), Some("0.1.0"));
    demo.file("actions/a.yaml", "runner_type: noop\n");
    let mended = next(&demo, &third);
    assert!(mended.broken().is_empty());
    assert_eq!(mended.pack("demo").unwrap().manifest.version.to_string(), "0.2.0");
}

#[test]
fn a_pack_that_cannot_even_be_named_keeps_its_good_version() {
    let demo = demo("");
    let first = load(&demo);
    for text in ["ref: demo\nversion: [", "", "ref: Not A Name\nversion: 1.0.0\n"] {
        demo.file("pack.yaml", text);
        let second = next(&demo, &first);
        assert_eq!(second.digests(), first.digests(), "{text:?}");
        assert_eq!(second.broken()[0].kept.as_deref(), Some("0.1.0"), "{text:?}");
    }
}

#[test]
fn a_deleted_pack_is_gone_and_so_is_one_that_was_broken_first() {
    let demo = demo("");
    let first = load(&demo);
    demo.file("actions/a.yaml", "x: y\n");
    let second = next(&demo, &first);
    fs::remove_dir_all(demo.path()).unwrap();
    for before in [&first, &second] {
        let third = next(&demo, before);
        assert!(third.pack("demo").is_none());
        assert!(third.broken().is_empty());
        assert_eq!(names(&third.changes(before).removed), ["demo"]);
    }
}

#[test]
fn a_caller_is_checked_against_what_stays_in_use() {
    let demo = demo("parameters: {old: {type: string}}");
    let caller = demo.above().join("caller");
    fs::create_dir_all(caller.join("workflows")).unwrap();
    fs::write(caller.join("pack.yaml"), "ref: caller\nversion: 0.1.0\n").unwrap();
    let call = |parameter: &str| {
        let text = format!("tasks:\n  one:\n    action: demo.a\n    input: {{{parameter}: x}}\n");
        fs::write(caller.join("workflows/w.yaml"), text).unwrap();
    };
    call("old");
    let first = load(&demo);
    assert!(first.broken().is_empty(), "{:?}", first.broken());
    // The new version would know another parameter, but is broken elsewhere.
    demo.file("actions/a.yaml", "runner_type: noop\nparameters: {new: {type: string}}\n")
        .file("actions/b.yaml", "x: y\n");
    let second = next(&demo, &first);
    assert_eq!(names(&second.changes(&first).broken), ["demo"]);
    call("new");
    let third = next(&demo, &second);
    assert_eq!(names(&third.changes(&second).broken), ["caller"]);
    demo.file("actions/b.yaml", "runner_type: noop\n");
    let fourth = next(&demo, &third);
    assert!(fourth.broken().is_empty(), "{:?}", fourth.broken());
    assert_eq!(names(&fourth.changes(&third).changed), ["caller", "demo"]);
}

#[test]
fn another_configuration_is_another_version() {
    let (demo, config) = (demo(""), tempfile::tempdir().unwrap());
    demo.file("config.schema.yaml", "level: {type: integer, default: 1}\n");
    let read = |previous: &Library| Library::succeed(previous, &[demo.above().to_owned()], Some(config.path())).0;
    let first = read(&Library::default());
    fs::write(config.path().join("demo.yaml"), "level: 2\n").unwrap();
    let second = read(&first);
    assert_eq!(names(&second.changes(&first).changed), ["demo"]);
    // One that is wrong changes nothing.
    fs::write(config.path().join("demo.yaml"), "level: high\n").unwrap();
    let third = read(&second);
    assert_eq!(third.pack("demo").unwrap().config["level"], 2);
    // The archive has each with its own.
    let archive = Archive::at(demo.above().join("archive"));
    for (library, level) in [(&first, 1), (&second, 2)] {
        let pack = library.pack("demo").unwrap();
        archive.keep(pack).unwrap();
        let found = archive.find(pack.reference(), &pack.digest, &Library::default()).unwrap().unwrap();
        assert_eq!((found.config["level"].as_i64(), &found.digest), (Some(level), &pack.digest));
    }
}

#[test]
fn the_archive_gives_a_version_back_as_it_was() {
    let demo = demo("parameters: {n: {type: integer, default: 7}}");
    demo.file("workflows/w.yaml", "tasks: {one: {action: demo.a}}\n");
    let first = load(&demo);
    let pack = first.pack("demo").unwrap().clone();
    let archive = Archive::at(demo.above().join("data/packs"));
    let copy = archive.keep(&pack).unwrap();
    assert_eq!(archive.keep(&pack).unwrap(), copy);
    fs::remove_dir_all(demo.path()).unwrap();
    let found = archive.find(pack.reference(), &pack.digest, &Library::default()).unwrap().unwrap();
    assert_eq!(found.contents, pack.contents);
    assert_eq!(found.actions.keys().collect::<Vec<_>>(), ["a", "w"]);
    assert_eq!(fs::read(&found.components["demo"]).unwrap(), b"bytes");
    // What is not there is none; what is in memory is the same.
    assert!(archive.find(pack.reference(), &"0".repeat(64), &Library::default()).unwrap().is_none());
    assert!(archive.find(pack.reference(), "../../x", &Library::default()).unwrap().is_none());
    assert!(std::sync::Arc::ptr_eq(&archive.find(pack.reference(), &pack.digest, &first).unwrap().unwrap(), &pack));
    // What was changed is not taken for what was kept.
    fs::write(copy.join("actions/a.yaml"), "runner_type: noop\n").unwrap();
    let error = archive.find(pack.reference(), &pack.digest, &Library::default()).unwrap_err();
    assert!(error.to_string().contains("damaged"), "{error}");
}

#[test]
fn files_that_changed_since_they_were_read_are_not_kept_as_what_was_read() {
    let demo = demo("");
    let library = load(&demo);
    let pack = library.pack("demo").unwrap();
    let archive = Archive::at(demo.above().join("archive"));
    for (path, content) in [("components/demo.wasm", "half"), ("actions/a.yaml", "runner_type: inquiry\n")] {
        let before = fs::read(demo.path().join(path)).unwrap();
        demo.file(path, content);
        assert_eq!(archive.keep(pack).unwrap_err().kind(), std::io::ErrorKind::InvalidData);
        assert!(archive.find(pack.reference(), &pack.digest, &Library::default()).unwrap().is_none());
        demo.file(path, before);
    }
    assert_eq!(fs::read_dir(demo.above().join("archive")).unwrap().count(), 0, "nothing is left of what failed");
    archive.keep(pack).unwrap();
}

#[test]
fn what_nobody_needs_is_removed_after_a_while_and_nothing_else() {
    let demo = demo("");
    let archive = Archive::at(demo.above().join("archive"));
    let mut kept = Vec::new();
    for version in 1..=3 {
        demo.file("pack.yaml", format!("ref: demo\nversion: 0.{version}.0\n"));
        let library = load(&demo);
        let pack = library.pack("demo").unwrap().clone();
        kept.push((archive.keep(&pack).unwrap().parent().unwrap().to_owned(), pack));
    }
    fs::create_dir(demo.above().join("archive/something else")).unwrap();
    let needed = BTreeSet::from([(kept[0].1.reference().clone(), kept[0].1.digest.clone())]);
    assert_eq!(archive.prune(&needed).unwrap(), 0, "all of them are in use just now");
    let old = |place: &Path| fs::File::open(place).unwrap().set_modified(SystemTime::UNIX_EPOCH).unwrap();
    kept.iter().for_each(|(place, _)| old(place));
    archive.keep(&kept[1].1).unwrap();
    assert_eq!(archive.prune(&needed).unwrap(), 1);
    let there: Vec<_> = kept.iter().map(|(place, _)| place.is_dir()).collect();
    assert_eq!(there, [true, true, false]);
    assert!(demo.above().join("archive/something else").is_dir());
}

#[test]
fn what_was_in_use_last_is_found_again_unless_it_or_the_note_of_it_is_damaged() {
    let demo = demo("");
    let directory = demo.above().join("archive");
    let archive = Archive::at(directory.clone());
    let library = load(&demo);
    let copy = archive.keep(library.pack("demo").unwrap()).unwrap();
    archive.mark(&library).unwrap();
    let (last, errors) = archive.last(&Library::default());
    let last = last.unwrap();
    assert_eq!((last.digests(), errors.len()), (library.digests(), 0));
    assert_eq!(last.pack("demo").unwrap().directory, demo.path(), "it is looked for where it was");
    assert!(archive.last(&library).0.is_none(), "it is not missing");

    // What is left of a note that was not finished goes, the note itself stays.
    let unfinished = directory.join(".current.json.1-1.part");
    fs::write(&unfinished, "{").unwrap();
    fs::File::options().write(true).open(&unfinished).unwrap().set_modified(SystemTime::UNIX_EPOCH).unwrap();
    archive.prune(&BTreeSet::new()).unwrap();
    assert!(!unfinished.exists());
    assert!(archive.last(&Library::default()).0.is_some());

    fs::write(copy.join("actions/a.yaml"), "runner_type: noop\nname: a\n").unwrap();
    let (last, errors) = archive.last(&Library::default());
    assert_eq!((last.is_none(), errors.len()), (true, 1));
    fs::write(directory.join("current.json"), "{").unwrap();
    let (last, errors) = archive.last(&Library::default());
    assert_eq!((last.is_none(), errors.len()), (true, 0));
    // The next note takes its place.
    demo.file("pack.yaml", "ref: demo\nversion: 0.2.0\n");
    let next = load(&demo);
    archive.keep(next.pack("demo").unwrap()).unwrap();
    archive.mark(&next).unwrap();
    assert_eq!(archive.last(&Library::default()).0.unwrap().digests(), next.digests());
    archive.mark(&Library::default()).unwrap();
    assert!(archive.last(&Library::default()).0.is_none(), "what is gone is forgotten");
}

#[cfg(unix)]
#[test]
fn what_is_kept_is_only_for_its_owner() {
    use std::os::unix::fs::PermissionsExt as _;
    let demo = demo("");
    let copy = Archive::at(demo.above().join("archive")).keep(load(&demo).pack("demo").unwrap()).unwrap();
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&demo.above().join("archive")), 0o700);
    assert_eq!(mode(&copy.parent().unwrap().join("config.json")), 0o600);
}

/// Watches directories and reads them at each change, as a daemon does.
struct Daemon {
    dirs: Vec<PathBuf>,
    changes: Receiver<()>,
    library: Library,
    _watch: Watch,
}

/// More than a change ever takes, on a machine with other things to do.
const DEADLINE: Duration = Duration::from_secs(60);

impl Daemon {
    fn over(dirs: &[PathBuf]) -> Self {
        let (sender, changes) = channel();
        let tell = move || {
            // The test may have ended.
            let _ = sender.send(());
        };
        let watch = Watch::start(dirs, tell).unwrap();
        let library = Library::load(dirs, None).0;
        Self { dirs: dirs.to_vec(), changes, library, _watch: watch }
    }

    /// Reads at each change until it is so.
    fn until(&mut self, what: &str, is: impl Fn(&Library) -> bool) {
        let end = Instant::now() + DEADLINE;
        while !is(&self.library) {
            let left = end.saturating_duration_since(Instant::now());
            assert!(self.changes.recv_timeout(left).is_ok(), "{what} is not seen");
            self.library = Library::succeed(&self.library, &self.dirs, None).0;
        }
    }
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir(to).unwrap();
    for entry in fs::read_dir(from).unwrap().map(Result::unwrap) {
        match entry.path().is_dir() {
            true => copy(&entry.path(), &to.join(entry.file_name())),
            false => drop(fs::copy(entry.path(), to.join(entry.file_name())).unwrap()),
        }
    }
}

#[test]
fn a_pack_that_is_copied_edited_and_removed_is_seen() {
    let source = demo("");
    let root = tempfile::tempdir().unwrap();
    let dir = root.path().join("packs");
    let mut daemon = Daemon::over(std::slice::from_ref(&dir));
    fs::create_dir(&dir).unwrap();
    copy(&source.path(), &dir.join("demo"));
    daemon.until("a new pack in a new directory", |library| library.pack("demo").is_some());
    let digest = daemon.library.digests();
    // The last file of a copy, long after the first ones.
    fs::create_dir(dir.join("demo/workflows")).unwrap();
    daemon.until("an empty directory", |_| true);
    fs::write(dir.join("demo/workflows/w.yaml"), "tasks: {one: {action: demo.a}}\n").unwrap();
    daemon
        .until("a file in a directory that is new", |library| library.pack("demo").unwrap().actions.contains_key("w"));
    fs::write(dir.join("demo/actions/.new"), "runner_type: inquiry\n").unwrap();
    fs::rename(dir.join("demo/actions/.new"), dir.join("demo/actions/a.yaml")).unwrap();
    let asks =
        |library: &Library| matches!(library.pack("demo").unwrap().actions["a"].body, runner_pack::Body::Inquiry);
    daemon.until("a file that was replaced", asks);
    assert_ne!(daemon.library.digests(), digest);
    fs::rename(dir.join("demo"), root.path().join("elsewhere")).unwrap();
    daemon.until("a pack that was moved away", |library| library.pack("demo").is_none());
    copy(&source.path(), &dir.join("demo"));
    daemon.until("another in its place", |library| library.pack("demo").is_some());
    fs::write(dir.join("demo/actions/b.yaml"), "runner_type: noop\n").unwrap();
    daemon.until("what is new in that one", |library| library.pack("demo").unwrap().actions.contains_key("b"));
    fs::remove_dir_all(&dir).unwrap();
    daemon.until("the end of all", |library| library.packs().count() == 0);
    copy(source.above(), &dir);
    daemon.until("a directory that is there again", |library| library.pack("demo").is_some());
}

#[cfg(unix)]
#[test]
fn a_packs_directory_that_is_a_link_is_followed_to_where_it_leads_now() {
    use std::os::unix::fs::symlink;
    let (old, new) = (demo(""), demo(""));
    new.file("pack.yaml", "ref: demo\nversion: 0.2.0\n");
    let root = tempfile::tempdir().unwrap();
    let dir = root.path().join("packs");
    symlink(old.above(), &dir).unwrap();
    let mut daemon = Daemon::over(std::slice::from_ref(&dir));
    let has = |version: &'static str| {
        move |library: &Library| library.pack("demo").is_some_and(|pack| pack.manifest.version.to_string() == version)
    };
    assert!(has("0.1.0")(&daemon.library));
    old.file("pack.yaml", "ref: demo\nversion: 0.1.1\n");
    daemon.until("a change behind the link", has("0.1.1"));
    symlink(new.above(), root.path().join("next")).unwrap();
    fs::rename(root.path().join("next"), &dir).unwrap();
    daemon.until("another target", has("0.2.0"));
    new.file("pack.yaml", "ref: demo\nversion: 0.2.1\n");
    daemon.until("a change behind the new target", has("0.2.1"));
}

#[test]
fn reading_the_packs_is_no_change() {
    let demo = demo("");
    let daemon = Daemon::over(&[demo.above().to_owned()]);
    // What making the pack told of may still be under way.
    while daemon.changes.recv_timeout(Duration::from_millis(1_500)).is_ok() {}
    for _ in 0..20 {
        drop(load(&demo));
    }
    assert!(daemon.changes.recv_timeout(Duration::from_millis(1_500)).is_err());
}
