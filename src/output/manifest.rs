//! Manifests: what is needed to repeat a run to the bit, kept beside its results.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// The form of manifests; it grows when they change.
pub const FORM: u32 = 1;

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    pub form: u32,
    /// version that made the results
    pub fokker: String,
    /// the program; like all files by its path from the manifest's folder
    pub file: String,
    /// BLAKE3 of the program and of every file that it uses or reads, by path
    pub sources: BTreeMap<String, String>,
    pub run: String,
    pub seed: u64,
    pub paths: u64,
    /// paths that are in the results: fewer if the run was interrupted
    pub finished: u64,
    pub precision: String,
    pub backend: String,
    pub generator: String,
    pub time: TimeNote,
    /// settings of the run in the words of the program
    pub settings: BTreeMap<String, String>,
    /// what the command line changed: `--set` and the rest, by name
    pub overrides: BTreeMap<String, String>,
    /// parameters that the sweep set, for each variant
    pub variants: Vec<BTreeMap<String, f64>>,
    /// files that hold the results
    pub results: Vec<String>,
}

/// The time grid in brief.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct TimeNote {
    pub start: f64,
    pub end: f64,
    pub steps: u64,
}

/// Why a run cannot be repeated from a manifest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ManifestError {
    /// not the text of a manifest; what the reader says
    Unreadable(String),
    /// of a form that this version does not know
    Form(u32),
    /// a file has changed, or is not there any more (`None`)
    Changed { file: String, expected: String, found: Option<String> },
}

impl std::fmt::Display for ManifestError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            ManifestError::Unreadable(why) => write!(f, "this is not a manifest: {why}"),
            ManifestError::Form(form) => {
                write!(f, "the manifest has form {form}, and this version reads form {FORM}")
            }
            ManifestError::Changed { file, found: Some(_), .. } => {
                write!(f, "`{file}` is not the file that the results were made from")
            }
            ManifestError::Changed { file, found: None, .. } => write!(f, "`{file}` is not there any more"),
        }
    }
}

/// The hash of a file's bytes, in hexadecimal.
pub fn hash(bytes: &[u8]) -> String {
    blake3::hash(bytes).to_hex().to_string()
}

impl Manifest {
    pub fn to_json(&self) -> String {
        serde_json::to_string_pretty(self).expect("plain data have a JSON form") + "\n"
    }

    pub fn from_json(text: &str) -> Result<Manifest, ManifestError> {
        #[derive(Deserialize)]
        struct Form {
            form: u32,
        }
        let unreadable = |e: serde_json::Error| ManifestError::Unreadable(e.to_string());
        let Form { form } = serde_json::from_str(text).map_err(unreadable)?;
        if form != FORM {
            return Err(ManifestError::Form(form));
        }
        serde_json::from_str(text).map_err(unreadable)
    }

    /// Whether all sources are as they were; `read` gives the bytes of a file by its name.
    pub fn verify(&self, read: impl Fn(&str) -> Option<Vec<u8>>) -> Result<(), ManifestError> {
        for (file, expected) in &self.sources {
            let found = read(file).map(|bytes| hash(&bytes));
            if found.as_ref() != Some(expected) {
                return Err(ManifestError::Changed { file: file.clone(), expected: expected.clone(), found });
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn manifest() -> Manifest {
        let map = |pairs: &[(&str, &str)]| pairs.iter().map(|(k, v)| (k.to_string(), v.to_string())).collect();
        Manifest {
            form: FORM,
            fokker: "0.1.0".to_string(),
            file: "gbm.sde".to_string(),
            sources: [("gbm.sde".to_string(), hash(b"model"))].into(),
            run: "terminal".to_string(),
            seed: u64::MAX,
            paths: 1000,
            finished: 1000,
            precision: "f64".to_string(),
            backend: "cranelift".to_string(),
            generator: "ars5".to_string(),
            time: TimeNote { start: 0.0, end: 1.0, steps: 1000 },
            settings: map(&[("solver", "milstein"), ("time", "0 .. 1 step 1e-3")]),
            overrides: map(&[("sigma", "0.3")]),
            variants: vec![[("sigma".to_string(), 0.1 + 0.2)].into()],
            results: vec!["paths.csv".to_string()],
        }
    }

    #[test]
    fn manifests_read_back() {
        assert_eq!(Manifest::from_json(&manifest().to_json()), Ok(manifest()));
    }

    #[test]
    fn hashes_are_blake3() {
        // The hash of nothing, from the test vectors of BLAKE3.
        assert_eq!(hash(b""), "af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262");
    }

    #[test]
    fn other_texts_are_refused_with_a_reason() {
        let refused = |text: &str| Manifest::from_json(text).expect_err("a refusal").to_string();
        assert!(refused("{").contains("not a manifest"));
        assert!(refused(r#"{"form": 1}"#).contains("missing field"));
        assert!(refused(r#"{"form": 9, "later": true}"#).contains("form 9"));
    }

    #[test]
    fn changed_files_are_seen() {
        let m = manifest();
        assert_eq!(m.verify(|_| Some(b"model".to_vec())), Ok(()));
        let changed = m.verify(|_| Some(b"modle".to_vec())).expect_err("a change");
        assert!(changed.to_string().contains("gbm.sde"));
        assert!(m.verify(|_| None).expect_err("no file").to_string().contains("not there"));
    }
}
