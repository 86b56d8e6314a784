//! The `synod` command.

/// A run allocates for every message; this allocator halves what that costs, and changes nothing
/// else.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> std::process::ExitCode {
    synod_sim::cli::main_with(&[])
}
