//! Functions of rhai's that put lists and maps together, with its limits kept while they do.
//!
//! Rhai compares what a function gives when it is there: `map` has then made ten thousand lists of ten thousand numbers. And it
//! does not look how deep lists and maps are nested, of which only functions that keep something from one call of a closure
//! to the next can make more than the text of the expression shows. Whatever walks through such a value recurses: **the
//! process would end at the end of its stack.** So those functions are replaced by ones that look at every step.

use std::ops::{Range, RangeInclusive};

use rhai::{Array, Dynamic, Engine, EvalAltResult, FnPtr, INT, ImmutableString, Map, NativeCallContext, Position};
use runner_model::limits;

use super::functions::Fallible;

pub(super) fn register(engine: &mut Engine) {
    engine.register_fn("map", |context: NativeCallContext<'_>, items: &mut Array, closure: FnPtr| {
        map(Closure::new(&context, &closure), items)
    });
    engine.register_fn("reduce", |context: NativeCallContext<'_>, items: &mut Array, closure: FnPtr| {
        reduce(Closure::new(&context, &closure), items.iter().enumerate(), Dynamic::UNIT)
    });
    engine.register_fn(
        "reduce",
        |context: NativeCallContext<'_>, items: &mut Array, closure: FnPtr, first: Dynamic| {
            reduce(Closure::new(&context, &closure), items.iter().enumerate(), first)
        },
    );
    engine.register_fn("reduce_rev", |context: NativeCallContext<'_>, items: &mut Array, closure: FnPtr| {
        reduce(Closure::new(&context, &closure), items.iter().enumerate().rev(), Dynamic::UNIT)
    });
    engine.register_fn(
        "reduce_rev",
        |context: NativeCallContext<'_>, items: &mut Array, closure: FnPtr, first: Dynamic| {
            reduce(Closure::new(&context, &closure), items.iter().enumerate().rev(), first)
        },
    );
    mutators(engine);
}

/// Functions that put a value into another one: what goes in is looked at, so that nothing is nested in itself again and again.
fn mutators(engine: &mut Engine) {
    engine.register_fn("push", |items: &mut Array, item: Dynamic| put(items, INT::MAX, item));
    engine.register_fn("insert", put);
    engine.register_fn("set", |items: &mut Array, at: INT, item: Dynamic| -> Fallible<()> {
        Size::default().take(&item, limits::EXPRESSION_NESTING_MAX)?;
        if let Some(place) = place(items, at).and_then(|at| items.get_mut(at)) {
            *place = item;
        }
        Ok(())
    });
    engine.register_fn("set", |map: &mut Map, key: ImmutableString, value: Dynamic| -> Fallible<()> {
        Size::default().take(&value, limits::EXPRESSION_NESTING_MAX)?;
        map.insert(key.as_str().into(), value);
        Ok(())
    });
    engine.register_fn("mixin", |map: &mut Map, other: Map| -> Fallible<()> {
        shallow(other.values())?;
        map.extend(other);
        Ok(())
    });
    engine.register_fn("fill_with", |map: &mut Map, other: Map| -> Fallible<()> {
        shallow(other.values())?;
        for (key, value) in other {
            map.entry(key).or_insert(value);
        }
        Ok(())
    });
    engine.register_fn("append", |items: &mut Array, others: Array| -> Fallible<()> {
        shallow(others.iter())?;
        items.extend(others);
        Ok(())
    });
    engine.register_fn("splice", |items: &mut Array, at: INT, length: INT, others: Array| {
        splice(items, at, length, others)
    });
    engine.register_fn("splice", |items: &mut Array, at: Range<INT>, others: Array| {
        splice(items, at.start, at.end.saturating_sub(at.start), others)
    });
    engine.register_fn("splice", |items: &mut Array, at: RangeInclusive<INT>, others: Array| {
        splice(items, *at.start(), at.end().saturating_sub(*at.start()).saturating_add(1), others)
    });
    engine.register_fn("pad", |items: &mut Array, length: INT, item: Dynamic| -> Fallible<()> {
        let mut size = Size::default();
        size.take(&item, limits::EXPRESSION_NESTING_MAX)?;
        let more = usize::try_from(length).unwrap_or(0).saturating_sub(items.len());
        size.times(more).compare()?;
        items.resize(items.len() + more, item);
        Ok(())
    });
}

/// Refuses values that are nested as deep as may be.
fn shallow<'a>(values: impl Iterator<Item = &'a Dynamic>) -> Fallible<()> {
    let mut size = Size::default();
    values.into_iter().try_for_each(|value| size.take(value, limits::EXPRESSION_NESTING_MAX))
}

fn splice(items: &mut Array, at: INT, length: INT, others: Array) -> Fallible<()> {
    shallow(others.iter())?;
    let start = place(items, at).unwrap_or(if at < 0 { 0 } else { items.len() });
    let end = start.saturating_add(usize::try_from(length).unwrap_or(0)).min(items.len());
    items.splice(start..end, others);
    Ok(())
}

