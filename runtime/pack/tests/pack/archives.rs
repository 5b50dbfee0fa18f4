//! Hostile archives (S8): each is refused with its own code, and nothing is written outside of the place for it.

use std::collections::BTreeMap;
use std::fs;
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};

use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use runner_pack::{InstallError, Library, Place, Refusal, bundle};
use tar::Header;
use tempfile::TempDir;

const MANIFEST: &[u8] = b"ref: demo\nversion: 0.1.0\n";

/// An archive that is put together block by block, whatever comes of it.
#[derive(Default, Clone)]
struct Tar(Vec<u8>);

impl Tar {
    fn demo() -> Self {
        Self::default().file("pack.yaml", MANIFEST)
    }

    /// A header with this name, kind and size, and what follows it.
    fn raw(mut self, name: impl AsRef<[u8]>, kind: u8, size: u64, content: &[u8]) -> Self {
        self.0.extend(header(name.as_ref(), kind, size).as_bytes());
        self.content(content)
    }

    fn content(mut self, content: &[u8]) -> Self {
        self.0.extend(content);
        self.0.resize(self.0.len().next_multiple_of(512), 0);
        self
    }

    fn entry(self, name: impl AsRef<[u8]>, kind: u8, content: &[u8]) -> Self {
        self.raw(name, kind, content.len() as u64, content)
    }

    fn file(self, name: impl AsRef<[u8]>, content: &[u8]) -> Self {
        self.entry(name, b'0', content)
    }

    fn directory(self, name: impl AsRef<[u8]>) -> Self {
        self.entry(name, b'5', b"")
    }

    fn link(mut self, name: &str, kind: u8, to: &str) -> Self {
        let mut header = header(name.as_bytes(), kind, 0);
        header.as_old_mut().linkname[..to.len()].copy_from_slice(to.as_bytes());
        header.set_cksum();
        self.0.extend(header.as_bytes());
        self
    }

    /// An extended header with these records.
    fn pax(self, kind: u8, records: &[(&str, &[u8])]) -> Self {
        let mut content = Vec::new();
        for (key, value) in records {
            let rest = [b" ", key.as_bytes(), b"=", value, b"\n"].concat();
            let length = (1..6)
                .map(|digits| digits + rest.len())
                .find(|length| length.to_string().len() + rest.len() == *length);
            content.extend(length.unwrap().to_string().as_bytes());
            content.extend(rest);
        }
        self.entry("PaxHeader", kind, &content)
    }

    /// The archive without an end.
    fn open(self) -> Vec<u8> {
        gzip(&self.0)
    }

    fn packed(mut self) -> Vec<u8> {
        self.0.extend([0; 1024]);
        gzip(&self.0)
    }
}

fn header(name: &[u8], kind: u8, size: u64) -> Header {
    let mut header = Header::new_ustar();
    header.as_old_mut().name[..name.len()].copy_from_slice(name);
    header.as_mut_bytes()[156] = kind;
    header.set_size(size);
    // The set-user-id bit among them.
    header.set_mode(0o6777);
    header.set_uid(0);
    header.set_gid(0);
    header.set_mtime(1);
    header.set_cksum();
    header
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// Bytes that do not shrink.
fn noise(length: usize) -> Vec<u8> {
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()[3]
    };
    (0..length).map(|_| next()).collect()
}

/// Everything below a directory, links not followed: what it is, its rights and what it holds.
fn tree(root: &Path) -> BTreeMap<PathBuf, (String, Vec<u8>)> {
    let mut found = BTreeMap::new();
    let mut open = vec![root.to_owned()];
    while let Some(directory) = open.pop() {
        for entry in fs::read_dir(&directory).unwrap().flatten() {
            let metadata = entry.path().symlink_metadata().unwrap();
            let content = if metadata.is_file() { fs::read(entry.path()).unwrap() } else { Vec::new() };
            found.insert(entry.path(), (format!("{:?} {:?}", metadata.file_type(), metadata.permissions()), content));
            if metadata.is_dir() {
                open.push(entry.path());
            }
        }
    }
    found
}

