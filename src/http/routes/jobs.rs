//! `/projects/{name}/jobs`, `/jobs` and `/batches`.

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};

use crate::error::Error;
use crate::farm::wire::{
    BatchAnswer, CancelBatch, CancelJobs, CancelledAnswer, JobAnswer, JobQuery, JobsAnswer, JobsQuery, LOG_TAIL,
    PlanAnswer, Problem, RunJobs, StartedAnswer, WhichQuery,
};
use crate::farm::{Around, Farm as _, JobFilter, JobSelector, LocalFarm, Once, Scope, Started};
use crate::http::auth::Asked;
use crate::http::extract::{Json, Path, Query};
use crate::http::idempotency::Repeatable;
use crate::http::kept_answers::OfLedger;
use crate::http::problem::{BodyRefusals, Refusal, Refusals};
use crate::model::{BatchId, Job, ProjectName};

/// Queues jobs, which the server runs.
///
/// With an `Idempotency-Key` the request may be sent again within a day: it then answers as it did the first time, with
/// the jobs as they are by then, and queues nothing more. With `dry_run` it answers 200 and says what would run.
#[utoipa::path(post, path = "/projects/{name}/jobs", tag = "jobs", request_body = RunJobs,
    params(("name" = ProjectName, Path), Repeatable),
    responses(
        (status = 201, description = "The jobs are queued.", body = StartedAnswer),
        (status = 200, description = "What would run, with `dry_run`.", body = PlanAnswer),
        (status = 404, description = "There is no such project, recipe, subproject or commit.", body = Problem,
            content_type = "application/problem+json"),
        (status = 409, description = "The idempotency key was used for another request.", body = Problem,
            content_type = "application/problem+json"),
        Refusals, BodyRefusals))]
pub(crate) async fn run(
    Asked(farm): Asked,
    Path(name): Path<ProjectName>,
    Repeatable(key): Repeatable,
    Json(body): Json<RunJobs>,
) -> Result<Response, Refusal> {
    let asked = serde_json::to_string(&(&name, &body)).map_err(|error| Error::invalid(error.to_string()))?;
    let dry_run = body.dry_run;
    let request = body.request(name).map_err(Refusal::of_field)?;
    if dry_run {
        let plan = farm.plan(&request).await?;
        return Ok(Json(PlanAnswer { ok: true, plan }).into_response());
    }
    started(farm.run_once(&request, key.map(|key| Once::new(key, &asked))).await?)
}

/// Jobs, the newest first: the caller's own, an administrator's answer has everybody's.
#[utoipa::path(get, path = "/jobs", tag = "jobs", params(JobsQuery),
    responses(
        (status = 200, body = JobsAnswer),
        (status = 404, description = "There is no such project, or no such job to go on from.", body = Problem,
            content_type = "application/problem+json"),
        (status = 422, description = "A parameter cannot be understood.", body = Problem,
            content_type = "application/problem+json"),
        Refusals))]
pub(crate) async fn list(
    Asked(farm): Asked,
    Query(query): Query<JobsQuery>,
) -> Result<OfLedger<Json<JobsAnswer>>, Refusal> {
    let mut filter = JobFilter::from(query);
    let limit = usize::try_from(filter.limit).unwrap_or(usize::MAX);
    // One more than is shown tells whether there is more.
    filter.limit = filter.limit.saturating_add(1);
    let mut jobs = farm.jobs(&filter).await?;
    let more = jobs.len() > limit;
    jobs.truncate(limit);
    let next = if more { jobs.last().map(|job| job.id.clone()) } else { None };
    Ok(OfLedger(Json(JobsAnswer { ok: true, jobs, next })))
}

/// One job, with the last lines of its log.
///
/// It is named by any unique beginning of its id, or as `@last` or `@last-failed`.
#[utoipa::path(get, path = "/jobs/{id}", tag = "jobs",
    params(("id" = JobSelector, Path), JobQuery),
    responses(
        (status = 200, body = JobAnswer),
        (status = 404, description = "There is no such job.", body = Problem,
            content_type = "application/problem+json"),
        (status = 422, description = "That cannot name a job, or names several.", body = Problem,
            content_type = "application/problem+json"),
        Refusals))]
pub(crate) async fn show(
    Asked(farm): Asked,
    Path(which): Path<JobSelector>,
    Query(query): Query<JobQuery>,
) -> Result<Response, Refusal> {
    let job = named(&farm, which, query.project).await?;
    let log_tail = farm.log_tail(&job.id, query.log_tail.unwrap_or(LOG_TAIL)).await?;
    let settled = job.status.is_final();
    let answer = Json(JobAnswer { ok: true, job, log_tail });
    // A log grows without a word to the ledger.
    Ok(if settled { OfLedger(answer).into_response() } else { answer.into_response() })
}

/// Asks for the end of a job, or of its batch: first with grace, with `force` at once.
///
/// A job that is over stays as it ended.
#[utoipa::path(post, path = "/jobs/{id}/cancel", tag = "jobs", request_body = Option<CancelJobs>,
    params(("id" = JobSelector, Path), WhichQuery),
    responses(
        (status = 200, body = CancelledAnswer),
        (status = 404, description = "There is no such job.", body = Problem,
            content_type = "application/problem+json"),
        Refusals, BodyRefusals))]
