//! Canaries: texts that a test puts wherever something is secret, and the search for them in everything that the product
//! wrote or said. The forms are made here, and not by the code that masks them.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};

/// See the module. A clone is the same.
#[derive(Clone, Default)]
pub(crate) struct Canaries(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    /// Every form of every canary, and whose it is.
    forms: Vec<(String, Vec<u8>)>,
    /// Files that the test wrote itself.
    own: BTreeSet<PathBuf>,
}

impl Canaries {
    /// A new one: it needs to be escaped in JSON, in a URL and in a shell.
    pub(crate) fn hatch(&self, name: &str) -> String {
        let secret = format!("Cnry/{name}+\"{name}&7");
        self.take(&secret);
        secret
    }

    /// Takes a text that is secret already.
    pub(crate) fn take(&self, secret: &str) {
        let forms = forms(secret).into_iter().map(|form| (secret.to_owned(), form.into_bytes()));
        self.0.lock().unwrap().forms.extend(forms);
    }

    /// A file that the test wrote itself may hold them.
    pub(crate) fn own(&self, path: &Path) {
        self.0.lock().unwrap().own.insert(path.to_owned());
    }

    /// What the product said: nothing of it is secret.
    pub(crate) fn look(&self, what: &str, bytes: &[u8]) {
        for (secret, form) in &self.0.lock().unwrap().forms {
            let found = bytes.windows(form.len()).any(|window| window == form.as_slice());
            let form = String::from_utf8_lossy(form);
            assert!(!found, "{what} shows {secret:?} as `{form}`:\n{}", String::from_utf8_lossy(bytes));
        }
    }

    /// Every file below a directory, apart from those that the test wrote; gives how many bytes were looked at.
    pub(crate) fn look_below(&self, directory: &Path) -> usize {
        if self.0.lock().unwrap().forms.is_empty() {
            return 0;
        }
        let mut bytes = 0;
        for entry in fs::read_dir(directory).unwrap().flatten() {
            let (path, kind) = (entry.path(), entry.file_type().unwrap());
            if self.0.lock().unwrap().own.contains(&path) {
                continue;
            }
            if kind.is_dir() {
                bytes += self.look_below(&path);
            } else if kind.is_file() {
                // A file of a process that is just ending may go away meanwhile.
                let read = fs::read(&path).unwrap_or_default();
                bytes += read.len();
                self.look_in_file(&path, &read);
            }
        }
        bytes
    }

    fn look_in_file(&self, path: &Path, read: &[u8]) {
        for (secret, form) in &self.0.lock().unwrap().forms {
            let found = memchr::memmem::find(read, form).is_some();
            assert!(!found, "{} holds {secret:?} as `{}`", path.display(), String::from_utf8_lossy(form));
        }
    }
}

/// A text as it is, in JSON, in a URL, in hexadecimal, and in base64 beginning at each of three places.
fn forms(secret: &str) -> BTreeSet<String> {
    let json = serde_json::to_string(secret).unwrap();
    let escape = |byte: u8| match byte {
        _ if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) => char::from(byte).to_string(),
        _ => format!("%{byte:02X}"),
    };
    let percent: String = secret.bytes().map(escape).collect();
    let hex: String = secret.bytes().map(|byte| format!("{byte:02x}")).collect();
    let mut forms = BTreeSet::from([
        secret.to_owned(),
        json[1..json.len() - 1].to_owned(),
        percent.to_lowercase(),
        percent,
        hex.to_uppercase(),
        hex,
    ]);
    for before in 0..3 {
        // What its neighbours have no part in.
        let padded = [vec![b'x'; before], secret.as_bytes().to_vec()].concat();
        let whole = &padded[..padded.len() / 3 * 3];
        let from = if before == 0 { 0 } else { 4 };
        forms.insert(STANDARD.encode(whole)[from..].to_owned());
        forms.insert(URL_SAFE_NO_PAD.encode(whole)[from..].to_owned());
    }
    forms
}

#[test]
fn the_search_finds_what_it_looks_for() {
    let canaries = Canaries::default();
    let secret = canaries.hatch("seen");
    let shown = [
        format!("a {secret} b"),
        serde_json::json!({ "a": secret }).to_string(),
        STANDARD.encode(format!("user:{secret}")),
        STANDARD.encode(format!("ab{secret}cd")),
        STANDARD.encode(format!("abc{secret}")),
    ];
    for text in shown {
        let looked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| canaries.look("it", text.as_bytes())));
        assert!(looked.is_err(), "{text}");
    }
    Canaries::default().look("nothing", secret.as_bytes());
}
