//! The arguments of `crafting token`.

use clap::{Args, Subcommand};

use super::super::values::{choice, expiry};
use crate::model::{Cidr, Timestamp, TokenName, TokenScope};

/// `crafting token …`.
#[derive(Debug, PartialEq, Subcommand)]
pub enum TokenCommand {
    /// Mint a token and print its bearer, which nobody can ask for again
    Mint(MintArgs),
    /// List tokens, without their bearers
    #[command(after_help = "Examples:
  crafting token list
  crafting token list --server https://farm.example.org --format json")]
    List,
    /// Revoke a token, at once; what it owns stays for the next token of its name
    Revoke(RevokeArgs),
}

/// `crafting token mint`.
#[derive(Debug, PartialEq, Args)]
#[command(after_help = "The bearer alone is on stdout. Show it to the server with CRAFTING_TOKEN, or --token @FILE.

A token owns the projects that it registers. The name of a token that was revoked or has expired
may be minted again: the new one owns them then.

Examples:
  crafting token mint alice > alice.token
  crafting token mint ci --cidr 10.1.0.0/16 --expires 90d
  crafting token mint dashboard --scope read
  crafting token mint root --admin --server https://farm.example.org")]
pub struct MintArgs {
    /// Its name, which owns projects
    pub name: TokenName,
    /// Let it see everything and mint others
    #[arg(long)]
    pub admin: bool,
    /// What it may do: look, or change things too
    #[arg(long, default_value_t, value_parser = choice(TokenScope::ALL, TokenScope::as_str))]
    pub scope: TokenScope,
    /// Usable only from these addresses, such as 10.0.0.0/8; may be repeated
    #[arg(long = "cidr", value_name = "CIDR")]
    pub cidrs: Vec<Cidr>,
    /// Ends when a day begins, such as 2027-01-31, or after a time, such as 30d; else never
    #[arg(long, value_name = "DATE|TIME", value_parser = expiry)]
    pub expires: Option<Timestamp>,
}

/// `crafting token revoke`.
#[derive(Debug, PartialEq, Args)]
#[command(after_help = "Examples:
  crafting token revoke alice
  crafting token revoke ci --server https://farm.example.org --format json")]
pub struct RevokeArgs {
    /// Its name
    pub name: TokenName,
}
