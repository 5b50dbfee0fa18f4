//! The actions of the pack `{{ref}}`.

use runner_sdk::prelude::*;

#[derive(Deserialize, JsonSchema)]
struct Input {
    /// Whom to greet.
    name: String,
}

#[derive(Serialize, JsonSchema)]
struct Output {
    /// The greeting.
    message: String,
}

/// Greets somebody.
#[action]
fn hello(input: Input) -> Result<Output> {
    if input.name.trim().is_empty() {
        bail!("no-name", "the name is empty");
    }
    Ok(Output { message: format!("Hello, {}!", input.name) })
}

// Every action of the pack stands here, and has a file in `actions/`.
runner_sdk::export!(hello);

#[cfg(test)]
mod tests {
    use runner_sdk::testing::Host;

    use super::*;

    #[test]
    fn somebody_is_greeted() {
        let run = Host::new().run(hello, json!({ "name": "Ada" }));
        assert_eq!(run.output(), json!({ "message": "Hello, Ada!" }));
    }

    #[test]
    fn nobody_is_not_greeted() {
        assert_eq!(Host::new().run(hello, json!({ "name": "" })).failure().code, "no-name");
    }
}
