//! The simulator's whole command, for this engine: `cargo run --release -- sweep`.

mod engine;

fn main() -> std::process::ExitCode {
    synod_sim::cli::main_with(&[&engine::Engine])
}

#[cfg(test)]
mod tests {
    use crate::engine::Engine;

    synod_sim::test!(
        power_loss,
        "scenarios/power-loss.toml",
        seeds = 0..20,
        subject = &Engine
    );
    synod_sim::test!(
        lossy_clients,
        "scenarios/lossy-clients.toml",
        seeds = 0..20,
        subject = &Engine
    );
}
