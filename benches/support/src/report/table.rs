//! The table, in Markdown that is also read easily in a terminal.

use super::rows::{Outcome, Row};

const HEAD: [&str; 4] = ["figure", "measured (95 % interval)", "bar", "verdict"];

pub(super) fn markdown(rows: &[Row]) -> String {
    let lines: Vec<_> = rows.iter().map(cells).collect();
    let width = |column: usize| {
        let cells = lines.iter().map(|line| line[column].chars().count());
        cells.max().unwrap_or(0).max(HEAD[column].chars().count())
    };
    let widths = [0, 1, 2, 3].map(width);
    let line = |cells: [&str; 4]| {
        let padded = |column: usize| {
            let missing = widths[column] - cells[column].chars().count();
            format!(" {}{} |", cells[column], " ".repeat(missing))
        };
        let cells: String = (0..4).map(padded).collect();
        format!("|{cells}\n")
    };
    let mut table = line(HEAD);
    let rule = widths.map(|width| "-".repeat(width + 2)).join("|");
    table.push_str(&format!("|{rule}|\n"));
    for cells in &lines {
        table.push_str(&line([0, 1, 2, 3].map(|column| &*cells[column])));
    }
    table.push_str(&reasons(rows));
    table
}

fn cells(row: &Row) -> [String; 4] {
    let (measured, verdict) = match &row.outcome {
        Outcome::NotRun | Outcome::NotMeasured(_) => ("–".to_owned(), "not measured"),
        Outcome::Measured(figure, true) => (figure.clone(), "holds"),
        Outcome::Measured(figure, false) => (figure.clone(), "**does not hold**"),
    };
    [
        row.what.clone(),
        measured,
        row.bar.to_string(),
        verdict.to_owned(),
    ]
}

/// Says why figures were not measured: each reason once, with the number of its rows.
fn reasons(rows: &[Row]) -> String {
    let mut reasons: Vec<(&str, usize)> = Vec::new();
    for row in rows {
        let why = match &row.outcome {
            Outcome::NotRun => "the bench has not been run",
            Outcome::NotMeasured(why) => why,
            Outcome::Measured(..) => continue,
        };
        match reasons.iter_mut().find(|(known, _)| *known == why) {
            Some((_, count)) => *count += 1,
            None => reasons.push((why, 1)),
        }
    }
    if reasons.is_empty() {
        return String::new();
    }
    let line = |(why, count): (&str, usize)| format!("- {count} of {}: {why}\n", rows.len());
    let lines: String = reasons.into_iter().map(line).collect();
    format!("\nNot measured:\n{lines}")
}
