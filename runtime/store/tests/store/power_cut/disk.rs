//! What a disk may hold after a power cut, given what was written and flushed before it.
//!
//! A flush of a file makes everything written to it before durable. Of what was written since, the disk keeps any
//! subset, in units of sectors: it reorders, and a write of several sectors may be torn. A sector itself is old or new,
//! and what was not written is not touched (SQLite's "powersafe overwrite", which it assumes on Unix). Names behave as in
//! a journalling file system: they change in order, and are durable when the directory is flushed.

use std::collections::BTreeMap;

/// What a disk writes as a whole.
const SECTOR: u64 = 512;

/// Something that happened, in order.
#[derive(Debug, Clone)]
pub(super) enum Event {
    /// A file came to be under this name; files are numbered in that order.
    Create {
        name: String,
    },
    Delete {
        name: String,
    },
    FlushNames,
    Write {
        file: usize,
        offset: u64,
        data: Vec<u8>,
    },
    Truncate {
        file: usize,
        bytes: u64,
    },
    Flush {
        file: usize,
    },
    /// The store said that this writer's journal has so many entries.
    Acknowledged {
        writer: usize,
        version: u64,
    },
}

/// Random numbers from a seed (SplitMix64).
pub(super) struct Random(pub(super) u64);

impl Random {
    pub(super) fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((mixed ^ (mixed >> 31)) % end as u64).unwrap()
    }
}

/// Which of the changes that were not flushed survive.
#[derive(Debug, Clone, Copy)]
enum Survival {
    None,
    All,
    /// The first of them, the last of which may be torn.
    First(usize),
    /// Each sector with so many chances in ten.
    Chance(usize),
}

#[derive(Debug, Default)]
struct File {
    durable: Vec<u8>,
    pending: Vec<Change>,
}

#[derive(Debug, Clone)]
enum Change {
    Write { offset: u64, data: Vec<u8> },
    Truncate(u64),
}

/// The disk, as far as is known before the power cut.
#[derive(Debug, Default)]
pub(super) struct Disk {
    files: Vec<File>,
    names: BTreeMap<String, usize>,
    /// Changes of names that were not flushed: the name, and the file that it stands for from then on.
    pending_names: Vec<(String, Option<usize>)>,
}

impl Disk {
    pub(super) fn after(events: &[Event]) -> Self {
        let mut disk = Self::default();
        events.iter().for_each(|event| disk.happen(event));
        disk
    }

    fn happen(&mut self, event: &Event) {
        match event {
            Event::Create { name } => {
                self.pending_names.push((name.clone(), Some(self.files.len())));
                self.files.push(File::default());
            }
            Event::Delete { name } => self.pending_names.push((name.clone(), None)),
            Event::FlushNames => {
                for (name, file) in std::mem::take(&mut self.pending_names) {
                    rename(&mut self.names, name, file);
                }
            }
            Event::Write { file, offset, data } => {
                self.files[*file].pending.push(Change::Write { offset: *offset, data: data.clone() });
            }
            Event::Truncate { file, bytes } => self.files[*file].pending.push(Change::Truncate(*bytes)),
            Event::Flush { file } => {
                let file = &mut self.files[*file];
                for change in std::mem::take(&mut file.pending) {
                    change.apply(&mut file.durable);
                }
            }
            Event::Acknowledged { .. } => {}
        }
    }

    /// How many changes were not flushed.
    pub(super) fn unflushed(&self) -> usize {
        self.files.iter().map(|file| file.pending.len()).sum()
    }

    /// The files that may be found after the power cut.
    pub(super) fn crash(&self, random: &mut Random) -> Vec<(String, Vec<u8>)> {
        let mut names = self.names.clone();
        let kept = random.below(self.pending_names.len() + 1);
        for (name, file) in self.pending_names.iter().take(kept) {
            rename(&mut names, name.clone(), *file);
        }
        names.into_iter().map(|(name, file)| (name, self.files[file].crash(random))).collect()
    }
}

fn rename(names: &mut BTreeMap<String, usize>, name: String, file: Option<usize>) {
    match file {
        Some(file) => names.insert(name, file),
        None => names.remove(&name),
    };
}

impl File {
    fn crash(&self, random: &mut Random) -> Vec<u8> {
        let survival = match random.below(6) {
            0 => Survival::None,
            1 => Survival::All,
            2 => Survival::First(random.below(self.pending.len() + 1)),
            _ => Survival::Chance([1, 5, 9][random.below(3)]),
        };
        let mut bytes = self.durable.clone();
        for (index, change) in self.pending.iter().enumerate() {
            match (survival, change) {
                (Survival::None, _) => {}
                (Survival::All, _) => change.apply(&mut bytes),
                (Survival::First(count), _) if index < count => change.apply(&mut bytes),
                (Survival::First(count), _) if index > count => {}
                (Survival::First(_), _) => change.tear(&mut bytes, random, 5),
                (Survival::Chance(chances), _) => change.tear(&mut bytes, random, chances),
            }
        }
        bytes
    }
}

impl Change {
    fn apply(&self, bytes: &mut Vec<u8>) {
        match self {
            Self::Write { offset, data } => write(bytes, *offset, data),
            Self::Truncate(length) => bytes.truncate(usize::try_from(*length).unwrap()),
        }
    }

    /// Applies each sector of it with so many chances in ten.
    fn tear(&self, bytes: &mut Vec<u8>, random: &mut Random, chances: usize) {
        let mut survives = || random.below(10) < chances;
        match self {
            Self::Truncate(_) if survives() => self.apply(bytes),
            Self::Truncate(_) => {}
            Self::Write { offset, data } => {
                let (mut offset, mut rest) = (*offset, data.as_slice());
                while !rest.is_empty() {
                    let here = usize::try_from(SECTOR - offset % SECTOR).unwrap().min(rest.len());
                    let (sector, later) = rest.split_at(here);
                    if survives() {
                        write(bytes, offset, sector);
                    }
                    offset += here as u64;
                    rest = later;
                }
            }
        }
    }
}

fn write(bytes: &mut Vec<u8>, offset: u64, data: &[u8]) {
    let begin = usize::try_from(offset).unwrap();
    let end = begin + data.len();
    if bytes.len() < end {
        bytes.resize(end, 0);
    }
    bytes[begin..end].copy_from_slice(data);
}

#[test]
fn what_was_flushed_survives_and_of_the_rest_any_part_may() {
    let write = |byte: u8| Event::Write { file: 0, offset: 0, data: vec![byte; 2048] };
    let create = Event::Create { name: "a".into() };
    let events = [create, Event::FlushNames, write(1), Event::Flush { file: 0 }, write(2)];
    let disk = Disk::after(&events);
    assert_eq!(disk.unflushed(), 1);
    let mut seen = std::collections::BTreeSet::new();
    for seed in 0..2_000 {
        let image = disk.crash(&mut Random(seed));
        assert_eq!((image.len(), image[0].1.len()), (1, 2048));
        let sectors: Vec<u8> = image[0].1.chunks(512).map(|sector| sector[0]).collect();
        assert!(image[0].1.chunks(512).all(|sector| sector.iter().all(|byte| *byte == sector[0])));
        seen.insert(sectors);
    }
    assert_eq!(seen.len(), 16, "every subset of four sectors");
    let all = Disk::after(&[&events[..], &[Event::Flush { file: 0 }]].concat());
    assert!((0..100).all(|seed| all.crash(&mut Random(seed)) == [("a".to_owned(), vec![2; 2048])]));
}
