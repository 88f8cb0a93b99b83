//! Tokens of a server's farm.

use reqwest::Method;

use super::RemoteFarm;
use crate::error::Result;
use crate::farm::wire::{MintAnswer, MintRequest, TokenAnswer, TokensAnswer};
use crate::farm::{Minted, NewToken};
use crate::model::{Token, TokenName};

impl RemoteFarm {
    pub(super) async fn post_token(&self, new: NewToken) -> Result<Minted> {
        let request = self.server.request(Method::POST, &["admin", "tokens"]).json(&MintRequest::from(new));
        self.server.answer::<MintAnswer>(request).await?.try_into()
    }

    pub(super) async fn get_tokens(&self) -> Result<Vec<Token>> {
        let answer: TokensAnswer = self.server.get(&["admin", "tokens"], &()).await?;
        Ok(answer.tokens)
    }

    pub(super) async fn delete_token(&self, name: &TokenName) -> Result<Token> {
        let request = self.server.request(Method::DELETE, &["admin", "tokens", name.as_str()]);
        let answer: TokenAnswer = self.server.answer(request).await?;
        Ok(answer.token)
    }
}
