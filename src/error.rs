//! The one error of the library: what went wrong, what to do, and how each door reports it.

use std::fmt;

/// The result of everything in the library that can fail.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What kind of failure it was. The name is stable and machine-readable; the exit status follows from it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Code {
    /// A flag, a name or a value that makes no sense.
    InvalidInput,
    /// A configuration or project file that cannot be read or understood.
    InvalidConfig,
    /// There is no git repository here, or one that a run cannot start from.
    NoRepository,
    /// A named thing does not exist, or is not visible to the caller.
    NotFound,
    /// The thing is in a state that does not allow it.
    Conflict,
    /// The program `git` is not installed.
    GitMissing,
    /// git ran and failed.
    GitFailed,
    /// There is no bearer, or one that is unknown, revoked or expired.
    Unauthorized,
    /// The bearer may not do this, or not from here.
    Forbidden,
    /// Too many requests in too short a time.
    RateLimited,
    /// More bytes than are taken.
    TooLarge,
    /// The server could not be reached, or did not answer as one of ours does.
    ServerUnreachable,
    /// The server is going down and takes nothing new.
    Unavailable,
    /// A git remote could not be reached.
    RemoteUnreachable,
    /// A git remote refused the credentials.
    RemoteDenied,
    /// The ledger was written by a newer crafting.
    LedgerTooNew,
    /// The ledger cannot be opened, read or written.
    LedgerFailed,
    /// A file or folder cannot be read or written.
    Io,
    /// The user stopped it.
    Interrupted,
    /// crafting itself failed.
    Fault,
}

/// Name, exit status and HTTP status of each code, in one place.
const TABLE: [(Code, &str, u8, u16); 20] = [
    (Code::InvalidInput, "invalid_input", 2, 422),
    (Code::InvalidConfig, "invalid_config", 2, 422),
    (Code::NoRepository, "no_repository", 2, 422),
    (Code::NotFound, "not_found", 4, 404),
    (Code::Conflict, "conflict", 2, 409),
    (Code::Unauthorized, "unauthorized", 5, 401),
    (Code::Forbidden, "forbidden", 5, 403),
    (Code::RateLimited, "rate_limited", 3, 429),
    (Code::TooLarge, "too_large", 2, 413),
    (Code::ServerUnreachable, "server_unreachable", 3, 502),
    (Code::Unavailable, "unavailable", 3, 503),
    (Code::GitMissing, "git_missing", 3, 500),
    (Code::GitFailed, "git_failed", 3, 422),
    (Code::RemoteUnreachable, "remote_unreachable", 3, 422),
    (Code::RemoteDenied, "remote_denied", 5, 422),
    (Code::LedgerTooNew, "ledger_too_new", 3, 500),
    (Code::LedgerFailed, "ledger_failed", 3, 500),
    (Code::Io, "io", 3, 500),
    (Code::Interrupted, "interrupted", 130, 503),
    (Code::Fault, "fault", 3, 500),
];

impl Code {
    fn row(self) -> (&'static str, u8, u16) {
        TABLE
            .iter()
            .find(|(code, ..)| *code == self)
            .map(|(_, name, exit, http)| (*name, *exit, *http))
            .expect("every code has a row in the table")
    }

    /// Every code.
    pub fn all() -> impl Iterator<Item = Self> {
        TABLE.iter().map(|(code, ..)| *code)
    }

    /// The code of that name.
    pub fn named(name: &str) -> Option<Self> {
        TABLE.iter().find(|(_, known, ..)| *known == name).map(|(code, ..)| *code)
    }

    /// The status of an HTTP answer.
    pub fn http_status(self) -> u16 {
        self.row().2
    }

    /// The stable name, as in JSON answers.
    pub fn as_str(self) -> &'static str {
        self.row().0
    }

    /// The exit status of the command line.
    pub fn exit_status(self) -> u8 {
        self.row().1
    }
}

