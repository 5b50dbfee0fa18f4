//! An action that looks at everything that WASI could give it.

wit_bindgen::generate!({
    world: "demo:wasi/printing",
    path: ["../../../../wit/0.1.0", "wit"],
    generate_all,
});

use serde_json::json;

struct Printing;

impl Guest for Printing {
    fn run(_: String, input: String) -> Result<String, Failure> {
        let print = |text: &[u8]| wasi::cli::stdout::get_stdout().blocking_write_and_flush(text).is_ok();
        let printed = print(b"first\nsec") && print(b"ond\x1b[31m\nunfinished");
        wasi::cli::stderr::get_stderr().blocking_write_and_flush(b"oops\n").ok();
        let network = wasi::sockets::instance_network::instance_network();
        let lookup = wasi::sockets::ip_name_lookup::resolve_addresses(&network, "localhost");
        Ok(json!({
            "input": input,
            "printed": printed,
            "environment": wasi::cli::environment::get_environment().len(),
            "arguments": wasi::cli::environment::get_arguments().len(),
            "directories": wasi::filesystem::preopens::get_directories().len(),
            "seconds": wasi::clocks::wall_clock::now().seconds,
            "random_differs": wasi::random::random::get_random_u64() != wasi::random::random::get_random_u64(),
            "lookup": lookup.err().map(|error| format!("{error:?}")),
        })
        .to_string())
    }
}

export!(Printing);
