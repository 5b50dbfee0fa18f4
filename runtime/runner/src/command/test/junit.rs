//! What came of rehearsals as JUnit XML, the form that CI systems read.

use std::io;
use std::path::Path;

use quick_xml::Writer;
use quick_xml::events::{BytesDecl, BytesText, Event};
use runner_executor::rehearsal::Case;
use runner_pack::Diagnostic;

use super::Outcome;
use super::difference::{headline, lines};

/// The document: a suite for each file, and in it a case for each rehearsal; a mistake in a file is a case of its own.
pub(super) fn document(outcome: &Outcome) -> io::Result<Vec<u8>> {
    let Outcome { report, mistakes, .. } = outcome;
    let mistakes: Vec<_> = mistakes.diagnostics.iter().filter(|diagnostic| diagnostic.is_error()).collect();
    let failures = (report.failed().count() + mistakes.len()).to_string();
    let tests = (report.rehearsals.len() + mistakes.len()).to_string();
    let mut writer = Writer::new_with_indent(Vec::new(), b' ', 2);
    writer.write_event(Event::Decl(BytesDecl::new("1.0", Some("UTF-8"), None)))?;
    writer
        .create_element("testsuites")
        .with_attributes([("name", "runner"), ("tests", &tests), ("failures", &failures)])
        .write_inner_content(|writer| {
            for cases in report.rehearsals.chunk_by(|one, other| one.file == other.file) {
                suite(writer, cases)?;
            }
            for diagnostics in mistakes.chunk_by(|one, other| one.path == other.path) {
                broken(writer, diagnostics)?;
            }
            Ok(())
        })?;
    let mut document = writer.into_inner();
    document.push(b'\n');
    Ok(document)
}

fn suite(writer: &mut Writer<Vec<u8>>, cases: &[Case]) -> io::Result<()> {
    let Some(first) = cases.first() else { return Ok(()) };
    let failures = cases.iter().filter(|case| !case.passed()).count();
    let file = name(&first.file);
    open(writer, &file, cases.len(), failures, |writer| {
        for case in cases {
            let (title, line) = (legal(&case.name), case.line.to_string());
            let attributes =
                [("name", title.as_str()), ("classname", case.workflow.as_str()), ("file", &file), ("line", &line)];
            let element = writer.create_element("testcase").with_attributes(attributes);
            if case.passed() {
                element.write_empty()?;
                continue;
            }
            element.write_inner_content(|writer| {
                let first = case.differences.first().map(headline).unwrap_or_default();
                failure(writer, &first, &text(case))
            })?;
        }
        Ok(())
    })
}

fn broken(writer: &mut Writer<Vec<u8>>, diagnostics: &[&Diagnostic]) -> io::Result<()> {
    let Some(first) = diagnostics.first() else { return Ok(()) };
    let file = name(&first.path);
    open(writer, &file, diagnostics.len(), diagnostics.len(), |writer| {
        for diagnostic in diagnostics {
            let line = diagnostic.line.to_string();
            let title = format!("line {line}");
            let attributes = [("name", title.as_str()), ("classname", "mistake"), ("file", &file), ("line", &line)];
            writer.create_element("testcase").with_attributes(attributes).write_inner_content(|writer| {
                let text = format!("{}: {}", diagnostic.code, diagnostic.message);
                failure(writer, &text, diagnostic.hint.as_deref().unwrap_or_default())
            })?;
        }
        Ok(())
    })
}

fn open(
    writer: &mut Writer<Vec<u8>>,
    file: &str,
    tests: usize,
    failures: usize,
    inner: impl FnOnce(&mut Writer<Vec<u8>>) -> io::Result<()>,
) -> io::Result<()> {
    let (tests, failures) = (tests.to_string(), failures.to_string());
    let attributes = [("name", file), ("tests", &tests), ("failures", &failures), ("errors", "0"), ("skipped", "0")];
    writer.create_element("testsuite").with_attributes(attributes).write_inner_content(inner)?;
    Ok(())
}

fn failure(writer: &mut Writer<Vec<u8>>, message: &str, text: &str) -> io::Result<()> {
    let (message, text) = (legal(message), legal(text));
    let element = writer.create_element("failure").with_attributes([("message", message.as_str())]);
    element.write_text_content(BytesText::new(&text))?;
    Ok(())
}

/// Everything that differs, as on the terminal.
fn text(case: &Case) -> String {
    let mut text = String::new();
    for difference in &case.differences {
        text.push_str(&format!("{}\n", headline(difference)));
        for line in lines(difference) {
            text.push_str(&format!("  {} {}\n", line.sign, line.text));
        }
        if let Some(hint) = &difference.hint {
            text.push_str(&format!("  hint: {hint}\n"));
        }
    }
    text
}

fn name(path: &Path) -> String {
    legal(&path.to_string_lossy())
}

/// Without the characters that no XML document can hold (XML 1.0, production 2), not even escaped.
fn legal(text: &str) -> String {
    let is_legal = |c: char| matches!(c, '\t' | '\n' | '\r' | ' '..='\u{FFFD}' | '\u{10000}'..);
    text.chars().map(|c| if is_legal(c) { c } else { '\u{FFFD}' }).collect()
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use runner_executor::rehearsal::{Difference, Report};
    use serde_json::json;

    use super::*;

    fn case(name: &str, differences: Vec<Difference>) -> Case {
        let workflow = "demo.flow".parse().unwrap();
        Case { name: name.to_owned(), file: PathBuf::from("tests/a.yaml"), line: 3, workflow, differences }
    }

    #[test]
    fn the_document_is_well_formed_whatever_stands_in_names_and_values() {
        let difference = Difference {
            phase: 0,
            field: "expected_output",
            message: "`expected_output` is not what came".to_owned(),
            expected: Some(json!("]]> & <b>")),
            actual: Some(json!("\u{1b}[2J \"quoted\"")),
            hint: None,
        };
        let rehearsals = vec![case("good", vec![]), case("a \"<&>\" \u{0} name", vec![difference])];
        let report = Report { rehearsals, coverage: vec![] };
        let outcome = Outcome { report, mistakes: runner_pack::Report::default(), is_part: false };
        let document = String::from_utf8(document(&outcome).unwrap()).unwrap();
        insta::assert_snapshot!("junit", document);
        let mut reader = quick_xml::Reader::from_str(&document);
        reader.config_mut().check_end_names = true;
        let mut cases = 0;
        loop {
            match reader.read_event().unwrap() {
                Event::Eof => break,
                Event::Start(tag) | Event::Empty(tag) if tag.name().as_ref() == "testcase" => {
                    assert!(tag.attributes().all(|attribute| attribute.is_ok()));
                    cases += 1;
                }
                _ => {}
            }
        }
        assert_eq!(cases, 2);
    }
}
