//! `runner pack list`.

use serde_json::json;

use crate::app::App;
use crate::exit::Exit;
use crate::output::{count, one_line, table};

/// Lists what is installed, and what would be if it were sound.
pub(crate) fn run(app: &App) -> Exit {
    let (library, _) = app.library();
    if app.output.json {
        let sound = library.packs().map(|pack| {
            json!({
                "ref": pack.reference(), "name": pack.manifest.name, "description": pack.manifest.description,
                "version": pack.manifest.version.to_string(), "actions": pack.actions.len(),
                "directory": pack.directory, "mistakes": 0,
            })
        });
        let broken = library.broken().iter().map(
            |broken| json!({ "ref": broken.reference, "directory": broken.directory, "mistakes": broken.mistakes }),
        );
        app.output.value(&sound.chain(broken).collect::<Vec<_>>());
        return Exit::Succeeded;
    }
    let sound = library.packs().map(|pack| {
        let about = one_line(&pack.manifest.description, 100);
        let version = pack.manifest.version.to_string();
        vec![pack.reference().to_string(), version, pack.actions.len().to_string(), about]
    });
    let broken = library.broken().iter().map(|broken| {
        let directory = || broken.directory.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let name = broken.reference.as_ref().map_or_else(directory, ToString::to_string);
        let about = format!("not loaded: {}, see `runner pack check {name}`", count(broken.mistakes, "mistake"));
        vec![name, String::new(), String::new(), about]
    });
    let rows: Vec<_> = sound.chain(broken).collect();
    if rows.is_empty() {
        let dirs: Vec<_> = app.config.packs.iter().map(|dir| format!("`{}`", dir.display())).collect();
        app.output.note(format!("no packs in {}", dirs.join(", ")));
    } else {
        app.output.line(table(&app.output, &["pack", "version", "actions", "description"], rows));
    }
    Exit::Succeeded
}
