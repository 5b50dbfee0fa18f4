//! Packs made for one test.

use std::fs;
use std::path::{Path, PathBuf};

use runner_pack::{Diagnostic, Library, Report, check};
use tempfile::TempDir;

/// The packs that ship with the tests.
pub(crate) fn fixtures() -> PathBuf {
    PathBuf::from("tests/fixtures/packs")
}

/// Those packs, loaded; they have no mistakes.
pub(crate) fn library() -> Library {
    let (library, report) = Library::load(&[fixtures()], None);
    assert!(report.diagnostics.is_empty(), "{}", report.plain());
    library
}

/// A pack called `demo` in a directory of its own.
pub(crate) struct Demo {
    root: TempDir,
}

impl Demo {
    /// A pack with a manifest and a component, and nothing wrong.
    pub(crate) fn new() -> Self {
        let demo = Self { root: tempfile::tempdir().unwrap() };
        demo.file("pack.yaml", "ref: demo\nversion: 0.1.0\n").file("components/demo.wasm", "bytes");
        demo
    }

    /// Writes a file of the pack.
    pub(crate) fn file(&self, path: &str, content: impl AsRef<[u8]>) -> &Self {
        let path = self.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
        self
    }

    /// The pack's directory.
    pub(crate) fn path(&self) -> PathBuf {
        self.root.path().join("demo")
    }

    /// The directory above it.
    pub(crate) fn above(&self) -> &Path {
        self.root.path()
    }

    /// Everything that is found in it beside the fixtures.
    pub(crate) fn report(&self) -> Report {
        check(&self.path(), &library()).1
    }

    /// Each finding as `file:line:column code`.
    pub(crate) fn findings(&self) -> Vec<String> {
        self.report().diagnostics.iter().map(|d| self.short(d)).collect()
    }

    /// The only finding.
    pub(crate) fn only(&self) -> Diagnostic {
        let report = self.report();
        assert_eq!(report.diagnostics.len(), 1, "{}", report.plain());
        report.diagnostics.into_iter().next().unwrap()
    }

    pub(crate) fn short(&self, d: &Diagnostic) -> String {
        let path = d.path.strip_prefix(self.path()).unwrap_or(&d.path);
        format!("{}:{}:{} {}", path.display(), d.line, d.column, d.code)
    }
}

/// A report in every form it can be shown in.
pub(crate) fn shown(report: &Report) -> String {
    [report.plain(), report.graphical(100, false), serde_json::to_string(report).unwrap()].join("\n")
}

/// One action file in an otherwise good pack.
pub(crate) fn action(text: &str) -> Demo {
    let demo = Demo::new();
    demo.file("actions/a.yaml", text);
    demo
}

/// One workflow file in an otherwise good pack.
pub(crate) fn workflow(text: &str) -> Demo {
    let demo = Demo::new();
    demo.file("workflows/w.yaml", text);
    demo
}

/// Everything that is found, each as `line:column code message | hint`, below the text of the file that it is about.
pub(crate) fn said(demo: &Demo) -> String {
    let report = demo.report();
    let mut said = String::new();
    let mut last = None;
    for d in &report.diagnostics {
        if last != Some(&d.path) {
            let text = fs::read_to_string(&d.path).unwrap_or_default();
            text.lines().for_each(|line| said.push_str(&format!("{line}\n")));
            last = Some(&d.path);
        }
        let severity = if d.is_error() { "" } else { " (warning)" };
        let hint = d.hint.as_deref().unwrap_or_default();
        said.push_str(&format!("  {}:{} {}{severity} {} | {hint}\n", d.line, d.column, d.code, d.message));
    }
    if report.diagnostics.is_empty() {
        "nothing\n".to_owned()
    } else {
        said.replace(&*demo.path().to_string_lossy(), "demo")
    }
}
