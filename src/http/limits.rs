//! How often somebody may ask: a bucket per token, and per address for those who show none.
//!
//! Callers behind one proxy or one router do not share a bucket once they have a token. Who shows a wrong bearer has a
//! stricter one, per address, which does not touch those of the same address that show a right one.

use std::hash::Hash;
use std::net::{IpAddr, Ipv6Addr};
use std::num::NonZeroU32;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use governor::clock::{Clock as _, DefaultClock};
use governor::middleware::StateInformationMiddleware;
use governor::state::keyed::DefaultKeyedStateStore;
use governor::{Quota, RateLimiter};

use super::problem::Refusal;
use crate::config::Settings;
use crate::error::{Code, Error};

// The three fields of draft-ietf-httpapi-ratelimit-headers as they were up to its version 06: what clients know.
const LIMIT: HeaderName = HeaderName::from_static("ratelimit-limit");
const REMAINING: HeaderName = HeaderName::from_static("ratelimit-remaining");
const RESET: HeaderName = HeaderName::from_static("ratelimit-reset");

/// After so many questions the buckets that are full again are thrown away.
const PRUNE_EVERY: u32 = 4096;

/// Every bucket of a server.
pub(super) struct Limits {
    requests: Option<Buckets<Bucket>>,
    failures: Option<Buckets<IpAddr>>,
}

/// Whose bucket it is.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(super) enum Bucket {
    /// Of the token with this digest.
    Token([u8; 32]),
    /// Of nobody known.
    Address(IpAddr),
}

impl Limits {
    pub(super) fn new(settings: &Settings) -> Self {
        Self { requests: Buckets::new(settings.rate_limit.value), failures: Buckets::new(settings.failure_limit.value) }
    }

    /// Takes one out of the bucket.
    pub(super) fn ask(&self, bucket: Bucket) -> Verdict {
        let bucket = match bucket {
            Bucket::Address(address) => Bucket::Address(neighbourhood(address)),
            token @ Bucket::Token(_) => token,
        };
        self.requests.as_ref().map(|buckets| buckets.take(&bucket)).unwrap_or_default()
    }

    /// Takes one out of the bucket of wrong bearers from this address.
    pub(super) fn fail(&self, address: IpAddr) -> Verdict {
        self.failures.as_ref().map(|buckets| buckets.take(&neighbourhood(address))).unwrap_or_default()
    }
}

/// One household has as many IPv6 addresses as it likes, all in one /64.
fn neighbourhood(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V6(v6) => Ipv6Addr::from_bits(v6.to_bits() & (u128::MAX << 64)).into(),
        v4 => v4,
    }
}

/// How a bucket stood when it was asked; nothing where there is no limit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Verdict {
    standing: Option<Standing>,
    /// How long to wait, if it was empty.
    wait: Option<Duration>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Standing {
    limit: u32,
    remaining: u32,
    /// Until it is full again.
    reset: Duration,
}

impl Verdict {
    /// Tells the caller how the bucket stands.
    pub(super) fn tell(self, headers: &mut HeaderMap) {
        if let Some(Standing { limit, remaining, reset }) = self.standing {
            headers.insert(LIMIT, limit.into());
            headers.insert(REMAINING, remaining.into());
            headers.insert(RESET, whole_seconds(reset).into());
        }
    }

    /// Refuses the request if the bucket was empty.
    pub(super) fn enforce(self) -> Result<(), Refusal> {
        let Some(wait) = self.wait else { return Ok(()) };
        let seconds = whole_seconds(wait).max(1);
        let error = Error::new(Code::RateLimited, "too many requests").hint(format!("ask again in {seconds} s"));
        Err(Refusal::from(error).header(header::RETRY_AFTER, HeaderValue::from(seconds)))
    }
}

fn whole_seconds(span: Duration) -> u64 {
    span.as_secs() + u64::from(span.subsec_nanos() > 0)
}

type Limiter<K> = RateLimiter<K, DefaultKeyedStateStore<K>, DefaultClock, StateInformationMiddleware>;

/// Buckets that hold a minute's requests each, and fill evenly.
struct Buckets<K: Hash + Eq + Clone> {
    limiter: Limiter<K>,
    asked: AtomicU32,
}

impl<K: Hash + Eq + Clone> Buckets<K> {
    /// None where there is no limit.
    fn new(per_minute: u64) -> Option<Self> {
        let burst = NonZeroU32::new(u32::try_from(per_minute).unwrap_or(u32::MAX))?;
        let limiter = RateLimiter::keyed(Quota::per_minute(burst)).with_middleware();
        Some(Self { limiter, asked: AtomicU32::new(0) })
    }

    fn take(&self, key: &K) -> Verdict {
        if self.asked.fetch_add(1, Ordering::Relaxed) % PRUNE_EVERY == PRUNE_EVERY - 1 {
            self.limiter.retain_recent();
            self.limiter.shrink_to_fit();
        }
        let (quota, remaining, wait) = match self.limiter.check_key(key) {
            Ok(state) => (state.quota(), state.remaining_burst_capacity(), None),
            Err(refused) => (refused.quota(), 0, Some(refused.wait_time_from(self.limiter.clock().now()))),
        };
        let limit = quota.burst_size().get();
        let reset = quota.replenish_interval() * (limit - remaining.min(limit));
        Verdict { standing: Some(Standing { limit, remaining, reset }), wait }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_has_a_bucket_and_an_empty_one_says_when_to_come_back() {
        let buckets = Buckets::new(3).unwrap();
        for left in (0..3).rev() {
            let verdict = buckets.take(&"a");
            assert_eq!(verdict.standing.map(|standing| (standing.limit, standing.remaining)), Some((3, left)));
            assert!(verdict.enforce().is_ok());
        }
        let empty = buckets.take(&"a");
        assert!(empty.wait.is_some_and(|wait| wait > Duration::ZERO && wait <= Duration::from_secs(20)), "{empty:?}");
        assert!(empty.enforce().is_err());
        assert!(buckets.take(&"b").enforce().is_ok());
        assert!(Buckets::<u8>::new(0).is_none());
    }

    #[test]
    fn addresses_of_one_household_share_a_bucket() {
        let of = |text: &str| neighbourhood(text.parse().unwrap());
        assert_eq!(of("2001:db8::1"), of("2001:db8::2:3:4:5"));
        assert_ne!(of("2001:db8::1"), of("2001:db8:0:1::1"));
        assert_ne!(of("10.0.0.1"), of("10.0.0.2"));
    }
}
