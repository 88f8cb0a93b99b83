//! Stable names for what Go's compiler and vet print without one.

use crate::parsers::text::slug;

/// What analyzers of vet say, in any place of the message, and their names
/// (<https://pkg.go.dev/cmd/vet>); `go vet -json` prints the names itself.
const ANALYZERS: [(&str, &str); 53] = [
    ("append with no values", "appends"),
    ("self-assignment of ", "assign"),
    ("direct assignment to atomic value", "atomic"),
    ("redundant or: ", "bools"),
    ("redundant and: ", "bools"),
    ("suspect or: ", "bools"),
    ("suspect and: ", "bools"),
    ("//go:build ", "buildtag"),
    ("composite literal uses unkeyed fields", "composites"),
    ("passes lock by value", "copylocks"),
    ("copies lock value", "copylocks"),
    ("call to time.Since is not deferred", "defers"),
    ("second argument to errors.As", "errorsas"),
    (" before checking for errors", "httpresponse"),
    ("impossible type assertion", "ifaceassert"),
    ("captured by func literal", "loopclosure"),
    (" context leak", "lostcancel"),
    ("comparison of function ", "nilfunc"),
    (" reads arg #", "printf"),
    (" format %", "printf"),
    ("arg list ends with redundant newline", "printf"),
    ("possible Printf formatting directive", "printf"),
    ("non-constant format string", "printf"),
    ("but no formatting directives", "printf"),
    ("too small for shift", "shift"),
    ("misuse of unbuffered os.Signal channel", "sigchanyzer"),
    (" should have signature ", "stdmethods"),
    ("yields a string of one rune", "stringintconv"),
    ("struct field tag ", "structtag"),
    (" repeats json tag ", "structtag"),
    (" from a non-test goroutine", "testinggoroutine"),
    (" has malformed name: ", "tests"),
    ("2006-02-01 should be 2006-01-02", "timeformat"),
    (" passes non-pointer ", "unmarshal"),
    ("unreachable code", "unreachable"),
    ("possible misuse of unsafe.Pointer", "unsafeptr"),
    (" call not used", "unusedresult"),
    ("called from inside new goroutine", "waitgroup"),
    ("struct literal uses unkeyed fields", "composites"),
    ("+build ", "buildtag"),
    (" call needs ", "printf"),
    (" wrong number of args for format", "printf"),
    ("error-wrapping directive %w", "printf"),
    ("without using the cancel var", "lostcancel"),
    ("cancel function is not used on all paths", "lostcancel"),
    ("missing a final value", "slog"),
    ("should be a string or a slog.Attr", "slog"),
    ("does not work with IPv6", "hostport"),
    ("avoid using reflect.DeepEqual with errors", "deepequalerrors"),
    ("embedded pointer to C", "cgocall"),
    (" refers to unknown identifier", "tests"),
    (" refers to unknown field or method", "tests"),
    ("conversion from untyped int to string", "stringintconv"),
];

/// What the compiler, its parser and the search for packages say, in any place of the message.
const COMPLAINTS: [&str; 37] = [
    "syntax error",
    "imported and not used",
    "declared and not used",
    "undefined",
    "cannot use",
    "too many arguments",
    "not enough arguments",
    "too many return values",
    "not enough return values",
    "missing return",
    "assignment mismatch",
    "mismatched types",
    "redeclared",
    "does not implement",
    "is not a type",
    "is not used",
    "cannot assign",
    "cannot convert",
    "cannot infer",
    "invalid operation",
    "import cycle not allowed",
    "cannot find module providing package",
    "no required module provides package",
    "is not in std",
    "missing go.sum entry",
    "build constraints exclude all Go files",
    "is not in GOROOT",
    "expected",
    "missing ','",
    "cannot find package",
    "use of internal package",
    "missing function body",
    "method has no receiver",
    "no new variables on left side",
    "unknown field",
    "has no field or method",
    "cannot refer to unexported",
];

/// The analyzer of vet that says this, if it is one's.
pub(in crate::parsers) fn analyzer(message: &str) -> Option<&'static str> {
    ANALYZERS.iter().find(|(said, _)| message.contains(said)).map(|(_, name)| *name)
}

/// Whether the compiler, or what runs before it, is known to say this.
pub(in crate::parsers) fn is_complaint(message: &str) -> bool {
    COMPLAINTS.iter().any(|said| message.contains(said))
}

/// A name for an error of the compiler: what it says, without the names in the program.
pub(in crate::parsers) fn complaint(message: &str) -> String {
    if let Some(said) = COMPLAINTS.iter().find(|said| message.contains(*said)) {
        return said.to_ascii_lowercase().replace([' ', '.'], "_").replace("_','", "_comma");
    }
    let start = message.split([':', '(', '"']).find(|part| !part.trim().is_empty()).unwrap_or_default();
    let name = slug(start);
    if name.is_empty() { "compile_error".to_owned() } else { name }
}
