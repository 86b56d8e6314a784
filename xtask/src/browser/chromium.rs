//! The browser: where it is, and how it comes to be there.

use std::path::PathBuf;
use std::process::Command;

/// Names under which it is installed.
const NAMES: [&str; 4] = [
    "chromium",
    "chromium-browser",
    "google-chrome",
    "chrome-headless-shell",
];

/// The browser's program. Where there is none, Debian's is installed, if that can be done here.
///
/// # Errors
/// What to do, when it cannot.
pub fn program() -> Result<PathBuf, String> {
    if let Some(found) = find() {
        return Ok(found);
    }
    println!("there is no chromium here: installing Debian's");
    let install = ["install", "--yes", "--no-install-recommends", "chromium"];
    // The lists may be old, or not there.
    let installed =
        apt_get(&install).or_else(|_| apt_get(&["update"]).and_then(|()| apt_get(&install)));
    let why = match (installed, find()) {
        (Ok(()), Some(found)) => return Ok(found),
        (Ok(()), None) => "apt-get installed it, and yet it is not in the PATH".to_owned(),
        (Err(why), _) => why,
    };
    Err(format!(
        "there is no browser to open the page in: {why}\n\
         Put `chromium` into the PATH, as root by `apt-get update && apt-get install chromium`, or \
         name one with SYNOD_BROWSER=/path/to/chromium"
    ))
}

fn apt_get(arguments: &[&str]) -> Result<(), String> {
    let output = Command::new("apt-get")
        .args(arguments)
        .env("DEBIAN_FRONTEND", "noninteractive")
        .output()
        .map_err(|error| format!("apt-get: {error}"))?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    Err(format!("apt-get: {}", said.trim()))
}

fn find() -> Option<PathBuf> {
    if let Some(named) = std::env::var_os("SYNOD_BROWSER") {
        return Some(PathBuf::from(named));
    }
    let folders = std::env::var_os("PATH")?;
    let folders: Vec<PathBuf> = std::env::split_paths(&folders).collect();
    NAMES
        .iter()
        .flat_map(|name| folders.iter().map(move |folder| folder.join(name)))
        .find(|program| program.is_file())
}
