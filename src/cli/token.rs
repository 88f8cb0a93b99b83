//! `crafting token …`.

use serde_json::json;

use super::args::{Global, MintArgs, TokenCommand};
use super::on_farm;
use super::ui::table::{Cell, Table};
use super::ui::{Ui, colour::Tone, text};
use crate::error::Result;
use crate::farm::{Farm, NewToken};
use crate::model::{Timestamp, Token, TokenName};

/// Runs one of the commands.
pub fn run(ui: &Ui, global: &Global, command: TokenCommand) -> Result<u8> {
    on_farm(ui, global.settings()?, async |farm| {
        match command {
            TokenCommand::Mint(args) => mint(ui, farm, args).await?,
            TokenCommand::List => list(ui, &farm.tokens().await?)?,
            TokenCommand::Revoke(args) => revoke(ui, farm, &args.name).await?,
        }
        Ok(0)
    })
}

async fn mint(ui: &Ui, farm: &dyn Farm, args: MintArgs) -> Result<()> {
    let MintArgs { name, admin, scope, cidrs, expires } = args;
    let new = NewToken { name, is_admin: admin, scope, ip_cidrs: cidrs, expires_at: expires };
    let minted = farm.mint_token(new).await?;
    let bearer = minted.bearer.expose();
    if ui.is_json() {
        return ui.json(&json!({ "token": minted.token, "bearer": bearer }));
    }
    ui.print(&format!("{bearer}\n"))?;
    let until = minted.token.expires_at.map(|end| format!(", until {}", text::until(end))).unwrap_or_default();
    ui.note(&format!(
        "minted the token {} ({}{until}); its bearer is not shown again",
        minted.token.name,
        may(&minted.token)
    ));
    Ok(())
}

async fn revoke(ui: &Ui, farm: &dyn Farm, name: &TokenName) -> Result<()> {
    let token = farm.revoke_token(name).await?;
    if ui.is_json() {
        return ui.json(&json!({ "token": token }));
    }
    ui.print(&format!("revoked {}\n", token.name))
}

fn list(ui: &Ui, tokens: &[Token]) -> Result<()> {
    if ui.is_json() {
        return ui.json(&json!({ "tokens": tokens }));
    }
    if tokens.is_empty() {
        ui.note("there is no token yet; `crafting token mint NAME` makes one");
        return Ok(());
    }
    let now = Timestamp::now();
    let ago = |time: Timestamp| format!("{} ago", text::age(now.since(time)));
    let mut table = Table::new(["name", "may", "state", "minted", "used", "from"]).optional(&[3, 4]);
    for token in tokens {
        let state = match (token.revoked_at, token.expires_at) {
            (Some(_), _) => Cell::toned("revoked", Tone::Dim),
            (None, Some(end)) if end <= now => Cell::toned("expired", Tone::Warn),
            (None, Some(end)) => format!("until {}", text::until(end)).into(),
            (None, None) => Cell::toned("active", Tone::Good),
        };
        let from: Vec<String> = token.ip_cidrs.iter().map(ToString::to_string).collect();
        table.row([
            token.name.as_str().into(),
            may(token).into(),
            state,
            ago(token.created_at).into(),
            token.last_used_at.map(ago).unwrap_or_default().into(),
            from.join(" ").into(),
        ]);
    }
    ui.print(&table.render(ui.look()))
}

/// `admin write`.
fn may(token: &Token) -> String {
    if token.is_admin { format!("admin {}", token.scope) } else { token.scope.to_string() }
}
