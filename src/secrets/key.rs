//! The key file: 32 random bytes that nobody else may read.

use std::fs::File;
use std::io::{ErrorKind, Read, Write};
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use crate::error::{Code, Error, IoContext, Result};

const BYTES: usize = 32;

/// Random bytes of the system.
pub(super) fn random(bytes: &mut [u8]) -> Result<()> {
    getrandom::fill(bytes).map_err(|error| Error::new(Code::Io, format!("the system gave no random bytes: {error}")))
}

/// The key; none: there is no such file.
pub(super) fn read(path: &Path) -> Result<Option<[u8; BYTES]>> {
    let file = match File::open(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        other => other.on("read the key file", path)?,
    };
    let metadata = file.metadata().on("read the key file", path)?;
    if metadata.mode() & 0o077 != 0 {
        let (place, mode) = (path.display(), metadata.mode() & 0o777);
        return Err(Error::new(Code::Io, format!("the key file {place} can be read by others (mode {mode:03o})"))
            .hint(format!("`chmod 600 {place}`; if somebody may have read it, replace what the secrets stand for")));
    }
    let mut bytes = Vec::with_capacity(BYTES + 1);
    file.take(BYTES as u64 + 1).read_to_end(&mut bytes).on("read the key file", path)?;
    let key = bytes.try_into().map_err(|_| {
        Error::new(Code::Io, format!("{} is no key file: it does not have {BYTES} bytes", path.display()))
            .hint("put the right one back from a backup")
    })?;
    Ok(Some(key))
}

/// Makes the key. Whoever comes second finds the first one's: a key appears whole, or not at all, and is never replaced.
pub(super) fn make(path: &Path) -> Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    let mut bytes = [0; BYTES];
    random(&mut bytes)?;
    // Such a file is its owner's alone.
    let mut file =
        tempfile::Builder::new().prefix("secrets.key.").tempfile_in(folder).on("make a key file in", folder)?;
    file.write_all(&bytes).and_then(|()| file.as_file().sync_all()).on("write the key file", path)?;
    match file.persist_noclobber(path) {
        Ok(_) => {}
        Err(failed) if failed.error.kind() == ErrorKind::AlreadyExists => {}
        Err(failed) => return Err(Error::io("write the key file", path, &failed.error)),
    }
    File::open(folder).and_then(|folder| folder.sync_all()).on("write the folder", folder)
}
