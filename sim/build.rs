//! Tells the binary which build it is: the commit, and a hash of all sources that a run depends on.
//!
//! The hash decides whether two digests may be compared. It covers sources and locked dependencies,
//! not the profile: debug and release are the same build. Outside a git checkout, or without git,
//! the commit is `unknown` and the rest works.

#![expect(
    clippy::disallowed_methods,
    reason = "cargo speaks to build scripts through the environment"
)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

fn main() {
    let crate_dir = PathBuf::from(std::env::var_os("CARGO_MANIFEST_DIR").expect("cargo sets it"));
    let root = crate_dir.parent().unwrap_or(&crate_dir);
    let mut files = Vec::new();
    for place in [
        "engine/port/src",
        "engine/src",
        "reports/src",
        "sim/src",
        "Cargo.lock",
    ] {
        println!("cargo:rerun-if-changed={}", root.join(place).display());
        collect(&root.join(place), &mut files);
    }
    files.sort();
    let mut hash = Fnv::default();
    for file in &files {
        let name = file
            .strip_prefix(root)
            .unwrap_or(file)
            .to_string_lossy()
            .replace('\\', "/");
        hash.field(name.as_bytes());
        hash.field(&fs::read(file).unwrap_or_default());
    }
    println!("cargo:rustc-env=SYNOD_BUILD={:016x}", hash.0);
    println!(
        "cargo:rustc-env=SYNOD_COMMIT={}",
        commit(root).unwrap_or_else(|| "unknown".to_owned())
    );
}

/// All files below a place.
fn collect(place: &Path, files: &mut Vec<PathBuf>) {
    if let Ok(entries) = fs::read_dir(place) {
        for entry in entries.flatten() {
            collect(&entry.path(), files);
        }
    } else if place.is_file() {
        files.push(place.to_owned());
    }
}

/// The commit that is checked out, and a wish to be run again when it changes.
fn commit(root: &Path) -> Option<String> {
    for name in ["HEAD", "logs/HEAD"] {
        let path = root.join(git(root, &["rev-parse", "--git-path", name])?);
        if path.exists() {
            println!("cargo:rerun-if-changed={}", path.display());
        }
    }
    // A package inside somebody else's repository must not claim that one's commit.
    git(root, &["ls-files", "--error-unmatch", "Cargo.toml"])?;
    git(root, &["rev-parse", "--short=12", "HEAD"])
}

fn git(root: &Path, arguments: &[&str]) -> Option<String> {
    let output = Command::new("git")
        .arg("-C")
        .arg(root)
        .args(arguments)
        .output()
        .ok()?;
    let text = String::from_utf8(output.stdout).ok()?.trim().to_owned();
    (output.status.success() && !text.is_empty()).then_some(text)
}

/// FNV-1a, 64 bits: enough to tell builds apart, and no dependency.
struct Fnv(u64);

impl Default for Fnv {
    fn default() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }
}

impl Fnv {
    fn field(&mut self, bytes: &[u8]) {
        let length = (bytes.len() as u64).to_le_bytes();
        for byte in length.iter().chain(bytes) {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }
}