/// A packs directory with neighbours that nobody may touch.
struct Neighbourhood {
    root: TempDir,
}

impl Neighbourhood {
    fn new() -> Self {
        let root = tempfile::tempdir().unwrap();
        fs::create_dir_all(root.path().join("home/packs/other")).unwrap();
        fs::write(root.path().join("home/packs/other/pack.yaml"), "ref: other\nversion: 1.0.0\n").unwrap();
        fs::write(root.path().join("home/runner.toml"), "data = 'd'\n").unwrap();
        fs::write(root.path().join("secret"), "do not touch").unwrap();
        Self { root }
    }

    fn packs(&self) -> PathBuf {
        self.root.path().join("home/packs")
    }

    /// Everything but the place that is worked in.
    fn outside(&self) -> BTreeMap<PathBuf, (String, Vec<u8>)> {
        let work = self.packs().join(".installing");
        tree(self.root.path()).into_iter().filter(|(path, _)| !path.starts_with(&work)).collect()
    }

    fn refusal(&self, archive: &[u8]) -> Option<Refusal> {
        let place = Place::open(&self.packs()).unwrap();
        match place.unpack(archive) {
            Ok(_) => None,
            Err(InstallError::Refused(refusals)) => refusals.into_iter().next(),
            Err(error) => panic!("{error:?}"),
        }
    }
}

const BROKEN: &str = "E-PACK-0021";
const ENTRY: &str = "E-PACK-0022";
const LARGE: &str = "E-PACK-0023";

/// Each with its name, its bytes, and the code that it is refused with.
fn hostile() -> Vec<(&'static str, Vec<u8>, &'static str)> {
    let mut all = names();
    all.extend(kinds());
    all.extend(headers());
    all.extend(sizes());
    all.extend(containers());
    all
}

fn names() -> Vec<(&'static str, Vec<u8>, &'static str)> {
    let named = |name: &str| Tar::demo().file(name, b"x").packed();
    let both = |one: &str, other: &str| Tar::demo().file(one, b"x").file(other, b"y").packed();
    vec![
        ("parent", named("../secret"), ENTRY),
        ("parent within", named("actions/../../secret"), ENTRY),
        ("parent at the end", Tar::demo().directory("actions/..").packed(), ENTRY),
        ("absolute", named("/tmp/secret"), ENTRY),
        ("two slashes", named("//secret"), ENTRY),
        ("a dot within", named("actions/./a.yaml"), ENTRY),
        ("an empty part", named("actions//a.yaml"), ENTRY),
        ("drive letter", named("C:secret"), ENTRY),
        ("drive letter and path", named("C:\\secret"), ENTRY),
        ("backslash", named("..\\secret"), ENTRY),
        ("network path", named("\\\\host\\share"), ENTRY),
        ("second stream of a file", named("pack.yaml:hidden"), ENTRY),
        ("NUL in a header", Tar::demo().file(b"a.yaml\0/../../secret", b"x").packed(), ENTRY),
        ("not UTF-8", Tar::demo().file(b"a\xff.yaml", b"x").packed(), ENTRY),
        ("newline", named("a\n.yaml"), ENTRY),
        ("escape", named("a\u{1b}[2J.yaml"), ENTRY),
        ("turned writing", named("a\u{202e}lmay.exe"), ENTRY),
        ("no width", named("pack\u{200b}.yaml"), ENTRY),
        ("no name", named(""), ENTRY),
        ("device name", named("actions/NUL"), ENTRY),
        ("device name with extension", named("actions/com1.yaml"), ENTRY),
        ("a dot at the end", named("actions/a.yaml."), ENTRY),
        ("a space at the end", named("actions /a.yaml"), ENTRY),
        ("wildcard", named("actions/*.yaml"), ENTRY),
        ("twice", both("a.md", "a.md"), ENTRY),
        ("the manifest twice", both("a.md", "pack.yaml"), ENTRY),
        ("capitals", both("README.md", "readme.md"), ENTRY),
        ("capitals of a directory", both("actions/a.yaml", "Actions/b.yaml"), ENTRY),
        ("composed and not", both("caf\u{e9}", "cafe\u{301}"), ENTRY),
        ("sharp s", both("stra\u{df}e", "STRASSE"), ENTRY),
        ("wide letters", both("a.md", "\u{ff41}.md"), ENTRY),
        ("a file as a directory", both("a", "a/b"), ENTRY),
        ("a directory as a file", both("a/b", "a"), ENTRY),
        ("a file that ends as a directory", named("actions/"), ENTRY),
        (
            "a long path",
            Tar::demo().pax(b'x', &[("path", "d/".repeat(120).as_bytes())]).file("x", b"x").packed(),
            LARGE,
        ),
        ("a deep path", named(&format!("{}x", "d/".repeat(30))), LARGE),
    ]
}

