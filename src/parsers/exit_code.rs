//! The last source of findings: the exit status, where nothing that was printed says why.

use crate::model::{Diagnostic, Kind, RecipeName, Severity};

/// The `recipe_fail` of a recipe that ended with `exit_code`, if it failed.
pub(super) fn recipe_fail(exit_code: i32, recipe: Option<&RecipeName>) -> Option<Diagnostic> {
    if exit_code == 0 {
        return None;
    }
    let who = recipe.map_or_else(|| "the recipe".to_owned(), |recipe| format!("the recipe {recipe}"));
    Some(Diagnostic::new(
        "crafting",
        Kind::RecipeFail,
        Severity::Error,
        format!("exit_{exit_code}"),
        format!("{who} exited with {exit_code}"),
    ))
}
