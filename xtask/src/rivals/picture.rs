//! A plot of values on a logarithmic axis, as SVG: a group of rows for each name, a row for each series.
//!
//! Each dot has its value beside it. The background is white, so that the plot is readable on a dark page.

use std::fmt::Write as _;

const WIDTH: f64 = 860.0;
const LEFT: f64 = 220.0;
const RIGHT: f64 = 180.0;
const TOP: f64 = 92.0;
const ROW: f64 = 15.0;
const GAP: f64 = 11.0;
/// One for each series.
const COLORS: [&str; 3] = ["#0969da", "#9a6700", "#8250df"];
const TEXT: &str = "#24292f";
const FAINT: &str = "#57606a";
const GRID: &str = "#d8dee4";

/// A plot.
#[derive(Debug)]
pub(crate) struct Picture {
    pub(crate) title: &'static str,
    /// What the axis shows, with the unit.
    pub(crate) axis: &'static str,
    /// What each row of a group is. One that stands alone is not named.
    pub(crate) series: Vec<String>,
    pub(crate) groups: Vec<Group>,
}

/// The values of one name.
#[derive(Debug)]
pub(crate) struct Group {
    pub(crate) name: String,
    /// Printed bold.
    pub(crate) is_ours: bool,
    /// A heading above the group.
    pub(crate) heading: Option<&'static str>,
    /// A value for each series, with its text.
    pub(crate) values: Vec<Value>,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Value {
    At(f64, String),
    /// And the text in place of a dot.
    Missing(String),
}

impl Picture {
    pub(crate) fn svg(&self) -> String {
        let axis = Axis::of(self.groups.iter().flat_map(|group| &group.values));
        let (mut body, mut y) = (String::new(), TOP);
        for (index, group) in self.groups.iter().enumerate() {
            if let Some(heading) = group.heading {
                y += ROW;
                text(&mut body, 20.0, y, FAINT, "", heading);
                y += ROW;
            }
            self.group(&mut body, &axis, group, y, index == 0);
            y += group.values.len() as f64 * ROW + GAP;
        }
        let height = y + 16.0;
        let mut svg = String::new();
        let (title, label) = (escaped(self.title), escaped(self.axis));
        let _ = write!(
            svg,
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" \
             font-family=\"Helvetica, Arial, sans-serif\" font-size=\"12\" role=\"img\" \
             aria-labelledby=\"t d\">\n<title id=\"t\">{title}</title>\n<desc id=\"d\">{label}</desc>\n\
             <rect width=\"{WIDTH}\" height=\"{height}\" fill=\"#ffffff\"/>\n"
        );
        text(&mut svg, 20.0, 30.0, TEXT, r#"font-size="16""#, self.title);
        text(&mut svg, LEFT, 56.0, FAINT, "", self.axis);
        for (tick, label) in axis.ticks() {
            let x = axis.x(tick);
            let _ = writeln!(
                svg,
                "<path d=\"M{x:.1} {:.1}V{:.1}\" stroke=\"{GRID}\"/>",
                TOP - 12.0,
                height - 16.0
            );
            let middle = r#"text-anchor="middle""#;
            text(&mut svg, x, TOP - 17.0, FAINT, middle, &label);
        }
        svg.push_str(&body);
        svg.push_str("</svg>\n");
        svg
    }

    fn group(&self, body: &mut String, axis: &Axis, group: &Group, top: f64, is_first: bool) {
        let bold = if group.is_ours {
            r#"text-anchor="end" font-weight="bold""#
        } else {
            r#"text-anchor="end""#
        };
        text(body, LEFT - 14.0, top + 4.0, TEXT, bold, &group.name);
        for (index, value) in group.values.iter().enumerate() {
            let y = top + index as f64 * ROW;
            let color = COLORS[index % COLORS.len()];
            let (x, mut label) = match value {
                Value::At(at, label) => {
                    let x = axis.x(*at);
                    let _ = writeln!(
                        body,
                        "<path d=\"M{LEFT} {y:.1}H{x:.1}\" stroke=\"{color}\" stroke-opacity=\"0.35\" \
                         stroke-width=\"2\"/><circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"4.5\" fill=\"{color}\"/>"
                    );
                    (x + 9.0, label.clone())
                }
                Value::Missing(label) => (LEFT + 4.0, label.clone()),
            };
            // the first group says what the rows are
            if is_first && self.series.len() > 1 {
                let _ = write!(label, ", {}", self.series[index]);
            }
            let color = match value {
                Value::At(..) => color,
                Value::Missing(_) => FAINT,
            };
            text(body, x, y + 4.0, color, "", &label);
        }
    }
}

/// A logarithmic axis from a power of ten to another.
#[derive(Debug)]
struct Axis {
    /// The decimal logarithms of its ends.
    low: f64,
    high: f64,
}

impl Axis {
    fn of<'a>(values: impl Iterator<Item = &'a Value>) -> Self {
        let (mut low, mut high) = (f64::INFINITY, f64::NEG_INFINITY);
        for value in values {
            if let Value::At(at, _) = value {
                low = low.min(at.log10().floor());
                high = high.max(at.log10().ceil());
            }
        }
        if low > high {
            // nothing was measured
            return Self {
                low: 0.0,
                high: 1.0,
            };
        }
        Self {
            low,
            high: high.max(low + 1.0),
        }
    }