impl Code {
    /// What it means, for whoever meets it in an answer.
    pub fn meaning(self) -> &'static str {
        match self {
            Self::InvalidInput => "A name, a value or a request that makes no sense.",
            Self::InvalidConfig => "A configuration or project file that cannot be read or understood.",
            Self::NoRepository => "There is no git repository, or one that a run cannot start from.",
            Self::NotFound => "There is no such thing, or it is not the caller's to see.",
            Self::Conflict => "The thing is in a state that does not allow it.",
            Self::Unauthorized => "There is no bearer, or one that is unknown, revoked or expired.",
            Self::Forbidden => "The caller may not do this, or not from there.",
            Self::RateLimited => "Too many requests in too short a time; Retry-After says when to ask again.",
            Self::TooLarge => "More bytes than are taken.",
            Self::ServerUnreachable => "The server could not be reached, or something else answered.",
            Self::Unavailable => "The server takes nothing more just now; ask again in a moment.",
            Self::GitMissing => "The program git is not installed where the farm is.",
            Self::GitFailed => "git ran and failed.",
            Self::RemoteUnreachable => "The project's git remote could not be reached.",
            Self::RemoteDenied => "The project's git remote refused the credentials.",
            Self::LedgerTooNew => "The ledger was written by a newer crafting.",
            Self::LedgerFailed => "The ledger cannot be opened, read or written.",
            Self::Io => "A file or folder of the farm cannot be read or written.",
            Self::Interrupted => "Somebody stopped it.",
            Self::Fault => "crafting itself failed; the server's log says more.",
        }
    }
}

/// A failure, told for people: one sentence on what happened, one on what to do.
#[derive(Debug)]
pub struct Error {
    code: Code,
    message: String,
    hint: Option<String>,
}

impl Error {
    /// An error of a given kind.
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), hint: None }
    }

    /// Bad input: [`Code::InvalidInput`].
    pub fn invalid(message: impl Into<String>) -> Self {
        Self::new(Code::InvalidInput, message)
    }

    /// Something that is not there: [`Code::NotFound`].
    pub fn not_found(message: impl Into<String>) -> Self {
        Self::new(Code::NotFound, message)
    }

    /// A failed read or write, with the path it concerns.
    pub fn io(doing: &str, path: &std::path::Path, error: &std::io::Error) -> Self {
        use std::io::ErrorKind;
        let hint = match error.kind() {
            ErrorKind::StorageFull => "free some space, for example with `crafting gc --all`, and try again",
            ErrorKind::ReadOnlyFilesystem => "the file system is mounted read-only; choose another folder",
            ErrorKind::PermissionDenied => "check the owner and the permissions of that path",
            ErrorKind::NotFound => "check that the path exists",
            _ => "check the disk and the path",
        };
        Self::new(Code::Io, format!("cannot {doing} {}: {}", path.display(), plain(error))).hint(hint)
    }

    /// Adds what to do about it; a hint that is already there stays.
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint.get_or_insert(hint.into());
        self
    }

    /// Says what to do about it in place of a more general hint.
    pub fn advise(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Puts what was being done before the message.
    pub fn context(mut self, doing: impl fmt::Display) -> Self {
        self.message = format!("{doing}: {}", self.message);
        self
    }

    /// The kind of failure.
    pub fn code(&self) -> Code {
        self.code
    }

    /// What to do about it, where that is known.
    pub fn hint_text(&self) -> Option<&str> {
        self.hint.as_deref()
    }
}

/// The system's own words without Rust's ` (os error N)`.
pub(crate) fn plain(error: &dyn std::error::Error) -> String {
    let text = error.to_string();
    match text.split_once(" (os error") {
        Some((words, _)) => words.to_lowercase(),
        None => text,
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Error {}

/// Gives `std::io` results the path they concern.
pub trait IoContext<T> {
    /// `doing` is a verb phrase, such as "read" or "create the folder".
    fn on(self, doing: &str, path: &std::path::Path) -> Result<T>;
}

impl<T> IoContext<T> for std::io::Result<T> {
    fn on(self, doing: &str, path: &std::path::Path) -> Result<T> {
        self.map_err(|error| Error::io(doing, path, &error))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn io_errors_name_the_path_and_a_way_out() {
        let error = std::fs::read("/nonexistent/x").on("read", std::path::Path::new("/nonexistent/x")).unwrap_err();
        assert_eq!(error.to_string(), "cannot read /nonexistent/x: no such file or directory");
        assert_eq!(error.hint_text(), Some("check that the path exists"));
        assert_eq!(error.code().exit_status(), 3);
    }
}
