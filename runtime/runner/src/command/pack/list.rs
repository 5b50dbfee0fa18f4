//! `runner pack list`.

use runner_pack::Pack;
use serde::{Deserialize, Serialize};

use super::verify;
use crate::app::App;
use crate::error::CliError;
use crate::exit::Exit;
use crate::output::{count, one_line, table};
use crate::remote::Remote;

/// A pack, in a line.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Line {
    /// Its reference; the name of its directory, if it has none that can be read.
    #[serde(rename = "ref")]
    pub(super) reference: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    description: Option<String>,
    /// The version that is in use; none if none is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) version: Option<String>,
    actions: usize,
    directory: String,
    /// How many mistakes what is in its directory has.
    pub(super) mistakes: usize,
    /// In how many files it differs from what was installed.
    #[serde(default, skip_serializing_if = "is_zero")]
    differs: usize,
    /// How the version in use stands by its grants.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    standing: Option<String>,
    /// The version that waits for a grant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    waits: Option<Waits>,
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde calls with a reference")]
const fn is_zero(number: &usize) -> bool {
    *number == 0
}

/// A version that asks for more than was granted.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Waits {
    version: String,
    asks: Vec<String>,
    command: String,
}

/// More packs than any machine has.
const ALL: usize = 100_000;

/// Lists what is installed, and what would be if it were sound.
pub(super) async fn run(app: &App) -> Result<Exit, CliError> {
    app.warn_of_development();
    let store = app.existing_store().await?;
    let packs = app.granted_packs(store.as_ref(), false).await;
    if let Some(store) = store {
        store.close().await;
    }
    let packs = packs?;
    let library = packs.library();
    let waits = |pack: &Pack| {
        let lacks = packs.not_granted(pack).filter(|lacks| lacks.is_beyond)?;
        Some(Waits { version: lacks.version, asks: lacks.asks, command: lacks.command })
    };
    let sound = library.packs().map(|pack| Line {
        reference: pack.reference().to_string(),
        name: Some(pack.manifest.name.clone()),
        description: Some(pack.manifest.description.clone()),
        version: Some(pack.manifest.version.to_string()),
        actions: pack.actions.len(),
        directory: pack.directory.display().to_string(),
        mistakes: 0,
        differs: 0,
        standing: Some(packs.standing(pack).word().to_owned()),
        waits: waits(pack),
    });
    let broken = library.broken().iter().map(|broken| {
        let directory = || broken.directory.file_name().unwrap_or_default().to_string_lossy().into_owned();
        Line {
            reference: broken.reference.as_ref().map_or_else(directory, ToString::to_string),
            name: None,
            description: None,
            version: None,
            actions: 0,
            directory: broken.directory.display().to_string(),
            mistakes: broken.mistakes,
            differs: 0,
            standing: None,
            waits: None,
        }
    });
    let mut lines: Vec<_> = sound.chain(broken).collect();
    compare(app, &mut lines);
    lines.sort_by(|a, b| a.reference.cmp(&b.reference));
    if lines.is_empty() && !app.output.json {
        let dirs: Vec<_> = app.config.packs.iter().map(|dir| format!("`{}`", dir.display())).collect();
        app.output.note(format!("no packs in {}", dirs.join(", ")));
        return Ok(Exit::Succeeded);
    }
    show(app, &lines);
    Ok(Exit::Succeeded)
}

/// Notes which packs are not what was installed.
fn compare(app: &App, lines: &mut [Line]) {
    for packs in &app.config.packs {
        let installed = match verify::compare(packs, None) {
            Ok(installed) => installed,
            // The packs are there all the same.
            Err(error) => {
                error.mistakes.iter().for_each(|mistake| app.output.warn(mistake));
                continue;
            }
        };
        for one in installed.iter().filter(|one| !one.differences.is_empty()) {
            let found = lines.iter_mut().filter(|line| line.reference == one.reference.as_str());
            found.for_each(|line| line.differs = one.differences.count());
        }
    }
}

/// What a daemon has.
pub(super) async fn there(remote: &Remote) -> Result<Vec<Line>, CliError> {
    remote.list("/api/v1/packs", &[], ALL).await
}

/// Lists what a daemon has.
pub(super) async fn run_there(app: &App, remote: &Remote) -> Result<Exit, CliError> {
    let lines = there(remote).await?;
    if lines.is_empty() && !app.output.json {
        app.output.note(format!("{} has no packs", remote.name()));
    } else {
        show(app, &lines);
    }
    Ok(Exit::Succeeded)
}

fn show(app: &App, lines: &[Line]) {
    if app.output.json {
        app.output.value(&lines);
    } else {
        app.output.line(table(
            &app.output,
            &["pack", "version", "actions", "description"],
            lines.iter().map(|line| row(app, line)),
        ));
    }
}

fn row(app: &App, line: &Line) -> Vec<String> {
    let (name, mistakes) = (&line.reference, count(line.mistakes, "mistake"));
    let Some(version) = &line.version else {
        let about = format!("not loaded: {mistakes}, see `runner pack check {name}`");
        return vec![name.clone(), String::new(), String::new(), about];
    };
    let about = match (line.mistakes, &line.waits) {
        (_, Some(Waits { version: waiting, asks, command })) => {
            let which = if waiting == version { "waits" } else { waiting };
            let waits = if waiting == version { String::new() } else { " waits".to_owned() };
            format!("{which}{waits} for a grant: asks for {}: `{}`", asks.join("; "), app.spelled(command))
        }
        (0, None) if line.differs > 0 => {
            let changes = count(line.differs, "change");
            format!("{changes} since it was installed: see `runner pack verify {name}`")
        }
        (0, None) => one_line(line.description.as_deref().unwrap_or_default(), 100),
        (_, None) => format!("kept, because what is there now has {mistakes}: see `runner pack get {name}`"),
    };
    vec![name.clone(), version.clone(), line.actions.to_string(), about]
}