    fn x(&self, value: f64) -> f64 {
        let part = (value.log10() - self.low) / (self.high - self.low);
        LEFT + part * (WIDTH - LEFT - RIGHT)
    }

    fn ticks(&self) -> Vec<(f64, String)> {
        let decades = (self.low as i32)..=(self.high as i32);
        let ticks = decades.map(|decade| {
            let tick = 10_f64.powi(decade);
            (tick, grouped(tick))
        });
        ticks.collect()
    }
}

/// Returns a number with as many digits as matter, and with commas between thousands.
pub(crate) fn grouped(number: f64) -> String {
    let digits = match number.abs() {
        // whole numbers, such as counts
        whole if whole.fract() == 0.0 => 0,
        small if small < 1.0 => 2,
        middle if middle < 100.0 => 1,
        _ => 0,
    };
    let text = format!("{number:.digits$}");
    let whole = text.find('.').unwrap_or(text.len());
    let mut grouped = String::new();
    for (index, digit) in text.char_indices() {
        let is_boundary = index > 0 && index < whole && (whole - index).is_multiple_of(3);
        if is_boundary && !grouped.ends_with('-') {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

fn text(svg: &mut String, x: f64, y: f64, color: &str, attributes: &str, text: &str) {
    let space = if attributes.is_empty() { "" } else { " " };
    let text = escaped(text);
    let _ = writeln!(
        svg,
        "<text x=\"{x:.1}\" y=\"{y:.1}\" fill=\"{color}\"{space}{attributes}>{text}</text>"
    );
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn picture(values: Vec<Value>) -> Picture {
        Picture {
            title: "reads <fast>",
            axis: "ns",
            series: vec!["1 thread".to_owned(), "2 threads".to_owned()],
            groups: vec![Group {
                name: "one".to_owned(),
                is_ours: true,
                heading: None,
                values,
            }],
        }
    }

    #[test]
    fn a_value_is_placed_by_its_logarithm_and_stands_beside_its_dot() {
        let values = [10.0, 100.0, 1_000.0].map(|at| Value::At(at, grouped(at)));
        let axis = Axis::of(values.iter());
        assert_eq!(axis.x(10.0), LEFT);
        assert_eq!(axis.x(1_000.0), WIDTH - RIGHT);
        assert_eq!(axis.x(100.0), f64::midpoint(LEFT, WIDTH - RIGHT));
        let ticks: Vec<_> = axis.ticks().into_iter().map(|(_, label)| label).collect();
        assert_eq!(ticks, ["10", "100", "1,000"]);

        let svg = picture(values[1..].to_vec()).svg();
        assert_eq!(svg.matches("<circle").count(), 2);
        assert!(svg.contains(">100, 1 thread</text>"), "{svg}");
        assert!(svg.contains("reads &lt;fast&gt;"), "{svg}");
    }

    #[test]
    fn what_was_not_measured_has_no_dot() {
        let missing = || Value::Missing("not measured".to_owned());
        let svg = picture(vec![missing(), missing()]).svg();
        assert_eq!(svg.matches("<circle").count(), 0);
        assert!(svg.contains(">not measured, 2 threads</text>"), "{svg}");
    }

    #[test]
    fn numbers_have_the_digits_that_matter() {
        let all = [
            0.512,
            9.26,
            84.96,
            512.4,
            12_345.6,
            1_000_000.0,
            32.0,
            -123_456.7,
        ];
        assert_eq!(
            all.map(grouped),
            [
                "0.51",
                "9.3",
                "85.0",
                "512",
                "12,346",
                "1,000,000",
                "32",
                "-123,457"
            ]
        );
    }
}
