//! Keys from each source, and what is said of those that cannot be used.

use std::path::Path;

use super::*;

fn environment(variables: &[(&str, &str)]) -> Environment {
    Environment::of(variables.iter().map(|(key, value)| (key.to_string(), value.to_string())).collect())
}

fn keys(text: &str, data: &Path) -> Keys {
    Keys::new(toml::from_str(text).unwrap(), data, data)
}

#[cfg(unix)]
fn write(path: &Path, text: &str, mode: u32) {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::write(path, text).unwrap();
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
}

#[test]
fn a_key_is_hex_or_base64_and_has_32_bytes() {
    let name = SealKey::new([0xab; 32]).name();
    for text in ["ab".repeat(32), "AB".repeat(32), base64::engine::general_purpose::STANDARD.encode([0xab; 32])] {
        assert_eq!(parse(&Secret::new(format!(" {text}\n"))).unwrap().name(), name, "{text}");
    }
    for text in [String::new(), "ab".repeat(31), "ab".repeat(33), "hello".to_owned(), "zz".repeat(32)] {
        assert!(parse(&Secret::new(text.clone())).is_none(), "{text}");
    }
    assert!(parse(&new_key().unwrap()).is_some());
}

#[cfg(unix)]
#[test]
fn without_a_setting_a_file_is_made_once_for_its_owner_alone() {
    use std::os::unix::fs::PermissionsExt as _;
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    let keys = keys("", &data);
    let first = keys.fetch(environment(&[])).unwrap().name();
    assert_eq!(keys.fetch(environment(&[])).unwrap().name(), first);
    let mode = std::fs::metadata(data.join(FILE)).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    assert_eq!(std::fs::read_dir(&data).unwrap().count(), 1, "no draft is left");
    // One that another process has made meanwhile is used.
    let threads: Vec<_> = (0..8)
        .map(|_| {
            let keys = Keys { data: dir.path().join("other"), ..keys.clone() };
            std::thread::spawn(move || keys.fetch(environment(&[])).map(|ring| ring.name().to_string()))
        })
        .collect();
    let mut names: Vec<_> = threads.into_iter().map(|thread| thread.join().unwrap().unwrap()).collect();
    names.dedup();
    assert_eq!(names.len(), 1);
}

#[cfg(unix)]
#[test]
fn keys_come_from_a_file_the_environment_or_a_program() {
    let dir = tempfile::tempdir().unwrap();
    let hex = "01".repeat(32);
    write(&dir.path().join("key"), &hex, 0o600);
    let name = SealKey::new([1; 32]).name();
    for text in ["key = { file = 'key' }", "key = { env = 'K' }", "key = { command = ['cat', 'key'] }"] {
        let ring = keys(text, dir.path()).fetch(environment(&[("K", &hex)])).unwrap();
        assert_eq!(ring.name(), name, "{text}");
    }
    let old = Keyring::new(SealKey::new([2; 32]), Vec::new()).seal(&["a"], b"x").unwrap();
    let both = keys("key = { env = 'K' }\nearlier_keys = [{ env = 'OLD' }]", dir.path());
    let ring = both.fetch(environment(&[("K", &hex), ("OLD", &"02".repeat(32))])).unwrap();
    assert_eq!(ring.open(&["a"], &old).unwrap().as_slice(), b"x");
}

#[cfg(unix)]
#[test]
fn a_key_that_cannot_be_used_is_refused_and_never_shown() {
    let dir = tempfile::tempdir().unwrap();
    let hex = "01".repeat(32);
    write(&dir.path().join("open"), &hex, 0o640);
    write(&dir.path().join("short"), "s3cret", 0o600);
    write(&dir.path().join("long"), &hex.repeat(100), 0o600);
    let cases = [
        ("key = { file = 'open' }", code::SECRET_KEY_EXPOSED, "chmod 600"),
        ("key = { file = 'gone' }", code::SECRET_KEY, "cannot be read"),
        ("key = { file = 'short' }", code::SECRET_KEY, "64 hex digits"),
        ("key = { file = 'long' }", code::SECRET_KEY, "more than 4096 bytes"),
        ("key = { env = 'NONE' }", code::SECRET_KEY, "`NONE` is not set"),
        ("key = { env = 'BAD' }", code::SECRET_KEY, "holds no key"),
        ("key = { command = ['false'] }", code::SECRET_KEY, "`false` gives no key"),
        ("earlier_keys = [{ env = 'NONE' }]", code::SECRET_KEY, "`NONE` is not set"),
    ];
    for (text, code, expected) in cases {
        let (found, message) = keys(text, dir.path()).fetch(environment(&[("BAD", "s3cret")])).map(|_| ()).unwrap_err();
        assert_eq!(found, code, "{text}: {message}");
        assert!(message.contains(expected) && !message.contains("s3cret") && !message.contains(&hex), "{message}");
    }
}

#[test]
fn a_key_in_the_configuration_itself_is_refused() {
    for text in ["key = 'abab'", "key = {}", "key = { command = [] }", "key = { file = 'a', env = 'B' }", "kye = 1"] {
        assert!(toml::from_str::<WrittenSecrets>(text).is_err(), "{text}");
    }
}

#[test]
fn keys_are_fetched_once_and_a_failure_is_no_answer_for_ever() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::create_dir(dir.path().join("data")).unwrap();
    let data = dir.path().join("data");
    std::fs::create_dir(data.join(FILE)).unwrap();
    let source = keys("", &data).source(environment(&[]));
    assert!(source.keyring().is_err(), "a directory is in the way");
    std::fs::remove_dir(data.join(FILE)).unwrap();
    let name = source.keyring().unwrap().name();
    std::fs::remove_file(data.join(FILE)).unwrap();
    assert_eq!(source.keyring().unwrap().name(), name);
}
