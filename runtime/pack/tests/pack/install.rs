//! Directories that are installed, the lock, and what is left by a process that was killed.

use std::fs;
use std::path::{Path, PathBuf};

use runner_model::{PackRef, Timestamp};
use runner_pack::{
    Differences, InstallError, LOCK_FILE, Library, Lock, Origin, Place, Published, Refusal, differences,
};
use tempfile::TempDir;

/// A packs directory, and beside it a pack that is to be installed.
struct Home {
    root: TempDir,
}

impl Home {
    fn new() -> Self {
        let home = Self { root: tempfile::tempdir().unwrap() };
        fs::create_dir(home.packs()).unwrap();
        home.pack("1.0.0");
        home
    }

    fn packs(&self) -> PathBuf {
        self.root.path().join("packs")
    }

    fn source(&self) -> PathBuf {
        self.root.path().join("source")
    }

    fn installed(&self) -> PathBuf {
        self.packs().join("demo")
    }

    fn file(&self, path: &str, content: impl AsRef<[u8]>) -> &Self {
        let path = self.source().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
        self
    }

    fn pack(&self, version: &str) {
        self.file("pack.yaml", format!("ref: demo\nversion: {version}\n"));
        self.file("actions/a.yaml", format!("runner_type: noop\ndescription: '{version}'\n"));
    }

    fn install(&self, upgrade: bool) -> Result<Published, InstallError> {
        let place = Place::open(&self.packs())?;
        let mut staged = place.copy(&self.source())?;
        let (pack, report) = place.check(&mut staged, &Library::default())?;
        let pack = pack.unwrap_or_else(|| panic!("{}", report.plain()));
        let origin = Origin { source: "here".to_owned(), sha256: None, at: Timestamp::from_millis(0) };
        place.publish(&staged, &pack, origin, upgrade)
    }

    fn version(&self) -> String {
        Lock::read(&self.packs()).unwrap().0[&demo()].version.clone()
    }

    fn differences(&self) -> Differences {
        differences(&self.installed(), &Lock::read(&self.packs()).unwrap().0[&demo()])
    }

    /// What is in the packs directory, work included.
    fn left(&self) -> Vec<String> {
        let names = |path: &Path| -> Vec<String> {
            fs::read_dir(path).into_iter().flatten().flatten().map(|e| e.file_name().to_string_lossy().into()).collect()
        };
        let mut left = names(&self.packs());
        left.extend(names(&self.packs().join(".installing")).into_iter().map(|name| format!(".installing/{name}")));
        left.sort();
        left
    }
}

fn demo() -> PackRef {
    PackRef::new("demo").unwrap()
}

fn refusals(result: Result<Published, InstallError>) -> Vec<Refusal> {
    match result {
        Err(InstallError::Refused(refusals)) => refusals,
        other => panic!("{other:?}"),
    }
}

