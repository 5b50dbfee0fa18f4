//! Writes pictures of several workflows into a directory, to be looked at:
//! `cargo run -p runner-graph --example gallery -- DIR`.

#![allow(clippy::unwrap_used, reason = "what goes wrong here is seen at once")]

use std::path::PathBuf;
use std::time::Instant;

use runner_graph::{Direction, Graph, SvgOptions, Theme};

#[path = "../tests/pictures/flows.rs"]
mod flows;
#[path = "../tests/pictures/runs.rs"]
mod runs;

fn main() {
    let dir = PathBuf::from(std::env::args().nth(1).unwrap_or_else(|| "gallery".to_owned()));
    std::fs::create_dir_all(&dir).unwrap();
    let provisioning = Graph::of(&flows::provisioning(), "infra.provision");
    let pictures = [
        ("provisioning", provisioning.clone()),
        ("failed", provisioning.with_execution(&runs::failed_provisioning())),
        ("cycle", Graph::of(&flows::cycle(), "job.run")),
        ("split", Graph::of(&flows::split(), "core.split").with_execution(&runs::split())),
        ("fan_out", Graph::of(&flows::fan_out(20), "ontap.upgrade")),
        ("large", Graph::of(&flows::large(200), "core.large")),
    ];
    for (name, graph) in pictures {
        for (suffix, theme, direction) in [
            ("", Theme::Auto, Direction::Down),
            ("_dark", Theme::Dark, Direction::Down),
            ("_right", Theme::Light, Direction::Right),
        ] {
            let began = Instant::now();
            let svg = graph.to_svg(&SvgOptions { theme, direction, ..SvgOptions::default() });
            println!("{name}{suffix}: {} bytes in {:?}", svg.len(), began.elapsed());
            std::fs::write(dir.join(format!("{name}{suffix}.svg")), svg).unwrap();
        }
        std::fs::write(dir.join(format!("{name}.mmd")), graph.to_mermaid()).unwrap();
        std::fs::write(dir.join(format!("{name}.dot")), graph.to_dot()).unwrap();
    }
}
