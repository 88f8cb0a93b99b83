//! Sealing values and opening them again. The ledger keeps what is sealed; the key is a file beside it.

mod key;

use std::path::PathBuf;

use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};

use crate::error::{Code, Error, Result};
use crate::model::{ProjectName, SecretName, SecretValue};

/// Seals and opens values with the key of one data directory.
///
/// A sealed value is 12 random bytes (the nonce), the ciphertext and a tag of 16, by AES-256-GCM. The project's and the
/// secret's name are authenticated along: a row that was moved to another project, or under another name, does not open.
#[derive(Clone, Debug)]
pub struct Vault {
    file: PathBuf,
}

impl Vault {
    /// The key's file name in the data directory.
    pub const FILE: &str = "secrets.key";

    /// The vault of a data directory. Nothing is read or made yet.
    pub fn new(data_dir: &std::path::Path) -> Self {
        Self { file: data_dir.join(Self::FILE) }
    }

    /// Makes sure that there is a key. Where values are `sealed` already, their key is missed, not replaced.
    pub fn prepare(&self, sealed: bool) -> Result<()> {
        match key::read(&self.file)? {
            Some(_) => Ok(()),
            None if sealed => Err(self.lost()),
            None => key::make(&self.file),
        }
    }

    /// Seals a value of that name.
    pub fn seal(&self, project: &ProjectName, name: &SecretName, value: &SecretValue) -> Result<Vec<u8>> {
        let mut nonce = [0; NONCE_LEN];
        crate::secrets::key::random(&mut nonce)?;
        let mut bytes = value.expose().as_bytes().to_vec();
        let tag = self
            .key()?
            .seal_in_place_separate_tag(Nonce::assume_unique_for_key(nonce), bound_to(project, name), &mut bytes)
            .map_err(|_| Error::new(Code::Io, format!("the secret {name} cannot be sealed")))?;
        Ok([&nonce[..], &bytes, tag.as_ref()].concat())
    }

    /// Opens what [`Vault::seal`] made of a value of that name.
    pub fn open(&self, project: &ProjectName, name: &SecretName, sealed: &[u8]) -> Result<SecretValue> {
        let wrong = || {
            Error::new(
                Code::Io,
                format!(
                    "the secret {name} of {project} cannot be opened: {} is not the key it was sealed with",
                    self.file.display()
                ),
            )
            .hint(format!(
                "put the right key file back from a backup, or set the secret again with `crafting secret set {name}`"
            ))
        };
        let (nonce, rest) = sealed.split_first_chunk::<NONCE_LEN>().ok_or_else(wrong)?;
        let mut bytes = rest.to_vec();
        let nonce = Nonce::assume_unique_for_key(*nonce);
        let length = match self.key()?.open_in_place(nonce, bound_to(project, name), &mut bytes) {
            Ok(opened) => opened.len(),
            Err(_) => return Err(wrong()),
        };
        bytes.truncate(length);
        SecretValue::from_bytes(bytes)
    }

    fn key(&self) -> Result<LessSafeKey> {
        let bytes = key::read(&self.file)?.ok_or_else(|| self.lost())?;
        let key = UnboundKey::new(&AES_256_GCM, &bytes).expect("the cipher takes keys of this length");
        Ok(LessSafeKey::new(key))
    }

    fn lost(&self) -> Error {
        Error::new(Code::Io, format!("the key file {} is gone, and secrets were sealed with it", self.file.display())).hint(
            "put it back from a backup; if it is lost, remove every secret with `crafting secret remove` and set them again",
        )
    }
}

/// What a sealed value is bound to. A name holds no NUL, so that no two pairs come to the same.
fn bound_to(project: &ProjectName, name: &SecretName) -> Aad<Vec<u8>> {
    Aad::from(format!("{project}\0{name}").into_bytes())
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    struct Setting {
        folder: tempfile::TempDir,
        vault: Vault,
        project: ProjectName,
        name: SecretName,
        value: SecretValue,
    }

    fn setting() -> Setting {
        let folder = tempfile::tempdir().unwrap();
        let vault = Vault::new(folder.path());
        let (project, name) = ("app".parse().unwrap(), "TOKEN".parse().unwrap());
        Setting { folder, vault, project, name, value: "planted-value".parse().unwrap() }
    }

    #[test]
    fn what_is_sealed_opens_in_its_place_alone() {
        // The folder is there until its guard goes.
        let Setting { folder: _guard, vault, project, name, value } = setting();
        vault.prepare(false).unwrap();
        let sealed = vault.seal(&project, &name, &value).unwrap();
        assert_ne!(sealed, vault.seal(&project, &name, &value).unwrap(), "every sealing has a nonce of its own");
        assert!(!sealed.windows(7).any(|bytes| bytes == b"planted"));
        assert_eq!(vault.open(&project, &name, &sealed).unwrap(), value);
        assert!(vault.open(&"other".parse().unwrap(), &name, &sealed).is_err());
        assert!(vault.open(&project, &"OTHER".parse().unwrap(), &sealed).is_err());
        for length in 0..sealed.len() {
            assert!(vault.open(&project, &name, &sealed[..length]).is_err());
        }
        for at in 0..sealed.len() {
            let mut bent = sealed.clone();
            bent[at] ^= 1;
            assert!(vault.open(&project, &name, &bent).is_err());
        }
    }

    #[test]
    fn a_key_that_is_lost_wrong_or_open_to_others_is_said_so() {
        let Setting { folder, vault, project, name, value } = setting();
        vault.prepare(false).unwrap();
        let file = folder.path().join(Vault::FILE);
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
        let sealed = vault.seal(&project, &name, &value).unwrap();
        let key = fs::read(&file).unwrap();

        fs::write(&file, [7; 32]).unwrap();
        let error = vault.open(&project, &name, &sealed).unwrap_err();
        assert!(error.to_string().contains("is not the key it was sealed with"), "{error}");
        fs::write(&file, &key[..31]).unwrap();
        let error = vault.open(&project, &name, &sealed).unwrap_err();
        assert!(error.to_string().contains("is no key file"), "{error}");
        fs::write(&file, &key).unwrap();
        fs::set_permissions(&file, PermissionsExt::from_mode(0o640)).unwrap();
        let error = vault.open(&project, &name, &sealed).unwrap_err();
        assert!(error.to_string().contains("can be read by others"), "{error}");
        fs::remove_file(&file).unwrap();
        for error in [vault.open(&project, &name, &sealed).unwrap_err(), vault.prepare(true).unwrap_err()] {
            assert!(error.to_string().contains("is gone") && error.hint_text().unwrap().contains("backup"), "{error}");
        }
        assert!(!file.exists());
    }

    #[test]
    fn who_makes_the_key_at_once_makes_one() {
        let Setting { folder, project, name, value, .. } = setting();
        let sealed: Vec<Vec<u8>> = std::thread::scope(|scope| {
            let seal = || {
                let vault = Vault::new(folder.path());
                vault.prepare(false).unwrap();
                vault.seal(&project, &name, &value).unwrap()
            };
            let threads: Vec<_> = (0..8).map(|_| scope.spawn(seal)).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        for sealed in sealed {
            assert_eq!(Vault::new(folder.path()).open(&project, &name, &sealed).unwrap(), value);
        }
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}
