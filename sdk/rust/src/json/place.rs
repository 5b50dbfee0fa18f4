//! Which value of a JSON text a position belongs to.

/// A value that is open at the position.
enum Open {
    /// An object, and the key whose value comes or came last.
    Object(Option<String>),
    /// An array, and the index of the element that comes or came last.
    Array(Option<usize>),
}

/// The path of the value in which, or just after which, a position lies: `volumes[2].size`.
///
/// `line` and `column` count from 1, as `serde_json` gives them; the column is the number of bytes that were read.
pub(super) fn path(text: &[u8], line: usize, column: usize) -> String {
    let before =
        text.split_inclusive(|byte| *byte == b'\n').take(line.saturating_sub(1)).map(<[u8]>::len).sum::<usize>();
    let mut rest = text.get(..before.saturating_add(column)).unwrap_or(text);
    let mut open: Vec<Open> = Vec::new();
    while let Some((&byte, after)) = rest.split_first() {
        rest = after;
        if !matches!(byte, b',' | b']' | b'}') && !byte.is_ascii_whitespace() {
            begin_element(&mut open);
        }
        match byte {
            b'{' => open.push(Open::Object(None)),
            b'[' => open.push(Open::Array(None)),
            b'}' | b']' => drop(open.pop()),
            b',' => next(&mut open),
            b'"' => {
                let (content, after) = string(rest);
                rest = after;
                if let Some(Open::Object(key @ None)) = open.last_mut() {
                    *key = Some(String::from_utf8_lossy(content).into_owned());
                }
            }
            _ => {}
        }
    }
    written(&open)
}

/// An array has an element only once something stands in it.
fn begin_element(open: &mut [Open]) {
    if let Some(Open::Array(index @ None)) = open.last_mut() {
        *index = Some(0);
    }
}

fn next(open: &mut [Open]) {
    match open.last_mut() {
        Some(Open::Object(key)) => *key = None,
        Some(Open::Array(index)) => *index = index.map(|index| index + 1),
        None => {}
    }
}

/// The content of a string whose opening quote has been read, and what follows the closing one.
fn string(text: &[u8]) -> (&[u8], &[u8]) {
    let mut escaped = false;
    for (at, byte) in text.iter().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => {
                let (content, after) = text.split_at(at);
                return (content, after.get(1..).unwrap_or_default());
            }
            _ => {}
        }
    }
    (text, &[])
}

fn written(open: &[Open]) -> String {
    let mut path = String::new();
    for value in open {
        match value {
            Open::Object(Some(key)) => {
                if !path.is_empty() {
                    path.push('.');
                }
                path.push_str(key);
            }
            Open::Array(Some(index)) => {
                path.push('[');
                path.push_str(&index.to_string());
                path.push(']');
            }
            Open::Object(None) | Open::Array(None) => {}
        }
    }
    path
}
