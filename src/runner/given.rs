//! The secrets that a job's recipe declares, opened for it.

use std::collections::BTreeMap;
use std::ffi::OsString;

use super::Rooms;
use super::masking::Masks;
use crate::error::{Error, Result};
use crate::ledger;
use crate::model::{Job, SecretName, SecretValue};

/// What a recipe is given, and what hides it.
pub(super) struct Given {
    values: Vec<(SecretName, SecretValue)>,
    /// None where nothing is given.
    pub masks: Option<Masks>,
}

impl Given {
    /// Opens what the job's recipe declares.
    pub(super) fn open(rooms: &Rooms, job: &Job) -> Result<Self> {
        let vault = rooms.vault();
        let open = |(name, sealed): (SecretName, Vec<u8>)| {
            let value = vault.open(&job.project, &name, &sealed)?;
            Ok((name, value))
        };
        let values = sealed(rooms, job)?.into_iter().map(open).collect::<Result<Vec<_>>>()?;
        let masks = Masks::of(values.iter().map(|(_, value)| value))?;
        Ok(Self { values, masks })
    }

    /// Adds them to a recipe's environment.
    pub(super) fn add_to(&self, env: &mut BTreeMap<OsString, OsString>) {
        env.extend(self.values.iter().map(|(name, value)| (name.as_str().into(), value.expose().into())));
    }
}

/// Whether all that the job's recipe declares is set. An error names what is not.
pub(super) fn check(rooms: &Rooms, job: &Job) -> Result<()> {
    sealed(rooms, job).map(drop)
}

fn sealed(rooms: &Rooms, job: &Job) -> Result<Vec<(SecretName, Vec<u8>)>> {
    let declared = &job.recipe_snapshot.secrets;
    if declared.is_empty() {
        return Ok(Vec::new());
    }
    rooms.ledger.read(|tx| {
        let (mut all, mut missing) = (Vec::new(), Vec::new());
        for name in declared {
            match ledger::secrets::sealed(tx, &job.project, name)? {
                Some(sealed) => all.push((name.clone(), sealed)),
                None => missing.push(name.as_str()),
            }
        }
        let (first, what) = match missing[..] {
            [] => return Ok(all),
            [one] => (one, format!("the secret {one} is not set")),
            [first, ..] => (first, format!("the secrets {} are not set", missing.join(", "))),
        };
        Err(Error::not_found(format!(
            "the recipe {} of {} declares what is not there: {what}",
            job.recipe, job.project
        ))
        .hint(format!("set it with `crafting secret set {first} --project {}`, then retry the job", job.project)))
    })
}
