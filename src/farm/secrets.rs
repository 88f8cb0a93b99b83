//! Setting, listing and removing secrets.

use super::visible::View;
use crate::error::Result;
use crate::ledger;
use crate::model::{ProjectName, Secret, SecretName, SecretValue, Timestamp};

/// Seals a value and keeps it.
pub(super) fn set(view: &View, project: &ProjectName, name: &SecretName, value: &SecretValue) -> Result<Secret> {
    let vault = view.rooms().vault();
    // In one transaction: nobody removes the last sealed value, or seals the first one, in between.
    view.write(|seen| {
        seen.project(project)?;
        vault.prepare(ledger::secrets::any(seen.tx)?)?;
        let sealed = vault.seal(project, name, value)?;
        let secret = Secret { project: project.clone(), name: name.clone(), updated_at: Timestamp::now() };
        ledger::secrets::set(seen.tx, &secret, &sealed)?;
        Ok(secret)
    })
}

/// A project's secrets, by name.
pub(super) fn list(view: &View, project: &ProjectName) -> Result<Vec<Secret>> {
    view.read(|seen| {
        seen.project(project)?;
        ledger::secrets::list(seen.tx, project)
    })
}

/// Removes a secret, as it was.
pub(super) fn remove(view: &View, project: &ProjectName, name: &SecretName) -> Result<Secret> {
    view.write(|seen| {
        seen.project(project)?;
        ledger::secrets::remove(seen.tx, project, name)
    })
}
