//! The files of a pack's directory: what counts as one, and that none leads out of it.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use runner_model::{code, limits};

use crate::diagnostic::{Document, Findings, Mistake};
use crate::digest::{Sum, sum};
use crate::install::fold;
use crate::source::{ReadError, Source, Span, read};
use crate::yaml::{self, Node};

/// A pack's directory.
pub(crate) struct Directory<'a> {
    path: &'a Path,
    /// The same without symbolic links, to tell whether one leads out.
    real: PathBuf,
    findings: &'a Findings,
    /// Files that were listed and are no symbolic links: none of them leads out.
    plain: RefCell<BTreeSet<PathBuf>>,
    /// The sums of what was read.
    sums: RefCell<BTreeMap<PathBuf, Sum>>,
}

fn whole(code: runner_model::Code, message: impl Into<String>) -> Mistake {
    Mistake::new(code, Span::default(), message)
}

impl<'a> Directory<'a> {
    pub(crate) fn open(path: &'a Path, findings: &'a Findings) -> Option<Self> {
        let real = fs::canonicalize(path).and_then(|real| fs::read_dir(&real).map(|_| real));
        match real {
            Ok(real) => Some(Self { path, real, findings, plain: RefCell::default(), sums: RefCell::default() }),
            Err(error) => {
                findings.about(path, whole(code::PACK_UNREADABLE, format!("the directory cannot be read: {error}")));
                None
            }
        }
    }

    /// The directory's own name, whatever way led to it.
    pub(crate) fn name(&self) -> Option<&str> {
        // A symbolic link in `packs/` has the name that counts; `.` has none of its own.
        self.path.file_name().or_else(|| self.real.file_name())?.to_str()
    }

    pub(crate) fn path(&self) -> &Path {
        self.path
    }

    /// The sums of the files that were read.
    pub(crate) fn sums(self) -> BTreeMap<PathBuf, Sum> {
        self.sums.into_inner()
    }

    /// Whether there is such a file, inside of the pack.
    pub(crate) fn has(&self, relative: &str) -> bool {
        let path = self.path.join(relative);
        let metadata = fs::metadata(&path);
        // A pipe might never end, and nothing says that it is not the file that is meant.
        if metadata.as_ref().is_ok_and(is_odd) {
            self.findings.about(&path, whole(code::PACK_UNREADABLE, "the file is not read: it is no plain file"));
        }
        metadata.is_ok_and(|metadata| metadata.is_file())
    }

    /// Reads and parses one file; none if it is not there or has no tree.
    pub(crate) fn document(&self, path: &Path) -> Option<(Document<'a>, Node)> {
        if !self.plain.borrow().contains(path) && !self.is_inside(path) {
            return None;
        }
        let source = self.source(path)?;
        let document = Document { source: Arc::new(source), findings: self.findings };
        let root = yaml::parse(&document)?;
        Some((document, root))
    }

    /// The text of a file inside of the pack, or why there is none: for files that are data of others.
    pub(crate) fn text(&self, path: &Path, max: usize) -> Result<String, String> {
        match fs::canonicalize(path) {
            Ok(real) if !real.starts_with(&self.real) => Err("the file is not in the pack".to_owned()),
            _ => read(path, max).map_err(|error| error.to_string()),
        }
    }

    fn source(&self, path: &Path) -> Option<Source> {
        match read(path, limits::YAML_BYTES_MAX) {
            Ok(text) => {
                self.sums.borrow_mut().insert(path.to_owned(), sum(text.as_bytes()));
                Some(Source::new(path.to_owned(), text))
            }
            Err(error) => {
                self.findings.about(path, unreadable(&error));
                None
            }
        }
    }

    /// The `.yaml` files of one of the pack's directories, sorted.
    pub(crate) fn yaml_files(&self, directory: &str) -> Vec<PathBuf> {
        let mut files = Vec::new();
        for path in self.entries(directory) {
            match path.extension().and_then(|extension| extension.to_str()) {
                Some("yaml") => files.push(path),
                Some("yml" | "YAML" | "YML") => {
                    let better = path.with_extension("yaml");
                    let hint = format!("rename it to `{}`", better.file_name().unwrap_or_default().display());
                    let mistake = whole(code::PACK_BAD_VALUE, "the file is ignored: only `.yaml` files are read");
                    self.findings.about(&path, mistake.hint(hint).warning());
                }
                _ => {}
            }
        }
        files
    }

