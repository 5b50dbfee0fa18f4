//! `bench`: all measurements, one after the other; their figures as one table and as one JSON document. **It measures nothing itself.**

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use runner_model::{Clock as _, SystemClock};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::place;

/// The benches, targets of the package `runner`, in the order in which they run.
pub(crate) const PARTS: [&str; 7] = ["overhead", "workflows", DELIVERIES, "start", "growth", "scale", "security"];
/// The one that is measured on a slower disk, too.
const DELIVERIES: &str = "webhook";
/// What the figure of a flush is called: it stands above the table.
const FLUSH: &str = "one flush of a file";

/// A figure, as benches write it; those of the bench about security have a text.
#[derive(Deserialize)]
struct Line {
    what: String,
    value: Option<f64>,
    unit: Option<String>,
    text: Option<String>,
    ratio: Option<f64>,
    of: Option<String>,
    aim: Option<String>,
}

/// Runs these parts, or all.
pub(crate) fn run(parts: &[String], json: Option<&Path>, quick: bool) -> Result<()> {
    let parts: Vec<&str> =
        PARTS.into_iter().filter(|part| parts.is_empty() || parts.iter().any(|one| one == part)).collect();
    cargo(&parts, &["--no-run"])?;
    let slow_disk = if parts.contains(&DELIVERIES) { slow_disk()? } else { None };
    let directory = tempfile::tempdir()?;
    let mut figures = Map::new();
    for part in parts {
        let path = directory.path().join(part);
        let file = path.display().to_string();
        let mut words = vec!["--", "--json", file.as_str()];
        words.extend(quick.then_some("--quick"));
        let slow_disk = slow_disk.iter().filter(|_| part == DELIVERIES);
        words.extend(slow_disk.flat_map(|library| ["--slow-disk", library.as_str()]));
        println!("\n== {part}");
        cargo(&[part], &words)?;
        let text = fs::read_to_string(&path).with_context(|| format!("`{part}` wrote no figures"))?;
        figures.insert(part.to_owned(), serde_json::from_str(&text)?);
    }
    let date = SystemClock.now().to_string();
    let document = json!({ "date": date, "quick": quick, "machine": machine(), "parts": figures });
    print!("\n{}", table(&document)?);
    if let Some(path) = json {
        fs::write(path, serde_json::to_string_pretty(&document)?).with_context(|| path.display().to_string())?;
    }
    Ok(())
}

fn cargo(parts: &[&str], words: &[&str]) -> Result<()> {
    let mut cargo = place::cargo();
    cargo.args(["bench", "--quiet", "--package", "runner"]);
    for part in parts {
        cargo.args(["--bench", part]);
    }
    let status = cargo.args(words).status().context("cargo does not start")?;
    ensure!(status.success(), "the bench {} went wrong", parts.join(", "));
    Ok(())
}

/// Builds what makes a disk slower, where a library can be put before the one of C.
fn slow_disk() -> Result<Option<String>> {
    if !cfg!(target_os = "linux") {
        return Ok(None);
    }
    let mut cargo = place::cargo();
    cargo.args(["build", "--quiet", "--release", "--package", "slow-disk"]);
    ensure!(cargo.status().context("cargo does not start")?.success(), "the slow disk cannot be built");
    Ok(Some(place::target_dir().join("release/libslow_disk.so").display().to_string()))
}

/// What the figures depend on.
fn machine() -> Value {
    let read = |path: &str| fs::read_to_string(path).unwrap_or_default();
    let of = |text: &str, name: &str| {
        let line = text.lines().find(|line| line.starts_with(name))?;
        Some(line.split_once(':')?.1.trim().to_owned())
    };
    json!({
        "cores": std::thread::available_parallelism().map_or(0, usize::from),
        "processor": of(&read("/proc/cpuinfo"), "model name"),
        "memory": of(&read("/proc/meminfo"), "MemTotal"),
        "kernel": read("/proc/sys/kernel/osrelease").trim(),
    })
}

/// The figures as one table, ratios first.
fn table(document: &Value) -> Result<String> {
    let mut text = String::new();
    let machine = document.get("machine").cloned().unwrap_or_default();
    let word = |key: &str| machine.get(key).map(|value| value.to_string().replace('"', "")).unwrap_or_default();
    let date = document.get("date").and_then(Value::as_str).unwrap_or_default();
    writeln!(text, "{date}: {} cores, {}, Linux {}", word("cores"), word("processor"), word("kernel"))?;
    let parts = document.get("parts").and_then(Value::as_object).into_iter().flatten();
    let parts: Vec<(&String, Vec<Line>)> =
        parts.map(|(part, lines)| Ok((part, Vec::deserialize(lines)?))).collect::<Result<_>>()?;
    let mut lines = parts.iter().flat_map(|(_, lines)| lines);
    if let Some(flush) = lines.find(|line| line.what.starts_with(FLUSH)) {
        writeln!(text, "{FLUSH} takes {:.0} us", flush.value.unwrap_or_default())?;
    }
    writeln!(text, "\n{:>8} {:>12} {:<12} what", "ratio", "figure", "")?;
    for (part, lines) in &parts {
        writeln!(text, "{part}")?;
        for line in lines {
            writeln!(text, "{}", row(line))?;
        }
    }
    Ok(text)
}

fn row(line: &Line) -> String {
    let figure = |value: f64| format!("{value:.2}");
    let ratio = line.ratio.map_or_else(String::new, figure);
    let value = line.value.map(figure).or_else(|| line.text.clone()).unwrap_or_default();
    let mut row = format!("{ratio:>8} {value:>12} {:<12} {}", line.unit.as_deref().unwrap_or_default(), line.what);
    for (word, text) in [("x", &line.of), ("aim:", &line.aim)] {
        if let Some(text) = text.as_ref().filter(|text| !text.is_empty()) {
            row.push_str(&format!("  ({word} {text})"));
        }
    }
    row
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_shows_ratios_first_and_the_flush_above() {
        let lines = json!([
            { "what": "one flush of a file (p99 900.0 us)", "value": 151.2, "unit": "us" },
            { "what": "a call", "value": 60.0, "unit": "us", "ratio": 1.25, "of": "the bare call", "aim": "at most 1.5" },
        ]);
        let said = json!([{ "what": "a loop ends after", "text": "10.1 ms", "aim": "" }]);
        let machine = json!({ "cores": 2, "processor": "P", "kernel": "6.1" });
        let document = json!({ "date": "D", "machine": machine, "parts": { "overhead": lines, "security": said } });
        let expected = "D: 2 cores, P, Linux 6.1\none flush of a file takes 151 us\n\n   ratio       figure              what\noverhead\n\
            \x20              151.20 us           one flush of a file (p99 900.0 us)\n\
            \x20   1.25        60.00 us           a call  (x the bare call)  (aim: at most 1.5)\nsecurity\n\
            \x20             10.1 ms              a loop ends after\n";
        assert_eq!(table(&document).unwrap(), expected);
    }
}
