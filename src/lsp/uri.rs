//! Paths as addresses of documents, and back.

use std::path::{Path, PathBuf};

use lsp_types::Uri;

/// The path of a `file:` address.
pub fn to_path(uri: &Uri) -> Option<PathBuf> {
    let rest = uri.as_str().strip_prefix("file://")?;
    // A host may stand before the path; it is this machine.
    let path = decode(&rest[rest.find('/')?..])?;
    // `/C:/x` on Windows
    let drive = cfg!(windows) && path.as_bytes().get(2) == Some(&b':');
    Some(PathBuf::from(if drive { &path[1..] } else { &path }))
}

pub fn from_path(path: &Path) -> Option<Uri> {
    let text = path.to_str()?.replace('\\', "/");
    let root = if text.starts_with('/') { "" } else { "/" };
    format!("file://{root}{}", encode(&text)).parse().ok()
}

fn encode(path: &str) -> String {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"/-_.~".contains(&b);
    path.bytes().map(|b| if plain(b) { (b as char).to_string() } else { format!("%{b:02X}") }).collect()
}

fn decode(text: &str) -> Option<String> {
    let bytes = text.as_bytes();
    let mut out = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        if bytes[at] == b'%' {
            out.push(u8::from_str_radix(text.get(at + 1..at + 3)?, 16).ok()?);
            at += 3;
        } else {
            out.push(bytes[at]);
            at += 1;
        }
    }
    String::from_utf8(out).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_come_back() {
        for path in ["/a/b.sde", "/with space/σ#1%.sde"] {
            let uri = from_path(Path::new(path)).expect("an address");
            assert!(uri.as_str().is_ascii());
            assert_eq!(to_path(&uri), Some(PathBuf::from(path)));
        }
        let uri: Uri = "untitled:Untitled-1".parse().expect("an address");
        assert_eq!(to_path(&uri), None);
    }
}