    /// The built components, by name.
    pub(crate) fn components(&self) -> BTreeMap<String, PathBuf> {
        let mut components = BTreeMap::new();
        for path in self.entries("components") {
            let is_component = path.extension().is_some_and(|extension| extension == "wasm");
            let Some(name) = path.file_stem().and_then(|stem| stem.to_str()).filter(|_| is_component) else { continue };
            let size = fs::metadata(&path).map_or(0, |metadata| metadata.len());
            if usize::try_from(size).unwrap_or(usize::MAX) > limits::COMPONENT_BYTES_MAX {
                let message =
                    format!("the component is {size} bytes, at most {} are allowed", limits::COMPONENT_BYTES_MAX);
                self.findings.about(&path, whole(code::PACK_LIMIT, message));
            }
            components.insert(name.to_owned(), path);
        }
        components
    }

    /// The regular files directly in a directory that are not hidden and do not lead out of the pack, sorted.
    fn entries(&self, directory: &str) -> Vec<PathBuf> {
        let path = self.path.join(directory);
        let listing = match fs::read_dir(&path) {
            Ok(listing) => listing,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Vec::new(),
            Err(error) => {
                self.findings
                    .about(&path, whole(code::PACK_UNREADABLE, format!("the directory cannot be read: {error}")));
                return Vec::new();
            }
        };
        if !self.is_inside(&path) {
            return Vec::new();
        }
        let mut files = Vec::new();
        for entry in listing.flatten() {
            let Some(name) = entry.file_name().to_str().map(str::to_owned) else {
                let mistake = whole(code::PACK_UNREADABLE, "the file is ignored: its name is not UTF-8");
                self.findings.about(&entry.path(), mistake.warning());
                continue;
            };
            if name.starts_with('.') {
                continue;
            }
            if entry.file_type().is_ok_and(|kind| kind.is_file()) {
                self.plain.borrow_mut().insert(entry.path());
                files.push(entry.path());
                continue;
            }
            if !self.is_inside(&entry.path()) {
                continue;
            }
            match fs::metadata(entry.path()) {
                Ok(metadata) if metadata.is_file() => files.push(entry.path()),
                Ok(metadata) if is_odd(&metadata) => {
                    let mistake = whole(code::PACK_UNREADABLE, "the file is not read: it is no plain file");
                    self.findings.about(&entry.path(), mistake);
                }
                _ => {}
            }
        }
        files.sort();
        if files.len() > limits::PACK_FILES_MAX {
            let message =
                format!("the directory has {} files, at most {} are read", files.len(), limits::PACK_FILES_MAX);
            self.findings.about(&path, whole(code::PACK_LIMIT, message));
            files.truncate(limits::PACK_FILES_MAX);
        }
        self.refuse_same(&files);
        files
    }

    /// Reports files of which another system would have only one.
    fn refuse_same(&self, files: &[PathBuf]) {
        let mut taken: BTreeMap<String, &PathBuf> = BTreeMap::new();
        for path in files {
            let Some(name) = path.file_name().and_then(|name| name.to_str()) else { continue };
            if let Some(other) = taken.insert(fold(name), path) {
                let other = other.file_name().unwrap_or_default().display();
                let message = format!("`{name}` and `{other}` are the same file on other systems");
                self.findings.about(path, whole(code::PACK_DUPLICATE_NAME, message).hint("rename one of the two"));
            }
        }
    }

    /// Whether a path, symbolic links followed, stays in the pack; one that does not is reported.
    fn is_inside(&self, path: &Path) -> bool {
        match fs::canonicalize(path) {
            Ok(real) if real.starts_with(&self.real) => true,
            Ok(_) => {
                let mistake =
                    whole(code::PACK_UNREADABLE, "the symbolic link leads out of the pack and is not followed");
                self.findings.about(path, mistake.hint("put a copy of the file there"));
                false
            }
            Err(error) => {
                self.findings.about(path, whole(code::PACK_UNREADABLE, format!("the file cannot be read: {error}")));
                false
            }
        }
    }
}

/// Neither a file nor a directory: a pipe, a socket, a device.
fn is_odd(metadata: &fs::Metadata) -> bool {
    !metadata.is_file() && !metadata.is_dir()
}

/// The mistake that a file without a text is.
pub(crate) fn unreadable(error: &ReadError) -> Mistake {
    let code = match error {
        ReadError::Io(_) => code::PACK_UNREADABLE,
        ReadError::Large { .. } => code::PACK_LIMIT,
        ReadError::Encoding { .. } => code::PACK_SYNTAX,
    };
    whole(code, error.to_string())
}
