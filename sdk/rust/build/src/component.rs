//! As much of the component format as is needed to say what a component imports.
//!
//! Source: the component model's `Binary.md`. A component is a list of sections; section 10 holds imports, each a name and
//! a description.

/// What a component begins with: magic, version 13, layer 1.
const PREAMBLE: &[u8] = b"\0asm\x0d\0\x01\0";
/// The section of imports.
const IMPORTS: u8 = 10;
/// The kinds of an import that is a function, a component or an instance: followed by the index of its type.
const FUNCTION: u8 = 1;
const COMPONENT: u8 = 4;
const INSTANCE: u8 = 5;
/// The kind of an import that only gives a name to a type: followed by 0 and the index of the type.
const TYPE: u8 = 3;

/// The names of what a component imports, apart from types; none if the bytes are not a component, or one with imports of
/// another kind.
#[must_use]
pub fn imports(wasm: &[u8]) -> Option<Vec<String>> {
    let mut rest = wasm.strip_prefix(PREAMBLE)?;
    let mut names = Vec::new();
    while let Some((&id, after)) = rest.split_first() {
        let (length, after) = number(after)?;
        let (section, after) = after.split_at_checked(length)?;
        rest = after;
        if id != IMPORTS {
            continue;
        }
        let (count, mut section) = number(section)?;
        for _ in 0..count {
            // A byte says which kind of name follows; all kinds are a string.
            let (length, after) = number(section.get(1..)?)?;
            let (name, after) = after.split_at_checked(length)?;
            let index = match after.split_first()? {
                (&(FUNCTION | COMPONENT | INSTANCE), index) => {
                    names.push(std::str::from_utf8(name).ok()?.to_owned());
                    index
                }
                (&TYPE, bound) => bound.strip_prefix(&[0])?,
                _ => return None,
            };
            (_, section) = number(index)?;
        }
    }
    Some(names)
}

/// An unsigned LEB128 number of at most 32 bits.
fn number(bytes: &[u8]) -> Option<(usize, &[u8])> {
    let mut value = 0_usize;
    for (index, &byte) in bytes.iter().enumerate().take(5) {
        value |= usize::from(byte & 0x7F) << (7 * index);
        if byte & 0x80 == 0 {
            return Some((value, bytes.get(index + 1..)?));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn component(sections: &[u8]) -> Vec<u8> {
        [PREAMBLE, sections].concat()
    }

    #[test]
    fn the_imports_of_a_component_are_read() {
        // A custom section, then two imports `a` and `bc` of instance types 0 and 200.
        let bytes = component(&[0, 2, 1, b'x', 10, 12, 2, 0, 1, b'a', 5, 0, 1, 2, b'b', b'c', 5, 0xC8]);
        assert_eq!(imports(&bytes), None, "the last number is cut");
        let bytes = component(&[0, 2, 1, b'x', 10, 13, 2, 0, 1, b'a', 5, 0, 1, 2, b'b', b'c', 5, 0xC8, 1]);
        assert_eq!(imports(&bytes), Some(vec!["a".to_owned(), "bc".to_owned()]));
        let bytes = component(&[10, 7, 1, 0, 1, b'a', 3, 0, 7]);
        assert_eq!(imports(&bytes), Some(vec![]), "a type only");
        assert_eq!(imports(&component(&[])), Some(vec![]));
    }

    #[test]
    fn other_bytes_are_refused_without_a_panic() {
        assert_eq!(imports(b"\0asm\x01\0\0\0"), None, "a plain module");
        assert_eq!(imports(&component(&[10, 3, 1, 0, 1])), None);
        assert_eq!(imports(&component(&[10, 0xFF, 0xFF, 0xFF, 0xFF, 0x0F])), None);
        let whole = component(&[10, 13, 2, 0, 1, b'a', 5, 0, 1, 2, b'b', b'c', 5, 0xC8, 1]);
        for end in 9..whole.len() {
            assert_eq!(imports(&whole[..end]), None, "{end}");
        }
    }
}
