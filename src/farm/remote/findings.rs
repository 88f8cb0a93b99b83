//! Findings and suppressions of a server.

use reqwest::{Method, Response, header};
use tokio::sync::mpsc;

use super::RemoteFarm;
use super::transport::Lines;
use crate::error::Result;
use crate::farm::wire::{
    FindingsAnswer, FindingsEnd, FindingsHead, FindingsParams, IgnoreRequest, List, NDJSON, PAGE_MAX, Problem,
    SuppressionsAnswer, SuppressionsParams, UnignoreParams,
};
use crate::farm::{Around, EachFinding, FindingQuery, Findings, JobSelector, Since, Suppress};
use crate::model::{Finding, FingerprintPrefix, Suppression};

/// Findings that are handed on in one go.
const PIECE: usize = 500;
/// Pieces that wait to be taken.
const WAITING: usize = 2;
/// One finding's line is never longer than this: a record has some kilobytes, messages are cut.
const LINE_MAX: usize = 64 << 20;

impl RemoteFarm {
    pub(super) async fn page_of_findings(&self, query: &FindingQuery) -> Result<Findings> {
        if query.limit.is_some_and(|limit| limit <= PAGE_MAX) {
            let params = self.asking(query).await?;
            let answer: FindingsAnswer = self.server.get(&["findings"], &params).await?;
            return Ok(answer.into());
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
        let params = self.asking(query).await?;
        let request = self.server.request(Method::GET, &["findings"]).query(&params).header(header::ACCEPT, NDJSON);
        let response = self.server.send(request).await?;
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

    /// The query as the server understands it. Where the user stands is looked up only if it matters.
    async fn asking(&self, query: &FindingQuery) -> Result<FindingsParams> {
        let open = |selector: &JobSelector| !matches!(selector, JobSelector::Prefix(_));
        let since = matches!(&query.since, Some(Since::Job(selector)) if open(selector));
        let matters = query.jobs.is_empty() || query.jobs.iter().any(open) || since;
        let project = if matters { self.project_around(&query.around).await? } else { None };
        Ok(FindingsParams::asking(query, project))
    }

    fn lines(&self, response: Response) -> Lines {
        Lines::new(self.server.clone(), response, LINE_MAX)
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
