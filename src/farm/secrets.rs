//! Setting, listing and removing secrets.

use crate::error::Result;
use crate::ledger;
use crate::model::{ProjectName, Secret, SecretName, SecretValue, Timestamp};
use crate::runner::Rooms;

/// Seals a value and keeps it.
pub(super) fn set(rooms: &Rooms, project: &ProjectName, name: &SecretName, value: &SecretValue) -> Result<Secret> {
    let vault = rooms.vault();
    // In one transaction: nobody removes the last sealed value, or seals the first one, in between.
    rooms.ledger.write(|tx| {
        ledger::projects::get(tx, project)?;
        vault.prepare(ledger::secrets::any(tx)?)?;
        let sealed = vault.seal(project, name, value)?;
        let secret = Secret { project: project.clone(), name: name.clone(), updated_at: Timestamp::now() };
        ledger::secrets::set(tx, &secret, &sealed)?;
        Ok(secret)
    })
}

/// A project's secrets, by name.
pub(super) fn list(rooms: &Rooms, project: &ProjectName) -> Result<Vec<Secret>> {
    rooms.ledger.read(|tx| {
        ledger::projects::get(tx, project)?;
        ledger::secrets::list(tx, project)
    })
}

/// Removes a secret, as it was.
pub(super) fn remove(rooms: &Rooms, project: &ProjectName, name: &SecretName) -> Result<Secret> {
    rooms.ledger.write(|tx| {
        ledger::projects::get(tx, project)?;
        ledger::secrets::remove(tx, project, name)
    })
}
