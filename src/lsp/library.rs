//! The standard library as files that an editor can open. It is embedded in the program; its texts are written once, to a
//! folder of the user's cache that is named after their contents.

use std::path::{Path, PathBuf};

use crate::session::load::FILES;

/// The folder of the texts, written if it is not there yet; none where that is not possible.
pub fn folder() -> Option<PathBuf> {
    let mut hasher = blake3::Hasher::new();
    for (name, text) in FILES {
        hasher.update(name.as_bytes()).update(text.as_bytes());
    }
    let hash = hasher.finalize().to_hex();
    let folder = cache()?.join("fokker").join(format!("{}-{}", env!("CARGO_PKG_VERSION"), &hash[..12]));
    if !folder.join(DONE).exists() {
        write(&folder).ok()?;
    }
    Some(folder)
}

/// An empty file that is written last.
const DONE: &str = ".complete";

fn write(folder: &Path) -> std::io::Result<()> {
    for (name, text) in FILES {
        let path = folder.join(name);
        std::fs::create_dir_all(path.parent().unwrap_or(folder))?;
        // Written aside and moved, so that another server never reads half a file.
        let aside = path.with_extension(format!("{}.part", std::process::id()));
        std::fs::write(&aside, text)?;
        std::fs::rename(&aside, &path)?;
    }
    std::fs::write(folder.join(DONE), "")
}

/// Where the user's system keeps what can be made again.
fn cache() -> Option<PathBuf> {
    let folder = |name: &str| std::env::var_os(name).filter(|v| !v.is_empty()).map(PathBuf::from);
    if cfg!(windows) {
        return folder("LOCALAPPDATA");
    }
    folder("XDG_CACHE_HOME").or_else(|| {
        let home = folder("HOME")?;
        Some(if cfg!(target_os = "macos") { home.join("Library/Caches") } else { home.join(".cache") })
    })
}