fn kinds() -> Vec<(&'static str, Vec<u8>, &'static str)> {
    let kind = |kind: u8| Tar::demo().entry("a", kind, b"").packed();
    vec![
        ("symbolic link out", Tar::demo().link("a", b'2', "../../secret").packed(), ENTRY),
        ("symbolic link within", Tar::demo().link("a.yaml", b'2', "pack.yaml").packed(), ENTRY),
        ("link, then written through it", Tar::demo().link("d", b'2', "/tmp").file("d/secret", b"x").packed(), ENTRY),
        ("hard link", Tar::demo().link("a", b'1', "/etc/passwd").packed(), ENTRY),
        ("hard link within", Tar::demo().link("a", b'1', "pack.yaml").packed(), ENTRY),
        ("character device", kind(b'3'), ENTRY),
        ("block device", kind(b'4'), ENTRY),
        ("pipe", kind(b'6'), ENTRY),
        ("contiguous file", kind(b'7'), ENTRY),
        ("sparse file", kind(b'S'), ENTRY),
        ("volume label", kind(b'V'), ENTRY),
        ("several volumes", kind(b'M'), ENTRY),
        ("directory dump", kind(b'D'), ENTRY),
        ("Solaris's access list", kind(b'A'), ENTRY),
        ("a directory with a content", Tar::demo().entry("d", b'5', b"x").packed(), ENTRY),
    ]
}

fn headers() -> Vec<(&'static str, Vec<u8>, &'static str)> {
    let pax = |records: &[(&str, &[u8])]| Tar::demo().pax(b'x', records).file("a", b"x").packed();
    let long = |name: &[u8]| Tar::demo().entry("././@LongLink", b'L', name).file("a", b"x").packed();
    vec![
        ("parent in an extended header", pax(&[("path", b"../secret")]), ENTRY),
        ("absolute in an extended header", pax(&[("path", b"/tmp/secret")]), ENTRY),
        ("NUL in an extended header", pax(&[("path", b"a\0b")]), ENTRY),
        ("link in an extended header", pax(&[("linkpath", b"/tmp")]), ENTRY),
        ("two paths in an extended header", pax(&[("path", b"a"), ("path", b"b")]), ENTRY),
        ("sparse in an extended header", pax(&[("GNU.sparse.major", b"1"), ("GNU.sparse.realsize", b"99")]), ENTRY),
        ("another size in an extended header", pax(&[("size", b"1000000")]), ENTRY),
        ("another character set", pax(&[("hdrcharset", b"BINARY")]), ENTRY),
        ("a path for all entries", Tar::demo().pax(b'g', &[("path", b"a")]).file("b", b"x").packed(), ENTRY),
        ("two extended headers", Tar::demo().pax(b'x', &[]).pax(b'x', &[]).file("a", b"x").packed(), ENTRY),
        ("a damaged extended header", Tar::demo().entry("p", b'x', b"99 path=a\n").file("a", b"x").packed(), BROKEN),
        ("an endless extended header", Tar::demo().entry("p", b'x', &[b'1'; 20_000]).file("a", b"x").packed(), LARGE),
        ("an extended header of nothing", Tar::demo().pax(b'x', &[("path", b"a")]).packed(), BROKEN),
        ("parent in a long name", long(b"../secret\0"), ENTRY),
        ("NUL in a long name", long(b"a\0b\0"), ENTRY),
        ("a long link", Tar::demo().entry("././@LongLink", b'K', b"/tmp\0").file("a", b"x").packed(), ENTRY),
        (
            "a long name and an extended header",
            Tar::demo().entry("l", b'L', b"a\0").pax(b'x', &[("path", b"b")]).file("c", b"x").packed(),
            ENTRY,
        ),
    ]
}