/// How much a value is, as rhai counts it.
#[derive(Default)]
struct Size {
    items: usize,
    members: usize,
    bytes: usize,
}

impl Size {
    /// Adds a value, which may be nested so deep.
    fn take(&mut self, value: &Dynamic, levels: usize) -> Fallible<()> {
        if let Ok(text) = value.as_immutable_string_ref() {
            self.bytes += text.len();
        } else if let Ok(items) = value.as_array_ref() {
            let inside = below(levels)?;
            self.items += items.len();
            items.iter().try_for_each(|item| self.take(item, inside))?;
        } else if let Ok(map) = value.as_map_ref() {
            let inside = below(levels)?;
            self.members += map.len();
            map.values().try_for_each(|value| self.take(value, inside))?;
        } else if let Ok(blob) = value.as_blob_ref() {
            self.items += blob.len();
        }
        self.compare()
    }

    /// So many of the same, each an item of a list.
    const fn times(&self, count: usize) -> Self {
        Self {
            items: self.items.saturating_add(1).saturating_mul(count),
            members: self.members.saturating_mul(count),
            bytes: self.bytes.saturating_mul(count),
        }
    }

    fn compare(&self) -> Fallible<()> {
        match self {
            Self { items, .. } if *items > limits::EXPRESSION_ELEMENTS_MAX => too_large("size of array/BLOB"),
            Self { members, .. } if *members > limits::EXPRESSION_ELEMENTS_MAX => too_large("size of object map"),
            Self { bytes, .. } if *bytes > limits::EXPRESSION_STRING_BYTES_MAX => too_large("length of string"),
            _ => Ok(()),
        }
    }
}

fn below(levels: usize) -> Fallible<usize> {
    match levels.checked_sub(1) {
        Some(levels) => Ok(levels),
        None => too_large("nesting of lists and maps"),
    }
}

fn too_large<T>(what: &str) -> Fallible<T> {
    Err(EvalAltResult::ErrorDataTooLarge(what.to_owned(), Position::NONE).into())
}

/// A closure, of which it is not known whether it wants the index too.
struct Closure<'a, 'b> {
    context: &'a NativeCallContext<'b>,
    pointer: &'a FnPtr,
    wants_index: Option<bool>,
}

impl<'a, 'b> Closure<'a, 'b> {
    const fn new(context: &'a NativeCallContext<'b>, pointer: &'a FnPtr) -> Self {
        Self { context, pointer, wants_index: None }
    }

    fn call(&mut self, mut arguments: Vec<Dynamic>, at: usize) -> Fallible<Dynamic> {
        if self.wants_index.is_none() {
            let tried = self.pointer.call_raw(self.context, None, arguments.clone());
            let wants_index = matches!(&tried, Err(error) if self.is_missing(error));
            self.wants_index = Some(wants_index);
            if !wants_index {
                return tried;
            }
        }
        if self.wants_index == Some(true) {
            arguments.push(INT::try_from(at).unwrap_or(INT::MAX).into());
        }
        self.pointer.call_raw(self.context, None, arguments)
    }

    /// Whether there is no such function of so many parameters.
    fn is_missing(&self, error: &EvalAltResult) -> bool {
        let name = self.pointer.fn_name();
        matches!(error, EvalAltResult::ErrorFunctionNotFound(signature, _) if signature.starts_with(name))
    }
}

fn map(mut closure: Closure<'_, '_>, items: &Array) -> Fallible<Array> {
    let (mut made, mut size) = (Array::with_capacity(items.len()), Size::default());
    for (at, item) in items.iter().enumerate() {
        let next = closure.call(vec![item.clone()], at)?;
        size.items += 1;
        size.take(&next, limits::EXPRESSION_NESTING_MAX)?;
        made.push(next);
    }
    Ok(made)
}

fn reduce<'a>(
    mut closure: Closure<'_, '_>,
    items: impl Iterator<Item = (usize, &'a Dynamic)>,
    first: Dynamic,
) -> Fallible<Dynamic> {
    let mut made = first;
    for (at, item) in items {
        made = closure.call(vec![made, item.clone()], at)?;
        Size::default().take(&made, limits::EXPRESSION_NESTING_MAX)?;
    }
    Ok(made)
}

/// Puts an item before the one at an index; behind all if there is none.
fn put(items: &mut Array, at: INT, item: Dynamic) -> Fallible<()> {
    Size::default().take(&item, limits::EXPRESSION_NESTING_MAX)?;
    match place(items, at) {
        Some(at) => items.insert(at, item),
        None if at < 0 => items.insert(0, item),
        None => items.push(item),
    }
    Ok(())
}

/// Which item an index means: from the end, if it is negative.
fn place(items: &Array, at: INT) -> Option<usize> {
    let length = INT::try_from(items.len()).unwrap_or(INT::MAX);
    let at = if at < 0 { at.checked_add(length)? } else { at };
    usize::try_from(at).ok().filter(|at| *at < items.len())
}
