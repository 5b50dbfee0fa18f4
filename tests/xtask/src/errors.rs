//! `errors`: the page of all error codes, made from the table in `runner-model`.

use std::fmt::Write;
use std::fs;

use anyhow::{Result, ensure};
use runner_model::code;

use crate::place;

const PAGE: &str = "runtime/docs/errors.md";

pub(crate) fn run(check: bool) -> Result<()> {
    let path = place::root().join(PAGE);
    if check {
        ensure!(fs::read_to_string(&path)? == page(), "{PAGE} is not up to date: run `cargo xtask errors`");
        return Ok(());
    }
    fs::write(path, page())?;
    Ok(())
}

fn page() -> String {
    let mut page = String::from(
        "# Error codes\n\nEvery error that a user can see has a code that never changes its meaning. `runner explain CODE` prints \
         the same. Actions have\ncodes of their own beside these; theirs do not begin with `E-`.\n\nThis page is made by `cargo \
         xtask errors` from `runtime/model/src/code.rs`.\n\n| code | meaning |\n|---|---|\n",
    );
    for code in code::ALL {
        // Writing to a string does not fail.
        let _ = writeln!(page, "| `{code}` | {} |", code.meaning());
    }
    page
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_page_of_error_codes_is_up_to_date() {
        super::run(true).unwrap();
    }
}
