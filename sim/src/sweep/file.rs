//! Files that are there in whole or not at all.

use std::fs;
use std::io;
use std::path::Path;

/// Writes a file beside its place and puts it there when all of it is written, so that a full disk or
/// a sudden end leaves what was there before, or nothing. What is no plain file, such as a device, is
/// written to as it is.
///
/// # Errors
/// When it cannot be written.
pub fn put(path: &Path, content: impl AsRef<[u8]>) -> io::Result<()> {
    if fs::symlink_metadata(path).is_ok_and(|there| !there.is_file()) {
        return fs::write(path, content);
    }
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".part");
    let part = path.with_file_name(name);
    let written = fs::write(&part, content).and_then(|()| fs::rename(&part, path));
    if written.is_err() {
        let _ = fs::remove_file(&part);
    }
    written
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn a_full_disk_leaves_what_was_there() {
        let place = tempfile::tempdir().expect("a folder");
        let (path, part) = (place.path().join("x"), place.path().join("x.part"));
        let full = || std::os::unix::fs::symlink("/dev/full", &part).expect("a link");
        full();
        assert!(put(&path, "new").is_err());
        assert!(!path.exists() && fs::symlink_metadata(&part).is_err());
        put(&path, "old").expect("there is space");
        full();
        assert!(put(&path, "new").is_err());
        assert_eq!(fs::read_to_string(&path).expect("it is there"), "old");
        assert!(fs::symlink_metadata(&part).is_err());
    }

    #[test]
    fn a_device_stays_one() {
        let place = tempfile::tempdir().expect("a folder");
        let path = place.path().join("x");
        std::os::unix::fs::symlink("/dev/null", &path).expect("a link");
        put(&path, "gone").expect("it takes all");
        assert!(fs::symlink_metadata(&path).is_ok_and(|it| it.is_symlink()));
    }
}