fn sizes() -> Vec<(&'static str, Vec<u8>, &'static str)> {
    let many = |count: usize| (0..count).fold(Tar::demo(), |tar, at| tar.file(format!("a{at}"), b""));
    let zeros = Tar::demo().file("zeros", &vec![0; 8 * 1024 * 1024]).packed();
    let two: Vec<_> = (0..2).map(|_| vec![0_u8; 700 * 1024]).collect();
    let spread = two.iter().enumerate().fold(Tar::demo(), |tar, (at, zeros)| tar.file(format!("zeros{at}"), zeros));
    vec![
        ("a bomb of zeros", zeros, LARGE),
        ("a bomb of several files", spread.packed(), LARGE),
        ("a file that is said to be huge", Tar::demo().raw("a", b'0', 1 << 32, b"x").packed(), LARGE),
        ("a file that is said to be huger", Tar::demo().raw("a", b'0', u64::MAX >> 1, b"x").packed(), LARGE),
        ("a huge extended header", Tar::demo().raw("a", b'x', 1 << 30, b"x").packed(), LARGE),
        ("too many files", many(5_001).packed(), LARGE),
        (
            "too many directories",
            { (0..5_001).fold(Tar::demo(), |tar, at| tar.directory(format!("d{at}/"))).packed() },
            LARGE,
        ),
        ("too many headers of all", { (0..5_001).fold(Tar::demo(), |tar, _| tar.pax(b'g', &[])).packed() }, LARGE),
    ]
}

fn containers() -> Vec<(&'static str, Vec<u8>, &'static str)> {
    let good = Tar::demo().file("noise", &noise(3_000)).packed();
    let altered = |at: usize| {
        let mut altered = good.clone();
        altered[at] ^= 1;
        altered
    };
    let mut wrong_sum = Tar::demo();
    wrong_sum.0[0] = b'q';
    let nested = Tar::default().file("inner.tar.gz", &good).packed();
    let zeros = gzip(&vec![0; 2 * 1024 * 1024]);
    vec![
        ("no archive", b"just text".to_vec(), BROKEN),
        ("nothing", Vec::new(), BROKEN),
        ("another format", b"PK\x03\x04zip".to_vec(), BROKEN),
        ("text in a gzip", gzip(&[b'x'; 2048]), BROKEN),
        ("only the end", Tar::default().packed(), BROKEN),
        ("cut in the middle", good[..good.len() / 2].to_vec(), BROKEN),
        ("cut before its sum", good[..good.len() - 8].to_vec(), BROKEN),
        ("no end", Tar::demo().open(), BROKEN),
        ("cut within a file", Tar::demo().raw("a", b'0', 5_000, b"x").open(), BROKEN),
        ("a wrong sum of the gzip", altered(good.len() - 6), BROKEN),
        ("a wrong length of the gzip", altered(good.len() - 2), BROKEN),
        ("a wrong sum of a header", wrong_sum.packed(), BROKEN),
        ("something behind the gzip", [good.as_slice(), b"more"].concat(), BROKEN),
        ("a second gzip behind the first", [good.clone(), good.clone()].concat(), BROKEN),
        ("a bomb in a second gzip", [good.as_slice(), &zeros].concat(), BROKEN),
        (
            "something behind the end",
            {
                let mut tar = Tar::demo();
                tar.0.extend([0; 1024]);
                tar.file("late", b"x").packed()
            },
            BROKEN,
        ),
        (
            "one empty block",
            {
                let mut tar = Tar::demo();
                tar.0.extend([0; 512]);
                tar.file("late", b"x").packed()
            },
            BROKEN,
        ),
        (
            "zeros without an end behind the end",
            {
                let mut tar = Tar::demo();
                tar.0.extend(vec![0; 3 * 1024 * 1024]);
                tar.open()
            },
            BROKEN,
        ),
        ("no manifest", Tar::default().file("README.md", b"x").packed(), BROKEN),
        ("an archive in an archive", nested, BROKEN),
        (
            "two directories at the top",
            { Tar::default().file("a/pack.yaml", MANIFEST).file("b/pack.yaml", MANIFEST).packed() },
            BROKEN,
        ),
        ("a manifest two directories deep", Tar::default().file("a/b/pack.yaml", MANIFEST).packed(), BROKEN),
    ]
}

