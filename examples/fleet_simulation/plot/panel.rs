//! One panel of a picture: axes with units, lines, a legend.

use std::{ops::Range, path::Path};

use plotters::{
    coord::{
        Shift,
        ranged1d::{AsRangedCoord, ValueFormatter},
    },
    prelude::*,
    style::RGBAColor,
};

const WIDTH: u32 = 960;
const FONT: &str = "sans-serif";

pub(super) type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;

pub(super) struct Panel<'a> {
    pub(super) title: String,
    /// The title, the range and the shaded parts of the axis.
    pub(super) x: (&'a str, Range<f64>, Vec<Range<f64>>),
    pub(super) y: (&'a str, Range<f64>),
    pub(super) lines: Vec<Line>,
}

pub(super) struct Line {
    pub(super) name: Option<String>,
    pub(super) color: RGBAColor,
    pub(super) points: Vec<(f64, f64)>,
}

/// Creates an empty picture.
pub(super) fn picture(path: &Path, height: u32) -> anyhow::Result<Area<'_>> {
    let root = SVGBackend::new(path, (WIDTH, height)).into_drawing_area();
    root.fill(&WHITE)?;
    Ok(root)
}

pub(super) fn title() -> TextStyle<'static> {
    (FONT, 20).into_font().color(&BLACK)
}

/// Returns a color of the palette of Okabe and Ito, which color-blind readers can distinguish.
pub(super) fn color(number: usize) -> RGBAColor {
    const COLORS: [RGBColor; 7] = [
        RGBColor(0, 0, 0),
        RGBColor(213, 94, 0),
        RGBColor(0, 114, 178),
        RGBColor(0, 158, 115),
        RGBColor(204, 121, 167),
        RGBColor(230, 159, 0),
        RGBColor(86, 180, 233),
    ];
    COLORS[number % COLORS.len()].mix(1.0)
}

/// Formats a number without a trailing decimal point.
#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "plotters expects this type"
)]
fn number(number: &f64) -> String {
    format!("{}", (number * 100.0).round() / 100.0)
}

impl Panel<'_> {
    pub(super) fn draw(self, area: &Area<'_>) -> anyhow::Result<()> {
        let y = self.y.1.clone();
        self.draw_on(area, y)
    }

    /// Draws the panel with a logarithmic y axis.
    pub(super) fn draw_logarithmic(self, area: &Area<'_>) -> anyhow::Result<()> {
        let y = self.y.1.clone().log_scale();
        self.draw_on(
            area,
            y.with_key_points(vec![1.0, 1.5, 2.0, 3.0, 5.0, 10.0, 20.0, 50.0]),
        )
    }

    fn draw_on<Y>(self, area: &Area<'_>, y: Y) -> anyhow::Result<()>
    where
        Y: AsRangedCoord<Value = f64>,
        Y::CoordDescType: ValueFormatter<f64>,
    {
        let (x_title, x, shaded) = self.x;
        let (y_title, heights) = self.y;
        let mut chart = ChartBuilder::on(area)
            .margin(8)
            .margin_right(20)
            .caption(self.title, (FONT, 16))
            .x_label_area_size(42)
            .y_label_area_size(60)
            .build_cartesian_2d(x, y)?;
        chart
            .configure_mesh()
            .x_desc(x_title)
            .y_desc(y_title)
            .light_line_style(WHITE)
            .bold_line_style(BLACK.mix(0.12))
            .x_labels(13)
            .y_labels(6)
            .x_label_formatter(&number)
            .y_label_formatter(&number)
            .label_style((FONT, 13))
            .draw()?;
        chart.draw_series(shaded.into_iter().map(|shaded| {
            let corners = [(shaded.start, heights.start), (shaded.end, heights.end)];
            Rectangle::new(corners, BLACK.mix(0.08).filled())
        }))?;
        let mut has_legend = false;
        let width = if self.lines.len() > 1 { 2 } else { 1 };
        for Line {
            name,
            color,
            points,
        } in self.lines
        {
            let drawn = chart.draw_series(LineSeries::new(points, color.stroke_width(width)))?;
            if let Some(name) = name {
                has_legend = true;
                drawn.label(name).legend(move |(x, y)| {
                    PathElement::new([(x, y), (x + 18, y)], color.stroke_width(3))
                });
            }
        }
        if has_legend {
            chart
                .configure_series_labels()
                .position(SeriesLabelPosition::UpperRight)
                .background_style(WHITE.mix(0.85))
                .border_style(BLACK.mix(0.3))
                .label_font((FONT, 13))
                .draw()?;
        }
        Ok(())
    }
}
