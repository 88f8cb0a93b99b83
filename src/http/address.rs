//! Where a request comes from: the socket's other end, or who stands behind a trusted proxy.

use std::net::{IpAddr, SocketAddr};

use axum::http::{HeaderMap, HeaderName};

use crate::error::{Code, Error, Result};
use crate::model::Cidr;

const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// The address that a request counts as coming from.
///
/// `X-Forwarded-For` is believed from its right end for as long as trusted proxies wrote it: the first address that is
/// none of theirs is the caller's, whatever a caller wrote before it. An entry that is no address is refused, since
/// somebody hides behind it.
pub(super) fn of_caller(peer: IpAddr, headers: &HeaderMap, proxies: &[Cidr]) -> Result<IpAddr> {
    let is_proxy = |address: IpAddr| proxies.iter().any(|proxy| proxy.contains(address));
    let mut caller = peer.to_canonical();
    if !is_proxy(caller) {
        return Ok(caller);
    }
    let lines: Vec<_> = headers.get_all(FORWARDED_FOR).iter().collect();
    for line in lines.into_iter().rev() {
        for entry in line.to_str().map_err(|_| unclear())?.rsplit(',') {
            caller = parse(entry.trim()).ok_or_else(unclear)?.to_canonical();
            if !is_proxy(caller) {
                return Ok(caller);
            }
        }
    }
    Ok(caller)
}

/// An address; some proxies add the port.
fn parse(entry: &str) -> Option<IpAddr> {
    entry.parse().ok().or_else(|| entry.parse::<SocketAddr>().ok().map(|address| address.ip()))
}

fn unclear() -> Error {
    Error::new(
        Code::Forbidden,
        "where the request comes from is unclear: X-Forwarded-For has an entry that is no address",
    )
    .hint("mend the proxy in between")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn caller(peer: &str, lines: &[&str]) -> Option<String> {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(FORWARDED_FOR, line.parse().unwrap());
        }
        let proxies = ["127.0.0.1/32".parse().unwrap(), "fd00::/8".parse().unwrap()];
        of_caller(peer.parse().unwrap(), &headers, &proxies).ok().map(|address| address.to_string())
    }

    #[test]
    fn only_trusted_proxies_are_believed_from_the_right() {
        for (peer, lines, expected) in [
            ("10.0.0.9", &["1.2.3.4"][..], Some("10.0.0.9")),
            ("127.0.0.1", &[], Some("127.0.0.1")),
            ("127.0.0.1", &["1.2.3.4"], Some("1.2.3.4")),
            ("::ffff:127.0.0.1", &["::ffff:1.2.3.4"], Some("1.2.3.4")),
            ("127.0.0.1", &["6.6.6.6, 1.2.3.4"], Some("1.2.3.4")),
            ("127.0.0.1", &["6.6.6.6, 1.2.3.4, fd00::7"], Some("1.2.3.4")),
            ("127.0.0.1", &["6.6.6.6", "1.2.3.4", "fd00::7 ,127.0.0.1"], Some("1.2.3.4")),
            ("127.0.0.1", &["fd00::7"], Some("fd00::7")),
            ("127.0.0.1", &["1.2.3.4:5678"], Some("1.2.3.4")),
            ("127.0.0.1", &["[2001:db8::1]:5678"], Some("2001:db8::1")),
            ("127.0.0.1", &["nonsense, 1.2.3.4"], Some("1.2.3.4")),
            ("127.0.0.1", &["1.2.3.4, nonsense"], None),
            ("127.0.0.1", &["1.2.3.4,"], None),
            ("127.0.0.1", &["unknown, fd00::7"], None),
            ("127.0.0.1", &["1.2.3.4", "é"], None),
        ] {
            assert_eq!(caller(peer, lines).as_deref(), expected, "{peer} {lines:?}");
        }
    }
}