/// A change of the directory that is to be installed, and the codes that come of it.
type Case = (&'static str, fn(&Home), &'static [&'static str]);

#[cfg(unix)]
fn hostile() -> Vec<Case> {
    use std::os::unix::ffi::OsStrExt as _;
    use std::os::unix::fs::symlink;

    fn at(home: &Home, path: &str) -> PathBuf {
        home.source().join(path)
    }
    const ENTRY: &[&str] = &["E-PACK-0022"];
    const LARGE: &[&str] = &["E-PACK-0023"];
    vec![
        ("a link to a file within", |home| symlink("a.yaml", at(home, "actions/b.yaml")).unwrap(), ENTRY),
        ("a link to a file outside", |home| symlink("/etc/passwd", at(home, "passwd")).unwrap(), ENTRY),
        ("a link to a directory within", |home| symlink("actions", at(home, "more")).unwrap(), ENTRY),
        ("a link to a directory outside", |home| symlink("/etc", at(home, "etc")).unwrap(), ENTRY),
        ("a link to the directory above", |home| symlink("..", at(home, "actions/up")).unwrap(), ENTRY),
        ("a link to itself", |home| symlink("x", at(home, "x")).unwrap(), ENTRY),
        ("a link to nothing", |home| symlink("/nowhere", at(home, "x")).unwrap(), ENTRY),
        ("a link to a device", |home| symlink("/dev/zero", at(home, "x")).unwrap(), ENTRY),
        (
            "a file with another name outside",
            |home| {
                let secret = home.root.path().join("secret");
                fs::write(&secret, "hunter2").unwrap();
                fs::hard_link(secret, at(home, "x")).unwrap();
            },
            ENTRY,
        ),
        (
            "a pipe",
            |home| assert!(std::process::Command::new("mkfifo").arg(at(home, "pipe")).status().unwrap().success()),
            ENTRY,
        ),
        ("a socket", |home| drop(std::os::unix::net::UnixListener::bind(at(home, "s")).unwrap()), ENTRY),
        (
            "a newline in a name",
            |home| {
                home.file("a\nb.md", "");
            },
            ENTRY,
        ),
        (
            "an escape in a name",
            |home| {
                home.file("a\u{1b}[2Jb.md", "");
            },
            ENTRY,
        ),
        (
            "a backslash in a name",
            |home| {
                home.file("a\\x", "");
            },
            ENTRY,
        ),
        (
            "a colon in a name",
            |home| {
                home.file("pack.yaml:x", "");
            },
            ENTRY,
        ),
        (
            "the name of a device",
            |home| {
                home.file("actions/AUX.md", "");
            },
            ENTRY,
        ),
        (
            "a name that is not UTF-8",
            |home| fs::write(home.source().join(std::ffi::OsStr::from_bytes(b"a\xff.md")), "").unwrap(),
            ENTRY,
        ),
        (
            "capitals",
            |home| {
                home.file("README.md", "").file("readme.md", "");
            },
            ENTRY,
        ),
        (
            "capitals of a directory",
            |home| {
                home.file("Actions/x.md", "");
            },
            ENTRY,
        ),
        (
            "composed and not",
            |home| {
                home.file("caf\u{e9}", "").file("cafe\u{301}", "");
            },
            ENTRY,
        ),
        ("a huge file", |home| fs::File::create(at(home, "huge")).unwrap().set_len(1 << 40).unwrap(), LARGE),
        (
            "a long path",
            |home| {
                home.file(&format!("{}/{}", "d".repeat(120), "e".repeat(120)), "");
            },
            LARGE,
        ),
        (
            "a deep path",
            |home| {
                home.file(&format!("{}x", "d/".repeat(25)), "");
            },
            LARGE,
        ),
        (
            "too many files",
            |home| (0..5_100).for_each(|at| fs::write(home.source().join(format!("f{at}")), "").unwrap()),
            LARGE,
        ),
        (
            "several at once",
            |home| {
                symlink("x", at(home, "x")).unwrap();
                home.file("a\nb", "").file("nul", "");
            },
            &["E-PACK-0022", "E-PACK-0022", "E-PACK-0022"],
        ),
    ]
}

#[cfg(unix)]
#[test]
fn nothing_strange_in_a_directory_is_followed_or_copied_and_each_is_named() {
    for (name, make, codes) in hostile() {
        let home = Home::new();
        make(&home);
        let refusals = refusals(home.install(false));
        let found: Vec<_> = refusals.iter().map(|refusal| refusal.code.id()).collect();
        assert_eq!(found, codes, "{name}: {refusals:?}");
        assert!(refusals.iter().all(|refusal| !refusal.message.contains(['\n', '\u{1b}'])), "{name}");
        drop(Place::open(&home.packs()).unwrap());
        assert_eq!(home.left(), [".installing", ".installing/lock"], "{name}");
    }
}

#[test]
fn hidden_files_and_what_can_be_made_again_stay_where_they_are() {
    let home = Home::new();
    home.file(".git/config", "x").file("target/CACHEDIR.TAG", "").file("target/big.bin", vec![0; 70_000_000]);
    home.file("js/node_modules/x/y.js", "").file("python/__pycache__/x.pyc", "").file("python/x.py", "");
    assert_eq!(home.install(false).unwrap(), Published::Installed);
    let files: Vec<_> = Lock::read(&home.packs()).unwrap().0[&demo()].files.keys().cloned().collect();
    assert_eq!(files, ["actions/a.yaml", "pack.yaml", "python/x.py"]);
    assert!(!home.installed().join("target").exists() && !home.installed().join(".git").exists());
}

#[test]
fn a_version_is_replaced_only_when_asked_and_only_as_it_was_installed() {
    let home = Home::new();
    assert_eq!(home.install(false).unwrap(), Published::Installed);
    assert_eq!(home.install(false).unwrap(), Published::Same);
    home.pack("2.0.0");
    assert_eq!(refusals(home.install(false))[0].code.id(), "E-PACK-0026");
    fs::write(home.installed().join("actions/a.yaml"), "runner_type: noop\n").unwrap();
    assert_eq!(home.differences().changed, ["actions/a.yaml"]);
    assert_eq!(refusals(home.install(true))[0].code.id(), "E-PACK-0025", "somebody's work would be lost");
    fs::write(home.installed().join("actions/a.yaml"), "runner_type: noop\ndescription: '1.0.0'\n").unwrap();
    assert_eq!(home.install(true).unwrap(), Published::Replaced);
    assert_eq!((home.version().as_str(), home.differences()), ("2.0.0", Differences::default()));
    fs::remove_file(home.packs().join(LOCK_FILE)).unwrap();
    home.pack("3.0.0");
    assert_eq!(refusals(home.install(true))[0].code.id(), "E-PACK-0026", "it was not installed, as far as is known");
    assert_eq!(home.left(), [".installing", ".installing/lock", "demo"]);
}

#[cfg(target_os = "linux")]
#[test]
fn a_reader_finds_one_version_or_the_other_and_never_none() {
    let home = Home::new();
    home.install(false).unwrap();
    let packs = home.packs();
    let done = std::sync::atomic::AtomicBool::new(false);
    std::thread::scope(|scope| {
        let reader = scope.spawn(|| {
            let mut looks = 0;
            while !done.load(std::sync::atomic::Ordering::Relaxed) {
                assert!(packs.join("demo/pack.yaml").is_file(), "there is no pack");
                looks += 1;
            }
            looks
        });
        for version in 2..30 {
            home.pack(&format!("{version}.0.0"));
            assert_eq!(home.install(true).unwrap(), Published::Replaced);
        }
        done.store(true, std::sync::atomic::Ordering::Relaxed);
        assert!(reader.join().unwrap() > 0);
    });
    assert_eq!(home.version(), "29.0.0");
}

#[test]
fn two_at_the_same_time_are_one_after_the_other() {
    let home = Home::new();
    let results: Vec<_> = std::thread::scope(|scope| {
        let installs: Vec<_> = (0..8).map(|_| scope.spawn(|| home.install(false).unwrap())).collect();
        installs.into_iter().map(|install| install.join().unwrap()).collect()
    });
    let installed = results.iter().filter(|published| **published == Published::Installed).count();
    assert_eq!((installed, home.differences()), (1, Differences::default()));
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap().flatten() {
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

/// A packs directory in which 1.0.0 is installed, and what the lock would say of 2.0.0, whose files are in `source`.
fn before_an_upgrade() -> (Home, serde_json::Value) {
    let (home, other) = (Home::new(), Home::new());
    home.install(false).unwrap();
    home.pack("2.0.0");
    other.pack("2.0.0");
    other.install(false).unwrap();
    let new = serde_json::to_value(&Lock::read(&other.packs()).unwrap().0[&demo()]).unwrap();
    (home, new)
}

fn intend(home: &Home, new: &serde_json::Value) {
    let intent = serde_json::json!({ "reference": "demo", "new": new });
    fs::write(home.packs().join(".installing/intent.json"), intent.to_string()).unwrap();
}

#[test]
fn what_a_killed_process_began_is_finished_or_undone() {
    let work = |home: &Home, name: &str| home.packs().join(".installing").join(name);
    // It was killed while it unpacked.
    let (home, _) = before_an_upgrade();
    copy(&home.source(), &work(&home, "new/demo"));
    Place::open(&home.packs()).map(drop).unwrap();
    assert_eq!((home.version().as_str(), home.differences()), ("1.0.0", Differences::default()));
    // Before the new version had its place.
    let (home, new) = before_an_upgrade();
    copy(&home.source(), &work(&home, "new/demo"));
    intend(&home, &new);
    Place::recover(&home.packs()).unwrap();
    assert_eq!((home.version().as_str(), home.differences()), ("1.0.0", Differences::default()));
    // After that, and before the lock said so.
    let (home, new) = before_an_upgrade();
    fs::create_dir_all(work(&home, "new")).unwrap();
    fs::rename(home.installed(), work(&home, "new/demo")).unwrap();
    copy(&home.source(), &home.installed());
    intend(&home, &new);
    Place::recover(&home.packs()).unwrap();
    assert_eq!((home.version().as_str(), home.differences()), ("2.0.0", Differences::default()));
    // Between the two steps, where names cannot be exchanged.
    let (home, new) = before_an_upgrade();
    fs::create_dir_all(work(&home, "old")).unwrap();
    fs::rename(home.installed(), work(&home, "old/demo")).unwrap();
    intend(&home, &new);
    Place::recover(&home.packs()).unwrap();
    assert_eq!((home.version().as_str(), home.differences()), ("1.0.0", Differences::default()));
    // While it removed.
    let (home, _) = before_an_upgrade();
    fs::create_dir_all(work(&home, "old")).unwrap();
    fs::rename(home.installed(), work(&home, "old/demo")).unwrap();
    intend(&home, &serde_json::Value::Null);
    Place::recover(&home.packs()).unwrap();
    assert!(Lock::read(&home.packs()).unwrap().0.is_empty() && !home.installed().exists());
    // While it noted what it was about to do.
    let (home, _) = before_an_upgrade();
    fs::write(work(&home, "intent.json"), "{\"refer").unwrap();
    Place::recover(&home.packs()).unwrap();
    assert_eq!(home.left(), [".installing", ".installing/lock", "demo", "runner.lock"]);
}

#[test]
fn a_lock_that_was_altered_is_no_lock() {
    let home = Home::new();
    home.install(false).unwrap();
    let path = home.packs().join(LOCK_FILE);
    let text = fs::read_to_string(&path).unwrap();
    let why = |text: &str| {
        fs::write(&path, text).unwrap();
        match Lock::read(&home.packs()) {
            Err(InstallError::Lock { why, .. }) => why,
            other => panic!("{other:?}"),
        }
    };
    let sum = text.lines().find(|line| line.starts_with("\"pack.yaml\"")).unwrap();
    assert!(why(&text.replace(sum, &sum.replace(['0', '1', '2'], "3"))).contains("the digest of `demo`"));
    assert!(why(&text.replace(sum, "")).contains("the digest of `demo`"));
    assert!(why(&text.replace("format = 1", "format = 2\nnew = 1")).contains("newer version"));
    assert!(why(&text.replace("packs.demo", "packs.\"../demo\"")).contains("ref"));
    assert!(!why(&text.replace("source =", "sauce =")).is_empty());
    assert!(!why("[[[[").is_empty());
    assert!(why(&"x".repeat(65 * 1024 * 1024)).contains("larger"));
}
