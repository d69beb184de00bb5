//! The part of a Markdown file that this task writes, between two markers.

use anyhow::{Context as _, Result};

/// Replaces what is between `<!-- NAME -->` and `<!-- /NAME -->`, which stay.
///
/// # Errors
///
/// If one of the markers is missing, or they are in the wrong order.
pub(crate) fn replaced(text: &str, name: &str, part: &str) -> Result<String> {
    let (begin, end) = (format!("<!-- {name} -->\n"), format!("<!-- /{name} -->"));
    let (before, rest) = text
        .split_once(&begin)
        .with_context(|| format!("expected a line `{}`", begin.trim_end()))?;
    let (_, after) = rest
        .split_once(&end)
        .with_context(|| format!("expected a line `{end}` after `{}`", begin.trim_end()))?;
    Ok(format!("{before}{begin}{}\n{end}{after}", part.trim_end()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_marked_part_is_replaced_and_a_second_time_changes_nothing() {
        let text = "above\n<!-- rivals -->\nold\nold\n<!-- /rivals -->\nbelow\n";
        let once = replaced(text, "rivals", "new\n\n").unwrap();
        assert_eq!(
            once,
            "above\n<!-- rivals -->\nnew\n<!-- /rivals -->\nbelow\n"
        );
        assert_eq!(replaced(&once, "rivals", "new\n\n").unwrap(), once);
    }

    #[test]
    fn a_missing_marker_is_named() {
        let error = |text| replaced(text, "rivals", "new").unwrap_err().to_string();
        assert_eq!(error("above\n"), "expected a line `<!-- rivals -->`");
        assert_eq!(
            error("<!-- rivals -->\n"),
            "expected a line `<!-- /rivals -->` after `<!-- rivals -->`"
        );
    }
}
