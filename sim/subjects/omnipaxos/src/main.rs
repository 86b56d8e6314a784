//! The simulator's whole command, for the `omnipaxos` crate: `cargo run --release -- sweep`.

mod disk;
mod machine;
mod messages;
mod replica;
mod subject;
#[cfg(test)]
mod tests;

fn main() -> std::process::ExitCode {
    synod_sim::cli::main_with(&[&subject::Omni::<true>, &subject::Omni::<false>])
}
