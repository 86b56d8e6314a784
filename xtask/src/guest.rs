//! `guest`: a package outside of this workspace, as `synod new-harness` makes it, is built, tested and
//! swept, and finds the bug that is planted in it.

use std::ffi::OsString;
use std::fs;
use std::path::Path;
use std::process::Command;

const NAME: &str = "guest";
const BUG: &str = "answers-before-saving";

/// Makes the package under `target/`, and tries it.
///
/// # Errors
/// The step that failed.
pub fn run() -> Result<(), String> {
    let place = Path::new("target").join("guest");
    let folder = place.join(NAME);
    if folder.exists() {
        fs::remove_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    }
    let words = ["synod", "new-harness", NAME, "-o"].map(OsString::from);
    let made = synod_sim::cli::main(words.into_iter().chain([folder.clone().into()]));
    expect("synod new-harness", Some(i32::from(made)), 0)?;
    // What is built here is there already: nothing new is fetched.
    fs::copy("Cargo.lock", folder.join("Cargo.lock"))
        .map_err(|error| format!("cannot copy Cargo.lock: {error}"))?;
    for (words, status) in [
        ("test --quiet --offline", 0),
        ("run --quiet --offline -- sweep --seeds 0..200", 0),
        ("run --quiet --offline -- scenario check", 0),
        ("run --quiet --offline -- bugs show BUG", 0),
        ("run --quiet --offline -- sweep --seeds 0..40 --bug BUG", 1),
        ("run --quiet --offline -- hunt --runs 40", 0),
    ] {
        let words = words.replace("BUG", BUG);
        let program = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let done = Command::new(program)
            .args(words.split(' '))
            .current_dir(&folder)
            .env("CARGO_TARGET_DIR", "../..")
            .output()
            .map_err(|error| format!("cargo {words}: {error}"))?;
        expect(&format!("cargo {words}"), done.status.code(), status).map_err(|message| {
            let said = String::from_utf8_lossy(&done.stderr);
            format!("{message}\n{said}")
        })?;
    }
    Ok(())
}

fn expect(what: &str, status: Option<i32>, wanted: i32) -> Result<(), String> {
    if status == Some(wanted) {
        return Ok(());
    }
    let ended = status.map_or_else(
        || "a signal".to_owned(),
        |status| format!("status {status}"),
    );
    Err(format!("{what} ended with {ended}, and not with {wanted}"))
}
