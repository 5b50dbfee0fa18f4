//! As much of the component format as is needed to say what a component imports.
//!
//! Source: the component model's `Binary.md`. A component is a list of sections; section 10 holds imports, each a name and
//! a description.

/// What a component begins with: magic, version 13, layer 1.
const PREAMBLE: &[u8] = b"\0asm\x0d\0\x01\0";
/// The section of imports.
const IMPORTS: u8 = 10;
/// The kind of an import that is an instance, followed by the index of its type.
const INSTANCE: u8 = 5;

/// The names of the interfaces that a component imports; none if the bytes are not a component, or not one that imports
/// interfaces only.
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
            names.push(std::str::from_utf8(name).ok()?.to_owned());
            let (_type_index, after) = number(after.strip_prefix(&[INSTANCE])?)?;
            section = after;
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
