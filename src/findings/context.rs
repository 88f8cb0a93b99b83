//! A hash of what stands at a finding's place, which finds it again where no diff can be had.

use std::collections::HashMap;
use std::io::Read;
use std::path::Path;

use sha2::{Digest, Sha256};

use crate::model::{Kind, Sighting};

/// Files larger than this are not read; nobody wrote them by hand.
const FILE_LIMIT: u64 = 8 << 20;

/// Fills in the context hashes. `root` is the project's root on disk, which the findings' files are relative to. Each
/// file is read once; what cannot be read (or is no regular file of the project) leaves its findings without a hash.
pub fn fill(findings: &mut [Sighting], root: &Path) {
    let mut placed: Vec<usize> =
        (0..findings.len()).filter(|&index| findings[index].file.is_some() && findings[index].line.is_some()).collect();
    placed.sort_by_key(|&index| (&findings[index].file, findings[index].line, findings[index].column));
    let root = root.canonicalize().ok();
    let mut hashes = Vec::new();
    for indices in placed.chunk_by(|&a, &b| findings[a].file == findings[b].file) {
        let Some(file) = indices.first().and_then(|&index| findings[index].file.as_deref()) else { continue };
        let Some(text) = root.as_deref().and_then(|root| read(root, file)) else { continue };
        let lines: Vec<&[u8]> = text.split(|&byte| byte == b'\n').map(<[u8]>::trim_ascii).collect();
        let mut ordinals: HashMap<(Kind, &str, &[u8]), u32> = HashMap::new();
        for &index in indices {
            let finding = &findings[index];
            let number = finding.line.and_then(|line| usize::try_from(line).ok()).unwrap_or_default();
            let Some(line) = number.checked_sub(1).and_then(|number| lines.get(number)) else { continue };
            let ordinal = ordinals.entry((finding.kind, &finding.code, line)).or_default();
            hashes.push((index, hash(finding.kind, file, &finding.code, line, *ordinal)));
            *ordinal += 1;
        }
    }
    for (index, hash) in hashes {
        findings[index].context_hash = Some(hash);
    }
}

/// Not the standard hasher: it may change with the toolchain, and the hashes are stored.
fn hash(kind: Kind, file: &str, code: &str, line: &[u8], ordinal: u32) -> u64 {
    let mut hash = Sha256::new();
    for part in [kind.as_str().as_bytes(), file.as_bytes(), code.as_bytes(), line] {
        hash.update(part);
        hash.update([0]);
    }
    hash.update(ordinal.to_le_bytes());
    let digest = hash.finalize();
    let mut first = [0; 8];
    first.copy_from_slice(&digest[..8]);
    u64::from_le_bytes(first)
}

/// A file of the project, not what a link in it leads to elsewhere: the repository is not trusted.
fn read(root: &Path, file: &str) -> Option<Vec<u8>> {
    let path = root.join(file);
    // Most that cannot be read is not there, which is asked at less cost than where links lead.
    let metadata = path.metadata().ok()?;
    if !metadata.is_file() || metadata.len() > FILE_LIMIT {
        return None;
    }
    let path = path.canonicalize().ok()?;
    if !path.starts_with(root) {
        return None;
    }
    let mut text = Vec::new();
    std::fs::File::open(path).ok()?.take(FILE_LIMIT).read_to_end(&mut text).ok()?;
    Some(text)
}
