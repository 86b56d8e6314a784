//! What a person at a terminal sees: data on standard output, progress and diagnostics on standard
//! error.

use std::io::{IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use tracing_subscriber::EnvFilter;

use crate::cli::exit;
use crate::cli::options::{Color, Global};

/// Sets colours and diagnostics up.
pub fn set_up(global: &Global) {
    let choice = match global.color {
        Color::Auto => anstream::ColorChoice::Auto,
        Color::Always => anstream::ColorChoice::AlwaysAnsi,
        Color::Never => anstream::ColorChoice::Never,
    };
    choice.write_global();
    let level = match (global.quiet, global.verbose) {
        (true, _) => "error",
        (false, 0) => "warn",
        (false, 1) => "info",
        (false, _) => "debug",
    };
    let filter = EnvFilter::try_from_env("SYNOD_LOG").unwrap_or_else(|_| EnvFilter::new(level));
    let colours = anstream::AutoStream::choice(&std::io::stderr()) != anstream::ColorChoice::Never;
    // A second call, as in tests, keeps the first subscriber.
    let _ = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(|| Unheard(std::io::stderr()))
        .with_ansi(colours)
        .without_time()
        .with_target(false)
        .with_level(false)
        .try_init();
}

/// Standard error, on which nobody has to listen.
struct Unheard(std::io::Stderr);

impl Write for Unheard {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        Ok(self.0.write(bytes).unwrap_or(bytes.len()))
    }

    fn flush(&mut self) -> std::io::Result<()> {
        let _ = self.0.flush();
        Ok(())
    }
}

/// Whether there is data that could not be printed.
static UNPRINTED: AtomicBool = AtomicBool::new(false);

/// Prints data. When nobody reads it any more, that is no error; anything else is told once, and
/// [`settled`] knows of it.
pub fn print(text: &str) {
    let mut out = anstream::stdout();
    let printed = out.write_all(text.as_bytes()).and_then(|()| out.flush());
    if let Err(error) = printed
        && error.kind() != std::io::ErrorKind::BrokenPipe
        && !UNPRINTED.swap(true, Ordering::Relaxed)
    {
        let _ = fail(exit::HARNESS, &format!("standard output: {error}"));
    }
}

/// The status in the end, when this is what it is if all data could be printed.
#[must_use]
pub fn settled(status: u8) -> u8 {
    if UNPRINTED.load(Ordering::Relaxed) {
        exit::HARNESS
    } else {
        status
    }
}

/// Says something on standard error.
pub fn say(text: &str) {
    let _ = writeln!(anstream::stderr(), "{text}");
}

/// Says what went wrong and returns the status.
#[must_use]
pub fn fail(status: u8, message: &str) -> u8 {
    let style = anstyle::AnsiColor::Red.on_default().bold();
    // What is wrong with a scenario comes with its heading and its picture.
    let message = message.strip_prefix("error: ").unwrap_or(message);
    say(&format!("{style}error{style:#}: {}", message.trim_end()));
    status
}

/// A word of warning.
pub fn warn(message: &str) {
    let style = anstyle::AnsiColor::Yellow.on_default().bold();
    say(&format!("{style}warning{style:#}: {message}"));
}

/// A flag that Ctrl-C and a polite kill set. The second time, the process ends at once.
#[must_use]
pub fn interrupts() -> Arc<AtomicBool> {
    let flag = Arc::new(AtomicBool::new(false));
    let set = Arc::clone(&flag);
    let handler = move || {
        if set.swap(true, Ordering::Relaxed) {
            std::process::exit(i32::from(exit::INTERRUPTED));
        }
    };
    if let Err(error) = ctrlc::set_handler(handler) {
        tracing::debug!("Ctrl-C will end this without a summary: {error}");
    }
    flag
}

/// A progress bar over so many runs, drawn when standard error is a terminal and it is wanted.
#[must_use]
pub fn progress(global: &Global, length: Option<u64>) -> ProgressBar {
    let wanted = !global.no_progress && !global.quiet && std::io::stderr().is_terminal();
    let target = if wanted {
        ProgressDrawTarget::stderr_with_hz(5)
    } else {
        ProgressDrawTarget::hidden()
    };
    let bar = ProgressBar::with_draw_target(length, target);
    let template = if length.is_some() {
        "{elapsed_precise} {wide_bar} {human_pos}/{human_len} runs, {per_sec}, {eta} to go {msg}"
    } else {
        "{elapsed_precise} {spinner} {human_pos} runs, {per_sec} {msg}"
    };
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style);
    }
    bar
}

/// How this program is called in this place, so that a line that begins with it can be pasted: by
/// `cargo run` in the workspace that it was built from, as `synod` when that is what a shell finds,
/// and by its path otherwise.
#[must_use]
pub fn invocation() -> String {
    let Ok(program) = std::env::current_exe() else {
        return "synod".to_owned();
    };
    let found = std::env::var_os("PATH").and_then(|path| {
        std::env::split_paths(&path)
            .map(|folder| folder.join("synod"))
            .find(|candidate| candidate.is_file())
    });
    let folder = std::env::current_dir().unwrap_or_else(|_| PathBuf::from("."));
    invocation_of(&program, &folder, found.as_deref())
}

fn invocation_of(program: &Path, folder: &Path, found: Option<&Path>) -> String {
    let profile = program
        .parent()
        .and_then(Path::file_name)
        .and_then(|name| name.to_str());
    let targets = program.parent().and_then(Path::parent);
    if targets == Some(folder.join("target").as_path()) && folder.join("Cargo.toml").is_file() {
        match profile {
            Some("release") => return "cargo run --release --".to_owned(),
            Some("debug") => return "cargo run --".to_owned(),
            _ => {}
        }
    }
    let same = |one: &Path, two: &Path| {
        one.canonicalize()
            .ok()
            .zip(two.canonicalize().ok())
            .is_some_and(|(one, two)| one == two)
    };
    if found.is_some_and(|found| same(found, program)) {
        "synod".to_owned()
    } else {
        quoted(&program.to_string_lossy())
    }
}

/// The text as one word of a shell.
#[must_use]
pub fn quoted(text: &str) -> String {
    let plain = !text.is_empty()
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"/._-=:,+@%".contains(&byte));
    if plain {
        text.to_owned()
    } else {
        format!("'{}'", text.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_survive_a_shell() {
        assert_eq!(quoted("target/synod/a-b_1.toml"), "target/synod/a-b_1.toml");
        assert_eq!(quoted("my file's"), r"'my file'\''s'");
        assert_eq!(quoted(""), "''");
    }

    #[test]
    fn a_pasted_line_starts_the_same_program() {
        let place = tempfile::tempdir().expect("a folder");
        let (root, elsewhere) = (place.path().join("root"), place.path().join("bin"));
        for folder in [
            root.join("target/release"),
            root.join("target/debug"),
            elsewhere.clone(),
        ] {
            std::fs::create_dir_all(&folder).expect("writes");
            std::fs::write(folder.join("synod"), "").expect("writes");
        }
        std::fs::write(root.join("Cargo.toml"), "").expect("writes");
        let of = |program: &Path, found: Option<&Path>| invocation_of(program, &root, found);
        assert_eq!(
            of(&root.join("target/release/synod"), None),
            "cargo run --release --"
        );
        assert_eq!(of(&root.join("target/debug/synod"), None), "cargo run --");
        assert_eq!(
            of(&elsewhere.join("synod"), Some(&elsewhere.join("synod"))),
            "synod"
        );
        assert_eq!(
            of(&elsewhere.join("synod"), None),
            quoted(&elsewhere.join("synod").to_string_lossy())
        );
    }
}
