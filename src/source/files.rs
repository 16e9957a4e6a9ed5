//! Reading from the disk: the one place, with `output`, that touches files.

use std::io;
use std::path::Path;

/// The bytes of a file.
pub fn read(path: &Path) -> io::Result<Vec<u8>> {
    std::fs::read(path)
}

/// Names of the files in a folder (the current one for an empty path), sorted; nothing where it cannot be read.
pub fn names_in(folder: &Path) -> Vec<String> {
    let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let files = entries.flatten().filter(|e| e.path().is_file());
    let mut names: Vec<String> = files.map(|e| e.file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}
