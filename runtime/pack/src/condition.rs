//! Keys whose value is a condition.

use runner_engine::Condition;
use runner_model::code;

use crate::diagnostic::{Document, Mistake};
use crate::expression::{Home, condition, place};
use crate::fields::Fields;

/// The condition of a key; none if it is left out, or is none, which is reported. `example` is an expression.
pub(crate) fn optional(
    file: &Document<'_>,
    fields: &mut Fields<'_>,
    key: &'static str,
    example: &str,
    home: Home,
) -> Option<Condition> {
    let entry = fields.entry(key).filter(|entry| !entry.value.is_null())?;
    if entry.value.is_collection() {
        let span = place(&entry.value, entry.key_span);
        let message = format!("`{key}` must be a condition, found {}", entry.value.kind_name());
        file.add(Mistake::new(code::PACK_WRONG_TYPE, span, message).hint(format!("write `{key}: <% {example} %>`")));
        return None;
    }
    condition(file, &entry.value, home)
}