pub(crate) async fn cancel(
    Asked(farm): Asked,
    Path(which): Path<JobSelector>,
    Query(query): Query<WhichQuery>,
    body: Option<Json<CancelJobs>>,
) -> Result<Json<CancelledAnswer>, Refusal> {
    let CancelJobs { force, batch } = body.map(|Json(body)| body).unwrap_or_default();
    let job = named(&farm, which, query.project).await?;
    let scope = if batch { Scope::Batch(job.batch_id) } else { Scope::Job(job.id) };
    Ok(Json(CancelledAnswer { ok: true, jobs: farm.cancel(&scope, force).await? }))
}

/// Asks for the end of a job with grace, as `POST /jobs/{id}/cancel` does.
#[utoipa::path(delete, path = "/jobs/{id}", tag = "jobs",
    params(("id" = JobSelector, Path), WhichQuery),
    responses(
        (status = 200, body = CancelledAnswer),
        (status = 404, description = "There is no such job.", body = Problem,
            content_type = "application/problem+json"),
        (status = 422, description = "That cannot name a job, or names several.", body = Problem,
            content_type = "application/problem+json"),
        Refusals))]
pub(crate) async fn delete(
    asked: Asked,
    which: Path<JobSelector>,
    query: Query<WhichQuery>,
) -> Result<Json<CancelledAnswer>, Refusal> {
    cancel(asked, which, query, None).await
}

/// Queues a job that is over again: same commit, same recipe.
///
/// With an `Idempotency-Key` the request may be sent again within a day, as for `POST /projects/{name}/jobs`.
#[utoipa::path(post, path = "/jobs/{id}/retry", tag = "jobs",
    params(("id" = JobSelector, Path), WhichQuery, Repeatable),
    responses(
        (status = 201, description = "The job is queued, in a batch of its own.", body = StartedAnswer),
        (status = 404, description = "There is no such job.", body = Problem,
            content_type = "application/problem+json"),
        (status = 409, description = "It is not over yet, or the idempotency key was used for another request.",
            body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "That cannot name a job, or names several.", body = Problem,
            content_type = "application/problem+json"),
        Refusals))]
pub(crate) async fn retry(
    Asked(farm): Asked,
    Path(which): Path<JobSelector>,
    Query(query): Query<WhichQuery>,
    Repeatable(key): Repeatable,
) -> Result<Response, Refusal> {
    // As it was asked: by the time of a repetition @last is another one.
    let asked = format!("retry {which} {}", query.project.as_ref().map_or("", |project| project.as_str()));
    let once = key.map(|key| Once::new(key, &asked));
    started(farm.retry_once(&around(which, query.project), true, once).await?)
}

/// The jobs that were started together.
#[utoipa::path(get, path = "/batches/{id}", tag = "jobs", params(("id" = BatchId, Path)),
    responses(
        (status = 200, body = BatchAnswer),
        (status = 404, description = "There is no such batch.", body = Problem,
            content_type = "application/problem+json"),
        (status = 422, description = "That cannot name one.", body = Problem,
            content_type = "application/problem+json"),
        Refusals))]
pub(crate) async fn batch(Asked(farm): Asked, Path(id): Path<BatchId>) -> Result<Json<BatchAnswer>, Refusal> {
    let jobs = farm.in_scope(&Scope::Batch(id.clone())).await?;
    Ok(Json(BatchAnswer { ok: true, batch_id: id, jobs }))
}

/// Asks for the end of the jobs that were started together: first with grace, with `force` at once.
#[utoipa::path(post, path = "/batches/{id}/cancel", tag = "jobs", request_body = Option<CancelBatch>,
    params(("id" = BatchId, Path)),
    responses(
        (status = 200, body = CancelledAnswer),
        (status = 404, description = "There is no such batch.", body = Problem,
            content_type = "application/problem+json"),
        Refusals, BodyRefusals))]
pub(crate) async fn cancel_batch(
    Asked(farm): Asked,
    Path(id): Path<BatchId>,
    body: Option<Json<CancelBatch>>,
) -> Result<Json<CancelledAnswer>, Refusal> {
    let CancelBatch { force } = body.map(|Json(body)| body).unwrap_or_default();
    Ok(Json(CancelledAnswer { ok: true, jobs: farm.cancel(&Scope::Batch(id), force).await? }))
}

fn around(which: JobSelector, project: Option<ProjectName>) -> JobSelector {
    which.around(project.map_or(Around::Everywhere, Around::Project))
}

async fn named(farm: &LocalFarm, which: JobSelector, project: Option<ProjectName>) -> Result<Job, Refusal> {
    Ok(farm.job(&around(which, project)).await?)
}

fn started(started: Started) -> Result<Response, Refusal> {
    let answer = StartedAnswer::of(started)?;
    Ok((StatusCode::CREATED, Json(answer)).into_response())
}
