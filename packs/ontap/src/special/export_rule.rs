//! What must hold of an export rule: it is for somebody.

use runner_sdk::prelude::{Result, Value, bail};

use crate::body;
use crate::field::When;

/// Refuses a rule for nobody.
///
/// # Errors
/// `bad-input`.
pub fn check(wanted: &mut Value, when: When) -> Result<()> {
    if when == When::Created && body::get(wanted, "clients").is_none() {
        bail!("bad-input", "an export rule needs a `client`, such as `10.1.0.0/16`");
    }
    Ok(())
}
