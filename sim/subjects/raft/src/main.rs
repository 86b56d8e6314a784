//! TiKV's `raft` under Synod: the simulator's whole command. `cargo run --release -- sweep`.

mod bugs;
mod messages;
mod replica;
mod running;
mod store;
mod subject;

fn main() -> std::process::ExitCode {
    synod_sim::cli::main_with(&[&subject::Raft])
}