#[test]
fn no_hostile_archive_writes_anything_outside_and_each_is_refused_with_its_code() {
    let place = Neighbourhood::new();
    let (before, hostile) = (place.outside(), hostile());
    let mut wrong = String::new();
    for (name, archive, code) in &hostile {
        let refusal = place.refusal(archive);
        let found = refusal.as_ref().map(|refusal| refusal.code.id());
        if found != Some(*code) {
            wrong.push_str(&format!("{name}: {refusal:?}\n"));
        }
        let shown = refusal.map(|refusal| refusal.message).unwrap_or_default();
        assert!(!shown.contains(['\u{1b}', '\n']) && shown.len() < 400, "{name}: {shown}");
        assert_eq!(place.outside(), before, "{name} wrote outside");
    }
    assert!(wrong.is_empty(), "\n{wrong}");
    assert!(hostile.len() >= 90, "{}", hostile.len());
    // What stays of the last one goes with the next.
    drop(Place::open(&place.packs()).unwrap());
    let left: Vec<_> =
        fs::read_dir(place.packs().join(".installing")).unwrap().flatten().map(|e| e.file_name()).collect();
    assert_eq!(left, ["lock"]);
}

#[test]
fn any_cut_and_any_flipped_bit_of_an_archive_is_noticed() {
    let place = Neighbourhood::new();
    let archive = Tar::demo().file("actions/a.yaml", b"runner_type: noop\n").packed();
    assert_eq!(place.refusal(&archive), None);
    let before = place.outside();
    for length in 0..archive.len() {
        assert!(place.refusal(&archive[..length]).is_some(), "cut at {length}");
    }
    let unpacked = |archive: &[u8]| {
        let mut bytes = Vec::new();
        GzDecoder::new(archive).read_to_end(&mut bytes).map(|_| bytes).ok()
    };
    // The first ten bytes are gzip's header: its time, its system and hints about compression mean nothing.
    for at in 10..archive.len() {
        let mut altered = archive.clone();
        altered[at] ^= 1 << (at % 8);
        let noticed = place.refusal(&altered).is_some();
        // Of the last byte of what is packed not every bit is used.
        assert!(noticed || unpacked(&altered) == unpacked(&archive), "byte {at}");
    }
    assert_eq!(place.outside(), before);
}

