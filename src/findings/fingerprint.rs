//! The public name of a finding.

use sha2::{Digest, Sha256};

use crate::model::{Fingerprint, Kind};

/// The first 16 hex digits of SHA-256 over `kind|file|line|code`; nothing stands where there is no file or line. The
/// message is left out: tools reword.
pub fn fingerprint(kind: Kind, file: Option<&str>, line: Option<u32>, code: &str) -> Fingerprint {
    let mut hash = Sha256::new();
    hash.update(kind.as_str());
    hash.update("|");
    hash.update(file.unwrap_or_default());
    hash.update("|");
    if let Some(line) = line {
        hash.update(line.to_string());
    }
    hash.update("|");
    hash.update(code);
    let digest = hash.finalize();
    let mut first = [0; 8];
    first.copy_from_slice(&digest[..8]);
    Fingerprint::from_digest(first)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_definition_is_the_contract() {
        // printf 'lint|src/a.rs|3|E0308' | sha256sum
        assert_eq!(fingerprint(Kind::Lint, Some("src/a.rs"), Some(3), "E0308").as_str(), "f6439c25dadcb5b1");
        // printf 'recipe_fail|||exit_2' | sha256sum
        assert_eq!(fingerprint(Kind::RecipeFail, None, None, "exit_2").as_str(), "17e42d6a853accaa");
    }
}
