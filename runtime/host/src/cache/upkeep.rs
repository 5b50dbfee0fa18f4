//! For how long compiled components are kept. Each change of a component makes another file, and nobody says that the one
//! before is over. So a file says by its own time, to a day, when its component was last loaded; **what nobody has loaded
//! for long is removed when something new is kept**. Whoever wants it after that compiles it again.

use std::fs::{self, File};
use std::io;
use std::path::Path;
use std::time::{Duration, SystemTime};

use runner_model::Timestamp;
use runner_model::limits::COMPILED_KEPT;
use tracing::{debug, warn};

/// How exactly a file says when its component was last loaded.
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// Says that the component of this file was loaded.
pub(super) fn note_use(path: &Path, now: Timestamp) {
    let noted = age(path, now).and_then(|age| match age < DAY {
        true => Ok(()),
        false => File::open(path)?.set_modified(moment(now)),
    });
    if let Err(error) = noted {
        debug!(path = %path.display(), %error, "it cannot be noted that a compiled component was used");
    }
}

/// Removes what was not used for long, what a process left that was killed while it wrote among it.
pub(super) fn remove_old(directory: &Path, now: Timestamp) {
    let Ok(entries) = fs::read_dir(directory) else { return };
    for path in entries.flatten().map(|entry| entry.path()).filter(|path| is_of_component(path)) {
        if age(&path, now).is_ok_and(|age| age > COMPILED_KEPT)
            && let Err(error) = fs::remove_file(&path)
            && error.kind() != io::ErrorKind::NotFound
        {
            warn!(path = %path.display(), %error, "a compiled component that nobody uses cannot be removed");
        }
    }
}

/// Whether a file is of this cache: its name begins with a component's sum.
fn is_of_component(path: &Path) -> bool {
    let name = path.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
    name.len() == 2 * blake3::OUT_LEN && name.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// How long ago a file was used; not at all, if that is still to come.
fn age(path: &Path, now: Timestamp) -> io::Result<Duration> {
    let used = fs::metadata(path)?.modified()?;
    Ok(moment(now).duration_since(used).unwrap_or_default())
}

fn moment(now: Timestamp) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_millis(u64::try_from(now.as_millis()).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_used_in_time_stays_and_what_is_not_of_the_cache() {
        let directory = tempfile::tempdir().unwrap();
        let now = Timestamp::from_millis(2_000_000_000_000);
        let days = |days: u64| moment(now) - DAY * u32::try_from(days).unwrap();
        let make = |name: &str, used: SystemTime| {
            let path = directory.path().join(name);
            File::create(&path).unwrap().set_modified(used).unwrap();
            path
        };
        let sum = |digit: char| digit.to_string().repeat(64);
        let kept = COMPILED_KEPT.as_secs() / DAY.as_secs();
        let stays = [
            make(&format!("{}.cwasm", sum('a')), days(kept)),
            make(&format!("{}.cwasm", sum('b')), moment(now) + DAY),
            make("key", days(1_000)),
            make("notes.cwasm", days(1_000)),
        ];
        let loaded = make(&format!("{}.cwasm", sum('c')), days(kept + 1));
        let goes = [
            make(&format!("{}.cwasm", sum('d')), days(kept + 1)),
            make(&format!("{}.0123456789abcdef", sum('e')), days(kept + 1)),
        ];
        note_use(&loaded, now);
        note_use(&directory.path().join("nothing"), now);
        remove_old(directory.path(), now);
        remove_old(&directory.path().join("nowhere"), now);
        assert!(stays.iter().chain([&loaded]).all(|path| path.exists()));
        assert!(!goes.iter().any(|path| path.exists()));
        assert_eq!(fs::metadata(&loaded).unwrap().modified().unwrap(), moment(now));
        // Used on the same day: its time stays.
        let today = stays.first().unwrap();
        File::open(today).unwrap().set_modified(days(0) - DAY / 2).unwrap();
        note_use(today, now);
        assert_eq!(fs::metadata(today).unwrap().modified().unwrap(), days(0) - DAY / 2);
    }
}