#[test]
fn archives_as_programs_make_them_are_unpacked() {
    let action = b"runner_type: noop\n";
    let long = format!("actions/{}.yaml", "a".repeat(120));
    let files = |staged: &Path| -> Vec<String> {
        let mut files: Vec<_> = tree(staged).into_keys().filter(|path| path.is_file()).collect();
        files.sort();
        files.iter().map(|path| path.strip_prefix(staged).unwrap().display().to_string()).collect()
    };
    for (name, archive, expected) in [
        ("plain", Tar::demo().file("actions/a.yaml", action).packed(), vec!["actions/a.yaml", "pack.yaml"]),
        (
            "one directory at the top",
            { Tar::default().directory("x-1.0/").file("x-1.0/pack.yaml", MANIFEST).file("x-1.0/b.md", b"").packed() },
            vec!["b.md", "pack.yaml"],
        ),
        ("dots in front", Tar::default().directory("./").file("./pack.yaml", MANIFEST).packed(), vec!["pack.yaml"]),
        ("git's comment", Tar::demo().pax(b'g', &[("comment", b"0123")]).packed(), vec!["pack.yaml"]),
        (
            "times and attributes",
            Tar::default()
                .pax(b'x', &[("mtime", b"1.5"), ("LIBARCHIVE.xattr.x", b"\0\xff")])
                .file("pack.yaml", MANIFEST)
                .packed(),
            vec!["pack.yaml"],
        ),
        (
            "an extended path",
            Tar::demo().pax(b'x', &[("path", long.as_bytes())]).file("a", action).packed(),
            vec![long.as_str(), "pack.yaml"],
        ),
        (
            "a long name",
            Tar::demo().entry("././@LongLink", b'L', format!("{long}\0").as_bytes()).file("a", action).packed(),
            vec![long.as_str(), "pack.yaml"],
        ),
        (
            "hidden files",
            Tar::demo().file(".git/config", b"x").file("._pack.yaml", b"x").file("a/.b", b"x").packed(),
            vec!["pack.yaml"],
        ),
        (
            "an archive within",
            Tar::demo().file("inner.tar.gz", &gzip(b"x")).packed(),
            vec!["inner.tar.gz", "pack.yaml"],
        ),
        (
            "a record of tape behind the end",
            {
                let mut tar = Tar::demo();
                tar.0.extend([0; 10_240]);
                tar.open()
            },
            vec!["pack.yaml"],
        ),
    ] {
        let place = Neighbourhood::new();
        let opened = Place::open(&place.packs()).unwrap();
        let mut staged = opened.unpack(&archive).unwrap_or_else(|error| panic!("{name}: {error:?}"));
        let (pack, report) = opened.check(&mut staged, &Library::default()).unwrap();
        assert!(pack.is_some() || name.contains("long") || name.contains("extended"), "{name}: {}", report.plain());
        assert_eq!(files(&place.packs().join(".installing/new/demo")), expected, "{name}");
    }
}

#[cfg(unix)]
#[test]
fn rights_and_owners_of_an_archive_do_not_count() {
    use std::os::unix::fs::PermissionsExt as _;

    let place = Neighbourhood::new();
    let opened = Place::open(&place.packs()).unwrap();
    opened.unpack(&Tar::demo().directory("d/").file("d/run", b"#!").packed()).unwrap();
    let mode = |path: &str| {
        let path = place.packs().join(".installing/new/-").join(path);
        path.metadata().unwrap().permissions().mode() & 0o7777
    };
    assert_eq!(mode("d/run") & 0o7133, 0, "neither set-user-id, to be run, nor to be written by others");
    assert_eq!(mode("d") & 0o7022, 0);
}

#[test]
fn every_pack_that_ships_makes_an_archive_within_the_limits_and_the_same_one_again() {
    let packs = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../packs");
    let (library, _) = Library::load(&[packs], None);
    assert!(library.packs().count() >= 3);
    for pack in library.packs() {
        let archive = bundle(pack).unwrap_or_else(|error| panic!("{}: {error:?}", pack.reference()));
        assert_eq!(archive, bundle(pack).unwrap(), "{}", pack.reference());
        let place = Neighbourhood::new();
        let opened = Place::open(&place.packs()).unwrap();
        let mut staged = opened.unpack(&archive).unwrap();
        let (unpacked, report) = opened.check(&mut staged, &library).unwrap();
        let unpacked = unpacked.unwrap_or_else(|| panic!("{}", report.plain()));
        assert_eq!(unpacked.contents, pack.contents, "what runs is the same");
    }
}
