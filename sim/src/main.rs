//! The `synod` command.

fn main() -> std::process::ExitCode {
    std::process::ExitCode::from(synod_sim::cli::main(std::env::args_os()))
}
