//! Findings and suppressions of a server.

use std::path::Path;

use reqwest::{Method, Response, header};
use tokio::sync::mpsc;

use super::transport::Lines;
use super::{RemoteFarm, blocking};
use crate::error::{Code, Error, Result};
use crate::farm::wire::{
    FindingsAnswer, FindingsEnd, FindingsHead, FindingsParams, IgnoreRequest, List, NDJSON, PAGE_MAX, Problem,
    SuppressionsAnswer, SuppressionsParams, UnignoreParams,
};
use crate::farm::{Around, EachFinding, Farm as _, FindingQuery, Findings, JobSelector, Since, Suppress};
use crate::model::{CommitId, Finding, FingerprintPrefix, RefName, Suppression};
use crate::workspace::{Checkout, Outbox};

/// Findings that are handed on in one go.
const PIECE: usize = 500;
/// Pieces that wait to be taken.
const WAITING: usize = 2;
/// One finding's line is never longer than this: a record has some kilobytes, messages are cut.
const LINE_MAX: usize = 64 << 20;

impl RemoteFarm {
    pub(super) async fn page_of_findings(&self, query: &FindingQuery) -> Result<Findings> {
        if query.limit.is_some_and(|limit| limit <= PAGE_MAX) {
            let (params, meant) = self.asking(query).await?;
            let answer: Result<FindingsAnswer> = self.server.get(&["findings"], &params).await;
            return answer.map(Findings::from).map_err(|error| advised(error, meant));
        }
        // More than a page has.
        let EachFinding { counts, notes, findings: mut pieces } = self.findings_one_by_one(query).await?;
        let mut findings = Vec::new();
        while let Some(piece) = pieces.recv().await {
            findings.extend(piece?);
        }
        Ok(Findings { findings, counts, notes, groups: Vec::new() }.arranged(query.group_by, None))
    }

    pub(super) async fn findings_one_by_one(&self, query: &FindingQuery) -> Result<EachFinding> {
        let (params, meant) = self.asking(query).await?;
        let request = self.server.request(Method::GET, &["findings"]).query(&params).header(header::ACCEPT, NDJSON);
        let response = self.server.send(request).await.map_err(|error| advised(error, meant))?;
        let mut lines = self.lines(response);
        let first = lines.next().await?.unwrap_or_default();
        let FindingsHead { ok: _, counts, sorts, notes } = lines.read(&first)?;
        let (pieces, findings) = mpsc::channel(WAITING);
        tokio::spawn(async move {
            loop {
                let (piece, more) = match piece(&mut lines).await {
                    Ok((piece, more)) => (Ok(piece), more),
                    Err(error) => (Err(error), false),
                };
                if pieces.send(piece).await.is_err() || !more {
                    return;
                }
            }
        });
        Ok(EachFinding { counts: counts.with_sorts(sorts), notes, findings })
    }

    pub(super) async fn ignore_findings(&self, wanted: &Suppress) -> Result<Vec<Suppression>> {
        let Suppress { findings, around, reason, until } = wanted.clone();
        let project = self.project_around(&around).await?;
        let request = IgnoreRequest { findings, reason, until, project };
        let answer: SuppressionsAnswer =
            self.server.answer(self.server.request(Method::POST, &["suppressions"]).json(&request)).await?;
        Ok(answer.suppressions)
    }

    pub(super) async fn ignored_findings(&self, around: &Around) -> Result<Vec<Suppression>> {
        let params = SuppressionsParams { project: self.project_around(around).await? };
        let answer: SuppressionsAnswer = self.server.get(&["suppressions"], &params).await?;
        Ok(answer.suppressions)
    }

    pub(super) async fn unignore_findings(
        &self,
        findings: &[FingerprintPrefix],
        around: &Around,
    ) -> Result<Vec<Suppression>> {
        let params = UnignoreParams { finding: List(findings.to_vec()), project: self.project_around(around).await? };
        let answer: SuppressionsAnswer =
            self.server.answer(self.server.request(Method::DELETE, &["suppressions"]).query(&params)).await?;
        Ok(answer.suppressions)
    }

    /// The query as the server understands it, and what to advise if it knows no such ref. Where the user stands is
    /// looked up only if it matters.
    async fn asking(&self, query: &FindingQuery) -> Result<(FindingsParams, Option<String>)> {
        let open = |selector: &JobSelector| !matches!(selector, JobSelector::Prefix(_));
        let since = matches!(&query.since, Some(Since::Job(selector)) if open(selector));
        let matters = query.jobs.is_empty() || query.jobs.iter().any(open) || since;
        let project = if matters { self.project_around(&query.around).await? } else { None };
        let mut params = FindingsParams::asking(query, project);
        let mut meant = None;
        if let (Some(Since::Named(name)), Around::Folder(folder)) = (&query.since, &query.around) {
            match self.commit_here(folder, name).await {
                Ok(commit) => params.since_commit = commit,
                // It may be a job, or a ref that the server knows.
                Err(error) if error.code() == Code::NotFound => meant = error.hint_text().map(str::to_owned),
                Err(error) => return Err(error),
            }
        }
        Ok((params, meant))
    }

    /// The commit that a ref names in the checkout around a folder, which the server has then. None: there is no
    /// checkout, or the server knows nothing of it.
    async fn commit_here(&self, folder: &Path, name: &str) -> Result<Option<CommitId>> {
        let Some(project) = self.project_of(folder).await? else { return Ok(None) };
        let (folder, name, workspace) = (folder.to_owned(), name.parse::<RefName>()?, self.workspace.clone());
        let found = blocking(move || {
            let Ok(here) = Checkout::discover(&folder) else { return Ok(None) };
            let sha = here.resolve(&name)?;
            Ok(Some((Outbox::open(&workspace, &here)?, sha)))
        });
        let Some((outbox, sha)) = found.await? else { return Ok(None) };
        match self.upload(&project.name, outbox, &sha).await {
            // Who may only look may be lucky: the commit may be there.
            Err(error) if error.code() != Code::Forbidden => Err(error),
            _ => Ok(Some(sha)),
        }
    }

    fn lines(&self, response: Response) -> Lines {
        Lines::new(self.server.clone(), response, LINE_MAX)
    }
}

/// What a checkout advises of a ref is said of an answer that there is none.
fn advised(error: Error, meant: Option<String>) -> Error {
    match meant.filter(|hint| hint.starts_with("did you mean")) {
        Some(hint) if error.code() == Code::NotFound => error.advise(hint),
        _ => error,
    }
}

/// Some findings, and whether there may be more.
async fn piece(lines: &mut Lines) -> Result<(Vec<Finding>, bool)> {
    let mut piece = Vec::new();
    while piece.len() < PIECE {
        let Some(line) = lines.next().await? else { return Err(lines.broken()) };
        if let Ok(finding) = serde_json::from_slice::<Finding>(&line) {
            piece.push(finding);
        } else if let Ok(problem) = serde_json::from_slice::<Problem>(&line) {
            return Err(problem.into());
        } else {
            lines.read::<FindingsEnd>(&line)?;
            return Ok((piece, false));
        }
    }
    Ok((piece, true))
}
