//! The `synod` command.

/// A run allocates for every message; this allocator halves what that costs, and changes nothing
/// else.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> std::process::ExitCode {
    std::process::ExitCode::from(synod_sim::cli::main(std::env::args_os()))
}
