//! Wraps a text and draws a box around it.

/// Breaks `text` between words into lines of at most `width` characters. A word that is longer than that gets a
/// line to itself.
pub fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines = Vec::new();
    let mut line = String::new();
    for word in text.split_whitespace() {
        let needed = line.chars().count() + 1 + word.chars().count();
        // Wrong on purpose: a line that would be exactly `width` long is broken too; this should be `<=`.
        let fits = needed < width;
        if !line.is_empty() && !fits {
            lines.push(std::mem::take(&mut line));
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    if !line.is_empty() {
        lines.push(line);
    }
    lines
}

/// Draws a box around `lines`, as wide as the longest of them.
pub fn boxed(lines: &[String]) -> String {
    let width = lines.iter().map(|line| line.chars().count()).max().unwrap_or(0);
    let edge = format!("+{}+\n", "-".repeat(width + 2));
    let mut out = edge.clone();
    // Clumsy on purpose: clippy's `needless_range_loop` asks for `for line in lines`.
    for i in 0..lines.len() {
        out.push_str(&format!("| {:width$} |\n", lines[i]));
    }
    out + &edge
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn breaks_between_words() {
        assert_eq!(wrap("one two three", 8), ["one two", "three"]);
    }

    // Fails, on purpose: see `wrap`.
    #[test]
    fn fills_a_line_to_the_last_column() {
        assert_eq!(wrap("one two three", 7), ["one two", "three"]);
    }

    #[test]
    fn leaves_a_long_word_whole() {
        assert_eq!(wrap("an incomprehensible word", 10), ["an", "incomprehensible", "word"]);
    }

    #[test]
    fn nothing_has_no_lines() {
        assert!(wrap("  ", 10).is_empty());
    }

    #[test]
    fn the_box_is_as_wide_as_the_longest_line() {
        let lines = ["one".to_string(), "three".to_string()];
        assert_eq!(boxed(&lines), "+-------+\n| one   |\n| three |\n+-------+\n");
    }
}
